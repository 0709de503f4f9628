# Documents that are made: the timing drawing and the README's figures.
.PHONY: timing readme
timing: $(BUILD)/daagen ## redraw docs/timing.svg from a simulation
	@$(BUILD)/daagen --config tiny -o $(BUILD)/timing
	$(PYTHON) docs/timing.py $(BUILD)/timing docs/timing.svg

readme: ## bring the README's figures and tables up to date (runs run and compare)
	@+$(MAKE) --no-print-directory run compare
	$(PYTHON) docs/readme.py --build $(BUILD)

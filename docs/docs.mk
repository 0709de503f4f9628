# Documents that are made: the timing drawing and the README's figures.
.PHONY: timing readme readme-speed
timing: $(BUILD)/daagen ## redraw docs/timing.svg from a simulation
	@$(BUILD)/daagen --config tiny -o $(BUILD)/timing
	$(PYTHON) docs/timing.py $(BUILD)/timing docs/timing.svg

readme: ## bring the README's figures and tables up to date (runs run and compare)
	@+$(MAKE) --no-print-directory run compare
	$(PYTHON) docs/readme.py --build $(BUILD) run compare accuracy configs options

readme-speed: bench-engine bench-rivals ## the README's table of speeds, measured here and now [CPFLOAT=PREFIX]
	$(PYTHON) docs/readme.py --build $(BUILD) speed

# Documents that are made: the drawing of the timing and the README's figures.
.PHONY: drawing readme readme-speed
drawing: $(BUILD)/daagen ## redraw docs/timing.svg from a simulation
	@$(BUILD)/daagen --config tiny -o $(BUILD)/timing
	$(PYTHON) docs/drawing.py $(BUILD)/timing docs/timing.svg

readme: ## bring the README's figures and tables up to date (runs run and lo-bits)
	@+$(MAKE) --no-print-directory run lo-bits
	$(PYTHON) docs/readme.py --build $(BUILD) run claim compare layout accuracy lo-bits configs options

readme-speed: bench-engine bench-rivals bench-formats bench-training ## the tables of docs/speed.md, measured here and now [CPFLOAT=PREFIX]
	$(PYTHON) docs/readme.py --build $(BUILD) speed anchored formats training

# The main job: Fashion-MNIST through the Verilated array, checked against the golden model, with its area.
IMAGES ?= 256
CONFIG ?= paper
DATA   ?= /usr/share/datasets/fashion-mnist

.PHONY: need-run run
need-run:
	@./daa --need run

run: need-run ## the main job: Fashion-MNIST [IMAGES=256] [CONFIG=paper] [DATA=directory]
	@+$(MAKE) -s --no-print-directory $(BUILD)/daagen $(BUILD)/daagemm
	@+$(PYTHON) demo/run.py --images $(IMAGES) --config $(CONFIG) --data $(DATA) --build $(BUILD)

# The main job: a network trained on Fashion-MNIST on the Verilated array, every bit checked against the golden model.
STEPS  ?= 100
BATCH  ?= 64
TEST   ?= 10000
CONFIG ?= safe2
DATA   ?= /usr/share/datasets/fashion-mnist

.PHONY: need-run run
need-run:
	@./daa --need run

run: need-run cells ## the main job: training on the simulated array [STEPS=100] [BATCH=64] [TEST=10000] [CONFIG=safe2] [DATA=directory] [LIBERTY=F.lib[.gz]]
	@+$(MAKE) -s --no-print-directory $(BUILD)/daagen $(BUILD)/daagemm
	@+$(PYTHON) demo/run.py --steps $(STEPS) --batch $(BATCH) --test $(TEST) --config $(CONFIG) --data $(DATA) --build $(BUILD) $(if $(LIBERTY),--liberty "$(LIBERTY)")

.PHONY: resnet18
resnet18: lib ## every GEMM of a training step of ResNet-18 on the core, by its cycle model, minutes: docs/results/resnet18.md
	@DAA_LIBRARY="$(abspath $(BUILD))/libdaa.so" $(PYTHON) compare/resnet18.py

.PHONY: resnet18-rtl
resnet18-rtl: lib ## a training step of ResNet-18 for images of 32 x 32 through the Verilated core DIR, bit for bit, minutes [IMAGES=2] [DATA=DIR] [JOBS=2]
	@+$(MAKE) -s --no-print-directory core DIR="$(DIR)"
	@PYTHONPATH=python $(PYTHON) compare/resnet18_rtl.py --build "$(abspath $(BUILD))" --core "$(DIR)" --jobs $(JOBS) $(if $(IMAGES),--images $(IMAGES)) $(if $(DATA),--data "$(DATA)")

.PHONY: resnet18
resnet18: lib ## every GEMM of a training step of ResNet-18 on the core, by its cycle model, minutes: docs/results/resnet18.md
	@$(PYTHON) compare/resnet18.py --build "$(abspath $(BUILD))"

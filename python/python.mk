# python/: the package daa for NumPy and PyTorch. In the tree it takes the shared library from here.
ALL += $(BUILD)/libdaa.so

.PHONY: check-gpu count-gpu
check-gpu: all ## on a machine with a GPU: its bits against the golden model, its speeds beside cuBLAS [PYTHON=...]
	@$(PYTHON) tests/gpu/check_gpu.py
count-gpu: all ## with nvcc or NVRTC, and nvdisasm: instructions of the GPU engine's innermost loops
	@$(PYTHON) tests/gpu/count_gpu.py

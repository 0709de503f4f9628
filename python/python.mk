# python/: the package daa for NumPy and PyTorch. In the tree it takes the shared library from here.
ALL += $(BUILD)/libdaa.so

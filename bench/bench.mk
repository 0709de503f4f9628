# bench/: other emulators beside ours. Those that are installed are measured; the others are named, with how to get them.
.PHONY: bench-rivals
bench-rivals: lib ## CPFLOAT=PREFIX: other emulators that round at every step, beside ours: build/bench_rivals.json
	OMP_NUM_THREADS=1 PYTHONPATH=python$${PYTHONPATH:+:$$PYTHONPATH} $(PYTHON) bench/rivals.py -o $(BUILD)/bench_rivals.json

# Flags of the kind that CPFloat itself is built with.
ifneq ($(CPFLOAT),)
.PHONY: $(BUILD)/rival_cpfloat.so
$(BUILD)/rival_cpfloat.so:
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O3 -march=native -shared -fPIC bench/rival_cpfloat.c -I$(CPFLOAT)/include -L$(CPFLOAT)/lib \
	  '-Wl,-rpath,$(CPFLOAT)/lib' -lcpfloat -lm -o $@
bench-rivals: $(BUILD)/rival_cpfloat.so
bench-rivals: export RIVAL_CPFLOAT = $(BUILD)/rival_cpfloat.so
endif

.PHONY: bench-training
bench-training: lib ## training steps of whole networks beside PyTorch's float32: build/bench_training.json
	OMP_NUM_THREADS=1 PYTHONPATH=python$${PYTHONPATH:+:$$PYTHONPATH} $(PYTHON) bench/training.py -o $(BUILD)/bench_training.json

.PHONY: bench-formats
bench-formats: lib ## every kind of operands and accumulators on vectors: build/bench_formats.json
	OMP_NUM_THREADS=1 PYTHONPATH=python$${PYTHONPATH:+:$$PYTHONPATH} $(PYTHON) bench/formats.py -o $(BUILD)/bench_formats.json

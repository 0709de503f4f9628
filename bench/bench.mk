# bench/: other emulators beside ours. Those that are installed are measured; the others are named, with how to get them.
CPFLOAT ?=
RIVAL   := $(BUILD)/rival_cpfloat.so

# Flags of the kind that CPFloat itself is built with.
.PHONY: bench-rivals
bench-rivals: lib ## CPFLOAT=PREFIX: other emulators that round at every step, beside ours: build/bench_rivals.json
	$(if $(CPFLOAT),$(CC) -std=gnu11 -O3 -march=native -shared -fPIC bench/rival_cpfloat.c -I$(CPFLOAT)/include \
	  -L$(CPFLOAT)/lib '-Wl,-rpath,$(CPFLOAT)/lib' -lcpfloat -lm -o $(RIVAL))
	$(if $(CPFLOAT),RIVAL_CPFLOAT=$(RIVAL)) OMP_NUM_THREADS=1 PYTHONPATH=python$${PYTHONPATH:+:$$PYTHONPATH} \
	  $(PYTHON) bench/rivals.py -o $(BUILD)/bench_rivals.json

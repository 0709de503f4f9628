# The engines of libdaa (sim/engine*.c): their flags, their check against the golden model, their benchmark, installation.
$(BUILD)/obj/sim/engine%.o: CFLAGS += -O3

CHECK_ENGINE     := $(BUILD)/check-engine
CHECK_ENGINE_OBJ := $(BUILD)/obj/tests/engine/check.o

$(CHECK_ENGINE): $(CHECK_ENGINE_OBJ) $(BUILD)/libdaa.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(SIM_LIBS) -o $@

$(BUILD)/asan/check-engine: $(patsubst $(BUILD)/obj/%,$(BUILD)/asan/obj/%,$(CHECK_ENGINE_OBJ)) $(BUILD)/asan/libdaa.a
	$(CC) $(ASAN_FLAGS) $^ $(SIM_LIBS) -o $@

$(BUILD)/bench-engine: $(BUILD)/obj/sim/bench_engine.o $(BUILD)/libdaa.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(SIM_LIBS) -ldl -o $@

.PHONY: check-engine check-engine-long bench-engine
check-engine: $(CHECK_ENGINE) ## hold every engine against the golden model, short
	$(CHECK_ENGINE) --seed $(SEED)
check-engine-long: $(CHECK_ENGINE) ## the same with many more cases, minutes
	$(CHECK_ENGINE) --seed $(SEED) --long
bench-engine: $(BUILD)/bench-engine ## speed of the engines beside OpenBLAS sgemm, in turns: build/bench_engine.json
	$< -o $(BUILD)/bench_engine.json

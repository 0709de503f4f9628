# config/: what a DAA is. Its objects go into $(BUILD)/libdaa.a (sim/sim.mk); they need -ljansson.
CONFIG_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard config/*.c)))

# Tests, with the sanitizers of sim/sim.mk.
CONFIG_ASAN_OBJ := $(patsubst $(BUILD)/obj/%,$(BUILD)/asan/obj/%,$(CONFIG_OBJ))

$(BUILD)/asan/check-config: $(BUILD)/asan/obj/tests/unit/check_config.o $(CONFIG_ASAN_OBJ)
	$(CC) $(ASAN_FLAGS) $^ -ljansson -o $@

$(BUILD)/asan/fuzz-json: $(BUILD)/asan/obj/tests/fuzz/fuzz_json.o $(CONFIG_ASAN_OBJ)
	$(CC) $(ASAN_FLAGS) $^ -ljansson -o $@

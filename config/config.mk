# config/: what a DAA is. Its objects go into libdaa (engine/engine.mk) and into daagen.
CONFIG_OBJ  := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard config/*.c)))
CONFIG_LIBS := -ljansson -lm

# Tests, with the sanitizers of sim/sim.mk.
$(BUILD)/asan/check-config: $(BUILD)/asan/obj/tests/unit/check_config.o $(patsubst $(BUILD)/obj/%,$(BUILD)/asan/obj/%,$(CONFIG_OBJ))
	$(CC) $(ASAN_FLAGS) $^ $(CONFIG_LIBS) -o $@

$(BUILD)/asan/fuzz-json: $(BUILD)/asan/obj/tests/fuzz/fuzz_json.o $(patsubst $(BUILD)/obj/%,$(BUILD)/asan/obj/%,$(CONFIG_OBJ))
	$(CC) $(ASAN_FLAGS) $^ $(CONFIG_LIBS) -o $@

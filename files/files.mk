# files/: what all commands share: matrices in .npy files, outputs that are whole or not there, command lines.
FILES_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard files/*.c)))

# Mutated .npy files, always under the sanitizers.
$(BUILD)/asan/fuzz-npy: $(BUILD)/asan/obj/tests/fuzz/fuzz_npy.o $(call asan,$(FILES_OBJ) $(SIM_OBJ) $(CONFIG_OBJ))
	$(CC) $(ASAN_FLAGS) $^ $(CONFIG_LIBS) -o $@

# sim/: libdaa, which is the golden model with matrices and files, and its command daagemm.
SIM_LIB_SRC := $(filter-out sim/daagemm.c sim/bench_engine.c,$(sort $(wildcard sim/*.c)))
SIM_LIB_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(SIM_LIB_SRC)) $(CONFIG_OBJ)
SIM_LIBS    := -ljansson -lm -lpthread

ALL += $(BUILD)/libdaa.a $(BUILD)/daagemm

$(BUILD)/libdaa.a: $(SIM_LIB_OBJ)
	@rm -f $@
	$(AR) rcsD $@ $^

$(BUILD)/daagemm: $(BUILD)/obj/sim/daagemm.o $(BUILD)/libdaa.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(SIM_LIBS) -o $@

# The same with the address and undefined-behaviour sanitizers, for the tests.
ASAN_FLAGS   := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ASAN_LIB_OBJ := $(patsubst $(BUILD)/obj/%,$(BUILD)/asan/obj/%,$(SIM_LIB_OBJ))

$(BUILD)/asan/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ASAN_FLAGS) $(WARN) -MMD -MP -c $< -o $@
-include $(shell find $(BUILD)/asan -name '*.d' 2>/dev/null)

$(BUILD)/asan/libdaa.a: $(ASAN_LIB_OBJ)
	@rm -f $@
	$(AR) rcsD $@ $^

$(BUILD)/asan/daagemm: $(BUILD)/asan/obj/sim/daagemm.o $(BUILD)/asan/libdaa.a
	$(CC) $(ASAN_FLAGS) $^ $(SIM_LIBS) -o $@

# The contract, held against an independent oracle.
CHECK_CONTRACT     := $(BUILD)/check-contract
CHECK_CONTRACT_OBJ := $(BUILD)/obj/tests/contract/check.o $(BUILD)/obj/tests/contract/oracle.o

$(CHECK_CONTRACT): $(CHECK_CONTRACT_OBJ) $(BUILD)/libdaa.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lmpfr -lgmp $(SIM_LIBS) -o $@

$(BUILD)/asan/check-contract: $(patsubst $(BUILD)/obj/%,$(BUILD)/asan/obj/%,$(CHECK_CONTRACT_OBJ)) $(BUILD)/asan/libdaa.a
	$(CC) $(ASAN_FLAGS) $^ -lmpfr -lgmp $(SIM_LIBS) -o $@

.PHONY: check-contract check-contract-long
check-contract: $(CHECK_CONTRACT) ## hold the golden model against the oracle, short
	$(CHECK_CONTRACT) --seed $(SEED)
check-contract-long: $(CHECK_CONTRACT) ## the same with many more cases, minutes
	$(CHECK_CONTRACT) --seed $(SEED) --long

# Mutated .npy files, always under the sanitizers.
$(BUILD)/asan/fuzz-npy: $(BUILD)/asan/obj/tests/fuzz/fuzz_npy.o $(BUILD)/asan/libdaa.a
	$(CC) $(ASAN_FLAGS) $^ $(SIM_LIBS) -o $@

# sim/: the arithmetic: numbers, the golden model, and a GEMM cut into tiles. Its objects go into libdaa (engine/engine.mk)
# but for the tiles, which only what drives an array needs.
TILES_OBJ := $(addprefix $(BUILD)/obj/sim/,tiles.o pack.o)
SIM_SRC   := $(filter-out sim/tiles.c sim/pack.c,$(sort $(wildcard sim/*.c)))
SIM_OBJ   := $(patsubst %.c,$(BUILD)/obj/%.o,$(SIM_SRC))

# The same with the address and undefined-behaviour sanitizers, for the tests.
ASAN_FLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
asan        = $(patsubst $(BUILD)/obj/%,$(BUILD)/asan/obj/%,$(1))

$(BUILD)/asan/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ASAN_FLAGS) $(WARN) -MMD -MP -c $< -o $@
# An optimised vector engine takes a minute to compile with its sanitizers, and unoptimised the compiler tells of loops it
# does not unroll.
$(BUILD)/asan/obj/engine/%.o: ASAN_FLAGS += -O0
$(BUILD)/asan/obj/engine/%.o: WARN := -std=c11 -w
-include $(shell find $(BUILD)/asan -name '*.d' 2>/dev/null)

# The contract, held against an independent oracle.
CHECK_CONTRACT     := $(BUILD)/check-contract
CHECK_CONTRACT_OBJ := $(BUILD)/obj/tests/contract/check.o $(BUILD)/obj/tests/contract/oracle.o $(SIM_OBJ) $(CONFIG_OBJ)

$(CHECK_CONTRACT): $(CHECK_CONTRACT_OBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lmpfr -lgmp $(CONFIG_LIBS) -o $@

$(BUILD)/asan/check-contract: $(call asan,$(CHECK_CONTRACT_OBJ))
	$(CC) $(ASAN_FLAGS) $^ -lmpfr -lgmp $(CONFIG_LIBS) -o $@

.PHONY: check-contract check-contract-long
check-contract: $(CHECK_CONTRACT) ## hold the golden model against the oracle, short
	$(CHECK_CONTRACT) --seed $(SEED)
check-contract-long: $(CHECK_CONTRACT) ## the same with many more cases, minutes
	$(CHECK_CONTRACT) --seed $(SEED) --long

# config/: what a DAA is. Its objects go into $(BUILD)/libdaa.a (sim/sim.mk); they need -ljansson.
CONFIG_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard config/*.c)))

# tb/: the Verilated array as a C program (daatb), the Icarus cross-check, the benchmark.
TB_OBJ  := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out tb/daavec.c,$(sort $(wildcard tb/*.c))))
VEC_OBJ := $(patsubst %,$(BUILD)/obj/tb/%.o,daavec tiles pack)

ALL += $(TB_OBJ) $(BUILD)/daavec

$(BUILD)/daavec: $(VEC_OBJ) $(BUILD)/libdaa.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(SIM_LIBS) -o $@

# What the C++ compiler does for the model: the default makes it fast; OPT=-O0 builds small arrays sooner. VFLAGS go to
# verilator, -GRows=8 for one.
OPT     ?= -O2 -march=native
VFLAGS  ?=
CXX_JOBS ?= 2

.PHONY: tb icarus bench
ifeq ($(DIR),)
tb icarus:
	@echo "make $@: DIR is not set; make $@ DIR=DIR takes a directory that daagen wrote" >&2; exit 2
else
tb: $(DIR)/daatb ## DIR=DIR: verilate what daagen wrote into DIR, as the program DIR/daatb

$(DIR)/daa_config.h $(DIR)/daa.f:
	@echo "make: there is no $@; DIR must be a directory that daagen wrote" >&2; exit 2

DUT_DIR = $(abspath $(DIR))/obj_daatb
DUT_TOP = $$(sed -n 's/^.define DAA_TOP "\(.*\)"/\1/p' $(DIR)/daa_config.h)

# Linked anew each time: verilator's makefile does not know our objects.
$(DIR)/daatb: $(DIR)/daa_config.h $(DIR)/daa.f $(wildcard $(DIR)/rtl/*.v) tb/dut.cpp tb/dut.h $(TB_OBJ) $(BUILD)/libdaa.a
	@command -v verilator >/dev/null || { echo "make tb: there is no verilator; ./daa --need run installs it" >&2; exit 1; }
	verilator --cc --exe -O3 --x-assign fast --x-initial fast --noassert --no-timing --output-split 20000 --prefix Vdut \
	  --top-module $(DUT_TOP) --Mdir $(DUT_DIR) -CFLAGS "-I$(abspath $(DIR)) -I$(abspath tb)" $(VFLAGS) \
	  -F $(DIR)/daa.f $(abspath tb/dut.cpp)
	@+$(MAKE) --no-print-directory -s -j$(CXX_JOBS) -C $(DUT_DIR) -f Vdut.mk CXX="$(CXX)" OPT_FAST="$(OPT)" OPT_SLOW="-O0" \
	  OPT_GLOBAL="-O2" VM_USER_LDLIBS="$(abspath $(TB_OBJ) $(BUILD)/libdaa.a) $(SIM_LIBS) -lpthread" Vdut
	@mv $(DUT_DIR)/Vdut $@

# A, B and C0 are .npy files; STALL and SEED as for daatb.
icarus: $(DIR)/daa_config.h $(BUILD)/daavec ## DIR=DIR A=A.npy B=B.npy [C0=C0.npy] [STALL=P] [SEED=N]: a GEMM in Icarus
	@BUILD=$(BUILD) tb/icarus.sh "$(DIR)" "$(A)" "$(B)" "$(C0)" "$(or $(STALL),0)" "$(or $(SEED),1)"
endif

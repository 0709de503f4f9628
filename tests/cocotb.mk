# The core under cocotb: a second opinion beside the harness in C.
.PHONY: cocotb
cocotb: $(BUILD)/daagen lib ## random jobs on the core under cocotb, in Icarus and Verilator [CONFIG=tiny] [SIM=icarus|verilator] [JOBS_RUN=50] [SEED=1]
	@[ -x $(BUILD)/tools/bin/python3 ] || { echo "make: there is no cocotb in $(BUILD)/tools; make tools installs it" >&2; exit 1; }
	@$(BUILD)/tools/bin/python3 tests/core/cocotb_run.py --build "$(abspath $(BUILD))" --config "$(if $(filter command line,$(origin CONFIG)),$(CONFIG),tiny)" \
	  $(if $(SIM),--sim "$(SIM)") --jobs "$(or $(JOBS_RUN),50)" --seed "$(SEED)"

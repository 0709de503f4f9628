# Tests: two tiers under pytest (`make test`, `make test-long`), static checks, sanitizers. SEED= seeds the random ones.
SEED   ?= 1
JOBS   ?= 2
TESTS  ?= tests
PYTEST  = $(PYTHON) -m pytest -q -p no:cacheprovider -n $(JOBS) --dist loadgroup --seed $(SEED) $(TESTS)

C_FILES = $(wildcard config/*.[ch] gen/*.[ch] sim/*.[ch] tb/*.[ch])

.PHONY: setup need-test need-lint test test-long lint sanitize

setup: ## install what run and test need (as root)
	@./daa --need test

need-test:
	@./daa --need test
need-lint:
	@./daa --need lint

test: need-test ## build all, run the short tests
	@+$(MAKE) -s --no-print-directory all
	$(PYTEST) -m "not long"

test-long: need-test ## the long tests: mutations, large arrays, the README's slow commands
	@+$(MAKE) -s --no-print-directory all
	$(PYTEST) -m long

lint: need-lint ## static checks of C and Python
	clang-format --dry-run -Werror $(C_FILES)
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
	  --suppress=missingIncludeSystem $(filter %.c,$(C_FILES))
	$(PYTHON) -m compileall -q demo synth tests

# The same tests over commands that stop at any memory or arithmetic error.
sanitize: need-test ## contract and command-line tests with address and undefined-behaviour sanitizers
	@+$(MAKE) --no-print-directory BUILD=build/sanitize CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" all
	BUILD=build/sanitize ASAN_OPTIONS=detect_leaks=1 $(PYTEST) -m "not long"

# engine/: the fast engines, libdaa, which they complete, the engines' check against the golden model, their benchmark,
# installation.
ENGINE_SRC := $(filter-out engine/bench.c,$(sort $(wildcard engine/*.c)))
LIB_OBJ    := $(patsubst %.c,$(BUILD)/obj/%.o,$(ENGINE_SRC)) $(SIM_OBJ) $(CONFIG_OBJ)
LIBS       := $(CONFIG_LIBS) -lpthread

# With sanitizers (`make sanitize`) as in sim/sim.mk, whatever CFLAGS says of optimising: at -O1 an engine takes minutes.
ifneq ($(findstring -fsanitize=,$(CFLAGS)),)
$(BUILD)/obj/engine/%.o $(BUILD)/pic/obj/engine/%.o: override CFLAGS += -O0
$(BUILD)/obj/engine/%.o $(BUILD)/pic/obj/engine/%.o: WARN := -std=c11 -w
endif
$(BUILD)/obj/engine/%.o: CFLAGS += -O3

ALL += $(BUILD)/libdaa.a

$(BUILD)/libdaa.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcsD $@ $^

$(BUILD)/asan/libdaa.a: $(call asan,$(LIB_OBJ))
	@rm -f $@
	$(AR) rcsD $@ $^

CHECK_ENGINE     := $(BUILD)/check-engine
CHECK_ENGINE_OBJ := $(BUILD)/obj/tests/engine/check.o

$(CHECK_ENGINE): $(CHECK_ENGINE_OBJ) $(BUILD)/libdaa.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(BUILD)/asan/check-engine: $(call asan,$(CHECK_ENGINE_OBJ)) $(BUILD)/asan/libdaa.a
	$(CC) $(ASAN_FLAGS) $^ $(LIBS) -o $@

$(BUILD)/check-counts: $(BUILD)/obj/tests/engine/check_counts.o $(BUILD)/libdaa.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(BUILD)/asan/check-counts: $(BUILD)/asan/obj/tests/engine/check_counts.o $(BUILD)/asan/libdaa.a
	$(CC) $(ASAN_FLAGS) $^ $(LIBS) -o $@

$(BUILD)/asan/check-arguments: $(BUILD)/asan/obj/tests/engine/check_arguments.o $(BUILD)/asan/libdaa.a
	$(CC) $(ASAN_FLAGS) $^ $(LIBS) -o $@

$(BUILD)/check-beside: $(BUILD)/obj/tests/engine/check_beside.o $(BUILD)/libdaa.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(BUILD)/asan/check-beside: $(BUILD)/asan/obj/tests/engine/check_beside.o $(BUILD)/asan/libdaa.a
	$(CC) $(ASAN_FLAGS) $^ $(LIBS) -o $@

$(BUILD)/bench-engine: $(BUILD)/obj/engine/bench.o $(BUILD)/libdaa.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -ldl -o $@

# The AVX-512 engines on a processor that has AVX2 only: their intrinsics in C (tests/engine/emulated), and without the
# pragma that gives them AVX-512 instructions. The probe is told that the processor has everything, and then tries it.
# Unoptimised: compiling takes the time, not running; the compiler then tells of loops that it does not unroll.
EMULATED       := $(BUILD)/emulated
EMULATED_FLAGS := -O0 -mavx2 -mfma -mbmi2 -ffp-contract=off -Wno-psabi -Itests/engine/emulated -iquote engine
EMULATED_OBJ   := $(addprefix $(EMULATED)/engine_,avx512.o avx512bf16.o probe.o)

$(EMULATED)/%.c: engine/%.c
	@mkdir -p $(@D)
	sed '/#pragma GCC target/d' $< > $@
.PRECIOUS: $(EMULATED)/%.c
$(EMULATED)/%.o: $(EMULATED)/%.c tests/engine/emulated/immintrin.h
	$(CC) $(CFLAGS) $(WARN) $(EMULATED_FLAGS) '-D__builtin_cpu_supports(feature)=true' -MMD -MP -c $< -o $@
$(EMULATED)/%.o: WARN := -std=c11 -w
-include $(wildcard $(EMULATED)/*.d)
$(EMULATED)/check-engine: $(CHECK_ENGINE_OBJ) $(EMULATED_OBJ) $(BUILD)/libdaa.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

.PHONY: check-engine check-engine-long check-engine-emulated bench-engine
check-engine-emulated: $(EMULATED)/check-engine ## hold the AVX-512 engines against the golden model without AVX-512
	@for engine in avx512 avx512bf16; do $< --only $$engine --seed $(SEED) | grep 'as the golden model' || exit 1; done
check-engine: $(CHECK_ENGINE) $(BUILD)/check-counts ## hold every engine, and the counts, against the golden model, short
	$(CHECK_ENGINE) --seed $(SEED)
	$(BUILD)/check-counts --seed $(SEED)
check-engine-long: $(CHECK_ENGINE) $(BUILD)/check-counts ## the same with many more cases, minutes
	$(CHECK_ENGINE) --seed $(SEED) --long
	$(BUILD)/check-counts --seed $(SEED) --long
bench-engine: $(BUILD)/bench-engine ## speed of the engines beside OpenBLAS sgemm, in turns: build/bench_engine.json
	$< -o $(BUILD)/bench_engine.json

# Installation: headers, both libraries, the pkg-config file. The shared library has its own objects, and stays where it
# is once it is loaded, since its threads do (nodelete).
PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
SO_VERSION := 0
DAA_VERSION = $(shell sed -n 's/^\#define DAA_VERSION "\(.*\)"/\1/p' config/config.h)
PIC_OBJ    := $(patsubst $(BUILD)/obj/%,$(BUILD)/pic/obj/%,$(LIB_OBJ))
HEADERS    := engine/engine.h sim/daa.h sim/cycles.h config/config.h config/format.h config/policy.h

$(BUILD)/pic/obj/engine/%.o: CFLAGS += -O3
$(BUILD)/pic/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fPIC -fvisibility=hidden $(WARN) -MMD -MP -c $< -o $@
-include $(shell find $(BUILD)/pic -name '*.d' 2>/dev/null)

$(BUILD)/libdaa.so: $(PIC_OBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libdaa.so.$(SO_VERSION) -Wl,-z,defs -Wl,-z,nodelete $^ $(LIBS) -o $@

.PHONY: lib install
lib: $(BUILD)/libdaa.a $(BUILD)/libdaa.so ## libdaa, static and shared
install: lib ## PREFIX=/usr/local: libdaa's headers, libraries and pkg-config file, below DESTDIR
	install -d $(DESTDIR)$(PREFIX)/include/daa $(DESTDIR)$(LIBDIR)/pkgconfig
	for header in $(HEADERS); do sed -E 's#"\.\./(config|sim)/#"#' $$header > $(DESTDIR)$(PREFIX)/include/daa/$${header##*/} || exit 1; done
	install -m 644 $(BUILD)/libdaa.a $(DESTDIR)$(LIBDIR)/libdaa.a
	install -m 755 $(BUILD)/libdaa.so $(DESTDIR)$(LIBDIR)/libdaa.so.$(DAA_VERSION)
	ln -sf libdaa.so.$(DAA_VERSION) $(DESTDIR)$(LIBDIR)/libdaa.so.$(SO_VERSION)
	ln -sf libdaa.so.$(SO_VERSION) $(DESTDIR)$(LIBDIR)/libdaa.so
	printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$${prefix}/include' '' 'Name: daa' \
	  'Description: The arithmetic of the dynamic asymmetric architecture: golden model and SIMD GEMM' \
	  'Version: $(DAA_VERSION)' 'Requires.private: jansson' 'Libs: -L$${libdir} -ldaa' 'Libs.private: -lm -lpthread' \
	  'Cflags: -I$${includedir}' > $(DESTDIR)$(LIBDIR)/pkgconfig/daa.pc

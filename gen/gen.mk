# gen/: daagen, with its templates inside.
GEN_TEMPLATES := $(sort $(wildcard gen/template/*.in))
GEN_SRC       := $(filter-out gen/embed.c,$(sort $(wildcard gen/*.c)))
GEN_OBJ       := $(patsubst %.c,$(BUILD)/obj/%.o,$(GEN_SRC)) $(BUILD)/obj/gen/templates.o

ALL += $(BUILD)/daagen

$(BUILD)/embed: gen/embed.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) $< -o $@

# The directory's own time tells when a template comes or goes; make must not try to link it from template.c.
gen/template: ;

$(BUILD)/gen/templates.c: $(BUILD)/embed $(GEN_TEMPLATES) gen/template
	@mkdir -p $(@D)
	$(BUILD)/embed $(GEN_TEMPLATES) > $@

$(BUILD)/obj/gen/templates.o: $(BUILD)/gen/templates.c gen/template.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WARN) -I. -c $< -o $@

$(BUILD)/daagen: $(GEN_OBJ) $(FILES_OBJ) $(SIM_OBJ) $(CONFIG_OBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(CONFIG_LIBS) -o $@

# The same with the sanitizers of sim/sim.mk, and what tests link.
GEN_ASAN_OBJ := $(call asan,$(GEN_OBJ) $(FILES_OBJ) $(SIM_OBJ) $(CONFIG_OBJ))

$(BUILD)/asan/obj/gen/templates.o: $(BUILD)/gen/templates.c gen/template.h
	@mkdir -p $(@D)
	$(CC) $(ASAN_FLAGS) $(WARN) -I. -c $< -o $@

$(BUILD)/asan/daagen: $(GEN_ASAN_OBJ)
	$(CC) $(ASAN_FLAGS) $^ $(CONFIG_LIBS) -o $@

$(BUILD)/asan/check-templates: $(BUILD)/asan/obj/tests/unit/check_templates.o \
  $(filter-out %/gen/main.o,$(GEN_ASAN_OBJ))
	$(CC) $(ASAN_FLAGS) $^ $(CONFIG_LIBS) -o $@

#include "bus.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct bus {
    struct bus_settings settings;
    struct face *face;
    struct memory *memory;
    struct rules rules;
    struct axil_processor processor;
    struct axi_manager manager;
    struct axil_registers registers;
    bool irq, failed;
    struct daa_error error;
    uint64_t cycles, still, random, threshold; /* still: cycles without a transfer */
};

/* SplitMix64. */
static bool stalls(struct bus *bus) {
    if (bus->threshold == 0)
        return false;
    uint64_t z = bus->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) >> 32 < bus->threshold;
}

struct bus *bus_new(const struct bus_settings *settings, const char *trace) {
    struct bus *bus = calloc(1, sizeof *bus);
    if (!bus)
        return NULL;
    bus->settings = *settings;
    bus->threshold = (uint64_t)(settings->memory.stall * 4294967296.0);
    bus->random = ~settings->memory.seed;
    bus->face = face_new(trace);
    bus->memory = memory_new(&settings->memory);
    if (bus->face && bus->memory)
        return bus;
    bus_free(bus);
    return NULL;
}

void bus_free(struct bus *bus) {
    if (!bus)
        return;
    face_free(bus->face);
    memory_free(bus->memory);
    free(bus);
}

struct memory *bus_memory(struct bus *bus) {
    return bus->memory;
}

uint64_t bus_cycles(const struct bus *bus) {
    return bus->cycles;
}

bool bus_interrupt(const struct bus *bus) {
    return bus->irq;
}

const char *bus_error(const struct bus *bus) {
    return bus->failed ? bus->error.text : NULL;
}

static bool broken(struct bus *bus, const char *what) {
    bus->failed = true;
    return daa_fail(&bus->error, "cycle %" PRIu64 ": %.400s", bus->cycles, what);
}

/* Outputs are registers: what comes in within a cycle must not show in them. */
static bool same_outputs(const struct bus *bus, const struct axi_manager *manager,
                         const struct axil_registers *registers) {
    const struct axi_manager *m = &bus->manager;
    const struct axil_registers *r = &bus->registers;
    return m->ar.valid == manager->ar.valid && m->aw.valid == manager->aw.valid && m->w_valid == manager->w_valid &&
           m->r_ready == manager->r_ready && m->b_ready == manager->b_ready && r->aw_ready == registers->aw_ready &&
           r->w_ready == registers->w_ready && r->b_valid == registers->b_valid && r->ar_ready == registers->ar_ready &&
           r->r_valid == registers->r_valid;
}

static bool moves(const struct axi_manager *m, const struct axi_memory *a) {
    return (m->ar.valid && a->ar_ready) || (m->aw.valid && a->aw_ready) || (m->w_valid && a->w_ready) ||
           (a->r_valid && m->r_ready) || (a->b_valid && m->b_ready);
}

/* The inputs of this cycle; then all outputs are known. */
static bool settle(struct bus *bus) {
    struct axi_manager manager;
    struct axil_registers registers;
    face_eval(bus->face);
    face_sample(bus->face, &manager, &registers, &bus->irq);
    face_drive(bus->face, memory_answer(bus->memory), &bus->processor);
    face_eval(bus->face);
    face_sample(bus->face, &bus->manager, &bus->registers, &bus->irq);
    return same_outputs(bus, &manager, &registers) || broken(bus, "an output follows an input within a cycle");
}

static bool edge(struct bus *bus) {
    struct daa_error error;
    const struct axi_memory *answer = memory_answer(bus->memory);
    bus->still = moves(&bus->manager, answer) ? 0 : bus->still + 1;
    if (!rules_watch(&bus->rules, &bus->manager, answer, &error) || !memory_edge(bus->memory, &bus->manager, &error))
        return broken(bus, error.text);
    face_tick(bus->face);
    bus->cycles++;
    if (bus->settings.progress && bus->cycles % 1024 == 0)
        bus->settings.progress(bus->cycles);
    return true;
}

static bool cycle(struct bus *bus) {
    if (bus->failed)
        return false;
    if (bus->settings.stop && *bus->settings.stop)
        return broken(bus, "interrupted");
    return settle(bus) && edge(bus);
}

void bus_reset(struct bus *bus) {
    memory_reset(bus->memory);
    rules_init(&bus->rules, bus->settings.memory.bus_bytes, bus->settings.outstanding);
    bus->processor = (struct axil_processor){0};
    face_reset(bus->face, true);
    face_drive(bus->face, memory_answer(bus->memory), &bus->processor);
    for (int i = 0; i < 4; i++) {
        face_eval(bus->face);
        face_tick(bus->face);
        bus->cycles++;
    }
    face_reset(bus->face, false);
}

bool bus_run(struct bus *bus, uint64_t count) {
    while (count-- > 0)
        if (!cycle(bus))
            return false;
    return true;
}

bool bus_until_interrupt(struct bus *bus) {
    for (bus->still = 0; !bus->irq;)
        if (!cycle(bus))
            return false;
        else if (bus->still > bus->settings.patience)
            return broken(bus, "hang: the job does not end, and nothing moves on the bus");
    return true;
}

bool bus_ended(struct bus *bus) {
    struct daa_error error;
    return !bus->failed && (rules_ended(&bus->rules, &error) || broken(bus, error.text));
}

/* ---- the processor ---- */

enum { REGISTER_PATIENCE = 100000 };

static bool answered_ok(struct bus *bus, uint32_t response) {
    return response == AXI_OKAY || broken(bus, "the registers answered with an error");
}

/* Address and data are offered in any order. */
static void write32(void *context, uint32_t offset, uint32_t value) {
    struct bus *bus = context;
    struct axil_processor *p = &bus->processor;
    bool address = false, data = false; /* taken */
    p->aw_address = offset;
    p->w_data = value;
    p->w_strobe = 15;
    for (int i = 0; i < REGISTER_PATIENCE; i++) {
        p->aw_valid = !address && (p->aw_valid || !stalls(bus));
        p->w_valid = !data && (p->w_valid || !stalls(bus));
        p->b_ready = !stalls(bus);
        if (!cycle(bus))
            return;
        address |= p->aw_valid && bus->registers.aw_ready;
        data |= p->w_valid && bus->registers.w_ready;
        const bool ended = p->b_ready && bus->registers.b_valid;
        p->b_ready = false;
        p->aw_valid &= !address;
        p->w_valid &= !data;
        if (ended) {
            answered_ok(bus, bus->registers.b_response);
            return;
        }
    }
    broken(bus, "hang: the registers do not answer a write");
}

static uint32_t read32(void *context, uint32_t offset) {
    struct bus *bus = context;
    struct axil_processor *p = &bus->processor;
    bool address = false;
    p->ar_address = offset;
    for (int i = 0; i < REGISTER_PATIENCE; i++) {
        p->ar_valid = !address && (p->ar_valid || !stalls(bus));
        p->r_ready = !stalls(bus);
        if (!cycle(bus))
            return 0;
        address |= p->ar_valid && bus->registers.ar_ready;
        const bool ended = p->r_ready && bus->registers.r_valid;
        p->r_ready = false;
        p->ar_valid &= !address;
        if (ended)
            return answered_ok(bus, bus->registers.r_response) ? bus->registers.r_data : 0;
    }
    broken(bus, "hang: the registers do not answer a read");
    return 0;
}

struct daa_core_registers bus_registers(struct bus *bus) {
    return (struct daa_core_registers){read32, write32, bus};
}

/* The harness of the core on the stand-in of traffic.v: copies come out right under any memory, what goes over the bus
 * is what the counters say, bus errors and soft resets end as they should, and each fault of the stand-in is named.
 *   check_bus SEED COPIES */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../driver/daa_registers.h"
#include "../../tb/core/bus.h"
#include "../common/random.h"

enum { BYTES = 16, BEATS_MAX = 700, LOOKS = 100000 };

static int faults_named, copies, errors, resets;

static void expect(bool good, const char *what, const char *detail) {
    if (good)
        return;
    printf("wrong: %s (%s)\n", what, detail ? detail : "no error");
    exit(1);
}

static struct bus_settings random_settings(bool slow) {
    struct bus_settings settings = {
        .memory = {.bus_bytes = BYTES, .latency = 1 + below(slow ? 40 : 3), .bandwidth = BYTES, .seed = random64()},
        .outstanding = 1,
        .patience = 20000};
    settings.memory.reorder = below(2);
    if (slow && below(2))
        settings.memory.bandwidth = 0.5 + 0.25 * below(62);
    if (slow && below(2))
        settings.memory.stall = 0.9 * below(100) / 100;
    return settings;
}

struct copy {
    uint8_t from[BEATS_MAX * BYTES], to[BEATS_MAX * BYTES];
    struct daa_core_job job;
};

/* A job of which the stand-in looks at M and two addresses only. */
static void random_copy(struct copy *copy, struct memory *memory, uint32_t beats) {
    copy->job = (struct daa_core_job){.m = beats, .n = 1, .k = 1, .batch = 1};
    copy->job.a = (struct daa_core_matrix){.address = (uint64_t)below(1 << 20) * BYTES, .leading = BYTES};
    copy->job.b = (struct daa_core_matrix){.address = 1u << 28, .leading = 2};
    copy->job.c = (struct daa_core_matrix){.address = (1u << 30) + (uint64_t)below(1 << 20) * BYTES, .leading = BYTES};
    for (size_t i = 0; i < sizeof copy->from; i++)
        copy->from[i] = (uint8_t)random32();
    memset(copy->to, 0, sizeof copy->to);
    memory_unmap(memory);
    expect(memory_map(memory, copy->job.a.address, (size_t)beats * BYTES, copy->from, false) &&
               memory_map(memory, copy->job.c.address, (size_t)beats * BYTES, copy->to, true),
           "room for two ranges", NULL);
}

static uint32_t submit(struct bus *bus, struct daa_core *core, const struct daa_core_job *job, uint32_t fault) {
    uint32_t number = 0;
    const struct daa_core_registers registers = bus_registers(bus);
    registers.write32(registers.context, DAA_REG_STRIDE_C0, fault);
    const enum daa_core_result result = daa_core_submit(core, job, &number);
    expect(result == DAA_CORE_OK, daa_core_text(result), bus_error(bus));
    return number;
}

static void open_core(struct bus *bus, struct daa_core *core) {
    bus_reset(bus);
    expect(daa_core_open(core, bus_registers(bus)) == DAA_CORE_OK, "the core is found", bus_error(bus));
    daa_core_interrupt(core, true, false);
}

static void check_counters(struct bus *bus, const struct daa_core *core) {
    struct daa_core_counters counters;
    daa_core_counters(core, &counters);
    const struct memory_counts *counts = memory_counts(bus_memory(bus));
    expect(counters.read_bursts == counts->read_bursts && counters.write_bursts == counts->write_bursts &&
               counters.read_bytes == counts->read_beats * BYTES && counters.write_bytes == counts->write_bytes,
           "counters and memory agree", bus_error(bus));
}

static void check_copies(int count) {
    static struct copy copy;
    for (int i = 0; i < count; i++) {
        struct daa_core core;
        const struct bus_settings settings = random_settings(true);
        struct bus *bus = bus_new(&settings, NULL);
        expect(bus != NULL, "memory for a bus", NULL);
        open_core(bus, &core);
        for (uint32_t job = 0; job < 3; job++) {
            const uint32_t beats = 1 + below(below(4) ? 60 : BEATS_MAX);
            random_copy(&copy, bus_memory(bus), beats);
            const uint32_t number = submit(bus, &core, &copy.job, 0);
            expect(bus_until_interrupt(bus), "a copy ends", bus_error(bus));
            expect(daa_core_acknowledge(&core) && daa_core_wait(&core, number, 2) == DAA_CORE_OK, "well",
                   bus_error(bus));
            expect(memcmp(copy.from, copy.to, (size_t)beats * BYTES) == 0, "what was copied", NULL);
            copies++;
        }
        check_counters(bus, &core);
        expect(bus_run(bus, 100) && bus_ended(bus) && memory_idle(bus_memory(bus)), "the bus is quiet", bus_error(bus));
        bus_free(bus);
    }
}

/* Bytes over the bus in the cycles that a long copy takes show latency and bandwidth. */
static void check_speed(void) {
    static struct copy copy;
    static const struct {
        unsigned latency;
        double bandwidth;
        uint64_t cycles; /* of 16 beats: address, latency, beats; address, beats, latency; a cycle between each two */
    } cases[] = {{1, 16, 16 + 16 + 4}, {30, 16, 16 + 16 + 4 + 58}, {1, 8, 32 + 32 + 3}, {1, 4, 64 + 64 + 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct daa_core core;
        struct daa_core_counters counters;
        struct bus_settings settings = random_settings(false);
        settings.memory.latency = cases[i].latency;
        settings.memory.bandwidth = cases[i].bandwidth;
        struct bus *bus = bus_new(&settings, NULL);
        open_core(bus, &core);
        random_copy(&copy, bus_memory(bus), 16);
        copy.job.a.address = copy.job.c.address & ~(uint64_t)4095;
        copy.job.c.address = 1u << 29;
        memory_unmap(bus_memory(bus));
        memory_map(bus_memory(bus), copy.job.a.address, 256, copy.from, false);
        memory_map(bus_memory(bus), copy.job.c.address, 256, copy.to, true);
        submit(bus, &core, &copy.job, 0);
        expect(bus_until_interrupt(bus), "a copy ends", bus_error(bus));
        daa_core_counters(&core, &counters);
        printf("latency %u, %g bytes a cycle: %" PRIu64 " cycles\n", cases[i].latency, cases[i].bandwidth,
               counters.busy);
        const uint64_t off =
            counters.busy > cases[i].cycles ? counters.busy - cases[i].cycles : cases[i].cycles - counters.busy;
        expect(off <= 5, "cycles of a copy", NULL);
        bus_free(bus);
    }
}

static void check_errors(int count) {
    static struct copy copy;
    for (int i = 0; i < count; i++) {
        struct daa_core core;
        const struct bus_settings settings = random_settings(true);
        struct bus *bus = bus_new(&settings, NULL);
        open_core(bus, &core);
        const bool in_a = below(2), outside = below(2);
        random_copy(&copy, bus_memory(bus), 20);
        const uint64_t at = in_a ? copy.job.a.address : copy.job.c.address;
        if (outside) {
            memory_unmap(bus_memory(bus));
            memory_map(bus_memory(bus), copy.job.a.address, in_a ? 16 * BYTES : 20 * BYTES, copy.from, false);
            memory_map(bus_memory(bus), copy.job.c.address, in_a ? 20 * BYTES : 16 * BYTES, copy.to, true);
        } else {
            memory_break(bus_memory(bus), at + below(20 * BYTES), 1);
        }
        uint32_t number = submit(bus, &core, &copy.job, 0);
        expect(bus_until_interrupt(bus), "a job in error ends", bus_error(bus));
        expect(daa_core_wait(&core, number, 2) == (in_a ? DAA_CORE_READ_A : DAA_CORE_WRITE_C), "in error",
               bus_error(bus));
        daa_core_acknowledge(&core);
        memory_break(bus_memory(bus), 0, 0);
        random_copy(&copy, bus_memory(bus), 30);
        number = submit(bus, &core, &copy.job, 0);
        expect(daa_core_wait(&core, number, LOOKS) == DAA_CORE_OK, "the next job is right", bus_error(bus));
        expect(memcmp(copy.from, copy.to, 30 * BYTES) == 0 && bus_ended(bus), "what was copied", bus_error(bus));
        errors++;
        bus_free(bus);
    }
}

static void check_resets(int count) {
    static struct copy copy;
    for (int i = 0; i < count; i++) {
        struct daa_core core;
        const struct bus_settings settings = random_settings(true);
        struct bus *bus = bus_new(&settings, NULL);
        open_core(bus, &core);
        random_copy(&copy, bus_memory(bus), 100);
        submit(bus, &core, &copy.job, 0);
        submit(bus, &core, &copy.job, 0);
        expect(bus_run(bus, below(1000)), "a copy runs", bus_error(bus));
        expect(daa_core_reset(&core, LOOKS) == DAA_CORE_OK && bus_ended(bus), "a soft reset", bus_error(bus));
        random_copy(&copy, bus_memory(bus), 30);
        const uint32_t number = submit(bus, &core, &copy.job, 0);
        expect(daa_core_wait(&core, number, LOOKS) == DAA_CORE_OK, "the next job ends", bus_error(bus));
        expect(memcmp(copy.from, copy.to, 30 * BYTES) == 0, "what was copied", NULL);
        resets++;
        bus_free(bus);
    }
}

static void check_faults(void) {
    static struct copy copy;
    static const char *const named[] = {"",
                                        "m_axi_ar* changed",
                                        "m_axi_ar* changed",
                                        "crosses a border of 4 KB",
                                        "m_axi_arsize is 2",
                                        "m_axi_arburst is 0",
                                        "m_axi_arid is 5",
                                        "m_axi_wlast is 1 on beat 1 of a burst of 16",
                                        "m_axi_w* changed",
                                        "m_axi_wstrb is 0xffff on a beat that has only lanes 0xfff0",
                                        "read bursts of ID 0 are in flight; outstanding is 1",
                                        "m_axi_w* changed",
                                        "m_axi_aw* changed",
                                        "hang",
                                        "where none of its results are",
                                        "an output follows an input",
                                        "m_axi_awid is 1"};
    for (uint32_t fault = 1; fault < sizeof named / sizeof *named; fault++) {
        struct daa_core core;
        struct bus_settings settings = random_settings(false);
        settings.memory.stall = 0.5;
        struct bus *bus = bus_new(&settings, NULL);
        open_core(bus, &core);
        random_copy(&copy, bus_memory(bus), 300);
        submit(bus, &core, &copy.job, fault);
        expect(!bus_until_interrupt(bus) && strstr(bus_error(bus), named[fault]), named[fault], bus_error(bus));
        faults_named++;
        bus_free(bus);
    }
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    random_state = strtoull(argv[1], NULL, 10);
    const int count = atoi(argv[2]);
    check_copies(count);
    check_speed();
    check_errors(count / 4);
    check_resets(count / 2);
    check_faults();
    printf("%d copies, %d errors, %d resets, %d faults: all right (seed %s)\n", copies, errors, resets, faults_named,
           argv[1]);
    return 0;
}

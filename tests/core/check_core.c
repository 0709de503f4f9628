/* Random jobs on the Verilated core, against the golden model: any shape, order, kind and place; queued; under any
 * memory; with bus errors, impossible jobs, soft and hard resets. check-core SEED SESSIONS [FIRST]      sessions FIRST
 * to FIRST + SESSIONS - 1; each has a seed of its own */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../driver/daa_registers.h"
#include "../../sim/number.h"
#include "../../tb/core/bus.h"
#include "../../tb/core/work.h"
#include "../../tb/emitted.h"
#include "../common/random.h"

enum { SLOTS = 4, LOOKS = 10000000 };

static struct daa_config config;
static struct bus *bus;
static struct daa_core core;
static uint64_t session;
static int jobs, queued, errors, impossible, soft, hard, timed;
static struct daa_cycles_model *model; /* of this session, as long as it can know what the core does */
static struct daa_cycles predicted;

static _Noreturn void stop(const char *what, const char *detail) {
    printf("session %" PRIu64 ", job %d: %s%s%s\n", session, jobs, what, detail ? ": " : "", detail ? detail : "");
    exit(1);
}

static void expect(bool good, const char *what) {
    if (!good)
        stop(what, bus_error(bus));
}

/* ---- numbers ---- */

static bool is_special(struct daa_format format, uint32_t bits) {
    return daa_number_read(format, bits).kind >= DAA_CLASS_INF;
}

/* Mostly near one, so that sums align and cancel; some zeros; WILD: now and then anything. */
static uint32_t random_bits(struct daa_format format, bool wild) {
    const int bias = daa_format_bias(format), frac = format.frac_bits;
    const uint32_t spread = (uint32_t)(bias < 4 ? bias : 4);
    uint32_t exponent = (uint32_t)bias - spread + below(2 * spread + 1), fraction = random32() & ((1u << frac) - 1);
    if (below(10) == 0)
        exponent = fraction = 0;
    if (wild && below(12) == 0)
        exponent = random32() & ((1u << format.exp_bits) - 1);
    if (below(5) == 0)
        fraction &= 1u << (frac - 1);
    uint32_t bits = (random32() & 1) << (format.exp_bits + frac) | exponent << frac | fraction;
    if (is_special(format, bits) && (!config.specials || below(4)))
        bits &= ~(1u << (format.exp_bits + frac - 1));
    return bits;
}

/* A float32 for FORMAT: near its numbers, at the middle between two of them, or, WILD, anything that it can take. */
static uint32_t random_float(struct daa_format format, bool wild) {
    const uint32_t spread = daa_format_bias(format) < 4 ? 1 : 3, kind = below(8);
    uint32_t bits = (random32() & 1) << 31 | (127 - spread + below(2 * spread + 1)) << 23 | (random32() & 0x7fffff);
    if (kind == 0)
        bits &= 0x80000000;
    if (kind < 4)
        bits &= ~((1u << (22 - format.frac_bits)) - 1);
    if (wild && config.specials && below(10) == 0) {
        bits = random32();
        float value;
        memcpy(&value, &bits, sizeof value);
        if (value != value && format.encoding == DAA_FINITE)
            bits &= 0x80000000;
    }
    return bits;
}

static uint32_t *random_matrix(size_t count, struct daa_format format, bool as_float, bool wild) {
    uint32_t *bits = malloc((count + 1) * sizeof *bits);
    const uint32_t sign = 1u << (as_float ? 31 : format.exp_bits + format.frac_bits);
    const bool rectified =
        below(3) == 0; /* half of it zero, nothing negative: steps without a product, sums that grow */
    for (size_t i = 0; i < count; i++) {
        bits[i] = as_float ? random_float(format, wild) : random_bits(format, wild);
        if (rectified)
            bits[i] = random32() & 1 ? 0 : bits[i] & ~sign;
    }
    return bits;
}

/* ---- jobs ---- */

struct slot {
    struct work work;
    struct work_image image;
    uint32_t *a, *b, *c0, *want;
    uint32_t number;
};

static size_t random_size(int block, int most) {
    const uint32_t kind = below(16);
    if (kind == 0)
        return 0;
    if (kind < 3)
        return 1;
    if (kind < 5)
        return (size_t)block * (1 + below(2)) + below(3) - 1;
    return kind < 12 ? 1 + below((uint32_t)(most < block ? most : block)) : 1 + below((uint32_t)most);
}

static struct layout random_layout(bool may_columns) {
    struct layout layout = {.pad = below(3) ? 0 : below(9), .gap = below(2) ? 0 : below(40)};
    layout.side = below(4) == 0;
    layout.columns = may_columns && below(2);
    layout.other = below(3) == 0;
    return layout;
}

/* An address of its own for each matrix: anywhere in 8 KB, or up to the last byte there is. */
static uint64_t random_address(int slot, int matrix, int top, size_t size, uint32_t bytes) {
    if (slot == 0 && matrix == top && size > 0)
        return 0 - (uint64_t)size;
    const uint64_t base = (uint64_t)(1 + slot * 4 + matrix) << (below(2) ? 33 : 50);
    return base + (below(3) ? below(8192) : 4096 - below(64)) / bytes * bytes;
}

static void give_addresses(struct slot *slot, int index) {
    const struct work *work = &slot->work;
    struct daa_core_job *job = &slot->image.job;
    const int top = (int)below(8); /* this matrix of the first slot ends where the address space does */
    job->a.address = random_address(index, 0, top, slot->image.a.size,
                                    work->a_layout.other ? 4 : (uint32_t)daa_container(config.a_format));
    job->b.address = random_address(index, 1, top, slot->image.b.size,
                                    work->b_layout.other ? 4 : (uint32_t)daa_container(config.b_format));
    job->c0.address =
        random_address(index, 2, top, slot->image.c0.size,
                       (uint32_t)daa_container(work->c0_layout.other ? config.a_format : config.acc_format));
    job->c.address =
        random_address(index, 3, top, slot->image.c.size, (uint32_t)daa_container(work_format(&config, work)));
    if (work->in_place)
        job->c0 = job->c;
}

static bool random_shape(struct work *work) {
    const int s = config.streams, m = 3 * config.block_m, n = 3 * config.block_n, k = 2 * config.block_k + s;
    work->m = random_size(config.block_m, m < 70 ? m : 70);
    work->n = random_size(config.block_n, n < 70 ? n : 70);
    work->k = random_size(config.block_k, k < 200 ? k : 200);
    work->batch = below(3) ? 1 : 1 + below(3);
    return work->batch * work->m * work->n * work->k < 100000;
}

static void new_slot(struct slot *slot, int index) {
    struct daa_error error;
    struct work *work = &slot->work;
    *slot = (struct slot){.work = {.batch = 1}};
    while (!random_shape(work))
        ;
    work->a_layout = random_layout(true);
    work->b_layout = random_layout(true);
    work->c0_layout = random_layout(false);
    work->c_layout = random_layout(false);
    if (!core.results_as_a)
        work->c_layout.other = false;
    const size_t results = work->batch * work->m * work->n;
    const bool wild = below(4) == 0, has_c0 = below(2);
    const bool same =
        (work->c_layout.other && work->c0_layout.other) ||
        (!work->c_layout.other && !work->c0_layout.other && daa_format_equal(config.acc_format, config.out_format));
    work->in_place = has_c0 && same && below(2);
    slot->a = random_matrix(work->batch * work->m * work->k, config.a_format, work->a_layout.other, wild);
    slot->b = random_matrix(work->batch * work->k * work->n, config.b_format, work->b_layout.other, wild);
    if (has_c0)
        slot->c0 = random_matrix(results, work->c0_layout.other ? config.a_format : config.acc_format, false, wild);
    slot->want = calloc(results + 1, sizeof *slot->want);
    work->a = slot->a;
    work->b = slot->b;
    work->c0 = slot->c0;
    if (!work_image_new(&slot->image, &config, work, &error) || !work_golden(&config, work, slot->want, NULL, &error))
        stop("the job itself", error.text);
    give_addresses(slot, index);
    expect(work_image_map(&slot->image, bus_memory(bus)), "room in the memory's map");
}

static void free_slot(struct slot *slot) {
    work_image_free(&slot->image);
    free(slot->a);
    free(slot->b);
    free(slot->c0);
    free(slot->want);
}

static void describe(const struct work *work) {
    printf("%zu x %zu x %zu, batch %zu%s%s; A %s%s, B %s%s, C0%s, C%s\n", work->m, work->n, work->k, work->batch,
           work->c0 ? ", C0" : "", work->in_place ? " in place" : "", work->a_layout.columns ? "columns" : "rows",
           work->a_layout.other ? " float32" : "", work->b_layout.columns ? "columns" : "rows",
           work->b_layout.other ? " float32" : "", work->c0_layout.other ? " as A" : "",
           work->c_layout.other ? " as A" : "");
}

static void check_results(const struct slot *slot) {
    const struct work *work = &slot->work;
    const size_t results = work->batch * work->m * work->n;
    uint32_t *got = malloc((results + 1) * sizeof *got);
    work_image_results(&slot->image, &config, work, got);
    for (size_t i = 0; i < results; i++)
        if (got[i] != slot->want[i]) {
            describe(work);
            printf("C[%zu][%zu] of product %zu: got 0x%x, want 0x%x\n", i / work->n % work->m, i % work->n,
                   i / work->n / work->m, got[i], slot->want[i]);
            stop("a mismatch", NULL);
        }
    free(got);
    expect(work_image_clean(&slot->image), "bytes between the results stay");
}

/* ---- a round: jobs queued one behind the other, and what becomes of them ---- */

static void submit(struct slot *slot) {
    for (;;) {
        const enum daa_core_result result = daa_core_submit(&core, &slot->image.job, &slot->number);
        expect(!bus_error(bus), "a job is queued");
        if (result == DAA_CORE_OK)
            break;
        if (result != DAA_CORE_BUSY) {
            describe(&slot->work);
            stop("the driver refuses a job", daa_core_text(result));
        }
        expect(bus_until_interrupt(bus), "a job ends");
        daa_core_acknowledge(&core);
    }
    jobs++;
    if (!model)
        return;
    const struct daa_cycles_job job = work_cycles(&slot->image, &config);
    const struct daa_cycles cycles = daa_cycles_run(model, &job);
    predicted.busy += cycles.busy;
    predicted.wait_a += cycles.wait_a;
    predicted.wait_b += cycles.wait_b;
    predicted.wait_c += cycles.wait_c;
    predicted.steps += cycles.steps;
    predicted.read_beats += cycles.read_beats;
    predicted.read_bursts += cycles.read_bursts;
    predicted.write_bursts += cycles.write_bursts;
    timed++;
}

static void forget_cycles(void) {
    daa_cycles_free(model);
    model = NULL;
}

static void check_cycles(void) {
    struct daa_core_counters c;
    if (!model)
        return;
    daa_core_counters(&core, &c);
    const struct daa_cycles *p = &predicted;
    if (c.busy == p->busy && c.wait_a == p->wait_a && c.wait_b == p->wait_b && c.wait_c == p->wait_c &&
        c.steps == p->steps && c.read_bytes == p->read_beats * (unsigned)config.bus_bits / 8 &&
        c.read_bursts == p->read_bursts && c.write_bursts == p->write_bursts)
        return;
    printf("busy %" PRIu64 ", model %" PRIu64 "; wait %" PRIu64 " %" PRIu64 " %" PRIu64 ", model %" PRIu64 " %" PRIu64
           " %" PRIu64 "; steps %" PRIu64 ", model %" PRIu64 "\n",
           c.busy, p->busy, c.wait_a, c.wait_b, c.wait_c, p->wait_a, p->wait_b, p->wait_c, c.steps, p->steps);
    stop("the cycle model says otherwise", NULL);
}

static enum daa_core_result wait_for(const struct slot *slot) {
    enum daa_core_result result = DAA_CORE_OK;
    while (!daa_core_ended(&core, slot->number, &result)) {
        if (!bus_until_interrupt(bus)) {
            describe(&slot->work);
            stop("a job that does not end well", bus_error(bus));
        }
        daa_core_acknowledge(&core);
    }
    return result;
}

/* A byte that the job must touch; *WANT: what comes of an error there. False: there is none. */
static bool random_target(const struct slot *slot, uint64_t *address, enum daa_core_result *want) {
    const struct work_image *image = &slot->image;
    const uint32_t which = below(4);
    const struct work_bytes *const all[] = {&image->a, &image->b, &image->c0, &image->c};
    const uint64_t bases[] = {image->job.a.address, image->job.b.address, image->job.c0.address, image->job.c.address};
    static const enum daa_core_result codes[] = {DAA_CORE_READ_A, DAA_CORE_READ_B, DAA_CORE_READ_C0, DAA_CORE_WRITE_C};
    const struct work_bytes *bytes = all[which];
    if (bytes->size == 0 || image->c.size == 0 || (which < 2 && slot->work.k == 0))
        return false;
    size_t at = below((uint32_t)bytes->size);
    while (!bytes->used[at])
        at = below((uint32_t)bytes->size);
    *address = bases[which] + at;
    *want = which == 3 && slot->work.in_place ? DAA_CORE_READ_C0 : codes[which];
    return true;
}

static void round_of_jobs(uint32_t count, bool broken) {
    struct slot slots[SLOTS];
    uint64_t target = 0;
    enum daa_core_result want = DAA_CORE_OK;
    memory_unmap(bus_memory(bus));
    for (uint32_t i = 0; i < count; i++)
        new_slot(&slots[i], (int)i);
    const uint32_t victim = below(count);
    broken = broken && random_target(&slots[victim], &target, &want);
    if (broken)
        memory_break(bus_memory(bus), target, 1);
    for (uint32_t i = 0; i < count; i++)
        submit(&slots[i]);
    for (uint32_t i = 0; i < count; i++) {
        const enum daa_core_result result = wait_for(&slots[i]);
        if (result != (broken && i == victim ? want : DAA_CORE_OK)) {
            describe(&slots[i].work);
            stop("how a job ends", daa_core_text(result));
        }
        if (result == DAA_CORE_OK)
            check_results(&slots[i]);
    }
    queued += count > 1;
    errors += broken;
    if (broken)
        forget_cycles();
    check_cycles();
    memory_break(bus_memory(bus), 0, 0);
    for (uint32_t i = 0; i < count; i++)
        free_slot(&slots[i]);
}

static void round_of_reset(bool is_hard) {
    struct slot slots[SLOTS];
    const uint32_t count = 1 + below(3);
    memory_unmap(bus_memory(bus));
    forget_cycles();
    for (uint32_t i = 0; i < count; i++)
        new_slot(&slots[i], (int)i);
    for (uint32_t i = 0; i < count; i++)
        submit(&slots[i]);
    expect(bus_run(bus, below(below(2) ? 60 : 3000)), "jobs run");
    if (is_hard) {
        bus_reset(bus);
        expect(daa_core_open(&core, bus_registers(bus)) == DAA_CORE_OK, "the core after a reset");
    } else {
        expect(daa_core_reset(&core, LOOKS) == DAA_CORE_OK, "a soft reset");
        expect(bus_ended(bus) && memory_idle(bus_memory(bus)), "a soft reset leaves a quiet bus");
    }
    daa_core_interrupt(&core, true, true);
    soft += !is_hard;
    hard += is_hard;
    for (uint32_t i = 0; i < count; i++)
        free_slot(&slots[i]);
}

/* What the driver refuses, written to the registers past it. */
static void round_of_impossible(void) {
    struct slot slot;
    forget_cycles();
    memory_unmap(bus_memory(bus));
    new_slot(&slot, 1);
    const struct work *work = &slot.work;
    const struct daa_core_registers r = bus_registers(bus);
    if (work->m > 0 && work->n > 0 && work->k > 0) {
        static const uint32_t places[] = {DAA_REG_A_LO, DAA_REG_B_LO, DAA_REG_C_LO};
        const struct work_bytes *const bytes[] = {&slot.image.a, &slot.image.b, &slot.image.c};
        const uint32_t which = below(3);
        submit(&slot);
        expect(wait_for(&slot) == DAA_CORE_OK, "a job");
        const uint32_t align = 4; /* of any element */
        const uint64_t address = 0 - (uint64_t)((bytes[which]->size - 1) / align * align);
        if (address + bytes[which]->size - 1 < address && address != 0) {
            memory_map(bus_memory(bus), address, (size_t)(0 - address), bytes[which]->data, which == 2);
            r.write32(r.context, places[which], (uint32_t)address);
            r.write32(r.context, places[which] + 4, (uint32_t)(address >> 32));
            r.write32(r.context, DAA_REG_START, 1);
            slot.number = ++core.submitted;
            const enum daa_core_result result = wait_for(&slot);
            if (result != DAA_CORE_BAD_JOB) {
                describe(work);
                printf("%c at 0x%" PRIx64 ", %zu bytes\n", "ABC"[which], address, bytes[which] -> size);
                stop("an impossible job ends otherwise", daa_core_text(result));
            }
            impossible++;
        }
    }
    free_slot(&slot);
}

/* ---- a session: one memory, one core after a reset ---- */

static void check_counters(void) {
    struct daa_core_counters counters;
    daa_core_counters(&core, &counters);
    const struct memory_counts *counts = memory_counts(bus_memory(bus));
    expect(counters.read_bursts == counts->read_bursts && counters.write_bursts == counts->write_bursts &&
               counters.read_bytes == counts->read_beats * (unsigned)config.bus_bits / 8 &&
               counters.write_bytes == counts->write_bytes,
           "counters and memory agree");
}

static struct bus_settings random_settings(void) {
    const bool calm = below(2); /* so that the cycle model can follow */
    const unsigned bytes = (unsigned)config.bus_bits / 8;
    struct bus_settings settings = {.memory = {.bus_bytes = bytes,
                                               .latency = 1 + below(below(2) ? 3 : 60),
                                               .bandwidth = bytes,
                                               .reorder = !calm && below(2),
                                               .seed = random64()},
                                    .outstanding = (unsigned)config.outstanding,
                                    .patience = 200000};
    if (below(3) == 0)
        settings.memory.bandwidth = bytes * (1 + below(16)) / 16.0;
    if (!calm && below(4))
        settings.memory.stall = below(2) ? 0.1 : 0.75;
    if (!calm && below(3) == 0) /* results wait for the bus while operands do not */
        settings.memory.write_stall = 0.97;
    return settings;
}

static void run_session(uint64_t seed) {
    random_state = seed;
    random64();
    const struct bus_settings settings = random_settings();
    bus = bus_new(&settings, NULL);
    bus_reset(bus);
    expect(daa_core_open(&core, bus_registers(bus)) == DAA_CORE_OK, "the core is there");
    daa_core_interrupt(&core, true, true);
    const struct daa_cycles_memory memory = {settings.memory.latency, settings.memory.bandwidth};
    predicted = (struct daa_cycles){0};
    if (settings.memory.stall == 0 && settings.memory.write_stall == 0 && !settings.memory.reorder)
        model = daa_cycles_new(&config, memory);
    bool counted = true;
    for (int i = 0; i < 4; i++) {
        const uint32_t kind = below(16);
        if (kind < 7)
            round_of_jobs(1, false);
        else if (kind < 11)
            round_of_jobs(2 + below(SLOTS - 1), false);
        else if (kind < 13)
            round_of_jobs(1 + below(SLOTS), true);
        else if (kind < 14)
            round_of_impossible();
        else
            counted &= kind == 14, round_of_reset(kind == 15);
    }
    round_of_jobs(1, false);
    if (counted)
        check_counters();
    expect(bus_run(bus, 200) && bus_ended(bus) && memory_idle(bus_memory(bus)), "the bus is quiet");
    forget_cycles();
    bus_free(bus);
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 2;
    const uint64_t seed = strtoull(argv[1], NULL, 10), count = strtoull(argv[2], NULL, 10);
    const uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    emitted_config(face_options, &config);
    for (session = first; session < first + count; session++)
        run_session(seed * 1000003 + session);
    printf(
        "%d jobs, %d times queued, %d bus errors, %d impossible, %d soft and %d hard resets, %d timed: all right (seed "
        "%s)\n",
        jobs, queued, errors, impossible, soft, hard, timed, argv[1]);
    return 0;
}

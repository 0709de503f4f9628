/* The driver's rules against a map of bytes, and its calls against a device that is only registers.
 *   check_driver SEED JOBS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../driver/daa_core.h"
#include "../../driver/daa_registers.h"
#include "../common/random.h"

static void expect(bool good, const char *what) {
    if (good)
        return;
    printf("wrong: %s\n", what);
    exit(1);
}

/* ---- a device ---- */

static struct { uint32_t word[1024], writes, started, left; } device;

static uint32_t read32(void *context, uint32_t offset) {
    expect(context == &device && offset % 4 == 0 && offset < 4096, "the context and the offset of a read");
    return device.word[offset / 4];
}

static void write32(void *context, uint32_t offset, uint32_t value) {
    expect(context == &device && offset % 4 == 0 && offset < 4096, "the context and the offset of a write");
    device.writes++;
    if (offset == DAA_REG_IRQ) {
        device.word[offset / 4] &= ~value;
        return;
    }
    device.word[offset / 4] = value;
    if (offset == DAA_REG_START)
        device.started++, device.left++;
    if (offset == DAA_REG_CONTROL && (value & DAA_CONTROL_RESET_MASK))
        device.left = 0;
}

static void end_job(uint32_t code) {
    expect(device.left > 0, "a job to end");
    device.left--;
    device.word[DAA_REG_CODES / 4] = device.word[DAA_REG_CODES / 4] << 4 | code;
    device.word[DAA_REG_DONE / 4]++;
    device.word[DAA_REG_IRQ / 4] |= code ? 3 : 1;
}

static const struct daa_core_registers registers = {read32, write32, &device};

/* A core of 8 x 16 elements: A of 1 byte, B of 2, C0 and C of 4. */
static struct daa_core opened(void) {
    struct daa_core core;
    memset(&device, 0, sizeof device);
    expect(daa_core_open(&core, registers) == DAA_CORE_ABSENT, "no core");
    device.word[DAA_REG_ID / 4] = DAA_ID;
    device.word[DAA_REG_HASH_LO / 4] = 0x89abcdef;
    device.word[DAA_REG_HASH_HI / 4] = 0x01234567;
    device.word[DAA_REG_ARRAY / 4] = 8 | 16 << 12 | 2 << 24;
    device.word[DAA_REG_OPERANDS / 4] = 4 | 3 << 4 | 1 << 9 | 8 << 16 | 7 << 20;
    device.word[DAA_REG_RESULTS / 4] = 8 | 23 << 4 | 8 << 16 | 10 << 20;
    device.word[DAA_REG_BLOCK / 4] = 64 | 128 << 16;
    device.word[DAA_REG_BLOCK_K / 4] = 256;
    device.word[DAA_REG_BUS / 4] = 512 | 16 << 12 | 4 << 20 | 8 << 24;
    device.word[DAA_REG_DONE / 4] = 0xfffffffd; /* it wraps soon */
    expect(daa_core_open(&core, registers) == DAA_CORE_OK, "a core");
    expect(core.rows == 8 && core.cols == 16 && core.streams == 2 && core.queue == 8 && core.bus_bytes == 64 &&
               core.block_m == 64 && core.block_n == 128 && core.block_k == 256,
           "what the core says");
    expect(core.a_bytes == 1 && core.b_bytes == 2 && core.acc_bytes == 4 && core.out_bytes == 4, "bytes of an element");
    expect(core.hash == 0x0123456789abcdef && device.writes == 0, "the hash, and a device left alone");
    return core;
}

/* ---- the rules, one by one ---- */

static struct daa_core_job sound(void) {
    return (struct daa_core_job){.m = 3,
                                 .n = 5,
                                 .k = 7,
                                 .batch = 2,
                                 .a = {.address = 0x1003, .leading = 7, .stride = 21},
                                 .b = {.address = 0x2002, .leading = 10, .stride = 70},
                                 .c0 = {.address = 0x3004, .leading = 20, .stride = 60},
                                 .c = {.address = 0x4008, .leading = 24, .stride = 72},
                                 .has_c0 = true};
}

static int rules;

static void refused(struct daa_core *core, struct daa_core_job job, enum daa_core_result want, const char *what) {
    uint32_t number = 77;
    const uint32_t writes = device.writes;
    const enum daa_core_result result = daa_core_submit(core, &job, &number);
    if (result != want)
        printf("%s: got '%s', want '%s'\n", what, daa_core_text(result), daa_core_text(want));
    expect(result == want, what);
    expect(device.writes == writes && number == 77, "a refused job leaves the device alone");
    rules++;
}

#define REFUSED(want, change)                                                                                          \
    do {                                                                                                               \
        struct daa_core_job job = sound();                                                                             \
        change;                                                                                                        \
        refused(core, job, want, #change);                                                                             \
    } while (0)

static void check_rules(struct daa_core *core) {
    REFUSED(DAA_CORE_SIZE, job.m = 1 << 24);
    REFUSED(DAA_CORE_SIZE, job.n = 0xffffffff);
    REFUSED(DAA_CORE_SIZE, job.k = 1 << 24);
    REFUSED(DAA_CORE_BATCH, job.batch = 0);
    REFUSED(DAA_CORE_BATCH, job.batch = 1 << 24);
    REFUSED(DAA_CORE_PLACE, job.a.kind = DAA_CORE_OPERAND);
    REFUSED(DAA_CORE_PLACE, job.b.kind = DAA_CORE_OPERAND);
    REFUSED(DAA_CORE_PLACE, job.c.kind = DAA_CORE_FLOAT32);
    REFUSED(DAA_CORE_PLACE, job.c0.kind = DAA_CORE_FLOAT32);
    REFUSED(DAA_CORE_PLACE, job.c.order = DAA_CORE_COLUMN_MAJOR);
    REFUSED(DAA_CORE_PLACE, job.c0.order = DAA_CORE_COLUMN_MAJOR);
    REFUSED(DAA_CORE_PLACE, job.a.order = (enum daa_core_order)2);
    device.word[DAA_REG_ARRAY / 4] |= DAA_ARRAY_SPECIALS_MASK;
    device.word[DAA_REG_OPERANDS / 4] ^= 3 << 9; /* finite */
    expect(daa_core_open(core, registers) == DAA_CORE_OK, "a core with specials and operands without");
    REFUSED(DAA_CORE_PLACE, job.c.kind = DAA_CORE_OPERAND);
    REFUSED(DAA_CORE_ALIGNMENT, (job.a.kind = DAA_CORE_FLOAT32, job.a.leading = 28, job.a.stride = 84));
    REFUSED(DAA_CORE_ALIGNMENT, job.b.address++);
    REFUSED(DAA_CORE_ALIGNMENT, job.b.leading++);
    REFUSED(DAA_CORE_ALIGNMENT, job.b.stride++);
    REFUSED(DAA_CORE_ALIGNMENT, job.c.address += 2);
    REFUSED(DAA_CORE_ALIGNMENT, job.c.leading += 2);
    REFUSED(DAA_CORE_ALIGNMENT, job.c.stride += 2);
    REFUSED(DAA_CORE_ALIGNMENT, job.c0.address += 1);
    REFUSED(DAA_CORE_LEADING, job.c.leading = 16);
    REFUSED(DAA_CORE_STRIDE, job.c.stride = 64);
    REFUSED(DAA_CORE_STRIDE, (job.c.leading = 40, job.c.stride = 16));
    REFUSED(DAA_CORE_STRIDE, (job.m = 1, job.c.stride = 16));
    REFUSED(DAA_CORE_RANGE, job.a.address = UINT64_MAX - 40);
    REFUSED(DAA_CORE_RANGE, job.b.address = UINT64_MAX - 137);
    REFUSED(DAA_CORE_RANGE, job.c.address = UINT64_MAX - 138 + 3);
    REFUSED(DAA_CORE_RANGE, job.c0.address = UINT64_MAX - 3);
    REFUSED(DAA_CORE_OVERLAP, job.a.address = 0x4008);
    REFUSED(DAA_CORE_OVERLAP, job.a.address = 0x4008 - 41);
    REFUSED(DAA_CORE_OVERLAP, job.b.address = 0x4008 + 138);
    REFUSED(DAA_CORE_OVERLAP, job.c0.address = 0x4008);
    REFUSED(DAA_CORE_OVERLAP, (job.c0 = job.c, job.c0.kind = DAA_CORE_OPERAND));
    REFUSED(DAA_CORE_OVERLAP, (job.c0 = job.c, job.c0.address += 4));
}

static void accepted(struct daa_core_job job, const char *what) {
    struct daa_core core = opened();
    uint32_t number;
    expect(daa_core_submit(&core, &job, &number) == DAA_CORE_OK, what);
    expect(device.started == 1 && number == 0xfffffffe, "one job is started");
    rules++;
}

#define ACCEPTED(change)                                                                                               \
    do {                                                                                                               \
        struct daa_core_job job = sound();                                                                             \
        change;                                                                                                        \
        accepted(job, #change);                                                                                        \
    } while (0)

static void check_allowed(void) {
    ACCEPTED(job.m = 3);
    ACCEPTED(job.c0 = job.c);
    ACCEPTED((job.c.kind = DAA_CORE_OPERAND, job.c0.kind = DAA_CORE_OPERAND, job.c0 = job.c, job.c.address++,
              job.c0.address++));
    ACCEPTED((job.c.leading = 48, job.c.stride = 24));
    ACCEPTED((job.a.leading = 0, job.a.stride = 0, job.b.leading = 0, job.c0.leading = 0));
    ACCEPTED(job.a.address = 0x4008 - 42);
    ACCEPTED(job.b.address = 0x4008 + 140);
    ACCEPTED((job.b.address = 0x4008 + 20, job.b.leading = 36, job.b.stride = 36 * 7, job.c.leading = 36,
              job.c.stride = 36 * 3));
    ACCEPTED(job.a.address = UINT64_MAX - 41);
    ACCEPTED(job.c0.address = UINT64_MAX - 119);
    ACCEPTED((job.m = 0, job.c.address = 1, job.a.address = 0x4008));
    ACCEPTED((job.k = 0, job.a.address = 0x4008, job.b.address = 0x4009));
    ACCEPTED((job.has_c0 = false, job.c0.address = 0x4009));
    ACCEPTED((job.m = job.n = job.k = job.batch = 0xffffff, job.a.leading = 0, job.b.leading = 0, job.has_c0 = false,
              job.a.stride = 0, job.b.stride = 0, job.b.address = 0, job.a.address = 0, job.c.address = 1ull << 40,
              job.c.leading = 0xfffffffc, job.batch = 64, job.c.stride = 0x3fffffc));
}

/* ---- the rules against a map of bytes ---- */

enum { MAP = 4096 };

struct touched {
    uint8_t byte[MAP];
};

/* False: outside the map, or the same byte twice. */
static bool touch(struct touched *map, const struct daa_core_matrix *matrix, uint32_t lines, uint32_t line,
                  uint32_t batch) {
    bool once = true;
    for (uint64_t p = 0; p < batch; p++)
        for (uint64_t i = 0; i < lines; i++)
            for (uint64_t at = matrix->address + p * matrix->stride + i * matrix->leading, j = 0; j < line; j++, at++) {
                expect(at < MAP, "the map is large enough");
                once &= !map->byte[at];
                map->byte[at] = 1;
            }
    return once;
}

static bool share(const struct touched *one, const struct touched *other) {
    for (int i = 0; i < MAP; i++)
        if (one->byte[i] && other->byte[i])
            return true;
    return false;
}

static struct daa_core_matrix random_matrix(uint32_t lines, uint32_t line, uint32_t bytes) {
    struct daa_core_matrix matrix = {.address = below(1200) / bytes * bytes};
    matrix.leading = (line + (below(3) ? below(12) : 0)) / bytes * bytes;
    if (below(6) == 0)
        matrix.leading = 96;
    matrix.stride = below(2) ? lines * matrix.leading : below(150) / bytes * bytes;
    return matrix;
}

static void check_map(int count) {
    const struct daa_core core = opened();
    int good = 0, met = 0, careful = 0;
    for (int i = 0; i < count; i++) {
        struct daa_core_job job = {
            .m = 1 + below(4), .n = 1 + below(4), .k = 1 + below(4), .batch = 1 + below(3), .has_c0 = below(2)};
        job.a = random_matrix(job.m, job.k, 1);
        job.b = random_matrix(job.n, 2 * job.k, 2);
        job.b.order = DAA_CORE_COLUMN_MAJOR;
        job.c = random_matrix(job.m, 4 * job.n, 4);
        job.c0 = below(3) ? random_matrix(job.m, 4 * job.n, 4) : job.c;
        const enum daa_core_result result = daa_core_check(&core, &job);
        struct touched a = {{0}}, b = {{0}}, c0 = {{0}}, c = {{0}};
        touch(&a, &job.a, job.m, job.k, job.batch);
        touch(&b, &job.b, job.n, 2 * job.k, job.batch);
        const bool once = touch(&c, &job.c, job.m, 4 * job.n, job.batch);
        if (job.has_c0)
            touch(&c0, &job.c0, job.m, 4 * job.n, job.batch);
        const bool in_place = job.c0.address == job.c.address && (job.m == 1 || job.c0.leading == job.c.leading) &&
                              (job.batch == 1 || job.c0.stride == job.c.stride);
        const bool meets = share(&a, &c) || share(&b, &c) || (share(&c0, &c) && !in_place);
        expect(result != DAA_CORE_OK || (once && !meets), "a job whose bytes meet is accepted");
        good += result == DAA_CORE_OK;
        met += !once || meets;
        careful += result != DAA_CORE_OK && once && !meets;
    }
    expect(good > count / 50 && met > count / 50 && careful < count / 3, "too few jobs of a kind");
    printf("%d jobs: %d accepted, %d that meet, %d refused to be careful\n", count, good, met, careful);
}

/* ---- what a submitted job leaves in the registers, and how its end is told ---- */

static void check_registers(void) {
    struct daa_core core = opened();
    struct daa_core_job job = sound();
    uint32_t number;
    job.a.address |= 0x1234567800000000;
    job.b.order = DAA_CORE_COLUMN_MAJOR;
    job.b.kind = DAA_CORE_FLOAT32;
    job.b.address += 2;
    job.b.leading = 28;
    job.b.stride = 140;
    job.c0.kind = DAA_CORE_OPERAND;
    expect(daa_core_submit(&core, &job, &number) == DAA_CORE_OK, "a job");
    static const struct {
        uint32_t offset, value;
    } want[] = {{DAA_REG_A_LO, 0x1003},  {DAA_REG_A_HI, 0x12345678}, {DAA_REG_B_LO, 0x2004}, {DAA_REG_B_HI, 0},
                {DAA_REG_C0_LO, 0x3004}, {DAA_REG_C_LO, 0x4008},     {DAA_REG_M, 3},         {DAA_REG_N, 5},
                {DAA_REG_K, 7},          {DAA_REG_LDA, 7},           {DAA_REG_LDB, 28},      {DAA_REG_LDC0, 20},
                {DAA_REG_LDC, 24},       {DAA_REG_BATCH, 2},         {DAA_REG_STRIDE_A, 21}, {DAA_REG_STRIDE_B, 140},
                {DAA_REG_STRIDE_C0, 60}, {DAA_REG_STRIDE_C, 72},     {DAA_REG_FLAGS, 0x3b},  {DAA_REG_TAG, 0xfffe},
                {DAA_REG_START, 1}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        if (device.word[want[i].offset / 4] != want[i].value) {
            printf("register 0x%03x is 0x%x, want 0x%x\n", want[i].offset, device.word[want[i].offset / 4],
                   want[i].value);
            exit(1);
        }
}

static void check_ends(void) {
    struct daa_core core = opened();
    const struct daa_core_job job = sound();
    uint32_t number[4096] = {0}, ended = 0, sent = 0;
    uint8_t code[4096] = {0};
    enum daa_core_result result;
    while (sent < 3000) {
        const enum daa_core_result submitted = daa_core_submit(&core, &job, &number[sent]);
        if (sent - ended < DAA_CORE_JOBS_MAX) {
            expect(submitted == DAA_CORE_OK, "room for a job");
            sent++;
        } else {
            expect(submitted == DAA_CORE_BUSY, "eight jobs under way");
        }
        for (uint32_t i = below(5); i > 0 && device.left > 0; i--) {
            code[ended] = (uint8_t)(below(2) ? below(7) : 0);
            end_job(code[ended++]);
        }
        for (uint32_t i = sent > 8 ? sent - 8 : 0; i < sent; i++) {
            expect(daa_core_ended(&core, number[i], &result) == (i < ended), "which jobs have ended");
            expect(i >= ended || (int)result == (code[i] ? DAA_CORE_BAD_JOB + code[i] - 1 : 0), "how a job ended");
        }
        if (sent > 8)
            expect(daa_core_ended(&core, number[sent - 9], &result) && result == DAA_CORE_UNKNOWN, "a job long past");
    }
    expect(daa_core_ended(&core, number[sent - 1] + 1, &result) && result == DAA_CORE_UNKNOWN, "a job of the future");
    while (device.left > 0)
        end_job(0);
    expect(daa_core_wait(&core, number[sent - 1], 1) == DAA_CORE_OK, "to wait for a job that has ended");
    device.word[DAA_REG_STATUS / 4] = DAA_STATUS_FULL_MASK;
    expect(daa_core_submit(&core, &job, &number[0]) == DAA_CORE_BUSY, "a full queue");
    device.word[DAA_REG_STATUS / 4] = 0;
    expect(daa_core_submit(&core, &job, &number[0]) == DAA_CORE_OK, "an empty queue");
    expect(daa_core_wait(&core, number[0], 5) == DAA_CORE_TIMEOUT, "to wait for a job that does not end");
    expect(daa_core_acknowledge(&core) && device.word[DAA_REG_IRQ / 4] == 0 && !daa_core_acknowledge(&core),
           "to acknowledge");
    daa_core_interrupt(&core, true, false);
    expect(device.word[DAA_REG_CONTROL / 4] == DAA_CONTROL_IRQ_DONE_MASK, "the interrupt's enables");
    expect(daa_core_reset(&core, 3) == DAA_CORE_OK && (device.word[DAA_REG_CONTROL / 4] & 6) == 2, "a soft reset");
    expect(daa_core_submit(&core, &job, &number[0]) == DAA_CORE_OK && !daa_core_ended(&core, number[0], &result),
           "a job after the reset");
    device.word[DAA_REG_STATUS / 4] = DAA_STATUS_RESETTING_MASK;
    expect(daa_core_submit(&core, &job, &number[0]) == DAA_CORE_BUSY, "a job in a reset");
    expect(daa_core_reset(&core, 3) == DAA_CORE_TIMEOUT, "a reset that does not end");
}

static void check_counters(void) {
    struct daa_core core = opened();
    struct daa_core_counters c;
    for (uint32_t i = DAA_REG_CYCLES_LO; i <= DAA_REG_STEPS_HI; i += 4)
        device.word[i / 4] = i;
    daa_core_counters(&core, &c);
    expect(device.word[DAA_REG_COUNT / 4] == 1, "a snapshot");
    const uint64_t got[] = {c.cycles,     c.busy,        c.wait_a,      c.wait_b,       c.wait_c, c.macs,
                            c.read_bytes, c.write_bytes, c.read_bursts, c.write_bursts, c.steps};
    for (uint32_t i = 0; i < sizeof got / sizeof *got; i++) {
        const uint64_t low = DAA_REG_CYCLES_LO + 8 * i;
        expect(got[i] == ((low + 4) << 32 | low), "the counters");
    }
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    random_state = strtoull(argv[1], NULL, 10);
    struct daa_core core = opened();
    check_rules(&core);
    check_allowed();
    check_registers();
    check_ends();
    check_counters();
    check_map(atoi(argv[2]));
    for (int i = 0; i <= DAA_CORE_RESULTS; i++)
        expect(*daa_core_text((enum daa_core_result)i), "a text for each result");
    printf("%d rules: all right (seed %s)\n", rules, argv[1]);
    return 0;
}

#include "daa_core.h"

#include "daa_registers.h"

static uint32_t get(const struct daa_core *core, uint32_t offset) {
    return core->registers.read32(core->registers.context, offset);
}

static void put(const struct daa_core *core, uint32_t offset, uint32_t value) {
    core->registers.write32(core->registers.context, offset, value);
}

/* FIELD of a register's VALUE. */
#define FIELD(value, field) (((value) & (field##_MASK)) >> (field##_AT))

const char *daa_core_text(enum daa_core_result result) {
    static const char *const texts[DAA_CORE_RESULTS] = {
        "ok",
        "no core at these registers",
        "no room for a job",
        "not done in time",
        "no such job is remembered",
        "m, n or k is above 16777215",
        "the batch is 0 or above 16777215",
        "an order or a kind that the matrix cannot have",
        "an address, a leading dimension or a stride is no multiple of the element's bytes",
        "C's leading dimension is shorter than its row",
        "C's stride makes products of the batch meet",
        "a matrix reaches past the end of the address space",
        "C meets A, B or a part of C0",
        "the core found the job impossible",
        "the bus answered a read of A with an error",
        "the bus answered a read of B with an error",
        "the bus answered a read of C0 with an error",
        "the bus answered a write of C with an error",
        "the array saw a mark where none belongs",
    };
    return (unsigned)result < DAA_CORE_RESULTS ? texts[result] : "no such result";
}

/* Bytes in memory of a format of EXP and FRAC bits. */
static uint32_t container(uint32_t exp, uint32_t frac) {
    const uint32_t width = 1 + exp + frac;
    return width <= 8 ? 1 : width <= 16 ? 2 : 4;
}

static void forget(struct daa_core *core) {
    core->submitted = core->seen = get(core, DAA_REG_DONE);
}

enum daa_core_result daa_core_open(struct daa_core *core, struct daa_core_registers registers) {
    core->registers = registers;
    if (get(core, DAA_REG_ID) != DAA_ID)
        return DAA_CORE_ABSENT;
    const uint32_t array = get(core, DAA_REG_ARRAY), block = get(core, DAA_REG_BLOCK), bus = get(core, DAA_REG_BUS);
    const uint32_t operands = get(core, DAA_REG_OPERANDS), results = get(core, DAA_REG_RESULTS);
    core->rows = FIELD(array, DAA_ARRAY_ROWS);
    core->cols = FIELD(array, DAA_ARRAY_COLS);
    core->streams = FIELD(array, DAA_ARRAY_STREAMS);
    core->results_as_a = FIELD(operands, DAA_OPERANDS_A_ENCODING) != 2 || !FIELD(array, DAA_ARRAY_SPECIALS);
    core->block_m = FIELD(block, DAA_BLOCK_M);
    core->block_n = FIELD(block, DAA_BLOCK_N);
    core->block_k = FIELD(get(core, DAA_REG_BLOCK_K), DAA_BLOCK_K_K);
    core->bus_bytes = FIELD(bus, DAA_BUS_BITS) / 8;
    core->queue = FIELD(bus, DAA_BUS_QUEUE);
    core->a_bytes = container(FIELD(operands, DAA_OPERANDS_A_EXP), FIELD(operands, DAA_OPERANDS_A_FRAC));
    core->b_bytes = container(FIELD(operands, DAA_OPERANDS_B_EXP), FIELD(operands, DAA_OPERANDS_B_FRAC));
    core->acc_bytes = container(FIELD(results, DAA_RESULTS_ACC_EXP), FIELD(results, DAA_RESULTS_ACC_FRAC));
    core->out_bytes = container(FIELD(results, DAA_RESULTS_OUT_EXP), FIELD(results, DAA_RESULTS_OUT_FRAC));
    core->hash = (uint64_t)get(core, DAA_REG_HASH_HI) << 32 | get(core, DAA_REG_HASH_LO);
    forget(core);
    return DAA_CORE_OK;
}

enum daa_core_result daa_core_reset(struct daa_core *core, uint32_t looks) {
    put(core, DAA_REG_CONTROL, get(core, DAA_REG_CONTROL) | DAA_CONTROL_RESET_MASK);
    while (get(core, DAA_REG_STATUS) & DAA_STATUS_RESETTING_MASK)
        if (looks-- == 0)
            return DAA_CORE_TIMEOUT;
    daa_core_acknowledge(core);
    forget(core);
    return DAA_CORE_OK;
}

/* ---- the rules ---- */

/* One matrix of a job as it lies in memory: COUNT lines of LINE bytes, LEADING apart, and BATCH of these, STRIDE apart.
 */
struct lie {
    uint64_t address, line, leading, stride, span; /* span: from the first byte to the last, both included */
    uint32_t bytes;                                /* of an element */
};

static bool is_operand(const struct daa_core_matrix *matrix) {
    return (matrix->order == DAA_CORE_ROW_MAJOR || matrix->order == DAA_CORE_COLUMN_MAJOR) &&
           (matrix->kind == DAA_CORE_NATIVE || matrix->kind == DAA_CORE_FLOAT32);
}

/* C0 and C; AS_A: it can be in A's format. */
static bool is_result(const struct daa_core_matrix *matrix, bool as_a) {
    return matrix->order == DAA_CORE_ROW_MAJOR &&
           (matrix->kind == DAA_CORE_NATIVE || (matrix->kind == DAA_CORE_OPERAND && as_a));
}

/* Of a ROWS x COLS matrix whose elements are not fewer than one; NATIVE are an element's bytes where it is of that
 * kind. */
static struct lie lie_of(const struct daa_core *core, const struct daa_core_job *job,
                         const struct daa_core_matrix *matrix, uint32_t rows, uint32_t cols, uint32_t native) {
    const bool columns = matrix->order == DAA_CORE_COLUMN_MAJOR;
    const uint32_t bytes = matrix->kind == DAA_CORE_FLOAT32   ? 4
                           : matrix->kind == DAA_CORE_OPERAND ? core->a_bytes
                                                              : native;
    struct lie lie = {
        matrix->address, (uint64_t)(columns ? rows : cols) * bytes, matrix->leading, matrix->stride, 0, bytes};
    lie.span = (uint64_t)((columns ? cols : rows) - 1) * matrix->leading + (uint64_t)(job->batch - 1) * matrix->stride +
               lie.line;
    return lie;
}

static bool is_aligned(const struct lie *lie) {
    return lie->address % lie->bytes == 0 && lie->leading % lie->bytes == 0 && lie->stride % lie->bytes == 0;
}

static bool is_in_range(const struct lie *lie) {
    return lie->span - 1 <= UINT64_MAX - lie->address;
}

/* Lines of the same pitch, side by side as columns of one matrix are. */
static bool side_by_side(const struct lie *one, const struct lie *other, uint32_t batch) {
    const uint64_t pitch = one->leading;
    if (pitch == 0 || other->leading != pitch ||
        (batch > 1 && (one->stride % pitch != 0 || other->stride % pitch != 0)))
        return false;
    const uint64_t ahead = other->address >= one->address ? (other->address - one->address) % pitch
                                                          : pitch - 1 - (one->address - other->address - 1) % pitch;
    return ahead >= one->line && ahead + other->line <= pitch;
}

static bool meet(const struct lie *one, const struct lie *other, uint32_t batch) {
    const bool apart = one->address < other->address ? other->address - one->address >= one->span
                                                     : one->address - other->address >= other->span;
    return !apart && !side_by_side(one, other, batch) && !side_by_side(other, one, batch);
}

static bool is_same(const struct lie *one, const struct lie *other, uint32_t rows, uint32_t batch) {
    return one->address == other->address && one->line == other->line &&
           (rows == 1 || one->leading == other->leading) && (batch == 1 || one->stride == other->stride);
}

/* Products of a batch follow each other, or lie side by side in the same rows. */
static bool keeps_apart(const struct lie *c, uint32_t rows, uint32_t batch) {
    const uint64_t whole = (uint64_t)(rows - 1) * c->leading + c->line;
    return batch == 1 || c->stride >= whole ||
           (c->stride >= c->line && (rows == 1 || (uint64_t)(batch - 1) * c->stride + c->line <= c->leading));
}

static enum daa_core_result check_results(const struct daa_core *core, const struct daa_core_job *job,
                                          const struct lie *c) {
    if (!is_aligned(c))
        return DAA_CORE_ALIGNMENT;
    if (job->m > 1 && c->leading < c->line)
        return DAA_CORE_LEADING;
    if (!keeps_apart(c, job->m, job->batch))
        return DAA_CORE_STRIDE;
    if (!is_in_range(c))
        return DAA_CORE_RANGE;
    if (!job->has_c0)
        return DAA_CORE_OK;
    const struct lie c0 = lie_of(core, job, &job->c0, job->m, job->n, core->acc_bytes);
    if (!is_aligned(&c0))
        return DAA_CORE_ALIGNMENT;
    if (!is_in_range(&c0))
        return DAA_CORE_RANGE;
    return meet(c, &c0, job->batch) && !is_same(c, &c0, job->m, job->batch) ? DAA_CORE_OVERLAP : DAA_CORE_OK;
}

static enum daa_core_result check_operand(const struct lie *operand, const struct lie *c, uint32_t batch) {
    if (!is_aligned(operand))
        return DAA_CORE_ALIGNMENT;
    if (!is_in_range(operand))
        return DAA_CORE_RANGE;
    return meet(operand, c, batch) ? DAA_CORE_OVERLAP : DAA_CORE_OK;
}

enum daa_core_result daa_core_check(const struct daa_core *core, const struct daa_core_job *job) {
    if (job->m > DAA_CORE_SIZE_MAX || job->n > DAA_CORE_SIZE_MAX || job->k > DAA_CORE_SIZE_MAX)
        return DAA_CORE_SIZE;
    if (job->batch == 0 || job->batch > DAA_CORE_SIZE_MAX)
        return DAA_CORE_BATCH;
    if (!is_operand(&job->a) || !is_operand(&job->b) || !is_result(&job->c, core->results_as_a) ||
        (job->has_c0 && !is_result(&job->c0, true)))
        return DAA_CORE_PLACE;
    if (job->m == 0 || job->n == 0)
        return DAA_CORE_OK; /* nothing is read or written */
    const struct lie c = lie_of(core, job, &job->c, job->m, job->n, core->out_bytes);
    enum daa_core_result result = check_results(core, job, &c);
    if (result || job->k == 0)
        return result;
    const struct lie a = lie_of(core, job, &job->a, job->m, job->k, core->a_bytes);
    const struct lie b = lie_of(core, job, &job->b, job->k, job->n, core->b_bytes);
    result = check_operand(&a, &c, job->batch);
    return result ? result : check_operand(&b, &c, job->batch);
}

/* ---- jobs ---- */

static void put_place(const struct daa_core *core, uint32_t address, uint32_t leading, uint32_t stride,
                      const struct daa_core_matrix *matrix) {
    put(core, address, (uint32_t)matrix->address);
    put(core, address + 4, (uint32_t)(matrix->address >> 32));
    put(core, leading, matrix->leading);
    put(core, stride, matrix->stride);
}

static uint32_t flags_of(const struct daa_core_job *job) {
    return (job->a.order == DAA_CORE_ROW_MAJOR ? DAA_FLAGS_A_ALONG_K_MASK : 0) |
           (job->b.order == DAA_CORE_COLUMN_MAJOR ? DAA_FLAGS_B_ALONG_K_MASK : 0) |
           (job->a.kind == DAA_CORE_FLOAT32 ? DAA_FLAGS_A_FLOAT32_MASK : 0) |
           (job->b.kind == DAA_CORE_FLOAT32 ? DAA_FLAGS_B_FLOAT32_MASK : 0) |
           (job->has_c0 ? DAA_FLAGS_C0_GIVEN_MASK : 0) |
           (job->has_c0 && job->c0.kind == DAA_CORE_OPERAND ? DAA_FLAGS_C0_OPERAND_MASK : 0) |
           (job->c.kind == DAA_CORE_OPERAND ? DAA_FLAGS_C_OPERAND_MASK : 0);
}

/* Looks which jobs have ended since the last time, and how. A job may end between the reads; then they are repeated. */
static void look(struct daa_core *core) {
    uint32_t done, codes;
    do {
        done = get(core, DAA_REG_DONE);
        codes = get(core, DAA_REG_CODES);
    } while (done != get(core, DAA_REG_DONE));
    for (; core->seen != done; core->seen++) {
        const uint32_t before = done - core->seen - 1; /* jobs that ended after this one */
        if (before < DAA_CORE_JOBS_MAX)
            core->codes[(core->seen + 1) % DAA_CORE_JOBS_MAX] = (uint8_t)(codes >> 4 * before & 15);
    }
}

enum daa_core_result daa_core_submit(struct daa_core *core, const struct daa_core_job *job, uint32_t *number) {
    const enum daa_core_result result = daa_core_check(core, job);
    if (result)
        return result;
    look(core);
    if (core->submitted - core->seen >= DAA_CORE_JOBS_MAX ||
        get(core, DAA_REG_STATUS) & (DAA_STATUS_FULL_MASK | DAA_STATUS_RESETTING_MASK))
        return DAA_CORE_BUSY;
    put_place(core, DAA_REG_A_LO, DAA_REG_LDA, DAA_REG_STRIDE_A, &job->a);
    put_place(core, DAA_REG_B_LO, DAA_REG_LDB, DAA_REG_STRIDE_B, &job->b);
    if (job->has_c0)
        put_place(core, DAA_REG_C0_LO, DAA_REG_LDC0, DAA_REG_STRIDE_C0, &job->c0);
    put_place(core, DAA_REG_C_LO, DAA_REG_LDC, DAA_REG_STRIDE_C, &job->c);
    put(core, DAA_REG_M, job->m);
    put(core, DAA_REG_N, job->n);
    put(core, DAA_REG_K, job->k);
    put(core, DAA_REG_BATCH, job->batch);
    put(core, DAA_REG_FLAGS, flags_of(job));
    *number = ++core->submitted;
    put(core, DAA_REG_TAG, *number & 0xffff);
    put(core, DAA_REG_START, 1);
    return DAA_CORE_OK;
}

bool daa_core_ended(struct daa_core *core, uint32_t number, enum daa_core_result *result) {
    if (core->submitted - number >= DAA_CORE_JOBS_MAX) {
        *result = DAA_CORE_UNKNOWN;
        return true;
    }
    look(core);
    if ((uint32_t)(core->submitted - number) < (uint32_t)(core->submitted - core->seen))
        return false;
    const uint32_t code = core->codes[number % DAA_CORE_JOBS_MAX];
    *result = code ? (enum daa_core_result)(code - DAA_ERROR_BAD_JOB + DAA_CORE_BAD_JOB) : DAA_CORE_OK;
    return true;
}

enum daa_core_result daa_core_wait(struct daa_core *core, uint32_t number, uint32_t looks) {
    enum daa_core_result result;
    for (; looks > 0; looks--)
        if (daa_core_ended(core, number, &result))
            return result;
    return DAA_CORE_TIMEOUT;
}

/* ---- interrupt and counters ---- */

void daa_core_interrupt(const struct daa_core *core, bool on_end, bool on_error) {
    put(core, DAA_REG_CONTROL, (on_end ? DAA_CONTROL_IRQ_DONE_MASK : 0) | (on_error ? DAA_CONTROL_IRQ_ERROR_MASK : 0));
}

bool daa_core_acknowledge(const struct daa_core *core) {
    const uint32_t pending = get(core, DAA_REG_IRQ);
    put(core, DAA_REG_IRQ, pending);
    return pending != 0;
}

static uint64_t get_pair(const struct daa_core *core, uint32_t offset) {
    return (uint64_t)get(core, offset + 4) << 32 | get(core, offset);
}

void daa_core_counters(const struct daa_core *core, struct daa_core_counters *counters) {
    put(core, DAA_REG_COUNT, DAA_COUNT_SNAPSHOT_MASK);
    counters->cycles = get_pair(core, DAA_REG_CYCLES_LO);
    counters->busy = get_pair(core, DAA_REG_BUSY_LO);
    counters->wait_a = get_pair(core, DAA_REG_WAIT_A_LO);
    counters->wait_b = get_pair(core, DAA_REG_WAIT_B_LO);
    counters->wait_c = get_pair(core, DAA_REG_WAIT_C_LO);
    counters->macs = get_pair(core, DAA_REG_MACS_LO);
    counters->steps = get_pair(core, DAA_REG_STEPS_LO);
    counters->read_bytes = get_pair(core, DAA_REG_READ_BYTES_LO);
    counters->write_bytes = get_pair(core, DAA_REG_WRITE_BYTES_LO);
    counters->read_bursts = get_pair(core, DAA_REG_READ_BURSTS_LO);
    counters->write_bursts = get_pair(core, DAA_REG_WRITE_BURSTS_LO);
}

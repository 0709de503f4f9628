#include "registers.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What reading and writing a field does. */
enum access {
    CONSTANT, /* reads as a number of the plan */
    LIVE,     /* reads as a signal of the core */
    STORED,   /* reads as it was written */
    SHADOW,   /* likewise; it belongs to the job that START queues */
    CLEARED,  /* set by the core, cleared by writing 1 */
    PULSE,    /* writing 1 does something; reads as 0 */
    COUNT,    /* half of a counter, as the last snapshot took it */
    ACCESSES
};

/* The list that says which fields have an access, and the manual's words for it. */
static const struct {
    const char *list, *word;
    bool written;
} accesses[ACCESSES] = {
    [CONSTANT] = {"field_is_constant", "constant", false},
    [LIVE] = {"field_is_live", "read", false},
    [STORED] = {"field_is_stored", "read, write", true},
    [SHADOW] = {"field_is_shadow", "read, write", true},
    [CLEARED] = {"field_is_cleared", "read, write 1 to clear", true},
    [PULSE] = {"field_is_pulse", "write 1", true},
    [COUNT] = {"field_is_count", "read", false},
};

struct field {
    const char *name;
    int low, bits;
    enum access access;
    const char *value; /* CONSTANT: of the plan */
    const char *text;
};

enum { FIELDS_MAX = 8 };

struct reg {
    const char *name;
    unsigned offset;
    const char *text;
    struct field fields[FIELDS_MAX]; /* up to one without a name */
};

/* A register without parts, and one of two that hold a number together. */
#define VALUE(bits, access, value) .fields = {{"VALUE", 0, bits, access, value, ""}}
#define PART(bits, access) VALUE(bits, access, NULL)
#define WHOLE(access, value) VALUE(32, access, value)
#define PAIR(name, offset, access, text)                                                                               \
    {name "_LO", offset, text ": bits 31 to 0", WHOLE(access, NULL)}, {                                                \
        name "_HI", (offset) + 4, text ": bits 63 to 32", WHOLE(access, NULL)                                          \
    }

/* In the order of their offsets. Registers of a job are packed in this order, too. */
static const struct reg table[] = {
    {"ID", 0x000, "the letters DAA1: this is a core with these registers", WHOLE(CONSTANT, "register_id")},
    {"VERSION",
     0x004,
     "the generator's version",
     {{"PATCH", 0, 8, CONSTANT, "version_patch", "x.x.N"},
      {"MINOR", 8, 8, CONSTANT, "version_minor", "x.N.x"},
      {"MAJOR", 16, 8, CONSTANT, "version_major", "N.x.x"}}},
    {"HASH_LO", 0x008, "hash of the configuration, as `daa.json` has it: bits 31 to 0", WHOLE(CONSTANT, "hash_lo")},
    {"HASH_HI", 0x00c, "its bits 63 to 32", WHOLE(CONSTANT, "hash_hi")},
    {"ARRAY",
     0x010,
     "the array",
     {{"ROWS", 0, 9, CONSTANT, "rows", "rows of elements"},
      {"COLS", 12, 9, CONSTANT, "cols", "columns of elements"},
      {"STREAMS", 24, 4, CONSTANT, "streams", "products that an element takes in a step"},
      {"SPECIALS", 28, 1, CONSTANT, "specials", "Inf and NaN are there"}}},
    {"OPERANDS",
     0x014,
     "the operands' formats",
     {{"A_EXP", 0, 4, CONSTANT, "a_exp_bits", "exponent bits of A"},
      {"A_FRAC", 4, 5, CONSTANT, "a_frac_bits", "fraction bits of A"},
      {"A_ENCODING", 9, 2, CONSTANT, "a_encoding", "0 ieee, 1 fn, 2 finite"},
      {"B_EXP", 16, 4, CONSTANT, "b_exp_bits", "exponent bits of B"},
      {"B_FRAC", 20, 5, CONSTANT, "b_frac_bits", "fraction bits of B"},
      {"B_ENCODING", 25, 2, CONSTANT, "b_encoding", "0 ieee, 1 fn, 2 finite"}}},
    {"RESULTS",
     0x018,
     "the formats of C0 and C",
     {{"ACC_EXP", 0, 4, CONSTANT, "acc_exp_bits", "exponent bits of the accumulator, which C0 has"},
      {"ACC_FRAC", 4, 5, CONSTANT, "acc_frac_bits", "its fraction bits"},
      {"OUT_EXP", 16, 4, CONSTANT, "out_exp_bits", "exponent bits of a result"},
      {"OUT_FRAC", 20, 5, CONSTANT, "out_frac_bits", "its fraction bits"},
      {"OUT_ENCODING", 25, 2, CONSTANT, "out_encoding", "0 ieee, 1 fn, 2 finite"}}},
    {"BLOCK",
     0x01c,
     "block of C that is computed at one time",
     {{"M", 0, 16, CONSTANT, "block_m", "its rows"}, {"N", 16, 16, CONSTANT, "block_n", "its columns"}}},
    {"BLOCK_K", 0x020, "inner dimension of a block", {{"K", 0, 16, CONSTANT, "block_k", ""}}},
    {"BUS",
     0x024,
     "the bus to memory and the queue",
     {{"BITS", 0, 10, CONSTANT, "bus_bits", "data bits"},
      {"OUTSTANDING", 12, 5, CONSTANT, "outstanding", "read bursts in flight, of each operand"},
      {"ID_BITS", 20, 4, CONSTANT, "axi_id_bits", "bits of an AXI ID"},
      {"QUEUE", 24, 4, CONSTANT, "queue", "jobs that can wait"}}},
    {"CONTROL",
     0x040,
     "control",
     {{"RESET", 0, 1, PULSE, NULL,
       "soft reset: drop all jobs, let the bus finish, reset the array; see STATUS.RESETTING"},
      {"IRQ_DONE", 1, 1, STORED, NULL, "interrupt while IRQ.DONE is set"},
      {"IRQ_ERROR", 2, 1, STORED, NULL, "interrupt while IRQ.ERROR or IRQ.REFUSED is set"}}},
    {"STATUS",
     0x044,
     "how the core stands",
     {{"IDLE", 0, 1, LIVE, NULL, "no job waits or runs, no soft reset is under way"},
      {"FULL", 1, 1, LIVE, NULL, "no room for a job: START would be refused"},
      {"RESETTING", 2, 1, LIVE, NULL, "a soft reset is under way"},
      {"WAITING", 4, 4, LIVE, NULL, "jobs that wait in the queue"},
      {"LEFT", 8, 5, LIVE, NULL, "jobs that were started and have not ended"},
      {"ERROR", 16, 4, LIVE, NULL, "code of the first job in error since IRQ.ERROR was cleared, as below"}}},
    {"IRQ",
     0x048,
     "what has happened",
     {{"DONE", 0, 1, CLEARED, NULL, "a job has ended, well or in error"},
      {"ERROR", 1, 1, CLEARED, NULL, "a job has ended in error; clearing it clears STATUS.ERROR and ERROR_JOB"},
      {"REFUSED", 2, 1, CLEARED, NULL,
       "START was written with STATUS.FULL or STATUS.RESETTING set; nothing was queued"}}},
    {"DONE", 0x04c, "jobs that have ended, well or in error; wraps", WHOLE(LIVE, NULL)},
    {"ERROR_JOB", 0x050, "tag of the first job in error since IRQ.ERROR was cleared", PART(16, LIVE)},
    {"FAILED", 0x054, "jobs that have ended in error; wraps", WHOLE(LIVE, NULL)},
    {"CODES", 0x058, "how the last eight jobs ended, four bits each: the last one in bits 3 to 0", WHOLE(LIVE, NULL)},

    PAIR("A", 0x080, SHADOW, "address of A"),
    PAIR("B", 0x088, SHADOW, "address of B"),
    PAIR("C0", 0x090, SHADOW, "address of C0"),
    PAIR("C", 0x098, SHADOW, "address of C"),
    {"M", 0x0a0, "rows of A and C", PART(24, SHADOW)},
    {"N", 0x0a4, "columns of B and C", PART(24, SHADOW)},
    {"K", 0x0a8, "columns of A, rows of B", PART(24, SHADOW)},
    {"LDA", 0x0ac, "bytes from one row of A to the next; from one column, where A lies along M", WHOLE(SHADOW, NULL)},
    {"LDB", 0x0b0, "bytes from one row of B to the next; from one column, where B lies along K", WHOLE(SHADOW, NULL)},
    {"LDC0", 0x0b4, "bytes from one row of C0 to the next", WHOLE(SHADOW, NULL)},
    {"LDC", 0x0b8, "bytes from one row of C to the next", WHOLE(SHADOW, NULL)},
    {"BATCH", 0x0bc, "products of the job", PART(24, SHADOW)},
    {"STRIDE_A", 0x0c0, "bytes from one product's A to the next one's", WHOLE(SHADOW, NULL)},
    {"STRIDE_B", 0x0c4, "likewise of B", WHOLE(SHADOW, NULL)},
    {"STRIDE_C0", 0x0c8, "likewise of C0", WHOLE(SHADOW, NULL)},
    {"STRIDE_C", 0x0cc, "likewise of C", WHOLE(SHADOW, NULL)},
    {"FLAGS",
     0x0d0,
     "kinds and places of the matrices",
     {{"A_ALONG_K", 0, 1, SHADOW, NULL, "A's elements follow each other along K (row-major), else along M"},
      {"B_ALONG_K", 1, 1, SHADOW, NULL, "B's elements follow each other along K (column-major), else along N"},
      {"A_FLOAT32", 2, 1, SHADOW, NULL, "A is float32, rounded to its format while it is loaded"},
      {"B_FLOAT32", 3, 1, SHADOW, NULL, "B likewise"},
      {"C0_GIVEN", 4, 1, SHADOW, NULL, "C starts from C0, else from +0"},
      {"C0_OPERAND", 5, 1, SHADOW, NULL, "C0 is in A's format, else in the accumulator's"},
      {"C_OPERAND", 6, 1, SHADOW, NULL, "C is rounded to A's format, else it is in the result's"}}},
    {"TAG", 0x0d4, "names the job where it ends in error", PART(16, SHADOW)},
    {"START", 0x0d8, "queue the job that the registers from A_LO to TAG hold; they stay as they are", PART(1, PULSE)},

    {"COUNT",
     0x100,
     "the counters",
     {{"SNAPSHOT", 0, 1, PULSE, NULL, "take all counters at one time, to be read from the registers below"}}},
    PAIR("CYCLES", 0x108, COUNT, "cycles since the reset"),
    PAIR("BUSY", 0x110, COUNT, "cycles in which a job ran"),
    PAIR("WAIT_A", 0x118, COUNT, "cycles in which the array waited for A"),
    PAIR("WAIT_B", 0x120, COUNT, "cycles in which the array waited for B"),
    PAIR("WAIT_C", 0x128, COUNT, "cycles in which the array waited for C0, or for room for C"),
    PAIR("MACS", 0x130, COUNT, "products of the jobs, what pads them left out"),
    PAIR("READ_BYTES", 0x138, COUNT, "bytes that came over the bus, in whole beats"),
    PAIR("WRITE_BYTES", 0x140, COUNT, "bytes written"),
    PAIR("READ_BURSTS", 0x148, COUNT, "read bursts"),
    PAIR("WRITE_BURSTS", 0x150, COUNT, "write bursts"),
    PAIR("STEPS", 0x158, COUNT, "steps that the array took"),
};
enum { REGISTERS = sizeof(table) / sizeof(table[0]), NAMES_MAX = 40 };

/* How a job ends, in the order of their codes. */
static const char *const codes[][2] = {
    {"NONE", "no error"},
    {"BAD_JOB", "a job that cannot be: an address range past 2^64, or a misaligned address or stride"},
    {"READ_A", "the bus answered a read of A with an error"},
    {"READ_B", "the bus answered a read of B with an error"},
    {"READ_C0", "the bus answered a read of C0 with an error"},
    {"WRITE_C", "the bus answered a write of C with an error"},
    {"FRAMING", "the array saw a mark where none belongs"},
};
enum { CODES = sizeof(codes) / sizeof(codes[0]) };

static const char *const lists[] = {
    "reg_names",   "reg_signals",  "reg_writable", "field_is_part", "field_masks", "field_places",  "reg_offsets",
    "reg_words",   "reg_texts",    "reg_first",    "reg_last",      "field_names", "field_signals", "field_lows",
    "field_highs", "field_widths", "field_at",     "field_access",  "field_texts", "field_resets",  "counter_names",
    "job_names",   "job_lows",     "job_widths",   "code_names",    "code_texts",
};

static void put_number(struct plan *plan, const char *list, int number) {
    char text[16];
    snprintf(text, sizeof(text), "%d", number);
    plan_item(plan, list, text);
}

static void put_hex(struct plan *plan, const char *list, int digits, uint32_t number) {
    char text[16];
    snprintf(text, sizeof(text), "%0*" PRIx32, digits, number);
    plan_item(plan, list, text);
}

/* A register of one field without a name of its own, which has the register's. */
static bool is_lone(const struct reg *reg) {
    return strcmp(reg->fields[0].name, "VALUE") == 0;
}

/* TEXT in small letters. */
static void lower(char name[NAMES_MAX], const char *text) {
    snprintf(name, NAMES_MAX, "%s", text);
    for (char *p = name; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p | 0x20);
}

enum half { NEITHER, LOWER, UPPER };

/* The name of what FIELD is or is a half of, in small letters: a for A_LO and for A_HI. */
static enum half whole_name(const struct reg *reg, const struct field *field, char name[NAMES_MAX]) {
    char text[NAMES_MAX];
    if (is_lone(reg) || field->access == SHADOW) /* a job's fields have names of their own */
        snprintf(text, sizeof(text), "%s", is_lone(reg) ? reg->name : field->name);
    else
        snprintf(text, sizeof(text), "%s_%s", reg->name, field->name);
    lower(name, text);
    char *end = name + strlen(name) - 3;
    const enum half half = end <= name               ? NEITHER
                           : strcmp(end, "_lo") == 0 ? LOWER
                           : strcmp(end, "_hi") == 0 ? UPPER
                                                     : NEITHER;
    if (half != NEITHER)
        *end = '\0';
    return half;
}

/* Both halves of an address are one field of a job, which stands at *AT. */
static void put_job(struct plan *plan, const char *name, enum half half, const struct field *field, int *at) {
    if (half != UPPER) {
        plan_item(plan, "job_names", name);
        put_number(plan, "job_lows", *at);
        put_number(plan, "job_widths", half == LOWER ? 2 * field->bits : field->bits);
    }
    *at += field->bits;
}

static uint32_t reset_value(struct plan *plan, const struct field *field) {
    if (field->access != CONSTANT)
        return 0;
    struct value *value = plan_find(plan, field->value);
    value->used = true;      /* by the decoder */
    if (value->kind == TEXT) /* of more bits than a number has */
        return (uint32_t)strtoul(value->text, NULL, 16);
    assert(field->bits == 32 || value->number >> field->bits == 0);
    return (uint32_t)value->number;
}

/* "7:4", and "0" of one bit. */
static void put_place(struct plan *plan, const struct field *field) {
    char place[16];
    snprintf(place, sizeof(place), field->bits > 1 ? "%d:%d" : "%d", field->low + field->bits - 1, field->low);
    plan_item(plan, "field_places", place);
}

static void put_field(struct plan *plan, const struct reg *reg, const struct field *field, int *job_at) {
    char name[NAMES_MAX];
    const enum half half = whole_name(reg, field, name);
    plan_item(plan, "field_names", field->name);
    plan_item(plan, "field_signals", name);
    put_number(plan, "field_is_part", !is_lone(reg));
    put_hex(plan, "field_masks", 8, (uint32_t)((((uint64_t)1 << field->bits) - 1) << field->low));
    put_place(plan, field);
    put_number(plan, "field_lows", field->low);
    put_number(plan, "field_highs", field->low + field->bits - 1);
    put_number(plan, "field_widths", field->bits);
    put_number(plan, "field_at", field->access == SHADOW ? *job_at : half == UPPER ? 32 : 0);
    plan_item(plan, "field_access", accesses[field->access].word);
    plan_item(plan, "field_texts", *field->text ? field->text : reg->text);
    put_hex(plan, "field_resets", 1, reset_value(plan, field));
    for (int access = 0; access < ACCESSES; access++)
        put_number(plan, accesses[access].list, access == (int)field->access);
    if (field->access == COUNT && half == LOWER)
        plan_item(plan, "counter_names", name);
    if (field->access == SHADOW)
        put_job(plan, name, half, field, job_at);
}

static bool is_writable(const struct reg *reg) {
    for (const struct field *field = reg->fields; field < reg->fields + FIELDS_MAX && field->name; field++)
        if (accesses[field->access].written)
            return true;
    return false;
}

static void put_register(struct plan *plan, const struct reg *reg, int *job_at) {
    char name[NAMES_MAX];
    lower(name, reg->name);
    plan_item(plan, "reg_names", reg->name);
    plan_item(plan, "reg_signals", name);
    put_number(plan, "reg_writable", is_writable(reg));
    put_hex(plan, "reg_offsets", 3, reg->offset);
    put_hex(plan, "reg_words", 3, reg->offset / 4);
    plan_item(plan, "reg_texts", reg->text);
    put_number(plan, "reg_first", plan_find(plan, "field_names")->number);
    for (const struct field *field = reg->fields; field < reg->fields + FIELDS_MAX && field->name; field++)
        put_field(plan, reg, field, job_at);
    put_number(plan, "reg_last", plan_find(plan, "field_names")->number - 1);
}

/* What only registers hold. */
static void add_constants(struct plan *plan, const struct daa_config *config) {
    char half[16];
    unsigned major = 0, minor = 0, patch = 0;
    sscanf(DAA_VERSION, "%u.%u.%u", &major, &minor, &patch);
    for (int i = 0; i < 2; i++) {
        snprintf(half, sizeof(half), "%08" PRIx32, (uint32_t)(daa_config_hash(config) >> 32 * i));
        plan_text(plan, i == 0 ? "hash_lo" : "hash_hi", half);
    }
    plan_text(plan, "register_id", "44414131");
    plan_number(plan, "version_major", (int)major);
    plan_number(plan, "version_minor", (int)minor);
    plan_number(plan, "version_patch", (int)patch);
}

/* Bits of a number up to MOST. */
static int bits_of(int most) {
    int bits = 1;
    while (most >> bits)
        bits++;
    return bits;
}

void registers_add(struct plan *plan, const struct daa_config *config) {
    int job_at = 0;
    add_constants(plan, config);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        plan_list(plan, lists[i]);
    for (int access = 0; access < ACCESSES; access++)
        plan_list(plan, accesses[access].list);
    for (const struct reg *reg = table; reg < table + REGISTERS; reg++)
        put_register(plan, reg, &job_at);
    for (int code = 0; code < CODES; code++) {
        plan_item(plan, "code_names", codes[code][0]);
        plan_item(plan, "code_texts", codes[code][1]);
    }
    plan_number(plan, "job_bits", job_at);
    plan_number(plan, "macs_bits", bits_of(config->rows * config->cols * config->streams));
}

/* The one table of options. Limits appear here, or in config.h where others need them, and nowhere else: the range a
 * user reads is the range that is checked. */
#include "options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum kind { WHOLE, POWER, WORD, FORMAT, NAME }; /* POWER: a word that is a number */

struct option {
    struct daa_option_info info;
    enum kind kind;
    int low, high;           /* WHOLE: limits; FORMAT: limits of the exponent bits */
    int frac_low, frac_high; /* FORMAT */
};

#define TEXT(number) #number
#define WHOLE_RANGE(lo, hi) #lo ".." #hi
#define WHOLE_LIMITS(lo, hi) WHOLE, lo, hi, 0, 0
#define FORMAT_RANGE(xl, xh, yl, yh) "eXmY, X " #xl ".." #xh ", Y " #yl ".." #yh
#define FORMAT_LIMITS(xl, xh, yl, yh) FORMAT, xl, xh, yl, yh
#define OPERAND 2, 8, 1, 10
#define ACCUMULATOR 5, 8, 7, 23
#define RESULT 2, 8, 1, 23
/* "|exponent|static|...": behind its first sign the words of the table of policies. */
#define POLICY_WORD(constant, name, hardware, keys, winner) "|" name
/* One more level, so that OPERAND and the limits are expanded first. */
#define APPLY(macro, ...) macro(__VA_ARGS__)

static const struct option table[OPT_COUNT] = {
    [OPT_ROWS] = {{"rows", "16", APPLY(WHOLE_RANGE, 1, DAA_SIDE_MAX), "rows of elements"},
                  APPLY(WHOLE_LIMITS, 1, DAA_SIDE_MAX)},
    [OPT_COLS] = {{"cols", "16", APPLY(WHOLE_RANGE, 1, DAA_SIDE_MAX), "columns of elements"},
                  APPLY(WHOLE_LIMITS, 1, DAA_SIDE_MAX)},
    [OPT_STREAMS] = {{"streams", "2", "1|2|4|8", "products an element takes per step; 1 is the conventional array"},
                     POWER,
                     0,
                     0,
                     0,
                     0},
    [OPT_GROUPS] =
        {{"groups", "1", "1|2|4",
          "groups that the streams are steered in, each with a high product of its own; 2 streams or more each"},
         POWER,
         0,
         0,
         0,
         0},
    [OPT_FORMAT] = {{"format", "bf16", APPLY(FORMAT_RANGE, OPERAND),
                     "operand format, both sides; also bf16 tf32 fp16 e5m2 e4m3 e3m2 e2m3 e2m1"},
                    APPLY(FORMAT_LIMITS, OPERAND)},
    [OPT_A_FORMAT] = {{"a-format", "auto", "auto|" APPLY(FORMAT_RANGE, OPERAND),
                       "operand format of A; auto: the one --format says"},
                      APPLY(FORMAT_LIMITS, OPERAND)},
    [OPT_B_FORMAT] = {{"b-format", "auto", "auto|" APPLY(FORMAT_RANGE, OPERAND),
                       "operand format of B; auto: the one --format says"},
                      APPLY(FORMAT_LIMITS, OPERAND)},
    [OPT_ACC_FORMAT] = {{"acc-format", "fp32", APPLY(FORMAT_RANGE, ACCUMULATOR),
                         "accumulator format, at least as wide as the operands in X and Y"},
                        APPLY(FORMAT_LIMITS, ACCUMULATOR)},
    [OPT_OUT_FORMAT] = {{"out-format", "auto", "auto|" APPLY(FORMAT_RANGE, RESULT),
                         "result format, no wider than the accumulator in X and Y; auto: the accumulator's"},
                        APPLY(FORMAT_LIMITS, RESULT)},
    [OPT_ACCUMULATOR] = {{"accumulator", "anchored", "rounded|anchored",
                          "rounded: to the accumulator format at every step; anchored: fixed point, rounded once"},
                         WORD,
                         0,
                         0,
                         0,
                         0},
    [OPT_ACC_BITS] = {{"acc-bits", "auto", "auto|" WHOLE_RANGE(8, 64), "bits W of the anchored accumulator; auto: 32"},
                      WHOLE_LIMITS(8, 64)},
    [OPT_ACC_STEP] = {{"acc-step", "auto", "auto|1|2|4|8",
                       "binary places G that the anchored accumulator moves by; auto: 4"},
                      POWER,
                      0,
                      0,
                      0,
                      0},
    [OPT_LO_BITS] = {{"lo-bits", "4", WHOLE_RANGE(1, 11),
                      "significant bits T of a low value; an operand uses min(T, Y+1)"},
                     WHOLE_LIMITS(1, 11)},
    [OPT_LO_ROUND] = {{"lo-round", "nearest", "nearest|truncate",
                       "how low values are rounded: to nearest even or toward zero"},
                      WORD,
                      0,
                      0,
                      0,
                      0},
    [OPT_POLICY] = {{"policy", "exponent", &"" DAA_POLICIES(POLICY_WORD)[1],
                     "which stream of a step is high; magnitude is for software only"},
                    WORD,
                    0,
                    0,
                    0,
                    0},
    [OPT_WINDOW] = {{"window", "auto", "auto|" APPLY(WHOLE_RANGE, 0, DAA_WINDOW_MAX),
                     "terms this far below a step's largest key are dropped beyond it; auto: max(8, Ya+Yb-(Ta+Tb-2))"},
                    APPLY(WHOLE_LIMITS, 0, DAA_WINDOW_MAX)},
    [OPT_SPECIALS] = {{"specials", "on", "on|off", "Inf and NaN; off: no hardware for them, software refuses them"},
                      WORD,
                      0,
                      0,
                      0,
                      0},
    [OPT_PIPELINE] = {{"pipeline", "auto", "auto|" WHOLE_RANGE(1, 5),
                       "register stages in an element before its accumulator; auto: 3, 4 with 4 or 8 streams; 2 where "
                       "it is rounded"},
                      WHOLE_LIMITS(1, 5)},
    [OPT_CLOCK_GATING] = {{"clock-gating", "off", "on|off",
                           "clock gates in the element, for silicon; off: registers hold by their enables"},
                          WORD,
                          0,
                          0,
                          0,
                          0},
    [OPT_C0_ROWS] = {{"c0-rows", "auto", "auto|" WHOLE_RANGE(1, 4096),
                      "rows of C0 that wait inside, a tile or more; auto: tiles of Rows steps lose no cycle"},
                     WHOLE_LIMITS(1, 4096)},
    [OPT_RESULT_ROWS] = {{"result-rows", "auto", "auto|" WHOLE_RANGE(1, 4096),
                          "rows of results that wait inside, a tile or more; auto: tiles of Rows steps lose no cycle"},
                         WHOLE_LIMITS(1, 4096)},
    [OPT_CORE] = {{"core", "off", "off|on", "on: also PREFIX_core, the array with registers, buffers and an AXI bus"},
                  WORD,
                  0,
                  0,
                  0,
                  0},
    [OPT_BUS_BITS] =
        {{"bus-bits", "auto", "auto|64|128|256|512", "data bits of the core's AXI bus; auto: 128"}, POWER, 0, 0, 0, 0},
    [OPT_BLOCK_M] = {{"block-m", "auto", "auto|" WHOLE_RANGE(1, 4096),
                      "rows of C that the core computes at a time, a multiple of rows; auto: 8 rows"},
                     WHOLE_LIMITS(1, 4096)},
    [OPT_BLOCK_N] = {{"block-n", "auto", "auto|" WHOLE_RANGE(1, 4096),
                      "columns of C that the core computes at a time, a multiple of cols; auto: 8 cols"},
                     WHOLE_LIMITS(1, 4096)},
    [OPT_BLOCK_K] = {{"block-k", "auto", "auto|" WHOLE_RANGE(1, 4096),
                      "where the core cuts K, a multiple of S*S and of the elements of a bus word; auto: about 8 times "
                      "the larger of rows and cols"},
                     WHOLE_LIMITS(1, 4096)},
    [OPT_OUTSTANDING] = {{"outstanding", "auto", "auto|" WHOLE_RANGE(1, 16),
                          "bursts that the core has under way, of each matrix; auto: 8"},
                         WHOLE_LIMITS(1, 16)},
    [OPT_AXI_ID_BITS] = {{"axi-id-bits", "auto", "auto|" WHOLE_RANGE(2, 8), "bits of the core's AXI IDs; auto: 4"},
                         WHOLE_LIMITS(2, 8)},
    [OPT_QUEUE] = {{"queue", "auto", "auto|" WHOLE_RANGE(1, 8), "jobs that wait in the core; auto: 2"},
                   WHOLE_LIMITS(1, 8)},
    [OPT_PREFIX] = {{"prefix", "daa", "a Verilog identifier of at most " APPLY(TEXT, DAA_PREFIX_MAX) " characters",
                     "modules are named PREFIX_array, PREFIX_pe, ..."},
                    NAME,
                    0,
                    0,
                    0,
                    0},
};
static_assert((int)OPT_COUNT <= (int)DAA_OPTION_COUNT_MAX, "DAA_OPTION_COUNT_MAX is too small");

size_t daa_option_count(void) {
    return OPT_COUNT;
}

const struct daa_option_info *daa_option_info(size_t index) {
    assert(index < OPT_COUNT);
    return &table[index].info;
}

bool daa_option_is_number(size_t index) {
    assert(index < OPT_COUNT);
    return table[index].kind == WHOLE || table[index].kind == POWER;
}

bool daa_option_is_said(const struct daa_config *config, size_t index) {
    return index != OPT_GROUPS || config->groups != 1;
}

enum daa_option daa_option_find(const char *name) {
    for (unsigned i = 0; i < OPT_COUNT; i++)
        if (strcmp(name, table[i].info.name) == 0)
            return (enum daa_option)i;
    return OPT_COUNT;
}

/* Decimal digits only, without a leading zero: no sign, no blank, nothing after. */
static bool read_whole(const char *text, int low, int high, int *number) {
    size_t length = strlen(text);
    if (length == 0 || length > 9 || (text[0] == '0' && length > 1))
        return false;
    int value = 0;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9')
            return false;
        value = value * 10 + (*p - '0');
    }
    *number = value;
    return value >= low && value <= high;
}

/* The position of TEXT among the words of "a|b|c". */
static bool read_word(const char *words, const char *text, int *number) {
    size_t length = strlen(text);
    for (int i = 0;; i++) {
        size_t word = strcspn(words, "|");
        if (word == length && memcmp(words, text, length) == 0) {
            *number = i;
            return true;
        }
        if (!words[word])
            return false;
        words += word + 1;
    }
}

/* Word NUMBER of "a|b|c"; NULL where there are not so many. */
static const char *word_at(const char *words, int number) {
    for (; number > 0 && words; number--) {
        words = strchr(words, '|');
        words = words ? words + 1 : NULL;
    }
    return number < 0 ? NULL : words;
}

static bool in_limits(const struct option *option, struct daa_format format) {
    return format.exp_bits >= option->low && format.exp_bits <= option->high && format.frac_bits >= option->frac_low &&
           format.frac_bits <= option->frac_high;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Two underscores in a row are left out because simulators write such names in other ways. */
static bool read_name(const char *text) {
    size_t length = strlen(text);
    if (length == 0 || length > DAA_PREFIX_MAX || !is_letter(text[0]) || text[length - 1] == '_')
        return false;
    for (const char *p = text; *p; p++) {
        bool letter_or_digit = is_letter(*p) || (*p >= '0' && *p <= '9');
        if (!letter_or_digit && (*p != '_' || p[1] == '_'))
            return false;
    }
    return true;
}

static bool read_value(const struct option *option, const char *text, struct daa_value *value) {
    *value = (struct daa_value){.text = text};
    if (strcmp(text, "auto") == 0 && strcmp(option->info.fallback, "auto") == 0) {
        value->automatic = true;
        return true;
    }
    switch (option->kind) {
    case WHOLE:
        return read_whole(text, option->low, option->high, &value->number);
    case POWER:
        return read_word(option->info.range, text, &value->number) && read_whole(text, 1, 999, &value->number);
    case WORD:
        return read_word(option->info.range, text, &value->number);
    case FORMAT:
        return daa_format_parse(text, &value->format) && in_limits(option, value->format);
    case NAME:
        return read_name(text);
    }
    return false;
}

static bool refuse(enum daa_option option, const char *text, struct daa_error *error) {
    const struct daa_option_info *info = &table[option].info;
    const char *more = option == OPT_PREFIX ? ", a letter first, letters, digits and single underscores inside" : "";
    return daa_fail(error, "%s is '%.64s'; it must be %s%s", info->name, text, info->range, more);
}

bool daa_option_read(enum daa_option option, const char *text, struct daa_value *value, struct daa_error *error) {
    if (!read_value(&table[option], text, value))
        return refuse(option, text, error);
    return true;
}

/* ---- a configuration's values, by the same table ---- */

static struct daa_value value_of(const struct daa_config *config, enum daa_option option) {
    switch (option) {
    case OPT_ROWS:
        return (struct daa_value){.number = config->rows};
    case OPT_COLS:
        return (struct daa_value){.number = config->cols};
    case OPT_STREAMS:
        return (struct daa_value){.number = config->streams};
    case OPT_GROUPS:
        return (struct daa_value){.number = config->groups};
    case OPT_A_FORMAT:
        return (struct daa_value){.format = config->a_format};
    case OPT_B_FORMAT:
        return (struct daa_value){.format = config->b_format};
    case OPT_ACC_FORMAT:
        return (struct daa_value){.format = config->acc_format};
    case OPT_OUT_FORMAT:
        return (struct daa_value){.format = config->out_format};
    case OPT_ACCUMULATOR:
        return (struct daa_value){.number = (int)config->accumulator};
    case OPT_ACC_BITS: /* only the anchored accumulator has them */
        return (struct daa_value){.automatic = config->accumulator != DAA_ANCHORED, .number = config->acc_bits};
    case OPT_ACC_STEP:
        return (struct daa_value){.automatic = config->accumulator != DAA_ANCHORED, .number = config->acc_step};
    case OPT_LO_BITS:
        return (struct daa_value){.number = config->lo_bits};
    case OPT_LO_ROUND:
        return (struct daa_value){.number = (int)config->lo_round};
    case OPT_POLICY:
        return (struct daa_value){.number = (int)config->policy};
    case OPT_WINDOW:
        return (struct daa_value){.number = config->window};
    case OPT_SPECIALS:
        return (struct daa_value){.number = config->specials ? 0 : 1};
    case OPT_PIPELINE:
        return (struct daa_value){.number = config->pipeline};
    case OPT_CLOCK_GATING:
        return (struct daa_value){.number = config->clock_gating ? 0 : 1};
    case OPT_C0_ROWS: /* the automatic depths follow rows, cols and pipeline */
        return (struct daa_value){.automatic = config->c0_rows == daa_c0_rows_auto(config), .number = config->c0_rows};
    case OPT_RESULT_ROWS:
        return (struct daa_value){.automatic = config->result_rows == daa_result_rows_auto(config),
                                  .number = config->result_rows};
    case OPT_CORE: /* where there is none, nothing is said about it */
        return (struct daa_value){.automatic = !config->core, .number = config->core};
    case OPT_BUS_BITS:
        return (struct daa_value){.automatic = !config->core, .number = config->bus_bits};
    case OPT_BLOCK_M:
        return (struct daa_value){.automatic = !config->core, .number = config->block_m};
    case OPT_BLOCK_N:
        return (struct daa_value){.automatic = !config->core, .number = config->block_n};
    case OPT_BLOCK_K:
        return (struct daa_value){.automatic = !config->core, .number = config->block_k};
    case OPT_OUTSTANDING:
        return (struct daa_value){.automatic = !config->core, .number = config->outstanding};
    case OPT_AXI_ID_BITS:
        return (struct daa_value){.automatic = !config->core, .number = config->axi_id_bits};
    case OPT_QUEUE:
        return (struct daa_value){.automatic = !config->core, .number = config->queue};
    case OPT_PREFIX:
        return (struct daa_value){.text = config->prefix};
    case OPT_FORMAT: /* a-format and b-format say it */
    case OPT_COUNT:
        break;
    }
    return (struct daa_value){.automatic = true};
}

const char *daa_option_value(const struct daa_config *config, size_t index, char *buffer, size_t size) {
    const struct option *option = &table[index];
    const struct daa_value value = value_of(config, (enum daa_option)index);
    char name[DAA_FORMAT_NAME_MAX];
    if (value.automatic)
        return NULL;
    const char *word = option->kind == WORD ? word_at(option->info.range, value.number) : NULL;
    if (option->kind == FORMAT) {
        daa_format_name(value.format, name);
        snprintf(buffer, size, "%s", name);
    } else if (option->kind == NAME) {
        snprintf(buffer, size, "%.*s", DAA_PREFIX_MAX, value.text);
    } else if (word) {
        snprintf(buffer, size, "%.*s", (int)strcspn(word, "|"), word);
    } else {
        snprintf(buffer, size, "%d", value.number);
    }
    return buffer;
}

/* A format that has a name, which is read as that format again. */
static bool is_whole(struct daa_format format) {
    char name[DAA_FORMAT_NAME_MAX];
    struct daa_format same;
    daa_format_name(format, name);
    return daa_format_parse(name, &same) && daa_format_equal(format, same);
}

static bool in_range(const struct option *option, const struct daa_value *value) {
    int position;
    char digits[16];
    switch (option->kind) {
    case WHOLE:
        return value->number >= option->low && value->number <= option->high;
    case WORD:
        return word_at(option->info.range, value->number) != NULL;
    case POWER:
        snprintf(digits, sizeof(digits), "%d", value->number);
        return read_word(option->info.range, digits, &position);
    case FORMAT:
        return in_limits(option, value->format) && is_whole(value->format);
    case NAME:
        return value->text && memchr(value->text, 0, DAA_PREFIX_MAX + 1) && read_name(value->text);
    }
    return false;
}

bool daa_option_check(const struct daa_config *config, enum daa_option option, struct daa_error *error) {
    const struct daa_value value = value_of(config, option);
    char text[DAA_PREFIX_MAX + 1];
    if (value.automatic || in_range(&table[option], &value))
        return true;
    return refuse(option, daa_option_value(config, option, text, sizeof(text)), error);
}

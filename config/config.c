/* Named configurations; option texts in layers; resolving them into a legal configuration. */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

struct setting {
    enum daa_option option;
    const char *text;
};

enum { SETTINGS_MAX = 6 };

struct named {
    const char *name, *meaning;
    struct setting settings[SETTINGS_MAX]; /* up to the first without text */
};

static const struct named named[] = {
    {"baseline",
     "the conventional array: 1 stream of bf16, rounded at every step",
     {{OPT_STREAMS, "1"}, {OPT_ACCUMULATOR, "rounded"}}},
    {"paper",
     "the paper's shape: 2 streams of bf16, one high and one low product, rounded at every step",
     {{OPT_ACCUMULATOR, "rounded"}}},
    {"quad",
     "paper with 4 streams: one high and three low products",
     {{OPT_STREAMS, "4"}, {OPT_ACCUMULATOR, "rounded"}}},
    {"safe2",
     "2 streams of 6 bits, low products of 4: 35 to 40 dB in the GEMMs of training",
     {{OPT_FORMAT, "e8m5"}, {OPT_ACCUMULATOR, "anchored"}}},
    {"lean2",
     "2 streams of 5 bits, low products of 3",
     {{OPT_FORMAT, "e8m4"}, {OPT_LO_BITS, "3"}, {OPT_ACCUMULATOR, "anchored"}}},
    {"alike2",
     "symmetric rival of safe2: 2 streams of 5 bits alike, aligned by the controller",
     {{OPT_FORMAT, "e8m4"}, {OPT_LO_BITS, "5"}, {OPT_ACCUMULATOR, "anchored"}}},
    {"safe4",
     "4 streams of 6 bits in 2 groups, low products of 4: 35 to 40 dB in the GEMMs of training",
     {{OPT_STREAMS, "4"}, {OPT_GROUPS, "2"}, {OPT_FORMAT, "e8m5"}, {OPT_WINDOW, "7"}, {OPT_ACCUMULATOR, "anchored"}}},
    {"lean4",
     "4 streams of 5 bits, low products of 3",
     {{OPT_STREAMS, "4"}, {OPT_FORMAT, "e8m4"}, {OPT_LO_BITS, "3"}, {OPT_ACCUMULATOR, "anchored"}}},
    {"alike4",
     "symmetric rival of safe4: 4 streams of 5 bits alike",
     {{OPT_STREAMS, "4"}, {OPT_FORMAT, "e8m4"}, {OPT_LO_BITS, "5"}, {OPT_ACCUMULATOR, "anchored"}}},
    {"high2", "symmetric rival of paper: 2 streams, both high", {{OPT_POLICY, "high"}, {OPT_ACCUMULATOR, "rounded"}}},
    {"low2", "symmetric rival of paper: 2 streams, both low", {{OPT_POLICY, "low"}, {OPT_ACCUMULATOR, "rounded"}}},
    {"fp8",
     "paper with operands of fp8, e4m3 by e5m2",
     {{OPT_A_FORMAT, "e4m3"}, {OPT_B_FORMAT, "e5m2"}, {OPT_ACCUMULATOR, "rounded"}}},
    {"tiny",
     "paper at 2x2, for reading and for formal work",
     {{OPT_ROWS, "2"}, {OPT_COLS, "2"}, {OPT_ACCUMULATOR, "rounded"}}},
};
enum { NAMED_COUNT = sizeof(named) / sizeof(named[0]) };

struct daa_options {
    char *base[OPT_COUNT]; /* from a named configuration or a file */
    char *top[OPT_COUNT];  /* set by name: these win */
};

const char *daa_version(void) {
    return DAA_VERSION;
}

size_t daa_config_size(void) {
    return sizeof(struct daa_config);
}

bool daa_fail(struct daa_error *error, const char *format, ...) {
    if (!error)
        return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    for (char *p = error->text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
    return false;
}

size_t daa_named_count(void) {
    return NAMED_COUNT;
}

const char *daa_named_name(size_t index) {
    return named[index].name;
}

const char *daa_named_meaning(size_t index) {
    return named[index].meaning;
}

struct daa_options *daa_options_new(void) {
    return calloc(1, sizeof(struct daa_options));
}

static void clear(char *layer[OPT_COUNT]) {
    for (int i = 0; i < OPT_COUNT; i++) {
        free(layer[i]);
        layer[i] = NULL;
    }
}

void daa_options_free(struct daa_options *options) {
    if (!options)
        return;
    clear(options->base);
    clear(options->top);
    free(options);
}

static bool put(void *layer, enum daa_option option, const char *text, struct daa_error *error) {
    struct daa_value value;
    if (!daa_option_read(option, text, &value, error))
        return false;
    char *copy = strdup(text);
    if (!copy)
        return daa_fail(error, "out of memory");
    char **slot = (char **)layer + option;
    free(*slot);
    *slot = copy;
    return true;
}

bool daa_options_set(struct daa_options *options, const char *name, const char *value, struct daa_error *error) {
    enum daa_option option = daa_option_find(name);
    if (option == OPT_COUNT)
        return daa_fail(error, "there is no option '%.64s'; --help lists them", name);
    return put(options->top, option, value, error);
}

static bool load_named(char *base[OPT_COUNT], const struct named *configuration, struct daa_error *error) {
    for (int i = 0; configuration->settings[i].text; i++)
        if (!put(base, configuration->settings[i].option, configuration->settings[i].text, error))
            return false;
    return true;
}

bool daa_options_load(struct daa_options *options, const char *name_or_file, struct daa_error *error) {
    clear(options->base);
    for (size_t i = 0; i < NAMED_COUNT; i++)
        if (strcmp(name_or_file, named[i].name) == 0)
            return load_named(options->base, &named[i], error);
    return daa_json_load(name_or_file, put, options->base, error);
}

static const char *text_of(const struct daa_options *options, enum daa_option option) {
    if (options->top[option])
        return options->top[option];
    if (options->base[option])
        return options->base[option];
    return daa_option_info(option)->fallback;
}

/* The one side's format wins over --format, but only within a layer: --format set by name overrides both sides of a
 * named configuration or a file. */
static const char *operand_text(const struct daa_options *options, enum daa_option side) {
    if (!options->top[side] && options->top[OPT_FORMAT])
        return options->top[OPT_FORMAT];
    const char *text = text_of(options, side);
    return strcmp(text, "auto") == 0 ? text_of(options, OPT_FORMAT) : text;
}

static int min(int a, int b) {
    return a < b ? a : b;
}

/* At this window no low term reaches below the last bit of the largest product (docs/contract.md, section 4). */
static int window_auto(const struct daa_config *config) {
    int a_frac = config->a_format.frac_bits, b_frac = config->b_format.frac_bits;
    int a_bits = min(config->lo_bits, a_frac + 1), b_bits = min(config->lo_bits, b_frac + 1);
    int window = a_frac + b_frac - (a_bits + b_bits - 2);
    return window > 8 ? window : 8;
}

int daa_c0_rows_auto(const struct daa_config *config) {
    return config->rows + config->cols + config->pipeline;
}

int daa_result_rows_auto(const struct daa_config *config) {
    const int foot = config->accumulator == DAA_ANCHORED ? DAA_ANCHORED_FOOT : 0;
    return config->rows + config->cols + config->pipeline + 4 + foot;
}

int daa_container(struct daa_format format) {
    const int width = daa_format_width(format);
    return width <= 8 ? 1 : width <= 16 ? 2 : 4;
}

int daa_block_k_step(const struct daa_config *config) {
    const int bytes = config->bus_bits / 8, s = config->streams;
    const int least = min(daa_container(config->a_format), daa_container(config->b_format));
    return s * s > bytes / least ? s * s : bytes / least; /* all of them powers of two */
}

static bool wider(struct daa_format a, struct daa_format b) {
    return a.exp_bits > b.exp_bits || a.frac_bits > b.frac_bits;
}

static bool check_operand(const struct daa_config *config, const char *side, struct daa_format format,
                          struct daa_error *error) {
    if (!wider(format, config->acc_format))
        return true;
    char name[DAA_FORMAT_NAME_MAX], acc[DAA_FORMAT_NAME_MAX];
    daa_format_name(format, name);
    daa_format_name(config->acc_format, acc);
    return daa_fail(error,
                    "acc-format is %s and %s is %s; the accumulator must be at least as wide as the operands: X >= %d "
                    "and Y >= %d",
                    acc, side, name, format.exp_bits, format.frac_bits);
}

static bool check_out(const struct daa_config *config, struct daa_error *error) {
    char out[DAA_FORMAT_NAME_MAX], acc[DAA_FORMAT_NAME_MAX];
    daa_format_name(config->out_format, out);
    daa_format_name(config->acc_format, acc);
    if (wider(config->out_format, config->acc_format))
        return daa_fail(error,
                        "out-format is %s and acc-format is %s; the result must be no wider than the accumulator: "
                        "X <= %d and Y <= %d",
                        out, acc, config->acc_format.exp_bits, config->acc_format.frac_bits);
    if (config->out_format.encoding == DAA_FINITE && config->specials)
        return daa_fail(error, "out-format is %s, which has no NaN, and specials is on; it needs specials off", out);
    return true;
}

static bool check_hardware(const struct daa_config *config, struct daa_error *error) {
    char names[128] = "";
    for (int i = 0; i < DAA_POLICY_COUNT; i++) {
        const struct daa_policy_info *info = daa_policy_info((enum daa_policy)i);
        const size_t length = strlen(names);
        if (info->hardware)
            snprintf(names + length, sizeof(names) - length, "%s%s", length ? "|" : "", info->name);
    }
    if (!daa_policy_info(config->policy)->hardware)
        return daa_fail(error, "policy is '%s', which is for software only; in hardware it must be %s",
                        daa_policy_info(config->policy)->name, names);
    return true;
}

/* What only the anchored accumulator has is not for the other. */
static bool check_accumulator(const struct daa_config *config, const struct daa_value *value, struct daa_error *error) {
    for (unsigned i = OPT_ACC_BITS; i <= OPT_ACC_STEP && config->accumulator != DAA_ANCHORED; i++)
        if (!value[i].automatic)
            return daa_fail(error,
                            "%s is %d and accumulator is 'rounded', which has none; it must be auto, or the "
                            "accumulator anchored",
                            daa_option_info(i)->name, value[i].number);
    return true;
}

static bool check_core_absent(const struct daa_value *value, struct daa_error *error) {
    for (unsigned i = OPT_BUS_BITS; i <= OPT_QUEUE; i++)
        if (!value[i].automatic)
            return daa_fail(error, "%s is %d and core is 'off', which has none; it must be auto, or core on",
                            daa_option_info(i)->name, value[i].number);
    return true;
}

static bool check_multiple(const char *name, int number, const char *of, int step, struct daa_error *error) {
    return number % step == 0 || daa_fail(error, "%s is %d; it must be a multiple of %s, %d, so auto or %d", name,
                                          number, of, step, (number + step - 1) / step * step);
}

static bool check_core(const struct daa_config *config, struct daa_error *error) {
    return check_multiple("block-m", config->block_m, "rows", config->rows, error) &&
           check_multiple("block-n", config->block_n, "cols", config->cols, error) &&
           check_multiple("block-k", config->block_k, "S*S and of the elements of a bus word", daa_block_k_step(config),
                          error);
}

/* The anchored accumulator has a register of its own, and more than two streams have one between the rounds of
 * steering. */
static bool check_pipeline(const struct daa_config *config, struct daa_error *error) {
    bool anchored = config->accumulator == DAA_ANCHORED;
    int least = 1 + anchored, most = 3 + anchored + (config->streams > 2), other = anchored ? -1 : 1;
    return (config->pipeline >= least && config->pipeline <= most) ||
           daa_fail(error, "pipeline is %d; with %d streams and accumulator '%s' it must be %d..%d, with '%s' %d..%d",
                    config->pipeline, config->streams, anchored ? "anchored" : "rounded", least, most,
                    anchored ? "rounded" : "anchored", least + other, most + other);
}

/* A group of one stream would have nothing to steer. */
static bool check_groups(const struct daa_config *config, struct daa_error *error) {
    const int words = config->streams == 8 ? 5 : config->streams == 4 ? 3 : 1;
    return config->groups == 1 || config->streams >= 2 * config->groups ||
           daa_fail(error, "groups is %d and streams is %d; a group has at least 2 streams, so it must be %.*s",
                    config->groups, config->streams, words, "1|2|4");
}

/* What gives the highest clock for its registers. */
static int pipeline_auto(const struct daa_config *config) {
    bool anchored = config->accumulator == DAA_ANCHORED;
    return 2 + anchored + (anchored && config->streams > 2);
}

static bool check_buffer(const struct daa_config *config, const char *name, int held, struct daa_error *error) {
    return held >= config->rows ||
           daa_fail(error, "%s is %d and rows is %d; a tile's rows must fit: auto, or at least %d", name, held,
                    config->rows, config->rows);
}

static bool check(const struct daa_config *config, enum daa_use use, struct daa_error *error) {
    if (use == DAA_HARDWARE && !check_hardware(config, error))
        return false;
    return check_groups(config, error) && check_pipeline(config, error) &&
           check_operand(config, "a-format", config->a_format, error) &&
           check_operand(config, "b-format", config->b_format, error) && check_out(config, error) &&
           check_buffer(config, "c0-rows", config->c0_rows, error) &&
           check_buffer(config, "result-rows", config->result_rows, error) &&
           (!config->core || check_core(config, error));
}

static bool read_all(const struct daa_options *options, struct daa_value value[OPT_COUNT], struct daa_error *error) {
    for (unsigned i = 0; i < OPT_COUNT; i++) {
        enum daa_option option = (enum daa_option)i;
        bool operand = option == OPT_A_FORMAT || option == OPT_B_FORMAT;
        const char *text = operand ? operand_text(options, option) : text_of(options, option);
        if (!daa_option_read(option, text, &value[i], error))
            return false;
    }
    return true;
}

static int given(const struct daa_value *value, int automatic) {
    return value->automatic ? automatic : value->number;
}

static void resolve_core(struct daa_config *config, const struct daa_value *value) {
    config->bus_bits = given(&value[OPT_BUS_BITS], 128);
    const int side = config->rows > config->cols ? config->rows : config->cols, step = daa_block_k_step(config);
    config->block_m = given(&value[OPT_BLOCK_M], 8 * config->rows);
    config->block_n = given(&value[OPT_BLOCK_N], 8 * config->cols);
    config->block_k = given(&value[OPT_BLOCK_K], (8 * side + step - 1) / step * step);
    config->outstanding = given(&value[OPT_OUTSTANDING], 8);
    config->axi_id_bits = given(&value[OPT_AXI_ID_BITS], 4);
    config->queue = given(&value[OPT_QUEUE], 2);
}

bool daa_options_resolve(const struct daa_options *options, enum daa_use use, struct daa_config *config,
                         struct daa_error *error) {
    struct daa_value value[OPT_COUNT];
    if (!read_all(options, value, error))
        return false;
    *config = (struct daa_config){
        .rows = value[OPT_ROWS].number,
        .cols = value[OPT_COLS].number,
        .streams = value[OPT_STREAMS].number,
        .groups = value[OPT_GROUPS].number,
        .a_format = value[OPT_A_FORMAT].format,
        .b_format = value[OPT_B_FORMAT].format,
        .acc_format = value[OPT_ACC_FORMAT].format,
        .out_format = value[value[OPT_OUT_FORMAT].automatic ? OPT_ACC_FORMAT : OPT_OUT_FORMAT].format,
        .accumulator = (enum daa_accumulator)value[OPT_ACCUMULATOR].number,
        .lo_bits = value[OPT_LO_BITS].number,
        .lo_round = (enum daa_lo_round)value[OPT_LO_ROUND].number,
        .policy = (enum daa_policy)value[OPT_POLICY].number,
        .specials = value[OPT_SPECIALS].number == 0,
    };
    config->window = value[OPT_WINDOW].automatic ? window_auto(config) : value[OPT_WINDOW].number;
    config->clock_gating = value[OPT_CLOCK_GATING].number == 0;
    config->pipeline = value[OPT_PIPELINE].automatic ? pipeline_auto(config) : value[OPT_PIPELINE].number;
    if (config->accumulator == DAA_ANCHORED) {
        config->acc_bits = value[OPT_ACC_BITS].automatic ? 32 : value[OPT_ACC_BITS].number;
        config->acc_step = value[OPT_ACC_STEP].automatic ? 4 : value[OPT_ACC_STEP].number;
    }
    config->c0_rows = value[OPT_C0_ROWS].automatic ? daa_c0_rows_auto(config) : value[OPT_C0_ROWS].number;
    config->result_rows =
        value[OPT_RESULT_ROWS].automatic ? daa_result_rows_auto(config) : value[OPT_RESULT_ROWS].number;
    snprintf(config->prefix, sizeof(config->prefix), "%s", value[OPT_PREFIX].text);
    config->core = value[OPT_CORE].number != 0;
    if (config->core)
        resolve_core(config, value);
    return check_accumulator(config, value, error) && (config->core || check_core_absent(value, error)) &&
           check(config, use, error);
}

bool daa_config_check(const struct daa_config *config, enum daa_use use, struct daa_error *error) {
    for (unsigned i = 0; i < OPT_COUNT; i++)
        if (!daa_option_check(config, (enum daa_option)i, error))
            return false;
    return check(config, use, error);
}

void daa_config_line(const struct daa_config *config, char line[DAA_LINE_MAX]) {
    size_t length = 0;
    line[0] = '\0';
    for (size_t i = 0; i < OPT_COUNT; i++) {
        char text[DAA_PREFIX_MAX + 1];
        if (!daa_option_is_said(config, i) || !daa_option_value(config, i, text, sizeof(text)))
            continue;
        int added = snprintf(line + length, DAA_LINE_MAX - length, "%s--%s %s", length ? " " : "",
                             daa_option_info(i)->name, text);
        length += (size_t)added;
    }
}

static uint64_t fnv1a(uint64_t hash, const char *text) {
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

uint64_t daa_config_hash(const struct daa_config *config) {
    char line[DAA_LINE_MAX];
    daa_config_line(config, line);
    return fnv1a(fnv1a(fnv1a(0xcbf29ce484222325u, DAA_VERSION), " "), line);
}

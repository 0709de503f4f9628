#define _POSIX_C_SOURCE 200809L /* strdup */
#include "plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../files/command.h"
#include "ports.h"
#include "registers.h"

static struct value *add(struct plan *plan, const char *name, enum kind kind) {
    assert(plan->count < VALUES_MAX && strlen(name) < sizeof(plan->values[0].name) && !plan_find(plan, name));
    struct value *value = &plan->values[plan->count++];
    snprintf(value->name, sizeof(value->name), "%s", name);
    value->kind = kind;
    return value;
}

static char *copy(const char *text) {
    char *result = strdup(text);
    if (!result)
        fail(EXIT_JOB, "out of memory");
    return result;
}

void plan_number(struct plan *plan, const char *name, int number) {
    add(plan, name, NUMBER)->number = number;
}

void plan_text(struct plan *plan, const char *name, const char *text) {
    add(plan, name, TEXT)->text = copy(text);
}

void plan_list(struct plan *plan, const char *name) {
    add(plan, name, LIST);
}

void plan_item(struct plan *plan, const char *name, const char *text) {
    struct value *list = plan_find(plan, name);
    assert(list && list->kind == LIST);
    char **items = realloc(list->items, (size_t)(list->number + 1) * sizeof(*items));
    if (!items)
        fail(EXIT_JOB, "out of memory");
    items[list->number++] = copy(text);
    list->items = items;
}

struct value *plan_find(struct plan *plan, const char *name) {
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->values[i].name, name) == 0)
            return &plan->values[i];
    return NULL;
}

void plan_free(struct plan *plan) {
    for (size_t i = 0; i < plan->count; i++) {
        struct value *value = &plan->values[i];
        for (int item = 0; value->kind == LIST && item < value->number; item++)
            free(value->items[item]);
        free(value->items);
        free(value->text);
    }
    free(plan);
}

static void report(struct plan *plan, enum report where, const char *name, int number) {
    plan_number(plan, name, number);
    plan->values[plan->count - 1].report = where;
}

/* Bits of an unsigned field that holds 0..most. */
static int field_bits(int most) {
    int bits = 1;
    while (most >> bits)
        bits++;
    return bits;
}

static int min(int a, int b) {
    return a < b ? a : b;
}

static int max(int a, int b) {
    return a > b ? a : b;
}

static int log2_of(int power) {
    return field_bits(power) - 1;
}

/* How the exponents of A and B travel: as unsigned fields holding exponent - base. Every element adds two of them and a
 * constant to get the exponent of its sum's top bit in the accumulator's bias. A field usually has more codes than
 * exponents, so a base may be lowered; the pair of bases is chosen so that the constant ends in as many zeros as
 * possible, which makes the adder in every element shorter, for a few gates in one decoder per row or column. */
struct exponents {
    int least[2], most[2], field[2], base[2];
};

static int trailing_zeros(int number) {
    int zeros = 0;
    while (zeros < 30 && !(number >> zeros & 1))
        zeros++;
    return zeros;
}

/* Among equally short constants, the base that leaves the raw exponent as it is comes first, then the higher base. */
static int preference(const struct exponents *e, int side, int base, struct daa_format format) {
    return base == -daa_format_bias(format) ? 1000 : base - e->least[side];
}

static void choose_bases(struct exponents *e, const struct daa_format format[2], int constant) {
    int best_zeros = -1, best_preference = 0;
    for (int a = e->least[0]; a >= e->most[0] - (1 << e->field[0]) + 1; a--) {
        for (int b = e->least[1]; b >= e->most[1] - (1 << e->field[1]) + 1; b--) {
            int zeros = trailing_zeros(a + b + constant);
            int preferred = preference(e, 0, a, format[0]) + preference(e, 1, b, format[1]);
            if (zeros < best_zeros || (zeros == best_zeros && preferred <= best_preference))
                continue;
            best_zeros = zeros, best_preference = preferred;
            e->base[0] = a, e->base[1] = b;
        }
    }
}

/* CONSTANT is what an element adds besides the bases. */
static struct exponents plan_exponents(const struct daa_config *config, int constant) {
    const struct daa_format format[2] = {config->a_format, config->b_format};
    struct exponents e = {0};
    for (int side = 0; side < 2; side++) {
        e.least[side] = daa_format_exp_least(format[side]);
        e.most[side] = daa_format_exp_max(format[side]);
        e.field[side] = field_bits(e.most[side] - e.least[side]);
    }
    choose_bases(&e, format, constant);
    return e;
}

static void add_named(struct plan *plan, const char *side, const char *what, enum report where, int number) {
    char name[PLAN_NAME_MAX];
    snprintf(name, sizeof(name), "%s_%s", side, what);
    report(plan, where, name, number);
}

static void add_format(struct plan *plan, const char *side, struct daa_format format) {
    add_named(plan, side, "exp_bits", NOT_REPORTED, format.exp_bits);
    add_named(plan, side, "frac_bits", NOT_REPORTED, format.frac_bits);
    add_named(plan, side, "width", DERIVED, daa_format_width(format));
}

static void add_encoding(struct plan *plan, const char *side, struct daa_format format) {
    add_named(plan, side, "encoding", NOT_REPORTED, (int)format.encoding);
    add_named(plan, side, "keep", NOT_REPORTED, format.subnormals);
}

static int value_of(struct plan *plan, const char *name) {
    return plan_find(plan, name)->number;
}

static void add_policy(struct plan *plan, const struct daa_config *config) {
    const struct daa_policy_info *policy = daa_policy_info(config->policy);
    bool single = config->streams == 1; /* every product is high, whatever the policy */
    enum daa_winner winner = single ? DAA_WINS_EVERY : policy->winner;
    bool tournament = winner == DAA_WINS_LARGEST;
    bool steered = winner != DAA_WINS_EVERY && winner != DAA_WINS_NONE;
    int groups = steered ? config->groups : 1;
    int high = steered ? groups : winner == DAA_WINS_NONE ? 0 : config->streams;
    plan_text(plan, "policy", policy->name);
    plan_number(plan, "single", single);
    plan_number(plan, "multi", !single);
    plan_number(plan, "steer_exponent", tournament);
    plan_number(plan, "steer_fixed", !single && !tournament);
    plan_text(plan, "steer_module", tournament ? "steer" : "steer_fixed");
    plan_number(plan, "turning", winner == DAA_WINS_TURN);
    plan_number(plan, "grouped", groups > 1);
    plan_number(plan, "groups", groups);
    plan_text(plan, "turns", groups > 1 ? "the streams of a group" : "the streams");
    plan_number(plan, "select_bits", max(1, log2_of(config->streams / groups)));
    report(plan, DERIVED, "hi_slots", high);
    report(plan, DERIVED, "lo_slots", config->streams - high);
    plan_number(plan, "has_hi", high > 0);
    plan_number(plan, "has_lo", high < config->streams);
    /* Only the winner of the largest key is never shifted; it is in the first high multiplier. */
    plan_number(plan, "hi_shifted", high > 0 && !single && !tournament);
}

/* Low values: an operand with fewer fraction bits than asked for keeps them all, and then never rounds up. */
static void add_low(struct plan *plan, const struct daa_config *config) {
    static const char *const sides[2] = {"a", "b"};
    const struct daa_format format[2] = {config->a_format, config->b_format};
    bool nearest = config->lo_round == DAA_NEAREST && value_of(plan, "has_lo");
    int carries = 0;
    for (int side = 0; side < 2; side++) {
        int bits = min(config->lo_bits, format[side].frac_bits + 1);
        bool up = nearest && bits <= format[side].frac_bits;
        add_named(plan, sides[side], "lo_bits", DERIVED, bits);
        add_named(plan, sides[side], "lo_frac", NOT_REPORTED, max(1, bits - 1)); /* Verilog has no field of 0 bits */
        add_named(plan, sides[side], "up", NOT_REPORTED, up);
        carries += up;
    }
    plan_number(plan, "lo_carries", carries);
    /* A low product is below 4, but reaches it where both operands may round up to 2. */
    plan_number(plan, "lo_int", carries == 2 ? 3 : 2);
    int hi_frac = config->a_format.frac_bits + config->b_format.frac_bits;
    int lo_bits = value_of(plan, "a_lo_bits") + value_of(plan, "b_lo_bits");
    plan_number(plan, "hi_frac", hi_frac);
    plan_number(plan, "lo_frac", lo_bits - 2);
    /* What a multiplier takes: a sign and two fractions; of a low value its rounding bit instead of a leading one. */
    plan_number(plan, "high_bits", 1 + hi_frac);
    plan_number(plan, "low_bits", 1 + lo_bits);
}

/* Fraction bits of a step's sum relative to 2^K*: the lowest place that a product can reach. */
static int sum_fraction(struct plan *plan, int span) {
    int high = value_of(plan, "hi_frac") + (value_of(plan, "hi_shifted") || value_of(plan, "grouped") ? span : 0);
    int low = value_of(plan, "lo_frac") + span;
    return max(value_of(plan, "has_hi") ? high : 0, value_of(plan, "has_lo") ? low : 0);
}

static void add_sum(struct plan *plan, const struct daa_config *config, int key_span) {
    int span = min(config->window, key_span);
    /* With a high product among them the products stay below 4 on average; without one they may all be 4. */
    int integer = log2_of(config->streams) + (value_of(plan, "has_hi") ? 2 : value_of(plan, "lo_int"));
    report(plan, DERIVED, "key_span", key_span);
    plan->values[plan->count - 1].manifest_only = true;
    plan_number(plan, "span", span);
    report(plan, DERIVED, "sum_int", integer);
    report(plan, DERIVED, "sum_frac", sum_fraction(plan, span));
    int bits = sum_fraction(plan, span) + integer;
    plan_number(plan, "sum_bits", bits);
    /* A lone product is 1 or more, so it has one leading zero at most. */
    plan_number(plan, "sum_count_bits", config->streams == 1 ? 1 : field_bits(bits - 1));
    plan_number(plan, "shift_bits", field_bits(span));
    plan_number(plan, "lo_shift_bits", field_bits(span + value_of(plan, "lo_carries")));
}

static int signed_bits(int least, int most) {
    int bits = 1;
    while (least < -(1 << (bits - 1)) || most >= 1 << (bits - 1))
        bits++;
    return bits;
}

/* Exponents between sum and accumulator, in the accumulator's bias: the sum's, the accumulator's, their difference and
 * the rounded result's. */
static int exponent_bits(struct plan *plan, const struct daa_config *config, const struct exponents *e, int offset) {
    int sum_bits = value_of(plan, "sum_bits");
    int wide = max(config->acc_format.frac_bits + 1, sum_bits) + 4;
    int acc_most = (1 << config->acc_format.exp_bits) - 1;
    int least = offset + e->least[0] - e->base[0] + e->least[1] - e->base[1] - sum_bits;
    int most = offset + e->most[0] - e->base[0] + e->most[1] - e->base[1];
    return signed_bits(min(least - acc_most, min(least, 0) - wide), max(most, acc_most) + 1);
}

/* What an element adds to the operands' exponents: to get the exponent of the sum's top bit in the accumulator's bias,
 */
static int rounded_key_offset(struct plan *plan, const struct daa_config *config) {
    return daa_format_bias(config->acc_format) + value_of(plan, "sum_int") - 1;
}

/* or the size of the sum: its places above those of the least anchor (docs/contract.md, section 5.2). */
static int anchored_key_offset(const struct daa_config *config) {
    int step = config->acc_step;
    return daa_sum_growth(config) - (config->acc_bits - 3) + step - 1 - step * daa_anchor_least(config);
}

/* Steps of the anchor that move PLACES places out, as a field that saturates; never more bits than an anchor has. */
static int saturating_bits(const struct daa_config *config, int places, int anchor_bits) {
    return min(field_bits((places + config->acc_step - 1) / config->acc_step), anchor_bits);
}

/* The foot of a column: the exponent of M's top bit in the bias of the output format, and its range. */
static void add_anchored_foot(struct plan *plan, const struct daa_config *config) {
    int sig = max(config->acc_bits, config->out_format.frac_bits + 3), bias = daa_format_bias(config->out_format);
    int least = config->acc_step * daa_anchor_least(config) + bias;
    int most = config->acc_step * daa_anchor_most(config) + config->acc_bits + bias;
    plan_number(plan, "foot_sig_bits", sig);
    plan_number(plan, "foot_count_bits", field_bits(sig - 1));
    plan_number(plan, "foot_exp_offset", least + config->acc_bits - 1);
    plan_number(plan, "foot_exp_bits", max(signed_bits(least - 4, most + 4), config->out_format.exp_bits + 2));
}

/* The head of a column: from a biased exponent of C0 to its size, and how far its significand moves up into M. */
static void add_anchored_head(struct plan *plan, const struct daa_config *config, int place_bits) {
    const struct daa_format acc = config->acc_format;
    int room = config->acc_bits - 3, step = config->acc_step, up = room - step - acc.frac_bits;
    plan_number(plan, "c0_size_offset", -daa_format_bias(acc) + 1 - room + step - 1 - step * daa_anchor_least(config));
    plan_number(plan, "c0_size_bits", max(place_bits, acc.exp_bits));
    plan_number(plan, "c0_rounds", up < 0);
    plan_number(plan, "c0_below", max(0, -up));
    plan_number(plan, "c0_up", max(0, up));
}

/* Templates name every value, also those of files that are not emitted: the anchored accumulator's stand for its
 * default sizes where there is none. */
static void add_anchored(struct plan *plan, const struct daa_config *given, int key_offset) {
    struct daa_config other = *given, *config = &other;
    bool here = given->accumulator == DAA_ANCHORED;
    enum report where = here ? DERIVED : NOT_REPORTED;
    if (!here)
        config->acc_bits = 32, config->acc_step = 4;
    int step = config->acc_step, fine = log2_of(step), flags = config->specials ? 2 : 0; /* Inf of either sign */
    int anchor_bits = field_bits(daa_anchor_most(config) - daa_anchor_least(config));
    int size_bits = max(anchor_bits + fine, value_of(plan, "key_bits"));
    /* Where the sum's lowest bit lies above M's if the sum needs the anchor that is there. */
    int up = config->acc_bits - 2 - step - daa_sum_growth(config) - value_of(plan, "sum_frac");
    int below = max(1, -up);
    plan_number(plan, "acc_bits", config->acc_bits);
    plan_number(plan, "acc_step", step);
    report(plan, where, "anchor_bits", anchor_bits);
    plan_number(plan, "fine_bits", fine);
    plan_number(plan, "has_fine", fine > 0);
    plan_number(plan, "size_bits", size_bits);
    plan_number(plan, "size_key_offset", key_offset);
    plan_number(plan, "place_up", up + below);
    plan_number(plan, "place_below", below);
    plan_number(plan, "deep", below > 1);
    plan_number(plan, "rise_bits", saturating_bits(config, config->acc_bits, anchor_bits));
    plan_number(plan, "drop_bits", saturating_bits(config, config->acc_bits + below + 1, anchor_bits));
    add_anchored_head(plan, config, anchor_bits + fine);
    add_anchored_foot(plan, config);
    if (!here)
        return;
    plan_number(plan, "addend_bits", flags + size_bits + 2 + value_of(plan, "sum_bits"));
    report(plan, DERIVED, "state_bits", flags + config->core + config->acc_bits + anchor_bits); /* core: also `full` */
}

static void add_rounded(struct plan *plan, const struct daa_config *config, const struct exponents *e, int key_offset) {
    bool here = config->accumulator == DAA_ROUNDED;
    int exp_bits = exponent_bits(plan, config, e, key_offset);
    report(plan, here ? DERIVED : NOT_REPORTED, "sum_key_offset", key_offset);
    report(plan, here ? DERIVED : NOT_REPORTED, "sum_exp_bits", exp_bits);
    plan_number(plan, "acc_bias", daa_format_bias(config->acc_format));
    if (!here)
        return;
    plan_number(plan, "addend_bits", (config->specials ? 3 : 0) + 1 + exp_bits + value_of(plan, "sum_bits"));
    report(plan, DERIVED, "state_bits", daa_format_width(config->acc_format));
}

static void add_exponents(struct plan *plan, const struct daa_config *config) {
    static const char *const sides[2] = {"a", "b"};
    const struct daa_format format[2] = {config->a_format, config->b_format};
    bool anchored = config->accumulator == DAA_ANCHORED;
    int constant = anchored ? anchored_key_offset(config) : rounded_key_offset(plan, config);
    struct exponents e = plan_exponents(config, constant);
    for (int side = 0; side < 2; side++) {
        add_named(plan, sides[side], "exp_field", DERIVED, e.field[side]);
        add_named(plan, sides[side], "exp_base", DERIVED, e.base[side]);
        /* What the decoder adds to a raw exponent, and a whole decoded operand: zero, special, sign, the two fields. */
        add_named(plan, sides[side], "exp_shift", NOT_REPORTED, -daa_format_bias(format[side]) - e.base[side]);
        add_named(plan, sides[side], "op_bits", DERIVED, 2 + config->specials + e.field[side] + format[side].frac_bits);
    }
    int bases = e.base[0] + e.base[1];
    /* One bit more than the longer field, so that both extend to it. */
    int key_bits = 1 + max(e.field[0], e.field[1]);
    int specials = config->specials ? 3 : 0; /* NaN, Inf, its sign */
    report(plan, DERIVED, "key_bits", key_bits);
    plan_number(plan, "step_bits", specials + key_bits);
    add_rounded(plan, config, &e, bases + constant);
    add_anchored(plan, config, bases + constant);
}

static int key_span(const struct daa_config *config) {
    return daa_format_exp_max(config->a_format) - daa_format_exp_least(config->a_format) +
           daa_format_exp_max(config->b_format) - daa_format_exp_least(config->b_format);
}

/* From the cycle after a step goes in, in which the decoders hand it to the array: it is at element (0, 0) one cycle
 * later. The C0 buffer's read register and the head come before the accumulator, the drain and the foot behind the
 * element. The cycles of a step that waits for nothing: taken, in, decoded. A reset clears an element until all that
 * was under way to its column's buffers has arrived there. */
static void add_latencies(struct plan *plan, const struct daa_config *config) {
    const bool anchored = config->accumulator == DAA_ANCHORED; /* then C0's anchor is wanted a cycle before its M */
    const int state = config->pipeline, element = state + 1, foot = anchored ? DAA_ANCHORED_FOOT : 0;
    const int lag = element + 2 + foot;
    plan_number(plan, "foot_cycles", foot);
    plan_number(plan, "c0_lead", state - 1 - anchored);
    plan_number(plan, "result_lag", lag);
    plan_number(plan, "clear_cycles", lag);
    report(plan, LATENCY, "reset_cycles", config->rows + config->cols + lag + 1);
    report(plan, LATENCY, "result_cycles", config->cols + lag + 3);
    report(plan, LATENCY, "element_cycles", element);
    report(plan, LATENCY, "least_tile_cycles", config->rows);
}

/* A buffer's depth is emitted as Rows + Cols + MORE where it is the automatic one, so that it follows the parameters.
 */
static void add_buffer(struct plan *plan, const struct daa_config *config, const char *name, int rows, int automatic) {
    report(plan, DERIVED, name, rows);
    add_named(plan, name, "auto", NOT_REPORTED, rows == automatic);
    add_named(plan, name, "more", NOT_REPORTED, automatic - config->rows - config->cols);
}

/* The command line that gives this configuration, for comments: in lines of at most WIDTH characters, cut before an
 * option. */
static void add_config_lines(struct plan *plan, const char *line) {
    enum { WIDTH = 116 };
    plan_list(plan, "config_lines");
    while (*line) {
        size_t length = strlen(line);
        char part[WIDTH + 1];
        if (length > WIDTH) {
            for (length = WIDTH; length && strncmp(line + length, " --", 3) != 0; length--)
                ;
            if (!length)
                length = WIDTH;
        }
        snprintf(part, sizeof(part), "%.*s", (int)length, line);
        plan_item(plan, "config_lines", part);
        line += length;
        line += strspn(line, " ");
    }
}

static void add_texts(struct plan *plan, const struct daa_config *config) {
    char line[DAA_LINE_MAX], hash[17];
    daa_config_line(config, line);
    snprintf(hash, sizeof(hash), "%016" PRIx64, daa_config_hash(config));
    plan_text(plan, "prefix", config->prefix);
    plan_text(plan, "version", DAA_VERSION);
    plan_text(plan, "config_line", line);
    add_config_lines(plan, line);
    plan_text(plan, "hash", hash);
}

/* Where the pipeline is cut before the accumulator, the most useful register first; the anchored accumulator has one of
 * its own between its anchor and M. R0 stands between rounds of matches, so only more than two streams have it. */
static void add_cuts(struct plan *plan, const struct daa_config *config) {
    bool rounds = config->streams > 2, anchored = config->accumulator == DAA_ANCHORED;
    int registers = config->pipeline - anchored;
    bool r3 = registers > 1, r0 = rounds && registers > 2, r2 = registers > 2 + rounds;
    char cuts[64];
    snprintf(cuts, sizeof(cuts), "%sR1%s%s%s", r0 ? "R0, " : "", r2 ? ", R2" : "", r3 ? ", R3" : "",
             anchored ? " and the accumulator's own" : "");
    plan_text(plan, "cuts", cuts);
    plan_number(plan, "has_r0", r0);
    plan_number(plan, "has_r2", r2);
    plan_number(plan, "has_r3", r3);
}

static void add_accumulator(struct plan *plan, const struct daa_config *config) {
    bool anchored = config->accumulator == DAA_ANCHORED;
    plan_number(plan, "anchored", anchored);
    plan_number(plan, "rounded", !anchored);
    plan_number(plan, "rounds", !anchored && !daa_format_equal(config->out_format, config->acc_format));
    plan_number(plan, "encodes", config->core || anchored || !daa_format_equal(config->out_format, config->acc_format));
    plan_text(plan, "acc_module", anchored ? "anchor" : "acc");
    plan_text(plan, "head_module", anchored ? "anchor_head" : "head");
    plan_text(plan, "foot_module", anchored ? "anchor_foot" : "foot");
}

/* Words of the array's buffers where K may be cut: of C0 or of a state, which the anchored accumulator has to tell
 * apart, and of a result or a state. */
static void add_partials(struct plan *plan, const struct daa_config *config) {
    int state = value_of(plan, "state_bits");
    plan_number(plan, "c0_bits", max(value_of(plan, "acc_width"), state) + (config->accumulator == DAA_ANCHORED));
    plan_number(plan, "result_bits", max(value_of(plan, "out_width"), state));
}

/* Containers of the numbers in memory, and the words of the banks; without a core they stand for the smallest one's. */
static void add_core(struct plan *plan, const struct daa_config *config) {
    const struct daa_format format[] = {config->a_format, config->b_format, config->acc_format, config->out_format};
    static const char *const names[] = {"a", "b", "acc", "out"};
    int bytes[4];
    for (int i = 0; i < 4; i++) {
        bytes[i] = daa_container(format[i]);
        add_named(plan, names[i], "bytes", NOT_REPORTED, bytes[i]);
        add_named(plan, names[i], "shift", NOT_REPORTED, log2_of(bytes[i]));
    }
    plan_number(plan, "bus_bytes", config->bus_bits / 8);
    plan_number(plan, "c0_least_bytes", min(bytes[0], bytes[2]));
    plan_number(plan, "a_word", max(config->bus_bits / 8 / bytes[0], config->streams));
    plan_number(plan, "b_word", max(config->bus_bits / 8 / bytes[1], config->streams));
}

struct plan *plan_new(const struct daa_config *config) {
    struct plan *plan = calloc(1, sizeof(*plan));
    if (!plan)
        fail(EXIT_JOB, "out of memory");
    add_texts(plan, config);
    plan_number(plan, "rows", config->rows);
    plan_number(plan, "cols", config->cols);
    plan_number(plan, "side_max", DAA_SIDE_MAX);
    plan_number(plan, "streams", config->streams);
    plan_number(plan, "lo_bits", config->lo_bits);
    plan_number(plan, "window", config->window);
    plan_number(plan, "specials", config->specials);
    plan_number(plan, "pipeline", config->pipeline);
    plan_number(plan, "clock_gating", config->clock_gating);
    add_accumulator(plan, config);
    add_cuts(plan, config);
    add_format(plan, "a", config->a_format);
    add_encoding(plan, "a", config->a_format);
    add_format(plan, "b", config->b_format);
    add_encoding(plan, "b", config->b_format);
    add_format(plan, "acc", config->acc_format);
    add_format(plan, "out", config->out_format);
    add_encoding(plan, "out", config->out_format);
    plan_number(plan, "out_is_acc", daa_format_equal(config->out_format, config->acc_format));
    add_policy(plan, config);
    add_low(plan, config);
    add_sum(plan, config, key_span(config));
    add_exponents(plan, config);
    add_latencies(plan, config);
    add_buffer(plan, config, "c0_rows", config->c0_rows, daa_c0_rows_auto(config));
    add_buffer(plan, config, "result_rows", config->result_rows, daa_result_rows_auto(config));
    add_partials(plan, config);
    ports_add(plan, config);
    plan_number(plan, "core", config->core);
    plan_number(plan, "bus_bits", config->bus_bits);
    plan_number(plan, "block_m", config->block_m);
    plan_number(plan, "block_n", config->block_n);
    plan_number(plan, "block_k", config->block_k);
    plan_number(plan, "outstanding", config->outstanding);
    plan_number(plan, "axi_id_bits", config->axi_id_bits);
    plan_number(plan, "queue", config->queue);
    add_core(plan, config);
    registers_add(plan, config);
    return plan;
}

/* Holds libdaa against the oracle. Each section is a set of cases; it prints how many it ran and fails on none.
 *   check [--long] [--seed N] [--only SECTION]
 * A mismatch prints the case and the command that runs its section again. */
#define _POSIX_C_SOURCE 200809L
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/random.h"
#include "oracle.h"

static bool long_tier;
static uint64_t seed = 1;
static const char *section;
static uint64_t cases;

/* ---- reporting ---- */

__attribute__((format(printf, 1, 2), noreturn)) static void mismatch(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "check: section %s, case %" PRIu64 ", seed %" PRIu64 ": ", section, cases, seed);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nagain: check%s --seed %" PRIu64 " --only %s\n", long_tier ? " --long" : "", seed, section);
    va_end(args);
    exit(1);
}

static const char *hex_list(const uint32_t *list, int count, char *text) {
    text[0] = '\0';
    for (int i = 0; i < count; i++)
        sprintf(text + strlen(text), "%s0x%x", i ? " " : "", list[i]);
    return text;
}

/* ---- random numbers, formats and operands ---- */

static int between(int low, int high) {
    return low + (int)below((uint32_t)(high - low + 1));
}

static uint32_t mask(int bits) {
    return (uint32_t)((UINT64_C(1) << bits) - 1);
}

static bool is_special(struct daa_format f, uint32_t bits) {
    uint32_t magnitude = bits & mask(f.exp_bits + f.frac_bits);
    if (f.encoding == DAA_IEEE)
        return magnitude >= mask(f.exp_bits) << f.frac_bits;
    return f.encoding == DAA_FN && magnitude == mask(f.exp_bits + f.frac_bits);
}

enum { EDGES_MAX = 128 };

/* The values where something changes: ends of the ranges, and the ties of low rounding with an even and an odd bit
 * above. Specials only if SPECIALS. */
static int edge_table(struct daa_format f, bool specials, uint32_t *table) {
    int count = 0, y = f.frac_bits;
    uint32_t one = (uint32_t)(daa_format_bias(f)) << y, least = UINT32_C(1) << y;
    uint32_t top = mask(f.exp_bits) << y, sign = UINT32_C(1) << (f.exp_bits + y);
    uint32_t list[EDGES_MAX / 2] = {0,       1,       least >> 1,    least - 1, least,       least + 1, one,
                                    one + 1, one - 1, one + mask(y), 2 * one,   top - least, top - 2,   top - 1};
    int listed = 14;
    for (int bit = 0; bit < y && bit < 11; bit++) {
        list[listed++] = one | UINT32_C(1) << bit;
        list[listed++] = one | (UINT32_C(3) << bit & mask(y));
    }
    const uint32_t last[] = {top, top | 1, top | mask(y), top | UINT32_C(1) << (y - 1), top | mask(y) >> 1};
    for (size_t i = 0; i < sizeof last / sizeof last[0]; i++)
        list[listed++] = last[i];
    for (int i = 0; i < listed; i++)
        for (uint32_t negative = 0; negative < 2; negative++)
            if (specials || !is_special(f, list[i]))
                table[count++] = list[i] | (negative ? sign : 0);
    return count;
}

static uint32_t random_frac(int y) {
    uint32_t frac = (uint32_t)random64();
    switch (below(6)) {
    case 0:
        return 0;
    case 1:
        return mask(y);
    case 2:
        return UINT32_C(1) << below((uint32_t)y); /* a tie of some rounding */
    case 3:
        return frac & mask(y) & ~mask((int)below((uint32_t)y)); /* few bits */
    default:
        return frac & mask(y);
    }
}

/* A number whose exponent is near CENTER. */
static uint32_t random_near(struct daa_format f, int center, int spread) {
    int field = center + daa_format_bias(f) + between(-spread, spread), last = (int)mask(f.exp_bits);
    field = field < 0 ? 0 : field > last ? last : field;
    return (uint32_t)random64() % 2 << (f.exp_bits + f.frac_bits) | (uint32_t)field << f.frac_bits |
           random_frac(f.frac_bits);
}

static uint32_t random_bits(struct daa_format f, bool specials, int center) {
    uint32_t table[EDGES_MAX], bits;
    do {
        uint32_t kind = below(16);
        if (kind < 2) {
            bits = table[below((uint32_t)edge_table(f, specials, table))];
        } else if (kind < 5) {
            bits = (uint32_t)random64() & mask(daa_format_width(f));
        } else if (kind == 5) {
            bits = (uint32_t)random64() % 2 << (f.exp_bits + f.frac_bits); /* zero */
        } else {
            bits = random_near(f, center, kind < 11 ? 2 : kind < 14 ? 8 : 20);
        }
        /* An Inf or NaN ends what a case can show: keep them rare. */
    } while (is_special(f, bits) && (!specials || below(4)));
    return bits;
}

/* ---- configurations ---- */

/* "streams=2 a-format=e4m3 ...", rounded unless it says another; false where the rules refuse it. */
static bool configure(struct daa_config *config, const char *format, ...) {
    char text[512];
    struct daa_error error;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct daa_options *options = daa_options_new();
    if (!daa_options_set(options, "accumulator", "rounded", &error))
        mismatch("%s", error.text);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        if (!daa_options_set(options, word, value, &error))
            mismatch("%s", error.text);
    }
    bool legal = daa_options_resolve(options, DAA_SOFTWARE, config, &error);
    daa_options_free(options);
    return legal;
}

static void must_configure(struct daa_config *config, const char *text) {
    if (!configure(config, "%s", text))
        mismatch("'%s' is refused", text);
}

#define POLICY_NAME(constant, name, hardware, keys, winner) name,
static const char *const policies[] = {DAA_POLICIES(POLICY_NAME)};
enum { POLICIES = DAA_POLICY_COUNT };
static const char *const rounds[] = {"nearest", "truncate"};
static const char *const operand_formats[] = {"bf16", "tf32", "fp16", "e5m2",  "e4m3", "e3m2", "e2m3",  "e2m1",
                                              "bf16", "e8m1", "e8m3", "e7m10", "e5m7", "e4m1", "e2m10", "e6m5"};
static const char *const acc_formats[] = {"fp32", "fp32", "e5m7", "e8m7", "e5m10", "e5m23", "e6m12", "e8m10", "e7m15"};
static const char *const out_formats[] = {"auto", "auto", "bf16", "fp16", "e5m2",  "e4m3", "e3m2",
                                          "e2m3", "e2m1", "e8m1", "e5m7", "e8m10", "e6m12"};
static const char *const accumulators[] = {"accumulator=rounded", "accumulator=anchored",
                                           "accumulator=anchored acc-bits=24 acc-step=8",
                                           "accumulator=anchored acc-bits=47 acc-step=1"};
#define PICK(list) list[below(sizeof list / sizeof list[0])]

static void random_config(struct daa_config *config, const char *accumulator) {
    char window[8] = "auto";
    do {
        if (below(3))
            snprintf(window, sizeof window, "%d", between(0, 32));
        const char *a = PICK(operand_formats), *b = below(2) ? a : PICK(operand_formats);
        const char *streams[] = {"1", "2", "2", "4", "4 groups=2", "8", "8 groups=2", "8 groups=4"},
                   *switches[] = {"on", "on", "off"};
        if (configure(config,
                      "streams=%s a-format=%s b-format=%s acc-format=%s out-format=%s lo-bits=%d lo-round=%s policy=%s "
                      "window=%s specials=%s %s",
                      PICK(streams), a, b, PICK(acc_formats), PICK(out_formats), between(1, 11), PICK(rounds),
                      PICK(policies), window, PICK(switches), accumulator))
            return;
    } while (true);
}

/* ---- one case ---- */

/* The rounded accumulator between bits and bits. */
static uint32_t bits_of(const struct daa_config *config, struct daa_acc acc) {
    struct daa_config plain = *config;
    plain.out_format = config->acc_format;
    return daa_acc_out(&plain, acc);
}

static uint32_t golden_step(const struct daa_config *config, uint64_t step, const uint32_t *a, const uint32_t *b,
                            uint32_t acc, struct daa_counts *counts) {
    return bits_of(config, daa_step(config, step, a, b, daa_acc_start(config, acc), counts));
}

/* The counts are the same for each step of a section: compared too. */
static uint32_t check_step(const struct daa_config *config, uint64_t step, const uint32_t *a, const uint32_t *b,
                           uint32_t acc) {
    struct daa_counts got_counts = {0}, want_counts = {0};
    uint32_t got = golden_step(config, step, a, b, acc, &got_counts);
    uint32_t want = oracle_step(config, step, config->streams, a, b, acc, &want_counts);
    cases++;
    bool counts_differ = memcmp(&got_counts, &want_counts, sizeof got_counts) != 0;
    if (got != want || counts_differ) {
        char line[DAA_LINE_MAX], a_text[64], b_text[64];
        daa_config_line(config, line);
        mismatch("step %" PRIu64 ", a %s, b %s, acc 0x%x: got 0x%x, want 0x%x%s\nconfiguration: %s", step,
                 hex_list(a, config->streams, a_text), hex_list(b, config->streams, b_text), acc, got, want,
                 counts_differ ? ", and the counts differ" : "", line);
    }
    return got;
}

static void check_ends(const struct daa_config *config, uint32_t acc) {
    char line[DAA_LINE_MAX];
    daa_config_line(config, line);
    struct daa_acc start = daa_acc_start(config, acc);
    uint32_t got = bits_of(config, start), want = oracle_start(config, acc);
    if (got != want)
        mismatch("start at 0x%x: got 0x%x, want 0x%x\nconfiguration: %s", acc, got, want, line);
    got = daa_acc_out(config, start);
    want = oracle_out(config, acc);
    if (got != want)
        mismatch("result of 0x%x: got 0x%x, want 0x%x\nconfiguration: %s", acc, got, want, line);
    cases++;
}

/* ---- sections ---- */

/* One stream: every edge of A by every edge of B by every edge of the accumulator. */
static void one_stream_edges(void) {
    static const char *const list[] = {
        "streams=1 format=bf16",
        "streams=1 format=fp16 acc-format=fp16",
        "streams=1 format=tf32 acc-format=e8m10",
        "streams=1 a-format=e4m3 b-format=e5m2 acc-format=e5m7",
        "streams=1 a-format=e3m2 b-format=bf16 acc-format=e8m7",
        "streams=1 format=e2m3 acc-format=e5m23",
        "streams=1 format=e2m1 acc-format=e5m7",
        "streams=1 format=e7m10 acc-format=e7m15",
        "streams=1 format=bf16 specials=off",
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct daa_config config;
        uint32_t a[EDGES_MAX], b[EDGES_MAX], acc[EDGES_MAX];
        must_configure(&config, list[i]);
        int a_count = edge_table(config.a_format, config.specials, a);
        int b_count = edge_table(config.b_format, config.specials, b);
        int acc_count = edge_table(config.acc_format, config.specials, acc);
        for (int x = 0; x < a_count; x++)
            for (int y = 0; y < b_count; y++)
                for (int z = 0; z < acc_count; z += long_tier ? 1 : 3)
                    check_step(&config, 0, &a[x], &b[y], acc[(z + x + y) % acc_count]);
    }
}

/* Two streams: edge by edge on one against a drawn pair on the other, over every policy and rounding. */
static void two_stream_edges(void) {
    static const char *const list[] = {
        "format=bf16",
        "format=fp16",
        "format=tf32 acc-format=e8m10",
        "a-format=e4m3 b-format=e5m2 acc-format=e5m7",
        "a-format=e3m2 b-format=bf16 acc-format=e8m7",
        "format=e2m3 acc-format=e5m10",
        "format=bf16 specials=off",
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        for (int variant = 0; variant < 2 * POLICIES; variant++) {
            struct daa_config config;
            uint32_t a[EDGES_MAX], b[EDGES_MAX], acc[EDGES_MAX];
            if (!configure(&config, "streams=2 lo-bits=%d policy=%s lo-round=%s window=%s %s", between(1, 11),
                           policies[variant / 2], rounds[variant % 2], below(2) ? "auto" : "3", list[i]))
                mismatch("'%s' is refused", list[i]);
            int a_count = edge_table(config.a_format, config.specials, a);
            int b_count = edge_table(config.b_format, config.specials, b);
            int acc_count = edge_table(config.acc_format, config.specials, acc);
            for (int x = 0; x < a_count; x++) {
                for (int y = 0; y < b_count; y++) {
                    for (int repeat = 0; repeat < (long_tier ? 64 : 8); repeat++) {
                        uint32_t a_pair[] = {a[x], a[below((uint32_t)a_count)]};
                        uint32_t b_pair[] = {b[y], b[below((uint32_t)b_count)]};
                        if (below(4) == 0) { /* the product again with its sign turned: cancellation */
                            a_pair[1] = a_pair[0] ^ UINT32_C(1) << (daa_format_width(config.a_format) - 1);
                            b_pair[1] = b_pair[0];
                        }
                        uint32_t start = below(3) ? acc[below((uint32_t)acc_count)] : 0;
                        check_step(&config, below(8), a_pair, b_pair, start);
                    }
                }
            }
        }
    }
}

/* An accumulator that cancels what the step is about to add, exactly or nearly. */
static uint32_t opposite_acc(const struct daa_config *config, uint64_t step, const uint32_t *a, const uint32_t *b) {
    uint32_t turned[DAA_STREAMS_MAX];
    for (int s = 0; s < config->streams; s++)
        turned[s] = a[s] ^ UINT32_C(1) << (daa_format_width(config->a_format) - 1);
    uint32_t acc = golden_step(config, step, turned, b, 0, NULL);
    uint32_t near = acc + (uint32_t)between(-2, 2);
    return is_special(config->acc_format, near) || (near ^ acc) >> 31
               ? acc
               : near & mask(daa_format_width(config->acc_format));
}

static int random_center(struct daa_format f) {
    switch (below(4)) {
    case 0:
        return daa_format_exp_min(f);
    case 1:
        return daa_format_exp_max(f);
    case 2:
        return between(daa_format_exp_min(f), daa_format_exp_max(f));
    default:
        return 0;
    }
}

/* Chains of steps from any configuration, weighted to where exponents are near each other, terms cancel, and the
 * accumulator is near its ends. */
static void random_steps(void) {
    enum { CHAINS = 60, STEPS = 6 };
    int configs = long_tier ? 40000 : 6000;
    for (int i = 0; i < configs; i++) {
        struct daa_config config;
        random_config(&config, "accumulator=rounded");
        for (int chain = 0; chain < CHAINS; chain++) {
            int a_center = random_center(config.a_format), b_center = random_center(config.b_format);
            if (below(3) == 0) /* products at an end of the accumulator's range */
                b_center = (below(2) ? daa_format_exp_min(config.acc_format) : daa_format_exp_max(config.acc_format)) -
                           a_center;
            uint32_t acc = 0;
            if (below(2))
                acc = random_near(config.acc_format, a_center + b_center, between(0, 40));
            else if (below(4) == 0)
                acc = random_bits(config.acc_format, config.specials, 0);
            if (!config.specials && is_special(config.acc_format, acc))
                acc = 0;
            uint64_t first = below(4) ? below(8) : random64();
            for (int step = 0; step < STEPS; step++) {
                uint32_t a[DAA_STREAMS_MAX], b[DAA_STREAMS_MAX];
                for (int s = 0; s < config.streams; s++) {
                    a[s] = random_bits(config.a_format, config.specials, a_center);
                    b[s] = random_bits(config.b_format, config.specials, b_center);
                    if (s && below(6) == 0) {
                        a[s] = a[s - 1] ^ UINT32_C(1) << (daa_format_width(config.a_format) - 1);
                        b[s] = b[s - 1];
                    }
                }
                if (below(8) == 0)
                    acc = opposite_acc(&config, first + (uint64_t)step, a, b);
                acc = check_step(&config, first + (uint64_t)step, a, b, acc);
                check_ends(&config, acc);
            }
        }
    }
}

/* Products whose last bit stands at half a unit of the accumulator's last, so that most additions are ties or next to
 * one. */
static void accumulator_ties(void) {
    int configs = long_tier ? 10000 : 1500;
    for (int i = 0; i < configs; i++) {
        struct daa_config config;
        random_config(&config, "accumulator=rounded");
        int y = config.acc_format.frac_bits;
        for (int repeat = 0; repeat < 150; repeat++) {
            uint32_t a[DAA_STREAMS_MAX], b[DAA_STREAMS_MAX];
            int a_center = random_center(config.a_format), b_center = random_center(config.b_format);
            for (int s = 0; s < config.streams; s++) {
                a[s] = random_near(config.a_format, a_center, 0) & ~mask(config.a_format.frac_bits);
                b[s] = random_near(config.b_format, b_center, below(4) == 0) &
                       ~mask((int)below(3) ? config.b_format.frac_bits : config.b_format.frac_bits - 1);
                if (!config.specials && is_special(config.a_format, a[s]))
                    a[s] = 0;
                if (!config.specials && is_special(config.b_format, b[s]))
                    b[s] = 0;
            }
            uint32_t acc = random_near(config.acc_format, a_center + b_center + y + 1, 2);
            if (!config.specials && is_special(config.acc_format, acc))
                acc = 0;
            check_step(&config, below(4), a, b, acc);
        }
    }
}

/* All pairs of products of FORMAT, every STRIDE-th of them. The accumulators in turn make the rounding count too. */
static void all_pairs(const struct daa_config *config, uint64_t stride) {
    static const uint32_t starts[] = {0, 0, 0, 1, 3};
    int width = daa_format_width(config->a_format);
    uint32_t one = (uint32_t)daa_format_bias(config->acc_format) << config->acc_format.frac_bits;
    for (uint64_t code = stride > 1 ? random64() % stride : 0; code >> (4 * width) == 0; code += stride) {
        uint32_t a[2], b[2], start = starts[code % 5];
        for (int i = 0; i < 2; i++) {
            a[i] = (uint32_t)(code >> (2 * i * width)) & mask(width);
            b[i] = (uint32_t)(code >> ((2 * i + 1) * width)) & mask(width);
        }
        check_step(config, code >> 3 & 1, a, b, start ? one + start : 0);
    }
}

static void e2m1_pairs(void) {
    static const char *const windows[] = {"auto", "0", "1", "2", "3", "4"};
    for (int policy = 0; policy < POLICIES; policy++)
        for (int round = 0; round < 2; round++)
            for (int bits = 1; bits <= 2; bits++)
                for (int window = 0; window < 6; window++) {
                    struct daa_config config;
                    if (!long_tier && (policy + round + bits + window) % 5)
                        continue;
                    if (!configure(&config, "format=e2m1 policy=%s lo-round=%s lo-bits=%d window=%s acc-format=%s",
                                   policies[policy], rounds[round], bits, windows[window],
                                   window % 2 ? "e5m7" : "fp32"))
                        mismatch("a configuration of e2m1 is refused");
                    all_pairs(&config, 1);
                }
}

static void e3m2_pairs(void) {
    static const char *const list[] = {
        "lo-bits=2",
        "lo-bits=1",
        "lo-bits=2 lo-round=truncate window=3",
        "lo-bits=1 lo-round=truncate policy=magnitude window=0",
        "lo-bits=2 policy=static window=2 acc-format=e5m7",
        "lo-bits=1 policy=rotate window=5 acc-format=e5m7",
        "lo-bits=2 policy=low",
        "lo-bits=1 policy=high window=4",
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct daa_config config;
        char text[128];
        snprintf(text, sizeof text, "format=e3m2 %s", list[i]);
        must_configure(&config, text);
        all_pairs(&config, long_tier ? 1 : 131);
    }
}

/* Every window and every number of low bits, for every number of streams and groups. */
static void windows_and_low_bits(void) {
    static const char *const formats[] = {"bf16", "fp16", "tf32"};
    static const int kinds[][2] = {{1, 1}, {2, 1}, {4, 1}, {4, 2}, {8, 1}, {8, 2}, {8, 4}};
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        const int streams = kinds[kind][0];
        for (int window = 0; window <= 32; window++) {
            for (int bits = 1; bits <= 11; bits++) {
                struct daa_config config;
                if (!configure(&config, "streams=%d groups=%d window=%d lo-bits=%d lo-round=%s policy=%s format=%s",
                               streams, kinds[kind][1], window, bits, PICK(rounds), PICK(policies), PICK(formats)))
                    mismatch("window %d is refused", window);
                for (int repeat = 0; repeat < (long_tier ? 2000 : 200); repeat++) {
                    uint32_t a[DAA_STREAMS_MAX], b[DAA_STREAMS_MAX];
                    for (int s = 0; s < streams; s++) {
                        a[s] = random_near(config.a_format, 0, window / 4 + 1);
                        b[s] = random_near(config.b_format, 0, window / 4 + 1);
                    }
                    check_step(&config, below(4), a, b, below(2) ? random_near(config.acc_format, 0, 20) : 0);
                }
            }
        }
    }
}

/* Results in every output format, from edges and at random, near the output format's own ends. */
static void results(void) {
    for (size_t i = 0; i < sizeof acc_formats / sizeof acc_formats[0]; i++) {
        for (size_t j = 0; j < sizeof out_formats / sizeof out_formats[0]; j++) {
            struct daa_config config;
            uint32_t table[EDGES_MAX];
            if (!configure(&config, "format=e2m1 acc-format=%s out-format=%s specials=on", acc_formats[i],
                           out_formats[j]) &&
                !configure(&config, "format=e2m1 acc-format=%s out-format=%s specials=off", acc_formats[i],
                           out_formats[j]))
                continue;
            struct daa_format acc = config.acc_format, out = config.out_format;
            int count = edge_table(acc, config.specials, table);
            for (int k = 0; k < count; k++)
                check_ends(&config, table[k]);
            const int ends[] = {daa_format_exp_min(out), daa_format_exp_max(out),
                                daa_format_exp_min(out) - out.frac_bits, 0};
            for (int k = 0; k < (long_tier ? 100000 : 3000); k++) {
                uint32_t bits = random_near(acc, ends[k % 4], 2);
                if (below(2)) /* a tie of the output's rounding, or next to one */
                    bits =
                        (bits & ~mask(acc.frac_bits - out.frac_bits)) | (mask(acc.frac_bits - out.frac_bits) + 1) >> 1;
                bits += below(4) == 0;
                if (config.specials || !is_special(acc, bits))
                    check_ends(&config, bits & mask(daa_format_width(acc)));
            }
        }
    }
}

/* ---- the anchored accumulator ---- */

static void anchored_mismatch(const struct daa_config *config, struct daa_acc before, uint64_t step, const uint32_t *a,
                              const uint32_t *b, struct daa_acc got, const char *what) {
    char line[DAA_LINE_MAX], a_text[128], b_text[128], before_text[DAA_ACC_TEXT_MAX], got_text[DAA_ACC_TEXT_MAX];
    daa_config_line(config, line);
    daa_acc_text(config, before, before_text);
    daa_acc_text(config, got, got_text);
    mismatch("step %" PRIu64 ", a %s, b %s, accumulator %s: got %s, %s\nconfiguration: %s", step,
             hex_list(a, config->streams, a_text), hex_list(b, config->streams, b_text), before_text, got_text, what,
             line);
}

/* The next state, held against the oracle's, which goes on with it; and the result if this were the last step. */
static struct daa_acc check_anchored(const struct daa_config *config, uint64_t step, const uint32_t *a,
                                     const uint32_t *b, struct daa_acc before) {
    struct daa_counts got_counts = {0}, want_counts = {0};
    struct daa_acc got = daa_step(config, step, a, b, before, &got_counts);
    oracle_anchored_step(config, step, config->streams, a, b, &want_counts);
    cases++;
    if (!oracle_anchored_is(config, got))
        anchored_mismatch(config, before, step, a, b, got, "which is another state than the oracle's");
    if (memcmp(&got_counts, &want_counts, sizeof got_counts) != 0)
        anchored_mismatch(config, before, step, a, b, got, "and the counts differ");
    if (daa_acc_out(config, got) != oracle_anchored_out(config))
        anchored_mismatch(config, before, step, a, b, got, "and another result than the oracle's");
    return got;
}

static struct daa_acc check_anchored_start(const struct daa_config *config, uint32_t c0) {
    struct daa_acc acc = daa_acc_start(config, c0);
    char line[DAA_LINE_MAX];
    daa_config_line(config, line);
    oracle_anchored_start(config, c0);
    cases++;
    if (!oracle_anchored_is(config, acc))
        mismatch("start at 0x%x: another state than the oracle's\nconfiguration: %s", c0, line);
    if (daa_acc_out(config, acc) != oracle_anchored_out(config))
        mismatch("start at 0x%x: another result than the oracle's\nconfiguration: %s", c0, line);
    return acc;
}

/* How the exponents of a chain's products go. */
enum course { NEAR, GROWING, FALLING, SAME_SIGN, COURSES };

/* Operands that are legal for the configuration; CENTER is the exponent they are near to. */
static uint32_t anchored_operand(const struct daa_config *config, struct daa_format f, enum course course, int center) {
    uint32_t bits = course == SAME_SIGN ? random_near(f, center, 0) & mask(f.exp_bits + f.frac_bits)
                                        : random_bits(f, config->specials && below(8) == 0, center);
    return is_special(f, bits) && (!config->specials || course == SAME_SIGN) ? 0 : bits;
}

static void anchored_chain(const struct daa_config *config, int steps) {
    enum course course = (enum course)below(COURSES);
    int a_center = random_center(config->a_format), b_center = random_center(config->b_format);
    uint32_t c0 = below(2) ? 0 : random_bits(config->acc_format, config->specials, a_center + b_center);
    if (below(4) == 0)
        c0 = random_near(config->acc_format, random_center(config->acc_format), 2);
    if (!config->specials && is_special(config->acc_format, c0))
        c0 = 0;
    struct daa_acc acc = check_anchored_start(config, c0);
    uint32_t sign = UINT32_C(1) << (daa_format_width(config->a_format) - 1);
    uint32_t a[DAA_STREAMS_MAX], b[DAA_STREAMS_MAX], a_before[DAA_STREAMS_MAX] = {0}, b_before[DAA_STREAMS_MAX] = {0};
    for (int step = 0; step < steps; step++) {
        bool back = below(8) == 0; /* takes away what the step before gave */
        for (int s = 0; s < config->streams; s++) {
            a[s] = back ? a_before[s] ^ sign : anchored_operand(config, config->a_format, course, a_center);
            b[s] = back ? b_before[s] : anchored_operand(config, config->b_format, course, b_center);
            if (s && below(8) == 0 && course != SAME_SIGN) { /* cancels within the step */
                a[s] = a[s - 1] ^ sign;
                b[s] = b[s - 1];
            }
            a_before[s] = a[s], b_before[s] = b[s];
        }
        acc = check_anchored(config, below(4) ? (uint64_t)step : random64(), a, b, acc);
        a_center += course == GROWING ? between(0, 3) : course == FALLING ? -between(0, 3) : 0;
    }
}

static void anchored_steps(void) {
    int configs = long_tier ? 20000 : 2000;
    for (int i = 0; i < configs; i++) {
        struct daa_config config;
        char accumulator[64];
        snprintf(accumulator, sizeof accumulator, "accumulator=anchored acc-bits=%d acc-step=%d",
                 below(3) ? 32 : between(8, 64), 1 << below(4));
        random_config(&config, accumulator);
        for (int chain = 0; chain < 20; chain++)
            anchored_chain(&config, below(8) ? 12 : 100);
    }
}

/* Every start: C0 at its edges and near them, with more bits than M has and with fewer. */
static void anchored_starts(void) {
    for (size_t i = 0; i < sizeof acc_formats / sizeof acc_formats[0]; i++) {
        for (int bits = 8; bits <= 64; bits += long_tier ? 1 : 3) {
            for (int step = 1; step <= 8; step *= 2) {
                struct daa_config config;
                uint32_t table[EDGES_MAX];
                if (!configure(&config, "format=e2m1 accumulator=anchored acc-format=%s acc-bits=%d acc-step=%d",
                               acc_formats[i], bits, step))
                    mismatch("acc-bits %d is refused", bits);
                int count = edge_table(config.acc_format, true, table);
                for (int k = 0; k < count; k++)
                    check_anchored_start(&config, table[k]);
                for (int k = 0; k < 100; k++)
                    check_anchored_start(&config, random_near(config.acc_format, random_center(config.acc_format), 20));
            }
        }
    }
}

/* Small accumulators, which are full after a few steps: all chains of three products of e2m1 out of every fourth, on
 * one another, and long chains of the largest products of one sign, which is where M comes nearest its ends. */
static void anchored_small(void) {
    for (int bits = 8; bits <= 14; bits++) {
        for (int step = 1; step <= 8; step *= 2) {
            struct daa_config config;
            if (!configure(&config, "format=e2m1 streams=1 accumulator=anchored acc-bits=%d acc-step=%d", bits, step))
                mismatch("acc-bits %d is refused", bits);
            for (uint32_t code = 0; code < 4096; code++) {
                struct daa_acc acc = check_anchored_start(&config, 0);
                for (int at = 0; at < 12; at++) { /* the three, four times over */
                    uint32_t a = code >> (4 * (at % 3)) & 15, b = at % 2 ? 7 : 4;
                    acc = check_anchored(&config, 0, &a, &b, acc);
                }
            }
            for (int streams = 1; streams <= DAA_STREAMS_MAX; streams *= 2) {
                static const char *const kinds[] = {"high", "low", "exponent"};
                for (int kind = 0; kind < 6; kind++) {
                    if (!configure(&config,
                                   "format=e5m10 lo-bits=1 streams=%d policy=%s accumulator=anchored "
                                   "acc-bits=%d acc-step=%d",
                                   streams, kinds[kind % 3], bits, step))
                        mismatch("acc-bits %d is refused", bits);
                    struct daa_acc acc = check_anchored_start(&config, 0);
                    uint32_t a[DAA_STREAMS_MAX], b[DAA_STREAMS_MAX];
                    for (int at = 0; at < 200; at++) {
                        for (int s = 0; s < streams; s++) /* 1.99 * 1.99, which is low as 4 */
                            a[s] = (kind < 3 ? 0x3fffu : 0xbfffu) - (at % 50 == 49 ? 0x400u : 0u), b[s] = 0x3fff;
                        acc = check_anchored(&config, 0, a, b, acc);
                    }
                }
            }
        }
    }
}

/* ---- conversions ---- */

static void check_conversion(struct daa_format f, const char *name, double value) {
    uint32_t got = 0, want = 0;
    enum daa_rounded got_how = daa_from_double(f, value, &got), want_how = oracle_from_double(f, value, &want);
    cases++;
    if (got != want || got_how != want_how)
        mismatch("%a to %s: got 0x%x (%d), want 0x%x (%d)", value, name, got, (int)got_how, want, (int)want_how);
}

static void conversions(void) {
    static const char *const names[] = {"bf16", "tf32", "fp16",  "e5m2", "e4m3",  "e3m2",  "e2m3", "e2m1",
                                        "fp32", "e8m1", "e7m10", "e5m7", "e2m10", "e6m12", "e5m23"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct daa_format f;
        if (!daa_format_parse(names[i], &f))
            mismatch("%s is no format", names[i]);
        static const double fixed[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 5e-324, -5e-324, 1.7976931348623157e308};
        for (size_t k = 0; k < sizeof fixed / sizeof fixed[0]; k++)
            check_conversion(f, names[i], fixed[k]);
        int width = daa_format_width(f);
        uint64_t stride = 1 + (UINT64_C(1) << width) / (long_tier ? 200003 : 20011) * (width > 16);
        for (uint64_t bits = 0; bits >> width == 0; bits += stride) {
            double value = daa_to_double(f, (uint32_t)bits), want = oracle_to_double(f, (uint32_t)bits);
            cases++;
            if (memcmp(&value, &want, sizeof value) != 0 && !(isnan(value) && isnan(want)))
                mismatch("0x%x of %s: got %a, want %a", (uint32_t)bits, names[i], value, want);
            if (!isfinite(value))
                continue;
            /* The value, half a unit beyond it, and the doubles next to these. */
            struct daa_format kept = f;
            kept.subnormals = true;
            value = oracle_to_double(kept, (uint32_t)bits);
            double e = value == 0 ? -1e9 : floor(log2(fabs(value))), least = daa_format_exp_min(f);
            double half = copysign(ldexp(0.5, (int)fmax(e, least) - f.frac_bits), value);
            const double near[] = {value, value + half, nextafter(value + half, INFINITY),
                                   nextafter(value + half, -INFINITY), value + 1.5 * half};
            for (size_t k = 0; k < sizeof near / sizeof near[0]; k++)
                check_conversion(f, names[i], near[k]);
        }
        for (int k = 0; k < (long_tier ? 200000 : 5000); k++) {
            uint64_t word = random64();
            double value;
            memcpy(&value, &word, sizeof value);
            check_conversion(f, names[i], value);
            int exp = between(daa_format_exp_min(f) - f.frac_bits - 3, daa_format_exp_max(f) + 2);
            check_conversion(f, names[i], ldexp(1.0 + (double)(random64() >> 12) * 0x1p-52, exp));
        }
    }
}

/* ---- section 7 of the contract: the host's fused multiply-adds ---- */

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void host_fma(void) {
    struct daa_config config;
    must_configure(&config, "streams=1 format=bf16");
    uint32_t acc = 0;
    for (int i = 0; i < (long_tier ? 20000000 : 500000); i++) {
        if (i % 16 == 0)
            acc = random_near(config.acc_format, between(-40, 40), 10);
        uint32_t a = random_bits(config.a_format, true, between(-8, 8));
        uint32_t b = random_bits(config.b_format, true, between(-8, 8));
        acc = bits_of(&config, daa_acc_start(&config, acc));
        /* bf16 is the upper half of a float; subnormals read as zeros of their sign. */
        float fa = (a & 0x7f80) ? float_of(a << 16) : copysignf(0, float_of(a << 16));
        float fb = (b & 0x7f80) ? float_of(b << 16) : copysignf(0, float_of(b << 16));
        float want = fmaf(fa, fb, float_of(acc));
        uint32_t got = golden_step(&config, 0, &a, &b, acc, NULL), want_bits;
        memcpy(&want_bits, &want, sizeof want_bits);
        if (want == 0)
            want_bits = 0;
        if (isnan(want))
            want_bits = 0x7fc00000;
        bool flush_range = want != 0 && fabsf(want) <= 0x1p-126f;
        cases += !flush_range;
        if (got != want_bits && !flush_range)
            mismatch("a 0x%x, b 0x%x, acc 0x%x: got 0x%x, the host's fmaf gives 0x%x", a, b, acc, got, want_bits);
        acc = got;
    }
}

/* ---- whole GEMMs ---- */

static uint32_t *random_matrix(struct daa_format f, bool specials, size_t rows, size_t stride) {
    uint32_t *matrix = malloc(rows * stride * sizeof *matrix + 1);
    if (!matrix)
        abort();
    for (size_t i = 0; i < rows * stride; i++)
        do
            matrix[i] = random_bits(f, specials, 0);
        while (is_special(f, matrix[i]) && (!specials || below(16)));
    return matrix;
}

static uint64_t count_all(const struct daa_counts *counts) {
    uint64_t sum = 0;
    for (int s = 0; s < DAA_STREAMS_MAX; s++)
        sum += counts->high[s] + counts->low[s] + counts->zero[s] + counts->dropped[s] + counts->special[s];
    return sum;
}

static void check_gemm(const struct daa_config *config, size_t m, size_t n, size_t k, bool with_c0) {
    size_t lda = k + below(3), ldb = n + below(3), ldc0 = n + below(3), ldc = n + below(3);
    uint32_t *a = random_matrix(config->a_format, config->specials, m, lda);
    uint32_t *b = random_matrix(config->b_format, config->specials, k, ldb);
    uint32_t *c0 = random_matrix(config->acc_format, config->specials, m, ldc0);
    uint32_t *c = calloc(m * ldc + 1, sizeof *c);
    struct daa_counts got_counts = {0}, want_counts = {0};
    struct daa_error error;
    const bool anchored = config->accumulator == DAA_ANCHORED;
    if (!daa_gemm(config, m, n, k, a, lda, b, ldb, with_c0 ? c0 : NULL, ldc0, c, ldc, &got_counts, &error))
        mismatch("%zu x %zu x %zu is refused: %s", m, n, k, error.text);
    for (size_t row = 0; row < m; row++) {
        for (size_t col = 0; col < n; col++) {
            uint32_t acc = with_c0 ? oracle_start(config, c0[row * ldc0 + col]) : 0;
            if (anchored)
                oracle_anchored_start(config, with_c0 ? c0[row * ldc0 + col] : 0);
            for (size_t at = 0; at < k; at += (size_t)config->streams) {
                uint32_t a_step[DAA_STREAMS_MAX], b_step[DAA_STREAMS_MAX];
                int count = 0;
                for (; count < config->streams && at + (size_t)count < k; count++) {
                    a_step[count] = a[row * lda + at + (size_t)count];
                    b_step[count] = b[(at + (size_t)count) * ldb + col];
                }
                const size_t step = at / (size_t)config->streams;
                if (anchored)
                    oracle_anchored_step(config, step, count, a_step, b_step, &want_counts);
                else
                    acc = oracle_step(config, step, count, a_step, b_step, acc, &want_counts);
            }
            uint32_t want = anchored ? oracle_anchored_out(config) : oracle_out(config, acc), got = c[row * ldc + col];
            cases++;
            if (got != want) {
                char line[DAA_LINE_MAX];
                daa_config_line(config, line);
                mismatch("%zu x %zu x %zu, element (%zu, %zu): got 0x%x, want 0x%x\nconfiguration: %s", m, n, k, row,
                         col, got, want, line);
            }
        }
    }
    if (memcmp(&got_counts, &want_counts, sizeof got_counts) != 0 || count_all(&got_counts) != m * n * k)
        mismatch("%zu x %zu x %zu: the counts differ, or are not %zu in all", m, n, k, m * n * k);
    cases++;
    free(a);
    free(b);
    free(c0);
    free(c);
}

static void gemms(void) {
    struct daa_config config;
    static const size_t shapes[][3] = {{0, 3, 4},   {3, 0, 4},    {3, 4, 0},   {0, 0, 0}, {1, 1, 1},
                                       {1, 1, 2},   {2, 3, 3},    {1, 5, 5},   {5, 1, 7}, {3, 3, 1},
                                       {1, 1, 257}, {31, 32, 31}, {2, 2, 1000}};
    for (int round = 0; round < (long_tier ? 50 : 3); round++)
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
            random_config(&config, PICK(accumulators));
            check_gemm(&config, shapes[i][0], shapes[i][1], shapes[i][2], below(2));
        }
    for (int i = 0; i < (long_tier ? 5000 : 200); i++) {
        random_config(&config, PICK(accumulators));
        check_gemm(&config, below(6), below(6), below(20), below(2));
    }
    must_configure(&config, "streams=2"); /* more than one block of rows */
    check_gemm(&config, 5, 1, 100000, true);
    check_gemm(&config, 300000, 1, 1, true);
}

/* What daa_gemm() refuses, and the element that it names. */
static void refusals(void) {
    enum { NEG_INF = 0xff80, NAN_BITS = 0x7fc1 };
    static const struct {
        const char *matrix;
        int at;
        uint32_t value;
        const char *options, *text;
    } list[] = {
        {"a", 4, NEG_INF, "specials=off", "A[1][1] is 0xff80"},
        {"a", 4, NAN_BITS, "specials=off", "A[1][1] is 0x7fc1"},
        {"b", 5, NEG_INF, "specials=off", "B[2][1] is 0xff80"},
        {"c0", 3, 0x7f800000, "specials=off", "C0[1][1] is 0x7f800000"},
        {"c0", 0, 0x7f800001, "specials=off", "C0[0][0] is 0x7f800001"},
        {"a", 0, 0x10000, "specials=on", "A[0][0] is 0x10000"},
        {"b", 1, 0x80000000, "specials=on", "B[0][1] is 0x80000000"},
        {"c0", 2, 0x10000, "acc-format=bf16", "C0[1][0] is 0x10000"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct daa_config config;
        struct daa_error error = {""};
        uint32_t a[6] = {0}, b[6] = {0}, c0[4] = {0}, c[4];
        (list[i].matrix[0] == 'a' ? a : list[i].matrix[0] == 'b' ? b : c0)[list[i].at] = list[i].value;
        must_configure(&config, list[i].options);
        cases++;
        if (daa_gemm(&config, 2, 2, 3, a, 3, b, 2, c0, 2, c, 2, NULL, &error) ||
            strncmp(error.text, list[i].text, strlen(list[i].text)) != 0)
            mismatch("'%s' is not refused, or with another text: '%s'", list[i].text, error.text);
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} sections[] = {
    {"one-stream-edges", one_stream_edges},
    {"two-stream-edges", two_stream_edges},
    {"random-steps", random_steps},
    {"accumulator-ties", accumulator_ties},
    {"windows-and-low-bits", windows_and_low_bits},
    {"e2m1-pairs", e2m1_pairs},
    {"e3m2-pairs", e3m2_pairs},
    {"results", results},
    {"conversions", conversions},
    {"host-fma", host_fma},
    {"anchored-steps", anchored_steps},
    {"anchored-starts", anchored_starts},
    {"anchored-small", anchored_small},
    {"gemms", gemms},
    {"refusals", refusals},
};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int argc, char **argv) {
    const char *only = NULL;
    uint64_t total = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--long") == 0) {
            long_tier = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            seed = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            only = argv[++i];
        } else {
            fprintf(stderr, "check: '%s' is not understood; check [--long] [--seed N] [--only SECTION]\n", argv[i]);
            return 2;
        }
    }
    oracle_init();
    for (uint64_t i = 0; i < SECTIONS; i++) {
        if (only && strcmp(only, sections[i].name) != 0)
            continue;
        double start = seconds();
        section = sections[i].name;
        random_state = seed * SECTIONS + i;
        cases = 0;
        sections[i].run();
        if (cases == 0)
            mismatch("no case was run");
        printf("%-22s %12" PRIu64 " cases, %.1f s\n", section, cases, seconds() - start);
        fflush(stdout);
        total += cases;
    }
    if (total == 0) {
        fprintf(stderr, "check: no section is called '%s'\n", only ? only : "");
        return 2;
    }
    printf("%" PRIu64 " cases agree, seed %" PRIu64 "\n", total, seed);
    return 0;
}

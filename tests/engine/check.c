/* Every engine against the golden model, bit for bit: check-engine [--seed N] [--long] [--only ENGINE]. */
#define _DEFAULT_SOURCE /* sysconf */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../engine/engine.h"
#include "../common/random.h"

static uint64_t seed = 1;

/* ---- operands ---- */

/* Signed zeros, subnormals, the smallest and largest normal, values that round up into the next exponent, even and odd
 * exponents, ties of the low rounding, Inf, NaN. */
static const uint16_t edges[] = {
    0x0000, 0x8000, 0x0001, 0x807f, 0x0080, 0x8080, 0x00ff, 0x0100, 0x017f, 0x3f7f, 0x3f80, 0xbf80, 0x3f81, 0x3f84,
    0x3f88, 0x3f8c, 0x3f90, 0x3fa0, 0x3fc0, 0xbfe0, 0x3ff0, 0x3ff8, 0x3ffc, 0x3fff, 0xbfff, 0x4000, 0x407f, 0x4080,
    0x3b80, 0xbb00, 0x1f80, 0x2000, 0x205f, 0x5f7f, 0x5f80, 0x7e80, 0x7f00, 0x7f7f, 0xff7f, 0x7f80, 0xff80, 0x7fc0,
};
enum { EDGES = sizeof edges / sizeof edges[0], EDGES_FINITE = EDGES - 3 };

enum kind {
    GAUSSIAN,
    CLOSE,
    SPREAD,
    APART,
    POWERS,
    SPARSE,
    TINY,
    HUGE_VALUES,
    BRINK,
    BOTTOM,
    LOWEST,
    FILLING,
    EDGE_FINITE,
    EDGE_ALL,
    MIXED,
    KINDS
};
static const char *const kind_names[KINDS] = {"normal", "close",   "spread", "apart",   "powers",
                                              "sparse", "tiny",    "huge",   "brink",   "bottom",
                                              "lowest", "filling", "edges",  "special", "mixed"};

static uint16_t random_operand(enum kind kind) {
    uint32_t bits = random32(), frac = bits & 127, sign = bits >> 16 & 0x8000;
    if (bits >> 27 == 0)
        frac = 0x78 | (bits & 7);
    switch (kind) {
    case GAUSSIAN:
        return (uint16_t)(sign | (uint32_t)(128 - __builtin_ctz(random32() | 1 << 20)) << 7 | frac);
    case CLOSE:
        return (uint16_t)(sign | (126 + below(3)) << 7 | (frac & (below(2) ? 127 : 0x60)));
    case SPREAD:
        return (uint16_t)(sign | (112 + below(28)) << 7 | frac);
    case APART: /* products as far apart as windows end, with a last bit that is often set */
        return (uint16_t)(sign | (127 - (bits >> 28 & 7)) << 7 | frac | (below(4) ? 1 : 0));
    case POWERS: /* products half a unit of an accumulator near 1, and beyond a double's last bit below that */
        return (uint16_t)(sign | (below(2) ? 115U : 99U) << 7);
    case SPARSE:
        return below(2) ? (uint16_t)sign : (uint16_t)(sign | (120 + below(12)) << 7 | frac);
    case TINY:
        return (uint16_t)(sign | (below(3) ? 50 + below(30) : below(20)) << 7 | frac);
    case HUGE_VALUES:
        return (uint16_t)(sign | (180 + below(16)) << 7 | frac);
    case BRINK: /* products apart likewise, of the size of the largest float's last bits */
        return (uint16_t)(sign | (186 - (bits >> 28 & 7)) << 7 | frac | (below(4) ? 1 : 0));
    case BOTTOM: /* products of the smallest size that the fast kernels take */
        return (uint16_t)(sign | (below(3) ? 71U << 7 : 0));
    case LOWEST: /* the same of those with anchors, and zeros */
        return (uint16_t)(sign | (below(2) ? (78 + below(8)) << 7 | frac : 0));
    case FILLING: /* products of like signs that are nearly as large as they can be, now and then still larger */
        return (uint16_t)((below(8) ? 0 : 0x8000) | (126 + below(below(16) ? 2 : 8)) << 7 | 0x60 | (frac & 31));
    case EDGE_FINITE:
        return edges[below(EDGES_FINITE)];
    case EDGE_ALL:
        return edges[below(EDGES)];
    default:
        return below(200) ? random_operand(GAUSSIAN) : edges[below(EDGES)];
    }
}

/* With operands on the BRINK the largest floats and Inf; at the BOTTOM those of which a product leaves less than the
 * smallest float; APART also those that are small beside a sum, so that rounding twice would show; with the LOWEST
 * those whose place is no float, and others; FILLING now and then such large ones. With any, now and then, an edge or a
 * NaN of any payload. */
static uint32_t random_acc(enum kind kind) {
    uint32_t operand = below(50) ? random_operand(kind) : edges[below(EDGES)];
    if (kind == APART)
        operand = (operand & 0x807f) | (60 + below(70)) << 7;
    if (kind == LOWEST)
        operand = (operand & 0x807f) | (1 + below(60)) << 7;
    if (kind == FILLING && below(8) == 0)
        operand = (operand & 0x807f) | (230 + below(24)) << 7;
    if (kind == BRINK)
        return (operand & 0x8000U) << 16 | (below(8) ? 0x7f7fffff - below(below(2) ? 1 << 6 : 1 << 16) : 0x7f800000);
    if (kind == BOTTOM && below(8))
        return (operand & 0x8000U) << 16 | ((15U << 23) + below(4) - below(4));
    if (kind == POWERS)
        operand = (operand & 0x8000) | 0x3f80 | (random32() & 127);
    return operand << 16 | (random32() & 0xffff);
}

/* Any number of a format that is not e8mY, so that its subnormals, largest numbers, Inf and NaN come often enough. As a
 * float it may be off, by less than the next number is away, or lie half way to it. */
static void put_narrow(enum kind kind, enum daa_type type, struct daa_format format, void *data, size_t index) {
    const bool specials = kind == EDGE_ALL || (kind == MIXED && below(200) == 0);
    const uint32_t most = (1U << format.exp_bits) - 1;
    uint32_t bits, next;
    double value, other;
    do {
        bits = random32() & ((1U << daa_format_width(format)) - 1);
        if ((kind == CLOSE || kind == GAUSSIAN) && format.exp_bits > 3) /* so close that products are added */
            bits = (bits & ~(most << format.frac_bits)) | ((most >> 1) - below(kind == CLOSE ? 3 : 7))
                                                              << format.frac_bits;
        bits &= kind == SPARSE && below(2) ? 1U << (daa_format_width(format) - 1) : UINT32_MAX;
        value = daa_to_double(format, bits);
    } while (!specials && (value - value != 0));
    next = bits ^ 1;
    other = daa_to_double(format, next);
    if (type == DAA_BITS16)
        ((uint16_t *)data)[index] = (uint16_t)bits;
    if (type == DAA_BITS32)
        ((uint32_t *)data)[index] = bits;
    if (type == DAA_FLOAT32 && below(3))
        value = specials && below(4) == 0 ? value * 0x1p9
                : other - other == 0      ? value + (other - value) * below(9) / 8
                                          : value;
    if (type == DAA_FLOAT32)
        ((float *)data)[index] = (float)value;
}

/* ---- one case ---- */

struct test {
    struct daa_config config;
    enum daa_engine engine;
    enum kind a_kind, b_kind;
    size_t m, n, k, batch;
    bool a_transposed, b_transposed, c0, c0_is_c;
    enum daa_type a_type, b_type, c0_type, c_type;
    int threads;
};

static uint64_t cases, steps;

static void *memory(size_t size) {
    void *m = malloc(size + 1);
    if (!m) {
        fputs("check-engine: out of memory\n", stderr);
        exit(1);
    }
    return m;
}

/* Operands as the type asks, of bf16 or e8mY; a float gets bits below the format's last, which must round to the
 * operand chosen. */
static void put(enum kind kind, enum daa_type type, struct daa_format format, void *data, size_t index) {
    if (format.exp_bits < 8) {
        put_narrow(kind, type, format, data, index);
        return;
    }
    uint16_t operand = random_operand(kind);
    uint32_t word = operand;
    if (format.frac_bits > 7) { /* more bits behind bf16's, or whatever a float has there */
        const uint32_t rest = below(4) ? random32() & 0xffff : below(2) ? 0xffff : 0;
        word = word << 16 | ((operand & 0x7fff) != 0x7f80 ? rest : 0);
        word >>= type == DAA_FLOAT32 ? 0 : 23 - format.frac_bits;
        ((uint32_t *)data)[index] = word;
        return;
    }
    if (type != DAA_FLOAT32)
        word = operand >>= 7 - format.frac_bits;
    if (type == DAA_BITS16) {
        ((uint16_t *)data)[index] = operand;
        return;
    }
    if (type == DAA_FLOAT32) {
        word <<= 16;
        bool number = (operand & 0x7f80) != 0x7f80 && (operand & 0x7fff) != 0;
        if (number && (format.frac_bits == 7 || below(2))) /* e8mY: bf16 values are ties, too */
            word += below(0x7fff) - (below(2) && operand & 0x7f ? 0x7fff : 0);
        if ((operand & 0x7fff) > 0x7f80)
            word |= below(0xffff);
    }
    ((uint32_t *)data)[index] = word;
}

static int fail(const struct test *t, size_t x, size_t i, size_t j, uint32_t got, uint32_t want) {
    char line[DAA_LINE_MAX];
    daa_config_line(&t->config, line);
    fprintf(
        stderr,
        "check-engine: %s: batch %zu C[%zu][%zu] is 0x%08x; the golden model has 0x%08x (%zu x %zu x %zu, %s by %s, "
        "transposed %d %d, types %d %d, C0 %d, %d threads, seed %" PRIu64 ": %s)\n",
        daa_engine_name(t->engine), x, i, j, got, want, t->m, t->n, t->k, kind_names[t->a_kind], kind_names[t->b_kind],
        t->a_transposed, t->b_transposed, (int)t->a_type, (int)t->b_type, t->c0, t->threads, seed, line);
    return 1;
}

/* C0 of another format than a float's: a number of it, or a float that rounds to it. */
static uint32_t narrow_acc(const struct test *t, enum daa_type type, uint32_t word) {
    float value;
    memcpy(&value, &word, sizeof value);
    if (below(8) == 0)
        value = (float)daa_to_double(t->config.acc_format, random32() >> (32 - daa_format_width(t->config.acc_format)));
    else if (t->config.acc_format.exp_bits < 8 && below(4))
        value = (float)random32() * (below(2) ? 0x1p-31f : -0x1p-29f);
    memcpy(&word, &value, sizeof word);
    if (type == DAA_FLOAT32 && below(16) == 0)
        word &= 0x807fffff; /* subnormal */
    if (type == DAA_BITS32)
        daa_from_double(t->config.acc_format, (double)value, &word);
    return word;
}

static bool is_fp32(struct daa_format format) {
    return format.exp_bits == 8 && format.frac_bits == 23;
}

static int run(const struct test *t) {
    const size_t pad = below(5), m = t->m, n = t->n, k = t->k;
    const size_t lda = (t->a_transposed ? m : k) + pad, ldb = (t->b_transposed ? k : n) + below(5), ldc = n + below(5);
    const size_t a_size = (t->a_transposed ? k : m) * lda, b_size = (t->b_transposed ? n : k) * ldb, c_size = m * ldc;
    uint32_t *golden_a = memory(m * k * 4), *golden_b = memory(k * n * 4), *want = memory(m * n * 4);
    uint32_t *golden_c0 = memory(m * n * 4), *c = memory(t->batch * c_size * 4), *c0 = memory(t->batch * c_size * 4);
    void *a = memory(t->batch * a_size * 4), *b = memory(t->batch * b_size * 4);
    int failed = 0;
    for (size_t i = 0; i < t->batch * c_size; i++) {
        c0[i] = random_acc(t->a_kind);
        if (!is_fp32(t->config.acc_format))
            c0[i] = narrow_acc(t, t->c0_type, c0[i]);
        c[i] = t->c0_is_c ? c0[i] : 0xdeadbeef;
    }
    for (size_t x = 0; x < t->batch; x++) {
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < k; j++)
                put(t->a_kind, t->a_type, t->config.a_format, a,
                    x * a_size + (t->a_transposed ? j * lda + i : i * lda + j));
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j < n; j++)
                put(t->b_kind, t->b_type, t->config.b_format, b,
                    x * b_size + (t->b_transposed ? j * ldb + i : i * ldb + j));
    }
    const struct daa_gemm_args args = {
        .config = &t->config,
        .m = m,
        .n = n,
        .k = k,
        .batch = t->batch,
        .a = {a, t->a_type, t->a_transposed, lda, a_size},
        .b = {b, t->b_type, t->b_transposed, ldb, b_size},
        .c0 = {t->c0 ? (t->c0_is_c ? c : c0) : NULL, t->c0_type, false, ldc, c_size},
        .c = {c, t->c_type, ldc, c_size},
        .engine = t->engine,
        .threads = t->threads,
    };
    struct daa_gemm_report report;
    struct daa_error error;
    if (daa_gemm_run(&args, &report, &error) != DAA_OK) {
        fprintf(stderr, "check-engine: %s\n", error.text);
        exit(1);
    }
    for (size_t x = 0; x < t->batch && !failed; x++) {
        for (size_t i = 0; i < m * k; i++) {
            size_t index = x * a_size + (t->a_transposed ? i % k * lda + i / k : i / k * lda + i % k);
            if (t->a_type == DAA_FLOAT32)
                daa_from_double(t->config.a_format, (double)((float *)a)[index], &golden_a[i]);
            else
                golden_a[i] = t->a_type == DAA_BITS16 ? ((uint16_t *)a)[index] : ((uint32_t *)a)[index];
        }
        for (size_t i = 0; i < k * n; i++) {
            size_t index = x * b_size + (t->b_transposed ? i % n * ldb + i / n : i / n * ldb + i % n);
            if (t->b_type == DAA_FLOAT32)
                daa_from_double(t->config.b_format, (double)((float *)b)[index], &golden_b[i]);
            else
                golden_b[i] = t->b_type == DAA_BITS16 ? ((uint16_t *)b)[index] : ((uint32_t *)b)[index];
        }
        for (size_t i = 0; i < m * n; i++) {
            golden_c0[i] = c0[x * c_size + i / n * ldc + i % n];
            float value;
            memcpy(&value, &golden_c0[i], sizeof value);
            if (t->c0_type == DAA_FLOAT32)
                daa_from_double(t->config.acc_format, (double)value, &golden_c0[i]);
        }
        if (!daa_gemm(&t->config, m, n, k, golden_a, k, golden_b, n, t->c0 ? golden_c0 : NULL, n, want, n, NULL,
                      &error)) {
            fprintf(stderr, "check-engine: %s\n", error.text);
            exit(1);
        }
        for (size_t i = 0; t->c_type == DAA_FLOAT32 && i < m * n; i++) {
            const float value = (float)daa_to_double(t->config.out_format, want[i]);
            memcpy(&want[i], &value, sizeof value);
        }
        for (size_t i = 0; i < m * ldc && !failed; i++) {
            uint32_t got = c[x * c_size + i];
            if (i % ldc < n && got != want[i / ldc * n + i % ldc])
                failed = fail(t, x, i / ldc, i % ldc, got, want[i / ldc * n + i % ldc]);
            else if (i % ldc >= n && got != (t->c0_is_c ? c0[x * c_size + i] : 0xdeadbeef))
                failed = fail(t, x, i / ldc, i % ldc, got, 0xdeadbeef);
        }
    }
    cases += t->batch * m * n;
    steps += t->batch * m * n * ((k + (size_t)t->config.streams - 1) / (size_t)t->config.streams);
    free(golden_a);
    free(golden_b);
    free(golden_c0);
    free(want);
    free(a);
    free(b);
    free(c);
    free(c0);
    return failed;
}

/* ---- which cases ---- */

/* MORE: pairs of names and values up to a NULL. */
static void configure_more(struct daa_config *config, int streams, int lo_bits, const char *round, const char *policy,
                           int window, const char *const *more) {
    struct daa_options *options = daa_options_new();
    struct daa_error error;
    char number[3][16];
    snprintf(number[0], sizeof number[0], "%d", streams);
    snprintf(number[1], sizeof number[1], "%d", lo_bits);
    snprintf(number[2], sizeof number[2], "%d", window);
    for (; *more; more += 2) {
        if (!daa_options_set(options, more[0], more[1], &error)) {
            fprintf(stderr, "check-engine: %s\n", error.text);
            exit(1);
        }
    }
    if (!daa_options_set(options, "streams", number[0], &error) ||
        !daa_options_set(options, "lo-bits", number[1], &error) ||
        !daa_options_set(options, "lo-round", round, &error) || !daa_options_set(options, "policy", policy, &error) ||
        (window >= 0 && !daa_options_set(options, "window", number[2], &error)) ||
        !daa_options_set(options, "specials", "on", &error) ||
        !daa_options_resolve(options, DAA_SOFTWARE, config, &error)) {
        fprintf(stderr, "check-engine: %s\n", error.text);
        exit(1);
    }
    daa_options_free(options);
}

/* With the rounded accumulator. */
static void configure(struct daa_config *config, int streams, int lo_bits, const char *round, const char *policy,
                      int window) {
    configure_more(config, streams, lo_bits, round, policy, window,
                   (const char *const[]){"accumulator", "rounded", NULL});
}

static const char *policy_name(int policy) {
    return daa_policy_info((enum daa_policy)policy)->name;
}

/* FORMAT, or another one, where ACC is not as wide. */
static const char *fitting(const char *format, const char *acc) {
    struct daa_format of_acc, of;
    daa_format_parse(acc, &of_acc);
    daa_format_parse(format, &of);
    if (of.exp_bits <= of_acc.exp_bits && of.frac_bits <= of_acc.frac_bits)
        return format;
    return of_acc.frac_bits < 10 ? "e5m2" : below(2) ? "fp16" : "e4m3";
}

static enum daa_type random_type(struct daa_format format) {
    return (enum daa_type)below(daa_format_width(format) > 16 ? 2 : 3);
}

static struct test random_test(enum daa_engine engine, size_t most) {
    static const int windows[] = {0, 1, 3, 7, 8, 9, 12, 16, 32};
    static const char *const formats[] = {"e8m1", "e8m2", "e8m3", "e8m4",  "e8m5", "e8m6", "bf16", "e4m3", "e5m2",
                                          "e3m2", "e2m3", "e2m1", "e7m7",  "e4m1", "e2m6", "fp16", "fp16", "tf32",
                                          "tf32", "e8m8", "e8m9", "e7m10", "e5m9", "e6m8", "e2m10"};
    static const char *const accs[] = {"e8m15", "e6m9",  "fp16",  "e5m7",  "e5m10", "e8m7",
                                       "tf32",  "e8m21", "e8m22", "e7m23", "e6m21", "e5m20"};
    enum { FORMATS = sizeof formats / sizeof formats[0], ACCS = sizeof accs / sizeof accs[0] };
    struct test t = {.engine = engine, .batch = below(4) ? 1 : 1 + below(3), .threads = 1 + (int)below(3)};
    uint32_t kind = below(KINDS);
    const bool narrow = below(3) == 0, anchored = below(2);
    const uint32_t log2_streams = below(4);
    char bits[16] = "auto", step[16] = "auto", groups[16] = "1";
    if (log2_streams > 1) /* half of four streams' in pairs, which the vectors know */
        snprintf(groups, sizeof groups, "%u", 1U << below(log2_streams));
    if (anchored && below(2)) {
        snprintf(bits, sizeof bits, "%u", 8 + below(26)); /* 33 is one too many for the vectors */
        snprintf(step, sizeof step, "%u", 1U << below(4));
    }
    const char *acc = below(3) ? "fp32" : accs[below(ACCS)];
    const char *const more[] = {"a-format",    fitting(narrow ? formats[below(FORMATS)] : "bf16", acc),
                                "b-format",    fitting(narrow ? formats[below(FORMATS)] : "bf16", acc),
                                "acc-format",  acc,
                                "accumulator", anchored ? "anchored" : "rounded",
                                "acc-bits",    bits,
                                "acc-step",    step,
                                "out-format",  below(4) ? "auto" : fitting("bf16", acc),
                                "groups",      groups,
                                NULL};
    configure_more(&t.config, 1 << log2_streams, 1 + (int)below(8), below(2) ? "nearest" : "truncate",
                   policy_name(below(2) ? DAA_EXPONENT : (int)below(DAA_POLICY_COUNT)),
                   below(3) ? -1 : windows[below(9)], more);
    t.a_kind = (enum kind)kind;
    t.b_kind = (enum kind)(below(3) ? kind : below(KINDS));
    t.m = 1 + below((uint32_t)most);
    t.n = 1 + below((uint32_t)most * 2);
    t.k = below((uint32_t)most * (below(4) ? 2 : 16));
    t.a_transposed = below(2);
    t.b_transposed = below(2);
    t.a_type = random_type(t.config.a_format);
    t.b_type = random_type(t.config.b_format);
    t.c0 = below(2);
    t.c0_is_c = t.c0 && below(2);
    t.c_type = below(2) ? DAA_BITS32 : DAA_FLOAT32;
    t.c0_type = t.c0_is_c ? t.c_type : below(2) ? DAA_BITS32 : DAA_FLOAT32;
    return t;
}

/* The edge table crossed with itself for each stream beside each edge of the other: every pair in one tile of K = S. */
static int crossed(enum daa_engine engine) {
    int failed = 0;
    for (int streams = 1; streams <= DAA_STREAMS_MAX && !failed; streams *= 2) {
        for (int p = 0; p < (streams == 1 ? 1 : DAA_POLICY_COUNT) && !failed; p++) {
            for (int lo_bits = 1; lo_bits <= 8 && !failed; lo_bits++) {
                struct test t = {.engine = engine, .m = 40, .n = 100, .k = (size_t)streams, .batch = 2, .threads = 1};
                t.c0_type = t.c_type = DAA_BITS32;
                configure(&t.config, streams, lo_bits, lo_bits % 2 ? "truncate" : "nearest", policy_name(p), -1);
                t.a_kind = t.b_kind = EDGE_FINITE;
                failed = run(&t);
                configure(&t.config, streams, lo_bits, lo_bits % 2 ? "nearest" : "truncate", policy_name(p), -1);
                t.a_kind = t.b_kind = EDGE_ALL;
                t.c0 = true;
                failed = failed || run(&t);
            }
        }
    }
    return failed;
}

/* Every plan: streams, policy, low bits and rounding, with the default window and others; few steps from C0 for each of
 * the kinds that reach the exact paths, and some more. */
static int planned(enum daa_engine engine) {
    static const enum kind kinds[] = {APART, EDGE_ALL, MIXED, TINY, HUGE_VALUES, POWERS, POWERS, BRINK, BRINK, BOTTOM};
    static const int windows[] = {-1, -1, 8, 10, 14, 20, 32, -1, 20, -1};
    int failed = 0;
    for (int plan = 0; plan < 3 * DAA_POLICY_COUNT * 8 * 2 && !failed; plan++) {
        struct test t = {.engine = engine, .batch = 1, .threads = 1, .a_type = DAA_BITS16, .b_type = DAA_BITS16};
        t.c0_type = t.c_type = DAA_BITS32;
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !failed; i++) {
            configure(&t.config, 2 << plan % 3, 1 + plan / 3 % 8, plan / 24 % 2 ? "nearest" : "truncate",
                      policy_name(plan / 48), windows[i]);
            t.a_kind = t.b_kind = kinds[i];
            t.c0 = true;
            t.m = 1 + below(20);
            t.n = 1 + below(80);
            t.k = i & 1 ? 1 + below(80) : (size_t)t.config.streams;
            t.a_transposed = below(2);
            t.b_transposed = below(2);
            failed = run(&t);
        }
    }
    return failed;
}

/* What an engine does not know, the portable engine or the golden model does; the lists are those of docs/api.md. */
static int left_to_others(enum daa_engine engine) {
    static const char *const known[] = {"exponent", "static", "rotate", "high", "low"};
    for (int streams = 1; streams <= DAA_STREAMS_MAX; streams *= 2) {
        for (int p = 0; p < DAA_POLICY_COUNT; p++) {
            struct daa_config config;
            struct daa_gemm_report report;
            struct daa_error error;
            uint32_t one[DAA_STREAMS_MAX] = {0x3f80}, c;
            bool knows = false;
            for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
                knows = knows || strcmp(policy_name(p), known[i]) == 0;
            configure(&config, streams, 4, "nearest", policy_name(p), -1);
            const struct daa_gemm_matrix a = {one, DAA_BITS32, false, DAA_STREAMS_MAX, 0},
                                         b = {one, DAA_BITS32, false, 1, 0};
            const struct daa_gemm_args args = {.config = &config,
                                               .m = 1,
                                               .n = 1,
                                               .k = DAA_STREAMS_MAX,
                                               .batch = 1,
                                               .a = a,
                                               .b = b,
                                               .c = {&c, DAA_BITS32, 1, 0},
                                               .engine = engine};
            const enum daa_engine want = knows ? engine : DAA_ENGINE_GOLDEN;
            const bool good = daa_gemm_run(&args, &report, &error) == DAA_OK && c == 0x3f800000;
            const bool same =
                engine == DAA_ENGINE_AUTO && knows ? report.engine != DAA_ENGINE_GOLDEN : report.engine == want;
            cases++;
            if (good && same &&
                (engine == DAA_ENGINE_AUTO || (report.reason != NULL) == (want != engine) || want == engine))
                continue;
            fprintf(stderr, "check-engine: %s: policy %s, %d streams: ran %s (%s)\n", daa_engine_name(engine),
                    policy_name(p), streams, daa_engine_name(report.engine), good ? "as it should" : "wrong");
            return 1;
        }
    }
    return 0;
}

/* Likewise for formats: a SIMD engine does all of these that it can do in doubles. */
static int formats_left_to_others(enum daa_engine engine) {
    static const struct {
        const char *format, *acc, *policy, *bits;
        int streams, window;
        bool fast;
    } list[] = {
        {"fp16", "fp32", "exponent", "4", 2, -1, true},  {"tf32", "fp32", "exponent", "11", 4, -1, true},
        {"tf32", "fp32", "high", "4", 4, -1, true},      {"tf32", "fp32", "high", "4", 8, 32, false},
        {"bf16", "e8m15", "exponent", "4", 2, -1, true}, {"e4m3", "e6m9", "static", "2", 8, -1, true},
        {"fp16", "fp16", "rotate", "4", 1, -1, true},    {"bf16", "e8m22", "exponent", "4", 4, 32, true},
        {"fp16", "e7m23", "low", "4", 2, -1, true},      {"fp16", "fp16", "magnitude", "4", 2, -1, false},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct daa_config config;
        struct daa_gemm_report report;
        struct daa_error error;
        float one[DAA_STREAMS_MAX] = {1}, c;
        const char *const more[] = {"a-format",     list[i].format, "b-format",
                                    list[i].format, "acc-format",   list[i].acc,
                                    "accumulator",  "rounded",      NULL};
        configure_more(&config, list[i].streams, atoi(list[i].bits), "nearest", list[i].policy, list[i].window, more);
        const struct daa_gemm_args args = {.config = &config,
                                           .m = 1,
                                           .n = 1,
                                           .k = DAA_STREAMS_MAX,
                                           .batch = 1,
                                           .a = {one, DAA_FLOAT32, false, DAA_STREAMS_MAX, 0},
                                           .b = {one, DAA_FLOAT32, false, 1, 0},
                                           .c = {&c, DAA_FLOAT32, 1, 0},
                                           .engine = engine};
        const bool good = daa_gemm_run(&args, &report, &error) == DAA_OK && c == 1;
        const bool could = list[i].fast && (engine > DAA_ENGINE_PORTABLE ||
                                            (engine == DAA_ENGINE_AUTO && daa_engine_present(DAA_ENGINE_AVX2)));
        cases++;
        if (good && (could ? report.engine > DAA_ENGINE_PORTABLE : report.engine == DAA_ENGINE_GOLDEN))
            continue;
        fprintf(stderr, "check-engine: %s: %s into %s, policy %s, %d streams: ran %s (%s)\n", daa_engine_name(engine),
                list[i].format, list[i].acc, list[i].policy, list[i].streams, daa_engine_name(report.engine),
                good ? "as it should" : "wrong");
        return 1;
    }
    return 0;
}

/* Floats beyond every format's largest number, or that round to beyond it, and those around it, in vectors of eight and
 * behind the last whole one. */
static int overflowing(enum daa_engine engine) {
    static const char *const formats[] = {"bf16", "e8m5", "e8m1", "e4m3", "e5m2", "e2m1", "e7m7", "fp16", "tf32"};
    static const float factors[] = {0.99f, 1, 1.01f, 1.03f, 1.06f, 1.13f, 1.3f, 1.6f, 2, 3, 0x1p20f, 0x1p120f};
    enum { FACTORS = sizeof factors / sizeof factors[0], EDGE = 2 * FACTORS + 1 };
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++) {
        struct daa_config config;
        struct daa_gemm_report report;
        struct daa_error error;
        float a[EDGE], one = 1, c[EDGE];
        const char *const more[] = {"a-format", formats[f], "b-format", "bf16", "accumulator", "rounded", NULL};
        configure_more(&config, 1, 4, "nearest", "exponent", -1, more);
        const struct daa_format format = config.a_format;
        const float ones = 2 - ldexpf(format.encoding == DAA_FN ? 2 : 1, -format.frac_bits);
        for (size_t i = 0; i < EDGE - 1; i++)
            a[i] = (i % 2 ? -1.0F : 1.0F) * factors[i / 2] * ldexpf(ones, daa_format_exp_max(format));
        a[EDGE - 1] = -__builtin_inff();
        const struct daa_gemm_args args = {.config = &config,
                                           .m = EDGE,
                                           .n = 1,
                                           .k = 1,
                                           .batch = 1,
                                           .a = {a, DAA_FLOAT32, true, EDGE, 0},
                                           .b = {&one, DAA_FLOAT32, false, 1, 0},
                                           .c = {c, DAA_FLOAT32, 1, 0},
                                           .engine = engine};
        bool good = daa_gemm_run(&args, &report, &error) == DAA_OK;
        for (size_t i = 0; i < EDGE && good; i++, cases++) {
            uint32_t bits;
            daa_from_double(format, (double)a[i], &bits);
            good = (double)c[i] == daa_to_double(format, bits);
            if (!good)
                fprintf(stderr, "check-engine: %s: %a becomes %a in %s; daa_from_double() has %a\n",
                        daa_engine_name(engine), (double)a[i], (double)c[i], formats[f], daa_to_double(format, bits));
        }
        if (!good)
            return 1;
    }
    return 0;
}

/* Likewise for the anchored accumulator. */
static int anchored_left_to_others(enum daa_engine engine) {
    static const struct {
        int streams, window;
        const char *policy, *bits, *groups;
        bool fast, fp16;
    } list[] = {
        {1, -1, "high", "32", "1", true, false},      {2, -1, "exponent", "32", "1", true, false},
        {4, -1, "low", "8", "1", true, false},        {8, -1, "exponent", "20", "1", true, false},
        {2, -1, "exponent", "33", "1", false, false}, {4, -1, "high", "32", "1", true, false},
        {2, 32, "exponent", "32", "1", true, false},  {2, -1, "magnitude", "32", "1", false, false},
        {4, 6, "exponent", "32", "2", true, false},   {4, 7, "exponent", "32", "2", true, false},
        {8, 3, "exponent", "32", "4", true, false},   {8, 3, "exponent", "32", "2", true, false},
        {4, 3, "static", "32", "2", true, false},     {4, 3, "magnitude", "32", "2", false, false},
        {1, -1, "exponent", "32", "1", true, true},   {2, -1, "exponent", "32", "1", true, true},
        {4, -1, "low", "24", "1", true, true},        {4, -1, "high", "32", "1", true, true},
        {8, -1, "exponent", "32", "1", true, true},   {2, -1, "rotate", "32", "1", true, false},
        {2, 32, "static", "32", "1", true, false},    {8, 32, "static", "32", "1", false, true},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct daa_config config;
        struct daa_gemm_report report;
        struct daa_error error;
        uint32_t one[DAA_STREAMS_MAX] = {list[i].fp16 ? 0x3c00 : 0x3f80}, c;
        const char *const format = list[i].fp16 ? "fp16" : "bf16";
        const char *const more[] = {"a-format", format,       "b-format", format,         "accumulator", "anchored",
                                    "acc-bits", list[i].bits, "groups",   list[i].groups, NULL};
        configure_more(&config, list[i].streams, 4, "nearest", list[i].policy, list[i].window, more);
        const struct daa_gemm_matrix a = {one, DAA_BITS32, false, DAA_STREAMS_MAX, 0},
                                     b = {one, DAA_BITS32, false, 1, 0};
        const struct daa_gemm_args args = {.config = &config,
                                           .m = 1,
                                           .n = 1,
                                           .k = DAA_STREAMS_MAX,
                                           .batch = 1,
                                           .a = a,
                                           .b = b,
                                           .c = {&c, DAA_BITS32, 1, 0},
                                           .engine = engine};
        const bool good = daa_gemm_run(&args, &report, &error) == DAA_OK && c == 0x3f800000;
        const bool fast = report.engine > DAA_ENGINE_PORTABLE;
        const bool could = list[i].fast && (engine > DAA_ENGINE_PORTABLE ||
                                            (engine == DAA_ENGINE_AUTO && daa_engine_present(DAA_ENGINE_AVX2)));
        cases++;
        if (good && fast == could && (fast || report.engine == DAA_ENGINE_GOLDEN) &&
            (fast || engine == DAA_ENGINE_GOLDEN || report.reason))
            continue;
        fprintf(stderr, "check-engine: %s: anchored, policy %s, %d streams, window %d, %s bits: ran %s (%s)\n",
                daa_engine_name(engine), list[i].policy, list[i].streams, list[i].window, list[i].bits,
                daa_engine_name(report.engine), good ? "as it should" : "wrong");
        return 1;
    }
    return 0;
}

/* Large enough for several tasks and blocks of K, with zeros in one operand, both or none. */
static int large(enum daa_engine engine) {
    int failed = 0;
    for (int i = 0; i < 16 && !failed; i++) {
        struct test t = random_test(engine, 8);
        t.a_kind = i & 1 ? SPARSE : SPREAD;
        t.b_kind = i & 2 ? SPARSE : GAUSSIAN;
        t.a_transposed = i & 4;
        t.b_transposed = i & 8;
        t.batch = 1;
        t.m = 60 + below(40);
        t.n = 60 + below(60);
        t.k = i % 4 ? 150 + below(100) : 500 + below(300);
        failed = run(&t);
    }
    return failed;
}

/* Anchors that move, accumulators that fill, and C0 whose place no float has, with every way to sum. */
static int filling(enum daa_engine engine) {
    static const char *const bits[] = {"8", "11", "17", "32"}, *const coarse[] = {"1", "2", "4", "8"};
    int failed = 0;
    for (int i = 0; i < 4 * 4 * 10 && !failed; i++) {
        const int way = i / 16, streams = 1 << way % 5 % 4;
        const bool floats = way >= 5 && streams < 8, lowest = below(3) == 0;
        const char *const more[] = {"a-format", floats ? "tf32" : "bf16",
                                    "b-format", floats ? "tf32" : "bf16",
                                    "acc-bits", bits[i % 4],
                                    "acc-step", coarse[i / 4 % 4],
                                    "groups",   streams == 4 && below(2) ? "2" : "1",
                                    NULL};
        struct test t = {.engine = engine, .batch = 1, .threads = 1, .c0 = true};
        configure_more(&t.config, streams, 4, "nearest", "exponent", 6, more);
        t.a_kind = t.b_kind = lowest ? LOWEST : FILLING;
        t.a_type = t.b_type = t.c0_type = t.c_type = DAA_BITS32;
        t.m = 16 + below(24);
        t.n = 64 + below(16);
        t.k = (size_t)streams * (16 + below(60));
        failed = run(&t);
    }
    return failed;
}

/* -1.875 * 2^127 in e8m22, whose 31 bits are those of a float's NaN, in rows of C and in columns. */
static int widest(enum daa_engine engine) {
    enum { LONG = 20, SHORT = 3, RESULT = 0x7fb80000 };
    const char *const more[] = {"acc-format", "e8m22", "out-format", "e8m22", NULL};
    struct daa_config config;
    configure_more(&config, 2, 4, "nearest", "exponent", -1, more);
    uint16_t a[LONG], b[LONG];
    for (size_t i = 0; i < LONG; i++) {
        a[i] = 0xdf40;
        b[i] = 0x5fa0;
    }
    for (size_t turn = 0; turn < 2; turn++) {
        const size_t m = turn ? SHORT : LONG, n = turn ? LONG : SHORT;
        uint32_t c[LONG * SHORT];
        struct daa_gemm_report report;
        struct daa_error error;
        const struct daa_gemm_args args = {.config = &config,
                                           .m = m,
                                           .n = n,
                                           .k = 1,
                                           .batch = 1,
                                           .a = {a, DAA_BITS16, false, 1, 0},
                                           .b = {b, DAA_BITS16, false, n, 0},
                                           .c = {c, DAA_BITS32, n, 0},
                                           .engine = engine};
        bool good = daa_gemm_run(&args, &report, &error) == DAA_OK;
        for (size_t i = 0; i < m * n && good; i++, cases++)
            good = c[i] == RESULT;
        if (!good) {
            fprintf(stderr, "check-engine: %s: -1.875 * 2^127 in e8m22 is not 0x%x\n", daa_engine_name(engine), RESULT);
            return 1;
        }
    }
    return 0;
}

/* Threads where none are asked for, for BATCH products of EDGE^3. */
static int threads_taken(enum daa_engine engine, size_t edge, size_t batch) {
    const size_t size = edge * edge;
    struct test t;
    configure(&t.config, 2, 4, "nearest", "exponent", -1);
    uint16_t *zeros = memory(batch * size * sizeof *zeros);
    uint32_t *c = memory(batch * size * sizeof *c);
    memset(zeros, 0, batch * size * sizeof *zeros);
    const struct daa_gemm_matrix operand = {zeros, DAA_BITS16, false, edge, size};
    const struct daa_gemm_args args = {.config = &t.config,
                                       .m = edge,
                                       .n = edge,
                                       .k = edge,
                                       .batch = batch,
                                       .a = operand,
                                       .b = operand,
                                       .c = {c, DAA_BITS32, edge, size},
                                       .engine = engine};
    struct daa_gemm_report report;
    struct daa_error error;
    const bool good = daa_gemm_run(&args, &report, &error) == DAA_OK;
    free(zeros);
    free(c);
    return good ? report.threads : 0;
}

/* A small product stays on one thread; many small ones do not, where there is another processor. */
static int shared_out(enum daa_engine engine) {
    const int one = threads_taken(engine, 16, 1), many = threads_taken(engine, 64, 256);
    if (one == 1 && (many > 1 || sysconf(_SC_NPROCESSORS_ONLN) == 1))
        return 0;
    fprintf(stderr, "check-engine: %s: a small product takes %d threads, 256 larger ones %d\n", daa_engine_name(engine),
            one, many);
    return 1;
}

static int check(enum daa_engine engine, bool is_long) {
    static const size_t tails[] = {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 65};
    const int count = is_long ? 4000 : 250;
    int failed = left_to_others(engine) || formats_left_to_others(engine) || overflowing(engine) ||
                 anchored_left_to_others(engine) || widest(engine) || crossed(engine) || planned(engine) ||
                 (engine != DAA_ENGINE_GOLDEN && (large(engine) || filling(engine) || shared_out(engine)));
    for (size_t i = 0; i < 11 && !failed; i++) {
        struct test t = random_test(engine, 8);
        t.m = tails[i];
        t.n = tails[10 - i];
        t.k = tails[below(11)];
        failed = run(&t);
    }
    for (int i = 0; i < count && !failed; i++) {
        struct test t = random_test(engine, i % 16 ? 24 : 96);
        failed = run(&t);
    }
    return failed;
}

int main(int argc, char **argv) {
    bool is_long = false;
    enum daa_engine only = DAA_ENGINE_COUNT;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--long") == 0)
            is_long = true;
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc && daa_engine_parse(argv[i + 1], &only))
            i++;
        else {
            fprintf(stderr, "check-engine: '%s' is not understood; check-engine [--seed N] [--long] [--only ENGINE]\n",
                    argv[i]);
            return 2;
        }
    }
    for (enum daa_engine engine = DAA_ENGINE_AUTO; engine < DAA_ENGINE_COUNT; engine++) {
        if (only != DAA_ENGINE_COUNT && engine != only)
            continue;
        random_state = (seed + 1) * UINT64_C(0xd1342543de82ef95);
        cases = steps = 0;
        if (!daa_engine_present(engine)) {
            printf("%s: this processor does not have it\n", daa_engine_name(engine));
            continue;
        }
        if (check(engine, is_long))
            return 1;
        printf("%s: %" PRIu64 " results of %" PRIu64 " steps as the golden model has them, seed %" PRIu64 "\n",
               daa_engine_name(engine), cases, steps, seed);
    }
    return 0;
}

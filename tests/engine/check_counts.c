/* Counts without arithmetic against the golden model's: check-counts [--seed N] [--long]. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../engine/engine_count.h"
#include "../common/random.h"

static uint64_t seed = 1;

static void stop(const char *what) {
    fprintf(stderr, "check-counts: %s\n", what);
    exit(1);
}

static void *memory(size_t size) {
    void *m = malloc(size + 1);
    if (!m)
        stop("out of memory");
    return m;
}

/* ---- one case ---- */

struct operand {
    struct daa_format format;
    struct daa_gemm_matrix matrix;
    void *data;
};

/* Exponents within SPREAD of the middle, or any; zeros, subnormals, the largest numbers, Inf and NaN among them. */
static uint32_t random_bits(struct daa_format format, uint32_t spread) {
    const uint32_t fields = UINT32_C(1) << format.exp_bits, fracs = UINT32_C(1) << format.frac_bits;
    const uint32_t middle = fields / 2 > spread ? fields / 2 - spread : 0;
    uint32_t field = spread ? (middle + below(2 * spread)) % fields : below(fields), frac = below(fracs);
    switch (below(spread ? 40 : 8)) {
    case 0:
        field = below(2) ? 0 : fields - 1;
        break;
    case 1:
        frac = below(2) ? 0 : fracs - 1;
        break;
    case 2:
        field = 0, frac = 0;
        break;
    default:
        break;
    }
    return below(2) << (format.exp_bits + format.frac_bits) | field << format.frac_bits | frac;
}

/* A float gets something below the format's last bit, which rounding may carry into the next exponent. */
static float random_float(struct daa_format format, uint32_t spread) {
    float value = (float)daa_to_double(format, random_bits(format, spread));
    uint32_t word;
    memcpy(&word, &value, sizeof word);
    if ((word & 0x7f800000) != 0x7f800000 && (word & 0x7fffffff))
        word += below(2) ? UINT32_C(1) << (22 - format.frac_bits) : below(UINT32_C(1) << (23 - format.frac_bits));
    memcpy(&value, &word, sizeof value);
    return value;
}

static struct operand random_operand(struct daa_format format, size_t rows, size_t cols, size_t batch) {
    struct operand operand = {.format = format};
    struct daa_gemm_matrix *m = &operand.matrix;
    const uint32_t spread = below(4) * 8;
    m->type = (enum daa_type)below(3);
    m->transposed = below(2);
    m->ld = (m->transposed ? rows : cols) + below(4);
    const size_t size = (m->transposed ? cols : rows) * m->ld;
    m->stride = below(4) ? size + below(3) : 0;
    const size_t count = (batch - 1) * m->stride + size;
    operand.data = memory(count * 4);
    m->data = operand.data;
    for (size_t i = 0; i < count; i++) {
        if (m->type == DAA_FLOAT32)
            ((float *)operand.data)[i] = random_float(format, spread);
        else if (m->type == DAA_BITS32)
            ((uint32_t *)operand.data)[i] = random_bits(format, spread);
        else
            ((uint16_t *)operand.data)[i] = (uint16_t)random_bits(format, spread);
    }
    return operand;
}

static uint64_t products, met[5];

static bool differ(const char *name, int stream, uint64_t got, uint64_t want) {
    if (got != want)
        fprintf(stderr, "check-counts: %s of stream %d: %" PRIu64 ", the golden model counts %" PRIu64 "\n", name,
                stream, got, want);
    return got != want;
}

static bool differ_any(const struct daa_counts *got, const struct daa_counts *want) {
    bool any = false;
    for (int s = 0; s < DAA_STREAMS_MAX; s++)
        any = differ("high", s, got->high[s], want->high[s]) || differ("low", s, got->low[s], want->low[s]) ||
              differ("zero", s, got->zero[s], want->zero[s]) ||
              differ("dropped", s, got->dropped[s], want->dropped[s]) ||
              differ("special", s, got->special[s], want->special[s]) || any;
    return any;
}

static void run(const struct daa_config *config, enum daa_engine engine, size_t m, size_t n, size_t k, size_t batch) {
    struct operand a = random_operand(config->a_format, m, k, batch), b = random_operand(config->b_format, k, n, batch);
    uint32_t *c = memory(batch * m * n * 4), *golden_c = memory(batch * m * n * 4);
    struct daa_counts alone, with, want;
    memset(&alone, 1, sizeof alone); /* they are added to */
    with = want = alone;
    struct daa_gemm_args args = {
        .config = config,
        .m = m,
        .n = n,
        .k = k,
        .batch = batch,
        .a = a.matrix,
        .b = b.matrix,
        .c = {golden_c, DAA_BITS32, n, m * n},
        .engine = DAA_ENGINE_GOLDEN,
        .threads = 1,
        .counts = &want,
    };
    struct daa_gemm_report report;
    struct daa_error error;
    if (daa_gemm_run(&args, NULL, &error) != DAA_OK)
        stop(error.text);
    args.counts = &alone;
    if (!daa_count_products(&args))
        stop("out of memory");
    args.c.data = c;
    args.engine = engine;
    args.counts = &with;
    if (daa_gemm_run(&args, &report, &error) != DAA_OK)
        stop(error.text);
    if (differ_any(&alone, &want) || differ_any(&with, &want) || memcmp(c, golden_c, batch * m * n * 4) != 0) {
        char line[DAA_LINE_MAX];
        daa_config_line(config, line);
        fprintf(stderr,
                "check-counts: %zu x %zu x %zu, batch %zu, types %d %d, transposed %d %d, engine %s, seed %" PRIu64
                ": %s\n",
                m, n, k, batch, (int)a.matrix.type, (int)b.matrix.type, a.matrix.transposed, b.matrix.transposed,
                daa_engine_name(report.engine), seed, line);
        exit(1);
    }
    const uint64_t *const fates[5] = {want.high, want.low, want.zero, want.dropped, want.special};
    uint64_t before;
    memset(&before, 1, sizeof before);
    for (int fate = 0; fate < 5; fate++)
        for (int s = 0; s < DAA_STREAMS_MAX; s++)
            met[fate] += fates[fate][s] - before;
    products += batch * m * n * k;
    free(a.data);
    free(b.data);
    free(c);
    free(golden_c);
}

/* ---- which cases ---- */

static void set(struct daa_options *options, const char *name, const char *value) {
    struct daa_error error;
    if (!daa_options_set(options, name, value, &error))
        stop(error.text);
}

static void set_number(struct daa_options *options, const char *name, uint32_t value) {
    char text[16];
    snprintf(text, sizeof text, "%" PRIu32, value);
    set(options, name, text);
}

static void random_format(char text[DAA_FORMAT_NAME_MAX]) {
    static const char *const aliases[] = {"bf16", "bf16", "tf32", "fp16", "e5m2", "e4m3", "e3m2", "e2m3", "e2m1"};
    uint32_t index = below(12);
    if (index < 9)
        snprintf(text, DAA_FORMAT_NAME_MAX, "%s", aliases[index]);
    else
        snprintf(text, DAA_FORMAT_NAME_MAX, "e%" PRIu32 "m%" PRIu32, 2 + below(7), 1 + below(10));
}

static void random_config(struct daa_config *config, bool fast) {
    struct daa_options *options = daa_options_new();
    struct daa_error error;
    char format[DAA_FORMAT_NAME_MAX] = "bf16";
    for (int side = 0; side < 2; side++) {
        if (!fast)
            random_format(format);
        set(options, side ? "b-format" : "a-format", format);
    }
    const uint32_t log2_streams = below(4);
    set_number(options, "streams", 1 << log2_streams);
    set_number(options, "groups", log2_streams > 1 ? 1 << below(log2_streams) : 1);
    set_number(options, "lo-bits", 1 + below(11));
    set(options, "lo-round", below(2) ? "nearest" : "truncate");
    set(options, "accumulator", below(2) ? "rounded" : "anchored");
    const struct daa_policy_info *policy;
    do
        policy = daa_policy_info(below(3) ? (enum daa_policy)below(DAA_POLICY_COUNT) : DAA_EXPONENT);
    while (policy->winner == DAA_WINS_LARGEST && !policy->compares_keys); /* what exponents do not decide */
    set(options, "policy", policy->name);
    if (below(2))
        set_number(options, "window", below(33));
    if (!daa_options_resolve(options, DAA_SOFTWARE, config, &error))
        stop(error.text);
    daa_options_free(options);
}

static void random_case(uint32_t number) {
    struct daa_config config;
    const bool fast = number % 3 == 0;
    random_config(&config, fast);
    const size_t m = 1 + below(number % 7 ? 20 : 300), n = 1 + below(number % 5 ? 20 : 90);
    const size_t k = below(number % 4 ? 70 : 700), batch = 1 + below(number % 6 ? 1 : 3);
    const enum daa_engine engine = fast && below(2) ? DAA_ENGINE_PORTABLE : DAA_ENGINE_AUTO;
    run(&config, engine, m, n, k, batch);
}

int main(int argc, char **argv) {
    uint32_t cases = 400;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--long") == 0)
            cases = 20000;
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 10);
        else {
            fprintf(stderr, "check-counts: '%s' is not understood; check-counts [--seed N] [--long]\n", argv[i]);
            return 2;
        }
    }
    random_state = (seed + 1) * UINT64_C(0xd1342543de82ef95);
    for (uint32_t i = 0; i < cases; i++)
        random_case(i);
    printf("%" PRIu32 " GEMMs of %" PRIu64 " products counted as the golden model counts them: high %" PRIu64
           ", low %" PRIu64 ", zero %" PRIu64 ", dropped %" PRIu64 ", special %" PRIu64 ", seed %" PRIu64 "\n",
           cases, products, met[0], met[1], met[2], met[3], met[4], seed);
    return 0;
}

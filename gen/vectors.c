#include "vectors.h"

#include <stdio.h>
#include <string.h>

#include "../files/command.h"
#include "../sim/daa.h"

enum { SIDE = 4, STEPS = 7, K_MAX = STEPS * DAA_STREAMS_MAX, WORD_MAX = SIDE * DAA_STREAMS_MAX * 32 };

struct tile {
    int steps;
    bool from_c0;
};

/* Longer and shorter than the array is high, with and without C0 in turn. */
static const struct tile tiles[] = {{5, false}, {1, true}, {STEPS, true}, {2, false}};
enum { TILES = sizeof(tiles) / sizeof(tiles[0]), EXTREME = TILES - 1 };

struct bench {
    struct daa_config config;
    int rows, cols;
    uint32_t state; /* of the random numbers */
    uint32_t a[SIDE][K_MAX], b[K_MAX][SIDE], c0[SIDE][SIDE], c[SIDE][SIDE];
};

/* xorshift32: the same bits on every machine. */
static uint32_t draw(struct bench *bench, uint32_t below) {
    bench->state ^= bench->state << 13;
    bench->state ^= bench->state >> 17;
    bench->state ^= bench->state << 5;
    return (bench->state >> 8) % below;
}

static uint32_t sign_bit(struct daa_format format) {
    return 1u << (format.exp_bits + format.frac_bits);
}

static uint32_t largest(struct daa_format format) {
    uint32_t all = sign_bit(format) - 1;
    if (format.encoding == DAA_IEEE)
        return all - (1u << format.frac_bits);
    return format.encoding == DAA_FN ? all - 1 : all;
}

/* A number not far from one, so that most of a sum's terms count. */
static uint32_t ordinary(struct bench *bench, struct daa_format format) {
    int most = (int)(largest(format) >> format.frac_bits);
    int exponent = daa_format_bias(format) + (int)draw(bench, 7) - 3;
    exponent = exponent < 0 ? 0 : exponent > most ? most : exponent;
    uint32_t magnitude = (uint32_t)exponent << format.frac_bits | draw(bench, 1u << format.frac_bits);
    if (magnitude > largest(format))
        magnitude = largest(format);
    return magnitude | (draw(bench, 2) ? sign_bit(format) : 0);
}

/* Zeros and the smallest numbers. */
static uint32_t small(struct bench *bench, struct daa_format format) {
    uint32_t normal = 1u << format.frac_bits;
    const uint32_t edges[] = {0, 1, normal - 1, normal, normal + 1};
    return edges[draw(bench, 5)] | (draw(bench, 2) ? sign_bit(format) : 0);
}

static uint32_t operand(struct bench *bench, struct daa_format format) {
    return draw(bench, 6) ? ordinary(bench, format) : small(bench, format);
}

/* The second product of the third step cancels the first (with one stream: the fourth step the third). */
static void cancel(struct bench *bench) {
    int k = 2 * bench->config.streams;
    for (int row = 0; row < bench->rows; row++)
        bench->a[row][k + 1] = bench->a[row][k] ^ sign_bit(bench->config.a_format);
    for (int col = 0; col < bench->cols; col++)
        bench->b[k + 1][col] = bench->b[k][col];
}

/* Overflow in every row, and where there are specials a NaN in the first row instead and Inf in the last. */
static void go_extreme(struct bench *bench) {
    struct daa_format a = bench->config.a_format, b = bench->config.b_format;
    for (int row = 0; row < bench->rows; row++)
        bench->a[row][0] = largest(a);
    bench->b[0][0] = largest(b);
    if (!bench->config.specials)
        return;
    if (a.encoding != DAA_FINITE)
        bench->a[0][1] = sign_bit(a) - 1;
    if (a.encoding == DAA_IEEE)
        bench->a[bench->rows - 1][0] = largest(a) + 1;
}

static void fill(struct bench *bench, int tile) {
    int k = tiles[tile].steps * bench->config.streams;
    for (int row = 0; row < bench->rows; row++)
        for (int i = 0; i < k; i++)
            bench->a[row][i] = operand(bench, bench->config.a_format);
    for (int i = 0; i < k; i++)
        for (int col = 0; col < bench->cols; col++)
            bench->b[i][col] = operand(bench, bench->config.b_format);
    for (int row = 0; row < bench->rows; row++)
        for (int col = 0; col < bench->cols; col++)
            bench->c0[row][col] = ordinary(bench, bench->config.acc_format);
    if (tiles[tile].steps > 4)
        cancel(bench);
    if (tile == EXTREME)
        go_extreme(bench);
}

static void multiply(struct bench *bench, int tile) {
    struct daa_error error;
    size_t k = (size_t)(tiles[tile].steps * bench->config.streams);
    const uint32_t *c0 = tiles[tile].from_c0 ? &bench->c0[0][0] : NULL;
    if (!daa_gemm(&bench->config, (size_t)bench->rows, (size_t)bench->cols, k, &bench->a[0][0], K_MAX, &bench->b[0][0],
                  SIDE, c0, SIDE, &bench->c[0][0], SIDE, NULL, &error))
        fail(EXIT_JOB, "vectors of the bench: %s", error.text);
}

/* Bits of one port word. */
struct word {
    unsigned char nibble[WORD_MAX / 4];
    int width;
};

static void append(struct word *word, uint32_t value, int width) {
    for (int i = 0; i < width; i++, word->width++)
        if (value >> i & 1)
            word->nibble[word->width / 4] |= (unsigned char)(1 << word->width % 4);
}

static void add_word(struct plan *plan, const char *list, const struct word *word) {
    char text[WORD_MAX / 4 + 1];
    int digits = (word->width + 3) / 4;
    for (int i = 0; i < digits; i++)
        text[i] = "0123456789abcdef"[word->nibble[digits - 1 - i]];
    text[digits] = '\0';
    plan_item(plan, list, text);
}

static void add_step(struct plan *plan, const struct bench *bench, int tile, int step) {
    const struct daa_config *config = &bench->config;
    struct word a = {0}, b = {0};
    for (int row = 0; row < bench->rows; row++)
        for (int stream = 0; stream < config->streams; stream++)
            append(&a, bench->a[row][step * config->streams + stream], daa_format_width(config->a_format));
    for (int col = 0; col < bench->cols; col++)
        for (int stream = 0; stream < config->streams; stream++)
            append(&b, bench->b[step * config->streams + stream][col], daa_format_width(config->b_format));
    add_word(plan, "tb_a", &a);
    add_word(plan, "tb_b", &b);
    plan_item(plan, "tb_last", step == tiles[tile].steps - 1 ? "1" : "0");
    plan_item(plan, "tb_from_c0", tiles[tile].from_c0 ? "1" : "0");
}

static void add_rows(struct plan *plan, const struct bench *bench, int tile) {
    for (int row = 0; row < bench->rows; row++) {
        struct word c0 = {0}, c = {0};
        for (int col = 0; col < bench->cols; col++) {
            append(&c0, bench->c0[row][col], daa_format_width(bench->config.acc_format));
            append(&c, bench->c[row][col], daa_format_width(bench->config.out_format));
        }
        if (tiles[tile].from_c0)
            add_word(plan, "tb_c0", &c0);
        add_word(plan, "tb_c", &c);
    }
}

static void add_sizes(struct plan *plan, const struct bench *bench) {
    const struct daa_config *config = &bench->config;
    plan_number(plan, "tb_rows", bench->rows);
    plan_number(plan, "tb_cols", bench->cols);
    plan_number(plan, "tb_a_bits", bench->rows * config->streams * daa_format_width(config->a_format));
    plan_number(plan, "tb_b_bits", bench->cols * config->streams * daa_format_width(config->b_format));
    plan_number(plan, "tb_c0_bits", bench->cols * daa_format_width(config->acc_format));
    plan_number(plan, "tb_c_bits", bench->cols * daa_format_width(config->out_format));
}

void vectors_add(struct plan *plan, const struct daa_config *config) {
    static const char *const lists[] = {"tb_a", "tb_b", "tb_last", "tb_from_c0", "tb_c0", "tb_c"};
    struct bench bench = {.config = *config, .state = 20177};
    bench.rows = config->rows < SIDE ? config->rows : SIDE;
    bench.cols = config->cols < SIDE ? config->cols : SIDE;
    add_sizes(plan, &bench);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        plan_list(plan, lists[i]);
    for (int tile = 0; tile < TILES; tile++) {
        fill(&bench, tile);
        multiply(&bench, tile);
        for (int step = 0; step < tiles[tile].steps; step++)
            add_step(plan, &bench, tile, step);
        add_rows(plan, &bench, tile);
    }
}

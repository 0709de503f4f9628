#include "tiles.h"

#include "pack.h"

enum { NUMBERS_MAX = DAA_SIDE_MAX * DAA_STREAMS_MAX };

static size_t ceil_div(size_t n, size_t by) {
    return n / by + (n % by != 0);
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

void tiles_init(struct tiles *tiles, const struct daa_config *config, const struct gemm *gemm) {
    const size_t rows = (size_t)config->rows, cols = (size_t)config->cols, streams = (size_t)config->streams;
    *tiles = (struct tiles){
        .config = config,
        .gemm = gemm,
        .down = ceil_div(gemm->m, rows),
        .across = ceil_div(gemm->n, cols),
        .steps = gemm->k == 0 ? 1 : ceil_div(gemm->k, streams),
        .a_width = daa_format_width(config->a_format),
        .b_width = daa_format_width(config->b_format),
        .acc_width = daa_format_width(config->acc_format),
        .out_width = daa_format_width(config->out_format),
    };
    tiles->count = tiles->down * tiles->across;
    tiles->a_bytes = pack_bytes(rows * streams, tiles->a_width);
    tiles->b_bytes = pack_bytes(cols * streams, tiles->b_width);
    tiles->c0_bytes = pack_bytes(cols, tiles->acc_width);
    tiles->c_bytes = pack_bytes(cols, tiles->out_width);
}

static size_t first_row(const struct tiles *tiles, size_t tile) {
    return tile / tiles->across * (size_t)tiles->config->rows;
}

static size_t first_col(const struct tiles *tiles, size_t tile) {
    return tile % tiles->across * (size_t)tiles->config->cols;
}

/* Rows and columns of C in the tile. */
static size_t height(const struct tiles *tiles, size_t tile) {
    return least((size_t)tiles->config->rows, tiles->gemm->m - first_row(tiles, tile));
}

static size_t width(const struct tiles *tiles, size_t tile) {
    return least((size_t)tiles->config->cols, tiles->gemm->n - first_col(tiles, tile));
}

void tiles_a(const struct tiles *tiles, size_t tile, size_t step, uint8_t *word) {
    const struct gemm *gemm = tiles->gemm;
    const size_t streams = (size_t)tiles->config->streams, k = step * streams;
    const size_t used = least(streams, gemm->k - least(k, gemm->k)), used_rows = height(tiles, tile);
    uint32_t numbers[NUMBERS_MAX] = {0};
    for (size_t r = 0; r < used_rows; r++)
        for (size_t s = 0; s < used; s++)
            numbers[r * streams + s] = gemm->a[(first_row(tiles, tile) + r) * gemm->lda + k + s];
    pack(word, numbers, (size_t)tiles->config->rows * streams, tiles->a_width);
}

void tiles_b(const struct tiles *tiles, size_t tile, size_t step, uint8_t *word) {
    const struct gemm *gemm = tiles->gemm;
    const size_t streams = (size_t)tiles->config->streams, k = step * streams;
    const size_t used = least(streams, gemm->k - least(k, gemm->k)), used_cols = width(tiles, tile);
    uint32_t numbers[NUMBERS_MAX] = {0};
    for (size_t s = 0; s < used; s++)
        for (size_t c = 0; c < used_cols; c++)
            numbers[c * streams + s] = gemm->b[(k + s) * gemm->ldb + first_col(tiles, tile) + c];
    pack(word, numbers, (size_t)tiles->config->cols * streams, tiles->b_width);
}

void tiles_c0(const struct tiles *tiles, size_t tile, size_t row, uint8_t *word) {
    const struct gemm *gemm = tiles->gemm;
    uint32_t numbers[NUMBERS_MAX] = {0};
    if (row < height(tiles, tile)) {
        const uint32_t *c0 = gemm->c0 + (first_row(tiles, tile) + row) * gemm->ldc0 + first_col(tiles, tile);
        for (size_t c = 0; c < width(tiles, tile); c++)
            numbers[c] = c0[c];
    }
    pack(word, numbers, (size_t)tiles->config->cols, tiles->acc_width);
}

void tiles_store(const struct tiles *tiles, size_t tile, size_t row, const uint8_t *word, uint32_t *c) {
    if (row >= height(tiles, tile))
        return;
    c += (first_row(tiles, tile) + row) * tiles->gemm->n + first_col(tiles, tile);
    unpack(c, word, width(tiles, tile), tiles->out_width);
}

size_t tiles_of(const struct tiles *tiles, size_t row, size_t col) {
    return row / (size_t)tiles->config->rows * tiles->across + col / (size_t)tiles->config->cols;
}

struct gemm tiles_alone(const struct tiles *tiles, size_t tile, size_t k) {
    struct gemm alone = *tiles->gemm;
    const size_t row = first_row(tiles, tile), col = first_col(tiles, tile);
    alone.m = height(tiles, tile);
    alone.n = width(tiles, tile);
    alone.k = k;
    alone.a += row * alone.lda;
    alone.b += col;
    if (alone.c0)
        alone.c0 += row * alone.ldc0 + col;
    return alone;
}

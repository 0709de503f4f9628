/* The control of a Verilated array under hostile timing: tiles of any length, from C0 and not, the streams as early or
 * late as they like, unknown marks where nothing is offered, resets in the middle, framing errors on purpose. Results
 * are held against the golden model; no output may follow an input in the same cycle. check-control SEED RUNS */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../config/config.h"
#include "../../sim/daa.h"
#include "../../sim/pack.h"
#include "../../tb/dut.h"

enum { TILES = 24, SIDE = 16, STEPS = 3 * SIDE, K = STEPS * DAA_STREAMS_MAX, WORD = SIDE * DAA_STREAMS_MAX * 4 };

struct tile {
    size_t steps;
    bool c0;
    uint32_t a[SIDE][K], b[K][SIDE], start[SIDE][SIDE], c[SIDE][SIDE];
};

/* How a stream behaves for a while, and where it stands: item INDEX of tile TILE. */
struct stream {
    enum { ALWAYS, NEVER, OFTEN, RARELY, MOODS } mood;
    unsigned left; /* cycles until its mood changes */
    size_t tile, index, taken;
    bool offered;
};

enum { A, B, C0, C, STREAMS };

struct outputs {
    bool ready[C], valid, last, error;
};

static struct daa_config config;
static struct tile tiles[TILES];
static size_t tile_count;
static struct stream streams[STREAMS];
static uint64_t state;
static struct dut *dut;
static size_t rows_seen, resets, errors_seen, tiles_seen, stalled;
static size_t wrong_stream, wrong_item; /* the item whose last mark is inverted; C: none */

static uint32_t draw(uint32_t below) {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) >> 32) % below;
}

static _Noreturn void fault(size_t run, const char *what) {
    printf("check-control: run %zu, cycle %" PRIu64 ": %s (A %zu.%zu, B %zu.%zu, C0 %zu.%zu, C %zu.%zu)\n", run,
           dut_cycles(dut), what, streams[A].tile, streams[A].index, streams[B].tile, streams[B].index,
           streams[C0].tile, streams[C0].index, streams[C].tile, streams[C].index);
    exit(1);
}

static void read_options(void) {
    struct daa_error error;
    struct daa_options *options = daa_options_new();
    char *text = strdup(dut_options);
    for (char *name = strtok(text, " "), *value; name; name = strtok(NULL, " ")) {
        value = strtok(NULL, " ");
        if (!daa_options_set(options, name + 2, value, &error)) {
            puts(error.text);
            exit(2);
        }
    }
    if (!daa_options_resolve(options, DAA_HARDWARE, &config, &error) || config.rows > SIDE || config.cols > SIDE) {
        puts("check-control: it takes arrays of at most 16 x 16");
        exit(2);
    }
    free(text);
    daa_options_free(options);
}

/* Not far from one, so that each term counts. */
static uint32_t number(struct daa_format format) {
    uint32_t exponent = (uint32_t)daa_format_bias(format) + draw(5) - 1;
    return draw(2) << (format.exp_bits + format.frac_bits) | exponent << format.frac_bits |
           draw(1u << format.frac_bits);
}

static void make_tile(struct tile *tile) {
    size_t rows = (size_t)config.rows, cols = (size_t)config.cols;
    const size_t lengths[] = {1, 1, 1, 2, rows - (rows > 1), rows, rows + 1, 1 + draw((uint32_t)(3 * rows))};
    struct daa_error error;
    tile->steps = lengths[draw(sizeof lengths / sizeof lengths[0])];
    tile->c0 = draw(2);
    size_t k = tile->steps * (size_t)config.streams;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < k; i++)
            tile->a[r][i] = number(config.a_format);
    for (size_t i = 0; i < k; i++)
        for (size_t c = 0; c < cols; c++)
            tile->b[i][c] = number(config.b_format);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++)
            tile->start[r][c] = number(config.acc_format);
    if (!daa_gemm(&config, rows, cols, k, &tile->a[0][0], K, &tile->b[0][0], SIDE, tile->c0 ? &tile->start[0][0] : NULL,
                  SIDE, &tile->c[0][0], SIDE, NULL, &error)) {
        puts(error.text);
        exit(2);
    }
}

static size_t items(size_t stream, size_t tile) {
    if (stream == A || stream == B)
        return tiles[tile].steps;
    return stream == C || tiles[tile].c0 ? (size_t)config.rows : 0;
}

static bool done(size_t stream) {
    struct stream *s = &streams[stream];
    while (s->tile < tile_count && s->index == items(stream, s->tile))
        s->tile++, s->index = 0;
    return s->tile == tile_count;
}

static bool willing(struct stream *s) {
    if (s->left-- == 0) {
        s->mood = draw(MOODS);
        s->left = draw(4) ? draw(12) : draw(120);
    }
    return s->mood == ALWAYS || (s->mood == OFTEN && draw(2)) || (s->mood == RARELY && draw(8) == 0);
}

static void show(size_t stream) {
    const struct stream *s = &streams[stream];
    const struct tile *tile = &tiles[s->tile % TILES];
    size_t rows = (size_t)config.rows, cols = (size_t)config.cols, each = (size_t)config.streams;
    uint8_t word[WORD] = {0};
    uint32_t flat[SIDE * DAA_STREAMS_MAX];
    bool last = s->offered && s->index + 1 == items(stream, s->tile);
    if (!s->offered)
        last = draw(2);
    else if (stream == wrong_stream && s->taken == wrong_item)
        last = !last;
    size_t lines = stream == A ? rows : cols, times = stream == C0 ? 1 : each;
    for (size_t i = 0; i < lines; i++)
        for (size_t n = 0; n < times; n++)
            flat[i * times + n] = !s->offered   ? draw(UINT32_MAX)
                                  : stream == A ? tile->a[i][s->index * each + n]
                                  : stream == B ? tile->b[s->index * each + n][i]
                                                : tile->start[s->index][i];
    pack(word, flat, lines * times,
         daa_format_width(stream == A   ? config.a_format
                          : stream == B ? config.b_format
                                        : config.acc_format));
    if (stream == A)
        dut_set_a(dut, word, last, s->offered ? tile->c0 : draw(2));
    else if (stream == B)
        dut_set_b(dut, word, last);
    else
        dut_set_c0(dut, word, last);
}

static struct outputs look(void) {
    dut_eval(dut);
    return (struct outputs){
        {dut_a_ready(dut), dut_b_ready(dut), dut_c0_ready(dut)}, dut_c_valid(dut), dut_c_last(dut), dut_error(dut)};
}

static bool same(const struct outputs *a, const struct outputs *b) {
    return a->ready[A] == b->ready[A] && a->ready[B] == b->ready[B] && a->ready[C0] == b->ready[C0] &&
           a->valid == b->valid && a->last == b->last && a->error == b->error;
}

static void take_row(size_t run, const struct outputs *out) {
    uint32_t got[SIDE];
    struct stream *s = &streams[C];
    size_t cols = (size_t)config.cols;
    if (done(C))
        fault(run, "a row of results too many");
    unpack(got, dut_c_word(dut), cols, daa_format_width(config.out_format));
    if (memcmp(got, tiles[s->tile].c[s->index], cols * sizeof *got) != 0)
        fault(run, "a row of results is wrong");
    if (out->last != (s->index + 1 == (size_t)config.rows))
        fault(run, "c_last_o is wrong");
    s->index++;
    rows_seen++;
}

static void cycle(size_t run) {
    for (size_t i = 0; i < C; i++) {
        struct stream *s = &streams[i];
        bool wants = willing(s);
        s->offered = s->offered || (!done(i) && wants);
    }
    bool ready = willing(&streams[C]);
    /* The same outputs whatever the inputs are. */
    dut_set_valid(dut, draw(2), draw(2), draw(2));
    dut_set_c_ready(dut, draw(2));
    struct outputs before = look();
    for (size_t i = 0; i < C; i++)
        show(i);
    dut_set_valid(dut, streams[A].offered, streams[B].offered, streams[C0].offered);
    dut_set_c_ready(dut, ready);
    struct outputs out = look();
    if (!same(&before, &out))
        fault(run, "an output follows an input in the same cycle");
    bool spotted = wrong_stream < C && streams[wrong_stream].taken > wrong_item;
    if (out.error && !spotted)
        fault(run, "error_o without an error");
    for (size_t i = 0; i < C; i++) {
        struct stream *s = &streams[i];
        stalled += s->offered && !out.ready[i];
        if (s->offered && out.ready[i])
            s->offered = false, s->index++, s->taken++;
    }
    if (out.valid && ready)
        take_row(run, &out);
    dut_tick(dut);
}

static void choose_error(void) {
    wrong_stream = draw(4) ? C : B + draw(2);
    if (wrong_stream == C)
        return;
    size_t count = 0;
    for (size_t tile = 0; tile < tile_count; tile++)
        count += items(wrong_stream, tile);
    if (count == 0)
        wrong_stream = C;
    else
        wrong_item = draw((uint32_t)count);
}

static void one_run(size_t run) {
    tile_count = 1 + draw(TILES);
    for (size_t tile = 0; tile < tile_count; tile++)
        make_tile(&tiles[tile]);
    memset(streams, 0, sizeof streams);
    choose_error();
    dut_reset(dut);
    size_t limit = draw(3) ? SIZE_MAX : draw(600), idle = 0;
    for (size_t i = 0; i < limit && !done(C); i++) {
        size_t row = rows_seen;
        cycle(run);
        idle = rows_seen == row ? idle + 1 : 0;
        if (idle > 20000)
            fault(run, "no result for 20000 cycles");
    }
    if (!done(C)) {
        resets++;
        return;
    }
    for (int i = 0; i < 3 * SIDE; i++)
        cycle(run);
    if (wrong_stream < C) {
        errors_seen++;
        if (!look().error)
            fault(run, "a framing error was not seen");
    }
    tiles_seen += tile_count;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fputs("check-control: it takes SEED and RUNS\n", stderr);
        return 2;
    }
    state = strtoull(argv[1], NULL, 10);
    read_options();
    dut = dut_new(NULL);
    for (size_t run = 0, runs = strtoull(argv[2], NULL, 10); run < runs; run++)
        one_run(run);
    printf("%zu tiles, %zu rows, %zu resets in the middle, %zu framing errors, %zu offers that waited: 0 faults\n",
           tiles_seen, rows_seen, resets, errors_seen, stalled);
    dut_free(dut);
    return 0;
}

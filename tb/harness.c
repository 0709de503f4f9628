#define _POSIX_C_SOURCE 200809L
#include "harness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A stream of words into or out of the array: the next word is number INDEX (a step or a row) of tile TILE. */
struct stream {
    size_t tile, index;
    size_t per_tile, tiles;
    bool offered; /* sources: the word is on the port until it is taken */
};

/* A result that was valid and not taken: it must stay. */
struct held {
    bool valid, last;
    uint8_t word[TILES_WORD_MAX];
};

struct run {
    const struct harness *harness;
    const struct tiles *tiles;
    struct dut *dut;
    uint32_t *c;
    struct daa_error *error;
    uint64_t random;
    uint64_t threshold; /* a draw of 32 bits below this withholds */
    struct stream a, b, c0, out;
    struct held held;
    bool started;
    uint64_t reset_end, first; /* in cycles of the dut */
    uint64_t idle, idle_max;   /* cycles without a transfer */
};

static bool done(const struct stream *stream) {
    return stream->tile == stream->tiles;
}

static void advance(struct stream *stream) {
    stream->offered = false;
    if (++stream->index == stream->per_tile) {
        stream->index = 0;
        stream->tile++;
    }
}

/* SplitMix64. */
static bool withhold(struct run *run) {
    if (run->threshold == 0)
        return false;
    uint64_t z = run->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) >> 32 < run->threshold;
}

/* True: STREAM puts its next word on the port in this cycle. */
static bool offers(struct run *run, struct stream *stream) {
    if (stream->offered || done(stream) || withhold(run))
        return false;
    return stream->offered = true;
}

static void offer(struct run *run) {
    const struct tiles *tiles = run->tiles;
    uint8_t word[TILES_WORD_MAX];
    if (offers(run, &run->a)) {
        tiles_a(tiles, run->a.tile, run->a.index, word);
        dut_set_a(run->dut, word, run->a.index == tiles->steps - 1, tiles->gemm->c0 != NULL);
    }
    if (offers(run, &run->b)) {
        tiles_b(tiles, run->b.tile, run->b.index, word);
        dut_set_b(run->dut, word, run->b.index == tiles->steps - 1);
    }
    if (offers(run, &run->c0)) {
        tiles_c0(tiles, run->c0.tile, run->c0.index, word);
        dut_set_c0(run->dut, word, run->c0.index == run->c0.per_tile - 1);
    }
    dut_set_valid(run->dut, run->a.offered, run->b.offered, run->c0.offered);
}

static bool broken(const struct run *run, const char *what) {
    return daa_fail(run->error, "cycle %" PRIu64 ": %s", dut_cycles(run->dut), what);
}

static void describe(char *text, size_t size, const char *name, const struct stream *stream, bool valid, bool ready) {
    const size_t used = strlen(text);
    if (done(stream))
        snprintf(text + used, size - used, "; %s all done (valid %d, ready %d)", name, valid, ready);
    else
        snprintf(text + used, size - used, "; %s %zu of %zu in tile %zu of %zu (valid %d, ready %d)", name,
                 stream->index, stream->per_tile, stream->tile, stream->tiles, valid, ready);
}

static bool hung(const struct run *run, bool c_ready) {
    char text[DAA_ERROR_MAX - 64] = "";
    snprintf(text, sizeof text, "hang: no transfer for %" PRIu64 " cycles", run->idle);
    describe(text, sizeof text, "A step", &run->a, run->a.offered, dut_a_ready(run->dut));
    describe(text, sizeof text, "B step", &run->b, run->b.offered, dut_b_ready(run->dut));
    if (run->tiles->gemm->c0)
        describe(text, sizeof text, "C0 row", &run->c0, run->c0.offered, dut_c0_ready(run->dut));
    describe(text, sizeof text, "C row", &run->out, dut_c_valid(run->dut), c_ready);
    return broken(run, text);
}

/* A result must stay as it is until it is taken. */
static bool check_held(struct run *run, bool valid, bool ready) {
    const size_t bytes = run->tiles->c_bytes;
    struct held *held = &run->held;
    if (held->valid) {
        if (!valid)
            return broken(run, "c_valid_o fell before the row was taken");
        if (held->last != dut_c_last(run->dut) || memcmp(held->word, dut_c_word(run->dut), bytes) != 0)
            return broken(run, "c_data_o or c_last_o changed before the row was taken");
    }
    held->valid = valid && !ready;
    if (held->valid) {
        held->last = dut_c_last(run->dut);
        memcpy(held->word, dut_c_word(run->dut), bytes);
    }
    return true;
}

static bool take_row(struct run *run) {
    struct stream *out = &run->out;
    if (done(out))
        return broken(run, "a row of results came after the last one");
    if (dut_c_last(run->dut) != (out->index == out->per_tile - 1))
        return broken(run, "c_last_o is not on the tile's last row");
    tiles_store(run->tiles, out->tile, out->index, dut_c_word(run->dut), run->c);
    advance(out);
    return true;
}

static void take_inputs(struct run *run, bool a, bool b, bool c0) {
    if (a && !run->started) {
        run->started = true;
        run->first = dut_cycles(run->dut);
    }
    if (a)
        advance(&run->a);
    if (b)
        advance(&run->b);
    if (c0)
        advance(&run->c0);
}

static bool cycle(struct run *run) {
    struct dut *dut = run->dut;
    offer(run);
    const bool ready = !withhold(run);
    dut_set_c_ready(dut, ready);
    dut_eval(dut);
    const bool a = run->a.offered && dut_a_ready(dut), b = run->b.offered && dut_b_ready(dut);
    const bool c0 = run->c0.offered && dut_c0_ready(dut), valid = dut_c_valid(dut);
    run->idle = a || b || c0 || (valid && ready) ? 0 : run->idle + 1;
    if (run->idle > run->idle_max && !done(&run->out))
        return hung(run, ready);
    if (dut_error(dut))
        return broken(run, "error_o rose; every mark was where it belongs");
    if (!check_held(run, valid, ready))
        return false;
    take_inputs(run, a, b, c0);
    if (valid && ready && !take_row(run))
        return false;
    dut_tick(dut);
    return true;
}

/* Longer than a sound array can go without a transfer: filling and draining, twice over, and 64 times the wait that
 * stalls make on average. */
static uint64_t patience(const struct daa_config *config, double stall) {
    return (uint64_t)(4 * (config->rows + config->cols + config->pipeline) + 64) + (uint64_t)(64 / (1 - stall));
}

static double processor_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool stopped(const struct run *run) {
    return run->harness->stop && *run->harness->stop;
}

static void report(const struct run *run) {
    enum { EVERY = 1024 };
    if (run->harness->progress && dut_cycles(run->dut) % EVERY == 0)
        run->harness->progress(run->a.tile * run->a.per_tile + run->a.index, run->a.tiles * run->a.per_tile);
}

static bool all_tiles(struct run *run) {
    while (!done(&run->out)) {
        if (stopped(run))
            return broken(run, "interrupted");
        if (!cycle(run))
            return false;
        report(run);
    }
    return true;
}

/* Long enough for any row that should not be there to come out. */
static bool afterwards(struct run *run) {
    const struct daa_config *config = run->tiles->config;
    for (int i = 0; i < config->rows + config->cols + config->pipeline + 8; i++)
        if (!cycle(run))
            return false;
    return true;
}

bool harness_run(const struct harness *harness, struct dut *dut, const struct daa_config *config,
                 const struct gemm *gemm, uint32_t *c, struct harness_result *result, struct daa_error *error) {
    struct tiles tiles;
    tiles_init(&tiles, config, gemm);
    const size_t rows = (size_t)config->rows;
    struct run run = {
        .harness = harness,
        .tiles = &tiles,
        .dut = dut,
        .c = c,
        .error = error,
        .random = harness->seed,
        .threshold = (uint64_t)(harness->stall * 4294967296.0),
        .a = {.per_tile = tiles.steps, .tiles = tiles.count},
        .b = {.per_tile = tiles.steps, .tiles = tiles.count},
        .c0 = {.per_tile = rows, .tiles = gemm->c0 ? tiles.count : 0},
        .out = {.per_tile = rows, .tiles = tiles.count},
        .idle_max = patience(config, harness->stall),
    };
    *result = (struct harness_result){0};
    const double start = processor_seconds();
    dut_reset(dut);
    run.reset_end = dut_cycles(dut);
    if (!all_tiles(&run))
        return false;
    if (run.started) {
        result->reset_cycles = run.first - run.reset_end;
        result->cycles = dut_cycles(dut) - run.first;
    }
    result->seconds = processor_seconds() - start;
    return afterwards(&run);
}

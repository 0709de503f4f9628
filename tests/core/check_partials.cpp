// An array with partials: tiles whose K is cut at random, their pieces taking turns, must give the bits of uncut ones.
// What leaves as states goes in again as states. check_partials SEED ROUNDS
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "Vdut.h"
#include "daa_config.h"
#include "sim/daa.h"
extern "C" {
#include "sim/pack.h"
}

enum { R = DAA_ROWS, C = DAA_COLS, S = DAA_STREAMS };
using numbers = std::vector<uint32_t>;

static uint64_t state;
static uint32_t draw(uint32_t below) {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) >> 32) % below;
}

struct tile {
    size_t steps;
    bool c0;
    numbers a, b, start, want;                       // a: k x R, b: k x C
    std::vector<std::vector<uint8_t>> states;        // rows that came out of the piece before
    size_t states_taken = 0;
};
struct piece {
    size_t tile, from, to; // steps
    bool first, last;
};

static daa_config config;

static void resolve() {
    daa_error error;
    daa_options *options = daa_options_new();
    std::string text = DAA_OPTIONS;
    for (char *name = strtok(&text[0], " "); name; name = strtok(nullptr, " ")) {
        char *value = strtok(nullptr, " ");
        if (!daa_options_set(options, name + 2, value, &error))
            exit((puts(error.text), 2));
    }
    if (!daa_options_resolve(options, DAA_HARDWARE, &config, &error))
        exit((puts(error.text), 2));
    daa_options_free(options);
}

// Exponents within SPREAD of one; a zero once in ZEROS, now and then an Inf or a NaN; of either sign, or none negative.
static uint32_t number(daa_format format, uint32_t spread, uint32_t zeros, uint32_t signs, bool wild) {
    uint32_t ones = (1u << format.exp_bits) - 1, bias = (uint32_t)daa_format_bias(format);
    spread = spread < bias ? spread : bias - 1;
    uint32_t exponent = bias + draw(2 * spread + 1) - spread;
    if (draw(zeros) == 0)
        exponent = 0;
    if (wild && config.specials && draw(200) == 0)
        exponent = ones;
    return draw(signs) << (format.exp_bits + format.frac_bits) | exponent << format.frac_bits | draw(1u << format.frac_bits);
}

static tile make_tile() {
    tile t;
    daa_error error;
    t.steps = 1 + draw(draw(2) ? 6 * S : 40);
    t.c0 = draw(2);
    size_t k = t.steps * S;
    uint32_t spread = draw(2) ? 3 : 12;
    // What a rectifier leaves: sums that grow, and steps without a product.
    uint32_t zeros = draw(2) ? 12 : 2, signs = 1 + draw(2);
    bool wild = draw(6) == 0;
    for (size_t i = 0; i < k * R; i++)
        t.a.push_back(number(config.a_format, spread, zeros, signs, wild));
    for (size_t i = 0; i < k * C; i++)
        t.b.push_back(number(config.b_format, spread, zeros, signs, wild));
    for (size_t i = 0; i < R * C; i++)
        t.start.push_back(number(config.acc_format, 2 * spread, zeros, signs, wild));
    t.want.resize(R * C);
    numbers rows(k * R);
    for (size_t i = 0; i < k; i++)
        for (size_t r = 0; r < R; r++)
            rows[r * k + i] = t.a[i * R + r];
    if (!daa_gemm(&config, R, C, k, rows.data(), k, t.b.data(), C, t.c0 ? t.start.data() : nullptr, C, t.want.data(), C,
                  nullptr, &error))
        exit((puts(error.text), 2));
    return t;
}

// Cuts after multiples of S steps, so that the policy rotate goes on; pieces of all tiles take turns.
static std::deque<piece> make_pieces(const std::vector<tile> &tiles) {
    std::vector<size_t> at(tiles.size(), 0);
    std::deque<piece> pieces;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < tiles.size(); i++) {
            if (at[i] == tiles[i].steps)
                continue;
            size_t to = at[i] + (1 + draw(4)) * S;
            to = to < tiles[i].steps && draw(8) ? to : tiles[i].steps;
            pieces.push_back({i, at[i], to, at[i] == 0, to == tiles[i].steps});
            at[i] = to;
            more = true;
        }
    }
    return pieces;
}

static Vdut *dut;
static size_t rows_seen, states_seen, whole_seen;

template <typename Port> static void set(Port &port, const uint8_t *word, size_t bits) {
    memcpy(&port, word, (bits + 7) / 8);
}

static void tick() {
    dut->clk_i = 1;
    dut->eval();
    dut->clk_i = 0;
    dut->eval();
}

static void steps_word(const numbers &from, size_t step, size_t lanes, int width, uint8_t *word) {
    numbers flat(lanes * S);
    for (size_t l = 0; l < lanes; l++)
        for (size_t s = 0; s < S; s++)
            flat[l * S + s] = from[(step * S + s) * lanes + l];
    pack(word, flat.data(), flat.size(), width);
}

static bool run() {
    std::vector<tile> tiles;
    for (size_t i = 1 + draw(5); i > 0; i--)
        tiles.push_back(make_tile());
    const std::deque<piece> pieces = make_pieces(tiles);
    size_t step_piece = 0, step = 0, c0_piece = 0, c0_row = 0, out_piece = 0, out_row = 0, idle = 0;
    bool hold = draw(2);
    std::vector<uint8_t> word(1 << 16);
    while (out_piece < pieces.size()) {
        const piece *p = step_piece < pieces.size() ? &pieces[step_piece] : nullptr;
        if (p) {
            const tile &t = tiles[p->tile];
            if (step < p->from)
                step = p->from;
            steps_word(t.a, step, R, DAA_A_WIDTH, word.data());
            set(dut->a_data_i, word.data(), R * S * DAA_A_WIDTH);
            steps_word(t.b, step, C, DAA_B_WIDTH, word.data());
            set(dut->b_data_i, word.data(), C * S * DAA_B_WIDTH);
            dut->a_last_i = dut->b_last_i = step + 1 == p->to;
            dut->a_c0_i = !p->first || t.c0;
            dut->a_more_i = !p->last;
        }
        dut->a_valid_i = dut->b_valid_i = p && !(hold && draw(3) == 0);
        while (c0_piece < pieces.size() && pieces[c0_piece].first && !tiles[pieces[c0_piece].tile].c0)
            c0_piece++;
        dut->c0_valid_i = 0;
        if (c0_piece < pieces.size()) {
            tile &t = tiles[pieces[c0_piece].tile];
            bool partial = !pieces[c0_piece].first;
            dut->c0_partial_i = partial;
            dut->c0_last_i = c0_row == R - 1;
            if (!partial) {
                pack(word.data(), &t.start[c0_row * C], C, DAA_ACC_WIDTH);
                set(dut->c0_data_i, word.data(), C * DAA_ACC_WIDTH);
                dut->c0_valid_i = 1;
            } else if (t.states_taken < t.states.size()) {
                set(dut->c0_state_i, t.states[t.states_taken].data(), C * STATE_BITS);
                dut->c0_valid_i = 1;
            }
        }
        dut->c_ready_i = !(hold && draw(3) == 0);
        dut->eval();
        bool a = dut->a_valid_i && dut->a_ready_o, b = dut->b_valid_i && dut->b_ready_o;
        bool c0 = dut->c0_valid_i && dut->c0_ready_o, c = dut->c_valid_o && dut->c_ready_i;
        if (a != b || dut->error_o)
            return printf("A and B apart, or a framing error\n"), false;
        if (c) {
            const piece &q = pieces[out_piece];
            tile &t = tiles[q.tile];
            rows_seen++;
            if (dut->c_partial_o == q.last)
                return printf("piece %zu, row %zu: c_partial_o is wrong\n", out_piece, out_row), false;
            if (!q.last) {
                const uint8_t *from = (const uint8_t *)&dut->c_state_o;
                t.states.emplace_back(from, from + (C * STATE_BITS + 7) / 8);
                states_seen++;
            } else {
                pack(word.data(), &t.want[out_row * C], C, DAA_OUT_WIDTH);
                if (memcmp(word.data(), &dut->c_data_o, (C * DAA_OUT_WIDTH + 7) / 8) != 0)
                    return printf("tile %zu of %zu, row %zu is not that of the uncut tile\n", q.tile, tiles.size(), out_row),
                           false;
                whole_seen += q.first;
            }
            if (++out_row == R)
                out_row = 0, out_piece++;
        }
        idle = a || c0 || c ? 0 : idle + 1;
        if (idle > 1000)
            return printf("hang: piece %zu of %zu\n", out_piece, pieces.size()), false;
        tick();
        if (a && ++step == p->to)
            step = 0, step_piece++;
        if (c0) {
            tiles[pieces[c0_piece].tile].states_taken += !pieces[c0_piece].first;
            if (++c0_row == R)
                c0_row = 0, c0_piece++;
        }
    }
    return true;
}

int main(int argc, char **argv) {
    if (argc != 3)
        return puts("check_partials SEED ROUNDS"), 2;
    state = strtoull(argv[1], nullptr, 10);
    resolve();
    dut = new Vdut;
    for (int i = 0; i < 2; i++)
        dut->rst_ni = 0, tick();
    dut->rst_ni = 1;
    for (long round = 0; round < atol(argv[2]); round++)
        if (!run())
            return printf("round %ld\n", round), 1;
    printf("%zu rows, %zu of states, %zu of uncut tiles\n", rows_seen, states_seen, whole_seen);
    return 0;
}

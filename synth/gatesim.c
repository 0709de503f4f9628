/* gatesim: a netlist of gates with delays, 64 independent lanes at once, every toggle counted.
 *
 *   gatesim NETLIST STIMULUS OUT           with delays
 *   gatesim --settle NETLIST STIMULUS OUT  without delays
 *
 * OUT gets the row and the captured nets as each cycle leaves them, and with delays the counts of toggles after them.
 *
 * Bit l of every word is lane l. A cycle begins with the rising edge of an ideal clock: what lies between it and the
 * clock pins (clock gates) takes no time, and all flip-flops sample at once. Then outputs and inputs change, each after
 * its own delay, and a change goes through a gate after the delay from that input to that edge of the output. A pulse
 * shorter than the delay is swallowed. The cycle ends when nothing changes any more, so it is as long as it has to be.
 * Latches open when the clock falls, half a period after it rose. mapped.py writes the netlist, energy.py the stimulus.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PINS = 6, SLOTS = 1 << 16, LATCH = 1, CLOCKING = 2 };
static const uint32_t NONE = UINT32_MAX;

/* A function of up to PINS inputs as the leaves of a tree of multiplexers: by pairs, what input 0 does to them. */
struct type {
    unsigned inputs;
    uint64_t low[1 << (PINS - 1)], flip[1 << (PINS - 1)];
};

struct gate {
    const struct type *type;
    uint32_t out, in[PINS];
    uint32_t rise[PINS], fall[PINS]; /* delay from each input to the output's edge */
    unsigned flags;
    uint32_t events;      /* the gate's changes under way, a list */
    uint64_t due;         /* lanes that they will change */
    uint64_t moved[PINS]; /* lanes whose inputs change in this moment */
    bool touched;
    uint64_t rises[PINS], falls[PINS], settled; /* counts: by the input that caused it, and of settled values */
};

struct flop {
    const struct type *type;
    uint32_t clock, state, in[PINS];
    uint64_t next, ticks, level;
};

/* A net that a flip-flop's state (STATE a net, `invert` of it) or the stimulus (a column) drives. */
struct source {
    uint32_t net, from, rise, fall;
    bool invert;
    uint64_t rises, falls;
};

struct event {
    uint64_t lanes;
    uint32_t net, gate, time, next_in_slot, next_of_gate;
    unsigned pin;
};

struct sim {
    uint32_t nets, types, gates, flops, outputs, inputs, clock, half;
    struct type *type;
    struct gate *gate;
    struct flop *flop;
    struct source *output, *input;
    uint64_t *value, *toggles;
    uint32_t *fanout_at, *fanout; /* of net n: fanout[fanout_at[n] .. fanout_at[n + 1]), gate * PINS + pin */
    bool phases;                  /* something follows the clock's fall */
    /* Events by time. */
    struct event *event;
    uint32_t event_count, event_room, event_free;
    uint32_t slot[SLOTS];
    uint64_t busy[SLOTS / 64];
    uint32_t *touched, touched_count;
    bool counting;
    uint32_t latest;
};

struct stimulus {
    uint32_t rows, inputs, captures, from, to, ready;
    uint32_t *capture;
    uint8_t *waits; /* the row stays until `ready` is high */
    uint64_t *data;
};

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "gatesim: %s\n", what);
    exit(1);
}

static void *zeros(size_t count, size_t size) {
    void *memory = calloc(count + 1, size);
    if (!memory)
        fail("out of memory");
    return memory;
}

/* ---- reading ---- */

static uint32_t number(FILE *file) {
    uint32_t value;
    if (fscanf(file, "%" SCNu32, &value) != 1)
        fail("the netlist is cut short");
    return value;
}

static void read_numbers(FILE *file, uint32_t *to, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        to[i] = number(file);
}

static void read_type(FILE *file, struct type *type) {
    uint64_t table;
    type->inputs = number(file);
    if (type->inputs > PINS || fscanf(file, "%" SCNx64, &table) != 1)
        fail("a function of the netlist cannot be read");
    for (unsigned i = 0; i < 1u << (PINS - 1); i++) {
        const bool zero = table >> (2 * i) & 1, one = table >> (2 * i + 1) & 1;
        type->low[i] = zero ? ~UINT64_C(0) : 0;
        type->flip[i] = zero != one ? ~UINT64_C(0) : 0;
    }
}

static void read_gate(FILE *file, const struct sim *sim, struct gate *gate) {
    gate->type = &sim->type[number(file)];
    gate->out = number(file);
    gate->flags = number(file);
    gate->events = NONE;
    read_numbers(file, gate->in, gate->type->inputs);
    read_numbers(file, gate->rise, gate->type->inputs);
    read_numbers(file, gate->fall, gate->type->inputs);
}

static void read_source(FILE *file, struct source *source) {
    source->net = number(file);
    source->from = number(file);
    source->invert = number(file) != 0;
    source->rise = number(file);
    source->fall = number(file);
}

static void read_netlist(struct sim *sim, const char *path) {
    FILE *file = fopen(path, "r");
    if (!file)
        fail("the netlist cannot be opened");
    uint32_t *const sizes[] = {&sim->nets,    &sim->types,  &sim->gates, &sim->flops,
                               &sim->outputs, &sim->inputs, &sim->clock, &sim->half};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
        *sizes[i] = number(file);
    sim->type = zeros(sim->types, sizeof *sim->type);
    sim->gate = zeros(sim->gates, sizeof *sim->gate);
    sim->flop = zeros(sim->flops, sizeof *sim->flop);
    sim->output = zeros(sim->outputs, sizeof *sim->output);
    sim->input = zeros(sim->inputs, sizeof *sim->input);
    for (uint32_t i = 0; i < sim->types; i++)
        read_type(file, &sim->type[i]);
    for (uint32_t i = 0; i < sim->gates; i++)
        read_gate(file, sim, &sim->gate[i]);
    for (uint32_t i = 0; i < sim->flops; i++) {
        struct flop *flop = &sim->flop[i];
        flop->type = &sim->type[number(file)];
        flop->clock = number(file);
        flop->state = number(file);
        read_numbers(file, flop->in, flop->type->inputs);
    }
    for (uint32_t i = 0; i < sim->outputs; i++)
        read_source(file, &sim->output[i]);
    for (uint32_t i = 0; i < sim->inputs; i++)
        read_source(file, &sim->input[i]);
    fclose(file);
}

/* Nets 0 and 1 are the constants; net `nets` is a latch's own value while it is evaluated. */
static void prepare(struct sim *sim) {
    sim->value = zeros(sim->nets + 1, sizeof *sim->value);
    sim->toggles = zeros(sim->nets + 1, sizeof *sim->toggles);
    sim->value[1] = ~UINT64_C(0);
    sim->fanout_at = zeros(sim->nets + 2, sizeof *sim->fanout_at);
    sim->touched = zeros(sim->gates, sizeof *sim->touched);
    sim->event_free = NONE;
    memset(sim->slot, 0xff, sizeof sim->slot);
    for (uint32_t g = 0; g < sim->gates; g++) {
        sim->phases |= sim->gate[g].flags != 0;
        for (unsigned k = 0; k < sim->gate[g].type->inputs; k++)
            sim->fanout_at[sim->gate[g].in[k] + 1]++;
    }
    for (uint32_t n = 0; n <= sim->nets; n++)
        sim->fanout_at[n + 1] += sim->fanout_at[n];
    sim->fanout = zeros(sim->fanout_at[sim->nets + 1], sizeof *sim->fanout);
    uint32_t *at = zeros(sim->nets + 1, sizeof *at);
    memcpy(at, sim->fanout_at, (sim->nets + 1) * sizeof *at);
    for (uint32_t g = 0; g < sim->gates; g++)
        for (unsigned k = 0; k < sim->gate[g].type->inputs; k++)
            sim->fanout[at[sim->gate[g].in[k]]++] = g * PINS + k;
    free(at);
}

static void read_bytes(FILE *file, void *to, size_t size, size_t count) {
    if (fread(to, size, count, file) != count)
        fail("the stimulus is cut short");
}

static void read_stimulus(struct stimulus *stimulus, const struct sim *sim, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        fail("the stimulus cannot be opened");
    read_bytes(file, stimulus, sizeof(uint32_t), 6);
    if (stimulus->inputs != sim->inputs)
        fail("the stimulus is for another netlist");
    const size_t words = (size_t)stimulus->rows * stimulus->inputs;
    stimulus->capture = zeros(stimulus->captures, sizeof *stimulus->capture);
    stimulus->waits = zeros(stimulus->rows, 1);
    stimulus->data = zeros(words, sizeof *stimulus->data);
    read_bytes(file, stimulus->capture, sizeof *stimulus->capture, stimulus->captures);
    read_bytes(file, stimulus->waits, 1, stimulus->rows);
    read_bytes(file, stimulus->data, sizeof *stimulus->data, words);
    fclose(file);
}

/* ---- values ---- */

static unsigned ones(uint64_t lanes) {
    return (unsigned)__builtin_popcountll(lanes);
}

static uint64_t evaluate(const struct sim *sim, const struct type *type, const uint32_t *in) {
    if (type->inputs == 0)
        return type->low[0];
    uint64_t leaf[1 << (PINS - 1)];
    unsigned leaves = 1u << (type->inputs - 1);
    const uint64_t first = sim->value[in[0]];
    for (unsigned i = 0; i < leaves; i++)
        leaf[i] = type->low[i] ^ (type->flip[i] & first);
    for (unsigned k = 1; k < type->inputs; k++) {
        const uint64_t select = sim->value[in[k]];
        leaves /= 2;
        for (unsigned i = 0; i < leaves; i++)
            leaf[i] = leaf[2 * i] ^ ((leaf[2 * i] ^ leaf[2 * i + 1]) & select);
    }
    return leaf[0];
}

/* What the gate's inputs make of it. A latch that is closed keeps what it is, or is about to be. */
static uint64_t wanted(struct sim *sim, const struct gate *gate) {
    if (gate->flags & LATCH)
        sim->value[sim->nets] = sim->value[gate->out] ^ gate->due;
    return evaluate(sim, gate->type, gate->in);
}

/* All gates to their settled values; they stand in the order of their dependence. */
static void settle(struct sim *sim) {
    for (uint32_t g = 0; g < sim->gates; g++)
        sim->value[sim->gate[g].out] = wanted(sim, &sim->gate[g]);
}

/* The clock changes, and what stands between it and the clock pins follows at once. */
static void set_clock(struct sim *sim, bool high) {
    if (sim->clock == NONE)
        return;
    sim->value[sim->clock] = high ? ~UINT64_C(0) : 0;
    for (uint32_t g = 0; sim->phases && g < sim->gates; g++) {
        struct gate *gate = &sim->gate[g];
        if (!(gate->flags & CLOCKING) || gate->flags & LATCH)
            continue;
        const uint64_t was = sim->value[gate->out], is = wanted(sim, gate);
        sim->value[gate->out] = is;
        if (sim->counting) {
            gate->rises[0] += ones(is & ~was);
            gate->falls[0] += ones(was & ~is);
            sim->toggles[gate->out] += ones(is ^ was);
        }
    }
}

/* Every flip-flop whose clock rises takes its next value, all from what was before. */
static void sample(struct sim *sim) {
    for (uint32_t i = 0; i < sim->flops; i++)
        sim->flop[i].level = sim->value[sim->flop[i].clock];
    set_clock(sim, true);
    for (uint32_t i = 0; i < sim->flops; i++) {
        struct flop *flop = &sim->flop[i];
        const uint64_t tick = sim->value[flop->clock] & ~flop->level, was = sim->value[flop->state];
        flop->next = was ^ ((was ^ evaluate(sim, flop->type, flop->in)) & tick);
        if (sim->counting)
            flop->ticks += ones(tick);
    }
    for (uint32_t i = 0; i < sim->flops; i++)
        sim->value[sim->flop[i].state] = sim->flop[i].next;
}

static uint64_t source_value(const struct sim *sim, const struct source *source) {
    return sim->value[source->from] ^ (source->invert ? ~UINT64_C(0) : 0);
}

/* ---- without delays ---- */

static void settle_cycle(struct sim *sim, const uint64_t *row) {
    sample(sim);
    for (uint32_t i = 0; i < sim->outputs; i++)
        sim->value[sim->output[i].net] = source_value(sim, &sim->output[i]);
    for (uint32_t i = 0; i < sim->inputs; i++)
        sim->value[sim->input[i].net] = row[i];
    settle(sim);
    set_clock(sim, false);
    if (sim->phases)
        settle(sim);
}

static void write_cycle(const struct sim *sim, const struct stimulus *stimulus, uint64_t row, FILE *out) {
    fwrite(&row, sizeof row, 1, out);
    for (uint32_t i = 0; i < stimulus->captures; i++)
        fwrite(&sim->value[stimulus->capture[i]], sizeof(uint64_t), 1, out);
}

/* Cycle by cycle: the row of the stimulus, and the captured nets. A row that waits is given until all lanes are ready.
 */
static void settle_all(struct sim *sim, const struct stimulus *stimulus, FILE *out) {
    uint32_t patience = 0;
    for (uint64_t row = 0; row < stimulus->rows;) {
        settle_cycle(sim, stimulus->data + row * stimulus->inputs);
        write_cycle(sim, stimulus, row, out);
        const uint64_t ready = stimulus->waits[row] ? sim->value[stimulus->ready] : ~UINT64_C(0);
        if (ready != 0 && ready != ~UINT64_C(0))
            fail("some lanes are ready and others are not");
        patience = ready ? 0 : patience + 1;
        if (patience == 10000)
            fail("the array takes no steps");
        row += ready & 1;
    }
}

/* ---- with delays ---- */

static uint32_t new_event(struct sim *sim) {
    if (sim->event_free != NONE) {
        const uint32_t e = sim->event_free;
        sim->event_free = sim->event[e].next_in_slot;
        return e;
    }
    if (sim->event_count == sim->event_room) {
        sim->event_room = 2 * sim->event_room + 1024;
        sim->event = realloc(sim->event, sim->event_room * sizeof *sim->event);
        if (!sim->event)
            fail("out of memory");
    }
    return sim->event_count++;
}

static uint32_t schedule(struct sim *sim, uint32_t time, uint32_t net, uint64_t lanes) {
    if (time >= SLOTS)
        fail("the gates do not come to rest: a path is too long for the unit of time");
    const uint32_t e = new_event(sim);
    sim->event[e] = (struct event){lanes, net, NONE, time, sim->slot[time], NONE, 0};
    sim->slot[time] = e;
    sim->busy[time / 64] |= UINT64_C(1) << (time % 64);
    return e;
}

/* The first moment at or after TIME with events, or NONE. */
static uint32_t next_moment(const struct sim *sim, uint32_t time) {
    uint64_t word = sim->busy[time / 64] & (~UINT64_C(0) << (time % 64));
    for (uint32_t i = time / 64; i < SLOTS / 64; word = ++i < SLOTS / 64 ? sim->busy[i] : 0)
        if (word)
            return i * 64 + (uint32_t)__builtin_ctzll(word);
    return NONE;
}

static void touch(struct sim *sim, uint32_t g) {
    struct gate *gate = &sim->gate[g];
    if (gate->touched)
        return;
    gate->touched = true;
    sim->touched[sim->touched_count++] = g;
    memset(gate->moved, 0, sizeof gate->moved);
}

/* A net changes: who reads it has to be looked at. */
static void change(struct sim *sim, uint32_t net, uint64_t lanes) {
    sim->value[net] ^= lanes;
    for (uint32_t i = sim->fanout_at[net]; i < sim->fanout_at[net + 1]; i++) {
        const uint32_t g = sim->fanout[i] / PINS;
        touch(sim, g);
        sim->gate[g].moved[sim->fanout[i] % PINS] |= lanes;
    }
    if (sim->counting)
        sim->toggles[net] += ones(lanes);
}

static void leave_gate(struct sim *sim, uint32_t e) {
    uint32_t *link = &sim->gate[sim->event[e].gate].events;
    while (*link != e)
        link = &sim->event[*link].next_of_gate;
    *link = sim->event[e].next_of_gate;
}

static void happen(struct sim *sim, const struct event *event) {
    if (!event->lanes)
        return;
    if (event->gate != NONE) {
        struct gate *gate = &sim->gate[event->gate];
        gate->due &= ~event->lanes;
        if (sim->counting) {
            gate->rises[event->pin] += ones(event->lanes & ~sim->value[event->net]);
            gate->falls[event->pin] += ones(event->lanes & sim->value[event->net]);
        }
    }
    if (sim->counting && event->time > sim->latest)
        sim->latest = event->time;
    change(sim, event->net, event->lanes);
}

/* LANES of the gate's output change in TIME because of its input PIN. */
static void expect(struct sim *sim, uint32_t g, unsigned pin, uint32_t time, uint64_t lanes) {
    struct gate *gate = &sim->gate[g];
    if (!lanes)
        return;
    for (uint32_t e = gate->events; e != NONE; e = sim->event[e].next_of_gate)
        if (sim->event[e].time == time && sim->event[e].pin == pin) {
            sim->event[e].lanes |= lanes;
            return;
        }
    const uint32_t e = schedule(sim, time, gate->out, lanes);
    sim->event[e].gate = g;
    sim->event[e].pin = pin;
    sim->event[e].next_of_gate = gate->events;
    gate->events = e;
}

/* Compares what a touched gate is about to be with what it ought to be. */
static void look(struct sim *sim, uint32_t g, uint32_t now) {
    struct gate *gate = &sim->gate[g];
    const uint64_t is = sim->value[gate->out];
    uint64_t differs = wanted(sim, gate) ^ is ^ gate->due;
    gate->touched = false;
    const uint64_t swallowed = differs & gate->due;
    if (swallowed) {
        for (uint32_t e = gate->events; e != NONE; e = sim->event[e].next_of_gate)
            sim->event[e].lanes &= ~swallowed;
        gate->due ^= swallowed;
        differs ^= swallowed;
    }
    gate->due |= differs;
    for (unsigned k = 0; differs && k < gate->type->inputs; k++) {
        const uint64_t lanes = differs & gate->moved[k];
        differs ^= lanes;
        expect(sim, g, k, now + gate->rise[k], lanes & ~is);
        expect(sim, g, k, now + gate->fall[k], lanes & is);
    }
}

/* Latches open: their enable is input 0. */
static void fall_of_clock(struct sim *sim) {
    set_clock(sim, false);
    for (uint32_t g = 0; g < sim->gates; g++)
        if (sim->gate[g].flags & LATCH) {
            touch(sim, g);
            sim->gate[g].moved[0] = ~UINT64_C(0);
        }
}

static void moment(struct sim *sim, uint32_t now, bool fall) {
    for (uint32_t e = sim->slot[now], next; e != NONE; e = next) {
        next = sim->event[e].next_in_slot;
        if (sim->event[e].gate != NONE)
            leave_gate(sim, e);
        happen(sim, &sim->event[e]);
        sim->event[e].next_in_slot = sim->event_free;
        sim->event_free = e;
    }
    sim->slot[now] = NONE;
    sim->busy[now / 64] &= ~(UINT64_C(1) << (now % 64));
    if (fall)
        fall_of_clock(sim);
    for (uint32_t i = 0; i < sim->touched_count; i++)
        look(sim, sim->touched[i], now);
    sim->touched_count = 0;
}

static void launch(struct sim *sim, struct source *source, uint64_t value) {
    const uint64_t is = sim->value[source->net], rises = value & ~is, falls = is & ~value;
    if (rises)
        schedule(sim, source->rise, source->net, rises);
    if (falls)
        schedule(sim, source->fall, source->net, falls);
    if (sim->counting) {
        source->rises += ones(rises);
        source->falls += ones(falls);
    }
}

static void timed_cycle(struct sim *sim, const uint64_t *row) {
    sample(sim);
    for (uint32_t i = 0; i < sim->outputs; i++)
        launch(sim, &sim->output[i], source_value(sim, &sim->output[i]));
    for (uint32_t i = 0; i < sim->inputs; i++)
        launch(sim, &sim->input[i], row[i]);
    bool fallen = !sim->phases;
    for (uint32_t now = 0;;) {
        uint32_t next = next_moment(sim, now);
        const bool fall = !fallen && (next == NONE || next >= sim->half);
        if (fall)
            next = sim->half;
        if (next == NONE)
            break;
        moment(sim, next, fall);
        fallen |= fall;
        now = next;
    }
    if (!sim->phases)
        set_clock(sim, false);
}

static void timed_all(struct sim *sim, const struct stimulus *stimulus, FILE *out) {
    uint64_t *before = zeros(sim->gates, sizeof *before);
    for (uint32_t i = 0; i < sim->inputs; i++)
        sim->value[sim->input[i].net] = stimulus->data[i];
    settle(sim);
    for (uint32_t row = 0; row < stimulus->rows; row++) {
        sim->counting = row >= stimulus->from && row < stimulus->to;
        for (uint32_t g = 0; g < sim->gates; g++)
            before[g] = sim->value[sim->gate[g].out];
        timed_cycle(sim, stimulus->data + (size_t)row * stimulus->inputs);
        for (uint32_t g = 0; g < sim->gates && sim->counting; g++)
            sim->gate[g].settled += ones(before[g] ^ sim->value[sim->gate[g].out]);
        write_cycle(sim, stimulus, row, out);
    }
    for (uint32_t g = 0; g < sim->gates; g++)
        if (sim->value[sim->gate[g].out] != wanted(sim, &sim->gate[g]))
            fail("a gate is not what its inputs say: a fault of this program");
    free(before);
}

/* The latest change, then by gate its rises and falls by input and its settled toggles, by flip-flop its ticks, by
 * source its rises and falls, by net its toggles. */
static void write_counts(const struct sim *sim, FILE *out) {
    const uint64_t latest = sim->latest;
    fwrite(&latest, sizeof latest, 1, out);
    for (uint32_t g = 0; g < sim->gates; g++) {
        fwrite(sim->gate[g].rises, sizeof(uint64_t), PINS, out);
        fwrite(sim->gate[g].falls, sizeof(uint64_t), PINS, out);
        fwrite(&sim->gate[g].settled, sizeof(uint64_t), 1, out);
    }
    for (uint32_t i = 0; i < sim->flops; i++)
        fwrite(&sim->flop[i].ticks, sizeof(uint64_t), 1, out);
    for (uint32_t i = 0; i < sim->outputs; i++) {
        fwrite(&sim->output[i].rises, sizeof(uint64_t), 1, out);
        fwrite(&sim->output[i].falls, sizeof(uint64_t), 1, out);
    }
    fwrite(sim->toggles, sizeof(uint64_t), sim->nets, out);
}

int main(int argc, char **argv) {
    static struct sim sim;
    struct stimulus stimulus;
    const bool delays = argc == 4;
    if (!delays && (argc != 5 || strcmp(argv[1], "--settle") != 0)) {
        fputs("gatesim: it takes [--settle] NETLIST STIMULUS OUT\n", stderr);
        return 2;
    }
    char **const path = argv + argc - 3;
    read_netlist(&sim, path[0]);
    prepare(&sim);
    read_stimulus(&stimulus, &sim, path[1]);
    FILE *out = fopen(path[2], "wb");
    if (!out)
        fail("the result cannot be written");
    if (delays) {
        timed_all(&sim, &stimulus, out);
        write_counts(&sim, out);
    } else {
        settle_all(&sim, &stimulus, out);
    }
    if (fclose(out) != 0)
        fail("the result cannot be written");
    return 0;
}

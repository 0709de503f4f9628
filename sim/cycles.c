/* Each part of the core is a struct with the registers that decide when something happens, named as in its module, and
 * functions for what the module's wires say. cycles_step() reads all wires of a cycle, then moves all registers. */
#include "cycles.h"

#include <stdlib.h>
#include <string.h>

enum { PART = 1 << 16, COUNT_BITS = 13, BURSTS = 64, LINE = 1024 };

/* ---- daa_queue: only how many there are, and what they hold ---- */

struct block {
    uint64_t address;
    uint32_t rows, elements, k;
    bool first, last, c0, more;
};

struct queue {
    struct block slot[4];
    unsigned count, depth;
};

static bool queue_room(const struct queue *queue) {
    return queue->count < queue->depth;
}

static void queue_move(struct queue *queue, bool push, struct block block, bool pop) {
    if (pop) {
        memmove(&queue->slot[0], &queue->slot[1], sizeof queue->slot - sizeof *queue->slot);
        queue->count--;
    }
    if (push)
        queue->slot[queue->count++] = block;
}

/* ---- daa_bursts ---- */

struct bursts {
    bool busy, row, valid;
    uint64_t next, at; /* at: in beats */
    uint32_t rows, beats, bytes;
    unsigned length; /* of the burst on offer */
};

static unsigned burst_length(const struct bursts *b, unsigned bus_bytes) {
    const unsigned page = 4096 / bus_bytes - (unsigned)(b->at % (4096 / bus_bytes));
    const unsigned most = page < 256 ? page : 256;
    return b->beats < most ? b->beats : most;
}

/* START: BLOCK goes. ROOM: one more burst may be under way. Returns whether one more is. */
static bool bursts_issue(const struct bursts *b, bool room, bool ready) {
    return b->busy && b->row && room && (!b->valid || ready);
}

static void bursts_move(struct bursts *b, unsigned bus_bytes, uint32_t pitch, bool start, const struct block *block,
                        bool issue, bool ready) {
    const unsigned length = burst_length(b, bus_bytes);
    const bool ends = b->beats == length;
    b->valid = issue || (b->valid && !ready);
    if (issue)
        b->length = length;
    if (start) {
        b->busy = true;
        b->row = false;
        b->next = block->address;
        b->rows = block->rows;
    } else if (b->busy && !b->row) {
        b->row = true;
        b->at = b->next / bus_bytes;
        b->beats = (uint32_t)((b->bytes + b->next % bus_bytes + bus_bytes - 1) / bus_bytes);
        b->next += pitch;
        b->rows--;
    } else if (issue) {
        b->at += length;
        b->beats -= length;
        if (ends) {
            b->busy = b->rows != 0;
            b->row = false;
        }
    }
}

/* ---- daa_load ---- */

struct load {
    unsigned bytes, lanes; /* of an element; of a segment */
    bool along;
    uint32_t pitch;
    struct queue ask, take;
    struct bursts bursts;
    unsigned soon, free, under_way, beats; /* beats: in the queue of three */
    bool busy, none, skip;
    struct {
        bool there, none, spans, closes, row_ends, block_ends;
    } plan; /* the next word, which waits for its beats */
    uint32_t rows, elements, left, segment, row, offset;
    bool word_block, loaded; /* the last word of a block, on its way through the bank */
};

/* What a loader does in this cycle. */
struct load_wires {
    bool ask, any, issue, plan, give, row_ends, segment_ends, block_ends, pop, begin;
    uint32_t count, ends_at;
};

static struct load_wires load_wires(const struct load *l, unsigned bus_bytes, unsigned outstanding, bool burst_ready) {
    struct load_wires w = {0};
    w.ask = l->ask.count > 0 && !l->bursts.busy && queue_room(&l->take) && l->soon > 0;
    w.any = l->ask.slot[0].rows > 0 && l->ask.slot[0].elements > 0;
    w.issue = bursts_issue(&l->bursts, l->under_way < outstanding, burst_ready);
    const uint32_t per = bus_bytes / l->bytes, here = !l->along && l->segment < l->left ? l->segment : l->left;
    w.count = here > per ? per : here;
    w.ends_at = l->offset + w.count * l->bytes;
    w.segment_ends = !l->along && l->segment == w.count;
    w.row_ends = l->left == w.count;
    w.block_ends = l->none || (w.row_ends && l->rows == 1);
    w.give = l->plan.there && (l->plan.none || (!l->skip && l->beats > (l->plan.spans ? 1u : 0u)));
    w.pop = (w.give && !l->plan.none && (l->plan.closes || l->plan.row_ends)) || (l->skip && l->beats > 0);
    w.plan = l->busy && (!l->plan.there || w.give);
    w.begin = l->take.count > 0 && l->free > 0 && (!l->busy || (w.plan && w.block_ends));
    return w;
}

static void load_begin(struct load *l, unsigned bus_bytes) {
    const struct block *block = &l->take.slot[0];
    l->none = block->rows == 0 || block->elements == 0;
    l->rows = block->rows;
    l->elements = l->left = block->elements;
    l->segment = l->lanes;
    l->row = l->offset = (uint32_t)(block->address % bus_bytes);
}

static void load_words(struct load *l, const struct load_wires *w, unsigned bus_bytes) {
    if (w->begin) {
        load_begin(l, bus_bytes);
    } else if (w->plan && w->row_ends) {
        l->rows--;
        l->left = l->elements;
        l->segment = l->lanes;
        l->row = l->offset = (l->row + l->pitch) % bus_bytes;
    } else if (w->plan) {
        l->left -= w->count;
        l->segment = w->segment_ends ? l->lanes : l->segment - w->count;
        l->offset = w->ends_at % bus_bytes;
    }
}

static void load_move(struct load *l, const struct load_wires *w, unsigned bus_bytes, bool push, struct block block,
                      bool soon, bool free, bool beat, bool beat_last, bool burst_ready) {
    const struct block asked = l->ask.slot[0];
    l->loaded = l->word_block;
    l->word_block = w->give && l->plan.block_ends;
    bursts_move(&l->bursts, bus_bytes, l->pitch, w->ask && w->any, &asked, w->issue, burst_ready);
    if (w->ask)
        l->bursts.bytes = asked.elements * l->bytes;
    l->under_way = l->under_way + w->issue - (beat && beat_last);
    l->soon = l->soon + soon - w->ask;
    l->free = l->free + free - w->begin;
    const bool had = l->beats > 0;
    l->beats = l->beats + beat - w->pop;
    if (w->give && !l->plan.none && l->plan.row_ends)
        l->skip = l->plan.spans;
    else if (had)
        l->skip = false;
    if (!l->plan.there || w->give)
        l->plan.there = l->busy;
    if (w->plan) {
        l->plan.none = l->none;
        l->plan.spans = w->ends_at > bus_bytes;
        l->plan.closes = w->ends_at >= bus_bytes;
        l->plan.row_ends = w->row_ends;
        l->plan.block_ends = w->block_ends;
    }
    load_words(l, w, bus_bytes);
    l->busy = w->begin || (l->busy && !(w->plan && w->block_ends));
    queue_move(&l->take, w->ask, asked, w->begin);
    queue_move(&l->ask, push, block, w->ask);
}

/* ---- daa_tiles ---- */

struct tiles_walk {
    uint32_t m, n, all_n;
};

static bool walk_last(const struct tiles_walk *t, uint32_t rows, uint32_t cols) {
    return t->m <= rows && t->n <= cols;
}

static void walk_move(struct tiles_walk *t, uint32_t rows, uint32_t cols, bool start, const struct block *block,
                      bool next) {
    if (start) {
        *t = (struct tiles_walk){block->rows, block->elements, block->elements};
    } else if (next) {
        const bool ends = t->n <= cols;
        if (ends)
            t->m -= rows;
        t->n = ends ? t->all_n : t->n - cols;
    }
}

/* ---- daa_feed ---- */

struct step {
    bool there, last, c0, more;
};

struct feed {
    struct queue blocks;
    unsigned a_in, b_in, c0_in;
    bool active, asked, soon, ends_tile, c0, more;
    uint32_t k, left;
    struct tiles_walk tiles;
    struct step read, show;
    bool taken;
};

/* ---- daa_ctrl ---- */

struct control {
    struct step place[2];
    unsigned fill, into, from; /* fill: 0 or 1: that place takes what is offered; 2: none does */
    bool starting, from_c0, c0_ok, room, c0_ready;
    uint32_t first_gap, last_gap, c0_held, c0_tiles, c0_at, free, there;
    bool c_valid, more;
    /* What is on its way, by the cycle in which it arrives: a row of C0 read, a row of results, and of states. */
    uint8_t c0_line[LINE], result_line[LINE], more_line[LINE];
    uint8_t partial[LINE]; /* rows of results that wait: which are of states */
    uint32_t partial_in, partial_out;
    bool c_partial;
};

/* ---- daa_sums ---- */

struct sums {
    struct queue give, take;
    bool giving, partial, taking, more, results;
    struct tiles_walk give_tiles, take_tiles;
    uint32_t give_row, take_row, states;
    bool row, row_partial; /* on offer to the array */
};

/* ---- daa_store ---- */

struct store {
    unsigned bytes;
    uint32_t pitch;
    struct queue blocks;
    struct bursts bursts;
    unsigned results, under_way, ahead;
    bool reading;
    uint32_t m, n, left;
    struct {
        bool there, row_ends, block_ends;
        uint32_t cols;
    } read, row, chunk; /* cols of the chunk: bytes */
    uint32_t row_low, fill;
    bool flush, flush_block, w_valid, w_last;
    uint32_t page, burst;
};

/* ---- memory ---- */

struct pending {
    unsigned id, beats;
    uint64_t due;
};

struct channel {
    struct pending burst[BURSTS];
    unsigned first, count;
    uint32_t credit;
};

struct memory {
    uint32_t latency, rate, beat;
    struct channel reads, answers;
    unsigned lengths[BURSTS], length_in, length_out, length_beat;
    bool r_valid, r_last, b_valid, w_ready;
    unsigned r_id;
    uint32_t write_credit;
};

/* ---- daa_job ---- */

enum state { IDLE, CHECK, MULTIPLY, BEGIN, SIZE, PUSH, NEXT, DRAIN, DONE };

struct walk { /* of one matrix: where the batch, the row or column of blocks, and the block begin */
    uint64_t batch, line, at;
};

struct daa_cycles_model {
    unsigned rows, cols, streams, bus_bytes, outstanding, c0_rows, result_rows, result_delay, c0_delay;
    uint32_t block_m, block_n, block_k;
    uint64_t cycle;
    struct daa_cycles_job job;
    enum state state;
    unsigned bit, open;
    uint32_t batch, m, n, k;
    struct walk a, b, c0, c;
    bool first;
    struct load load[3];
    bool ar_valid, b_last; /* b_last: of A and B, B had its turn last */
    unsigned ar_id, ar_length;
    struct feed feed;
    struct control control;
    struct sums sums;
    struct store store;
    struct memory memory;
    struct daa_cycles counts;
};

struct daa_cycles_model *daa_cycles_new(const struct daa_config *config, struct daa_cycles_memory memory) {
    struct daa_cycles_model *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    const bool anchored = config->accumulator == DAA_ANCHORED;
    m->rows = (unsigned)config->rows;
    m->cols = (unsigned)config->cols;
    m->streams = (unsigned)config->streams;
    m->bus_bytes = (unsigned)config->bus_bits / 8;
    m->outstanding = (unsigned)config->outstanding;
    m->block_m = (uint32_t)config->block_m;
    m->block_n = (uint32_t)config->block_n;
    m->block_k = (uint32_t)config->block_k;
    m->c0_rows = (unsigned)config->c0_rows;
    m->result_rows = (unsigned)config->result_rows;
    /* The automatic depths are what is on its way: Rows, and the cycles until the last column has read or written. */
    m->result_delay = (unsigned)(daa_result_rows_auto(config) - config->rows) - 1;
    m->c0_delay = (unsigned)(daa_c0_rows_auto(config) - config->rows) - 1 - anchored;
    for (int i = 0; i < 3; i++)
        m->load[i].soon = m->load[i].free = m->load[i].ask.depth = m->load[i].take.depth = 2;
    m->feed.blocks.depth = m->sums.give.depth = m->sums.take.depth = m->store.blocks.depth = 4;
    m->control.starting = m->control.room = m->control.c0_ready = true;
    m->control.free = m->result_rows;
    m->memory.latency = memory.latency;
    m->memory.beat = m->bus_bytes * PART;
    m->memory.rate = (uint32_t)(memory.bandwidth * PART);
    m->memory.reads.credit = m->memory.write_credit = m->memory.beat;
    m->memory.w_ready = true;
    return m;
}

void daa_cycles_free(struct daa_cycles_model *model) {
    free(model);
}

/* ---- the job's blocks ---- */

static bool last_k(const struct daa_cycles_model *m) {
    return m->k <= m->block_k;
}
static bool last_n(const struct daa_cycles_model *m) {
    return m->n <= m->block_n;
}
static bool last_m(const struct daa_cycles_model *m) {
    return m->m <= m->block_m;
}

static void job_begin(struct daa_cycles_model *m) {
    const struct daa_cycles_job *job = &m->job;
    m->batch = job->batch;
    m->m = job->m;
    m->n = job->n;
    m->k = job->k;
    m->a = (struct walk){job->a.address, job->a.address, job->a.address};
    m->b = (struct walk){job->b.address, job->b.address, job->b.address};
    m->c0 = (struct walk){job->c0.address, job->c0.address, job->c0.address};
    m->c = (struct walk){job->c.address, job->c.address, job->c.address};
    m->first = true;
}

/* From block to block: along K, N, M, and to the next product of the batch. */
static void job_next(struct daa_cycles_model *m) {
    const struct daa_cycles_job *job = &m->job;
    const struct daa_cycles_matrix *a = &job->a, *b = &job->b;
    const uint64_t a_k = a->along ? (uint64_t)m->block_k * a->bytes : (uint64_t)m->block_k * a->leading;
    const uint64_t a_m = a->along ? (uint64_t)m->block_m * a->leading : (uint64_t)m->block_m * a->bytes;
    const uint64_t b_k = b->along ? (uint64_t)m->block_k * b->bytes : (uint64_t)m->block_k * b->leading;
    const uint64_t b_n = b->along ? (uint64_t)m->block_n * b->leading : (uint64_t)m->block_n * b->bytes;
    if (!last_k(m)) {
        m->k -= m->block_k;
        m->a.at += a_k;
        m->b.at += b_k;
        m->first = false;
        return;
    }
    m->k = job->k;
    m->first = true;
    if (!last_n(m)) {
        m->n -= m->block_n;
        m->a.at = m->a.line;
        m->b.at = m->b.line += b_n;
        m->c0.at += (uint64_t)m->block_n * job->c0.bytes;
        m->c.at += (uint64_t)m->block_n * job->c.bytes;
        return;
    }
    m->n = job->n;
    if (!last_m(m)) {
        m->m -= m->block_m;
        m->a.at = m->a.line += a_m;
        m->b.at = m->b.line = m->b.batch;
        m->c0.at = m->c0.line += (uint64_t)m->block_m * job->c0.leading;
        m->c.at = m->c.line += (uint64_t)m->block_m * job->c.leading;
        return;
    }
    m->m = job->m;
    m->batch--;
    m->a.at = m->a.line = m->a.batch += a->stride;
    m->b.at = m->b.line = m->b.batch += b->stride;
    m->c0.at = m->c0.line = m->c0.batch += job->c0.stride;
    m->c.at = m->c.line = m->c.batch += job->c.stride;
}

/* All wires between the parts, in one cycle. */
struct wires {
    bool push, last, idle, stored;
    struct load_wires load[3];
    bool burst_ready[3], beat[3];
    unsigned turn; /* 3: no loader's */
    bool r_taken, soon, c_free;
    bool ask, start, tile_ends, ends, go, read_room, show_room; /* feed */
    bool array_ready, step_in, array_go, first, last_step, result_read, c0_write, c0_done, result_done;
    bool give, give_pop, give_room_out, give_ends, take_pop, take_ends; /* sums */
    bool store_start, read, read_ends, row_room, chunk, last_chunk, chunk_room, funnel_room, beat_out, push_beat,
        row_beat, whole, issue;
    uint32_t count, end_byte;
    bool burst_ends, w_taken;
};

/* ---- wires ---- */

static void wire_loaders(const struct daa_cycles_model *m, struct wires *w) {
    bool may[3], asks[2];
    for (unsigned i = 0; i < 3; i++)
        may[i] = m->load[i].bursts.valid;
    for (unsigned i = 0; i < 2; i++)
        asks[i] = m->load[i].bursts.busy || m->load[i].bursts.valid;
    may[0] &= !asks[1] || m->b_last; /* while both ask, theirs alternate */
    may[1] &= !asks[0] || !m->b_last;
    w->turn = 3;
    for (unsigned i = 1; i <= 3 && w->turn == 3; i++) /* after the last one's turn, the next that has any */
        if (may[(m->ar_id + i) % 3])
            w->turn = (m->ar_id + i) % 3;
    const bool room = m->load[0].beats < 3 && m->load[1].beats < 3 && m->load[2].beats < 3;
    w->r_taken = m->memory.r_valid && room;
    for (unsigned i = 0; i < 3; i++) {
        w->burst_ready[i] = w->turn == i; /* addresses are taken at once */
        w->beat[i] = w->r_taken && m->memory.r_id == i;
        w->load[i] = load_wires(&m->load[i], m->bus_bytes, m->outstanding, w->burst_ready[i]);
    }
}

static void wire_array(const struct daa_cycles_model *m, struct wires *w) {
    const struct control *c = &m->control;
    const struct step *next = &c->place[c->from];
    const bool first_ok = !c->starting || (c->first_gap == 0 && (!next->c0 || c->c0_ok));
    const bool last_ok = !next->last || (c->last_gap == 0 && c->room);
    w->array_ready = c->fill < 2;
    w->array_go = next->there && first_ok && last_ok;
    w->first = w->array_go && c->starting;
    w->last_step = w->array_go && next->last;
    w->result_read = c->there > 0; /* results are taken at once */
    w->c0_write = m->sums.row && c->c0_ready;
    w->c0_done = c->c0_line[m->cycle % LINE] != 0;
    w->result_done = c->result_line[m->cycle % LINE] != 0;
}

static void wire_feed(const struct daa_cycles_model *m, struct wires *w) {
    const struct feed *f = &m->feed;
    const struct block *block = &f->blocks.slot[0];
    w->show_room = !f->show.there || w->array_ready;
    w->read_room = !f->read.there || w->show_room;
    w->go = f->active && w->read_room;
    w->tile_ends = f->left <= m->streams;
    const bool last_tile = walk_last(&f->tiles, m->rows, m->cols);
    w->ends = w->tile_ends && last_tile;
    const bool c0_in = f->blocks.count > 0 && (!block->first || f->c0_in > 0);
    w->ask = !f->asked && c0_in && queue_room(&m->sums.give) && queue_room(&m->sums.take);
    w->start = f->asked && f->a_in > 0 && f->b_in > 0 && (!f->active || (w->go && w->ends));
    w->soon = f->active && f->soon && last_tile;
    w->step_in = f->show.there && w->array_ready;
}

static void wire_sums(const struct daa_cycles_model *m, struct wires *w) {
    const struct sums *s = &m->sums;
    w->give_room_out = !s->row || m->control.c0_ready;
    w->give = s->giving && w->give_room_out && (!s->partial || s->states > 0);
    w->give_ends = w->give && s->give_row == m->rows - 1 && walk_last(&s->give_tiles, m->rows, m->cols);
    w->give_pop = s->give.count > 0 && (!s->giving || w->give_ends);
    w->take_ends = m->control.c_valid && s->take_row == m->rows - 1 && walk_last(&s->take_tiles, m->rows, m->cols);
    w->take_pop = s->take.count > 0 && (!s->taking || w->take_ends);
}

static void wire_store(const struct daa_cycles_model *m, struct wires *w) {
    const struct store *s = &m->store;
    const uint32_t per = m->bus_bytes / s->bytes;
    w->w_taken = s->w_valid && m->memory.w_ready;
    const bool beat_room = (!s->w_valid || m->memory.w_ready) && s->ahead > 0;
    w->end_byte = s->flush ? s->fill : s->fill + s->chunk.cols;
    w->whole = w->end_byte >= m->bus_bytes;
    w->row_beat = s->flush || (s->chunk.row_ends && w->end_byte <= m->bus_bytes);
    w->beat_out = s->flush || (s->chunk.there && (w->whole || s->chunk.row_ends));
    w->push_beat = w->beat_out && beat_room;
    w->funnel_room = !s->flush && (beat_room || !(w->whole || s->chunk.row_ends));
    w->stored = w->push_beat && w->row_beat && (s->flush ? s->flush_block : s->chunk.block_ends);
    w->chunk_room = !s->chunk.there || w->funnel_room;
    w->chunk = s->row.cols > 0 && w->chunk_room;
    w->last_chunk = s->row.cols <= per;
    w->count = w->last_chunk ? s->row.cols : per;
    w->row_room = s->row.cols == 0 || (w->chunk && w->last_chunk);
    w->read = s->reading && (!s->read.there || w->row_room);
    w->read_ends = w->read && s->left <= m->cols && s->m == 1;
    w->c_free = s->read.there && w->row_room && s->read.block_ends;
    const bool idle = !s->read.there && s->row.cols == 0 && !s->chunk.there && !s->flush;
    w->store_start = s->blocks.count > 0 && s->results > 0 && !s->bursts.busy && !s->reading && idle;
    w->issue = bursts_issue(&s->bursts, s->under_way < m->outstanding, true);
    const uint32_t page = 4096 / m->bus_bytes;
    w->burst_ends = w->row_beat || s->page == page - 1 || s->burst == 255;
}

static void wire_job(const struct daa_cycles_model *m, struct wires *w) {
    const struct store *s = &m->store;
    bool room = queue_room(&m->feed.blocks) && queue_room(&s->blocks), idle = true;
    for (unsigned i = 0; i < 3; i++) {
        room &= queue_room(&m->load[i].ask);
        idle &= !m->load[i].bursts.valid && m->load[i].under_way == 0;
    }
    w->push = m->state == PUSH && room;
    w->last = last_k(m);
    w->idle = idle && !s->bursts.valid && s->under_way == 0 && s->ahead == 0 && !s->w_valid;
}

/* ---- registers ---- */

static void move_feed(struct daa_cycles_model *m, const struct wires *w, struct block pushed) {
    struct feed *f = &m->feed;
    const struct block block = f->blocks.slot[0];
    const bool alone = block.rows <= m->rows && block.elements <= m->cols, waits = f->blocks.count > 0 && !f->active;
    const bool c0_in = !block.first || f->c0_in > 0;
    m->counts.wait_a += waits && f->a_in == 0;
    m->counts.wait_b += waits && f->b_in == 0;
    m->counts.wait_c += waits && !c0_in;
    m->counts.steps += f->taken;
    f->taken = w->step_in;
    f->a_in = f->a_in + m->load[0].loaded - w->start;
    f->b_in = f->b_in + m->load[1].loaded - w->start;
    f->c0_in = f->c0_in + m->load[2].loaded - (w->start && block.first);
    if (w->show_room)
        f->show = f->read;
    if (w->read_room)
        f->read = (struct step){w->go, w->tile_ends && f->ends_tile, f->c0, f->more};
    f->active = w->start || (f->active && !(w->go && w->ends));
    f->asked = w->ask || (f->asked && !w->start);
    f->soon = w->start || (f->soon && !w->soon);
    walk_move(&f->tiles, m->rows, m->cols, w->start, &block, w->go && w->tile_ends);
    if (w->start) {
        f->k = f->left = block.k;
        f->ends_tile = block.last || !alone;
        f->c0 = block.first ? block.c0 : !alone;
        f->more = !block.last;
    } else if (w->go) {
        f->left = w->tile_ends ? f->k : f->left - m->streams;
    }
    queue_move(&f->blocks, w->push, pushed, w->start);
}

static void move_intake(struct control *c, const struct wires *w, const struct step *step) {
    const unsigned into = c->into ^ (unsigned)w->step_in;
    if (c->fill < 2 && w->step_in)
        c->place[c->fill] = *step;
    if (w->array_go)
        c->place[c->from].there = false;
    c->fill = c->place[into].there ? 2 : into;
    c->into = into;
    c->from ^= (unsigned)w->array_go;
}

static void move_array(struct daa_cycles_model *m, const struct wires *w, const struct step *step) {
    struct control *c = &m->control;
    const struct step next = c->place[c->from];
    const unsigned now = (unsigned)(m->cycle % LINE);
    const bool first_c0 = w->first && next.c0, result = w->last_step || c->last_gap > 0;
    c->c0_line[now] = c->result_line[now] = 0;
    c->c0_line[(m->cycle + m->c0_delay) % LINE] = first_c0 || (c->from_c0 && c->first_gap > 0);
    c->result_line[(m->cycle + m->result_delay) % LINE] = result;
    if (result)
        c->partial[c->partial_in++ % LINE] = w->last_step ? next.more : c->more;
    if (w->last_step)
        c->more = next.more;
    if (w->array_go)
        c->starting = next.last;
    if (w->first)
        c->from_c0 = next.c0;
    c->first_gap = w->first ? m->rows - 1 : c->first_gap ? c->first_gap - 1 : 0;
    c->last_gap = w->last_step ? m->rows - 1 : c->last_gap ? c->last_gap - 1 : 0;
    const bool whole = w->c0_write && c->c0_at == m->rows - 1;
    c->c0_held = c->c0_held + w->c0_write - w->c0_done;
    c->c0_tiles = c->c0_tiles + whole - first_c0;
    c->c0_ready = c->c0_held != m->c0_rows;
    c->c0_ok = c->c0_tiles > 0;
    if (w->c0_write)
        c->c0_at = whole ? 0 : c->c0_at + 1;
    c->free = c->free - (w->last_step ? m->rows : 0) + w->result_read;
    c->room = c->free >= m->rows;
    c->there = c->there + w->result_done - w->result_read;
    c->c_valid = w->result_read;
    if (w->result_read)
        c->c_partial = c->partial[c->partial_out++ % LINE];
    move_intake(c, w, step);
}

static void move_sums(struct daa_cycles_model *m, const struct wires *w) {
    struct sums *s = &m->sums;
    const struct block *next = &m->feed.blocks.slot[0];
    const bool alone = next->rows <= m->rows && next->elements <= m->cols;
    struct block give = *next, take = *next;
    give.more = !next->first; /* they are states */
    take.more = !next->last;
    const struct block gives = s->give.slot[0], takes = s->take.slot[0];
    const bool c_valid = m->control.c_valid, give_last_row = s->give_row == m->rows - 1;
    const bool take_last_row = s->take_row == m->rows - 1;
    s->states = s->states + (c_valid && m->control.c_partial) - (w->give && s->partial);
    if (w->give_room_out)
        s->row = w->give;
    walk_move(&s->give_tiles, m->rows, m->cols, w->give_pop, &gives, w->give && give_last_row);
    s->give_row = w->give_pop ? 0 : w->give ? (give_last_row ? 0 : s->give_row + 1) : s->give_row;
    s->giving = w->give_pop || (s->giving && !w->give_ends);
    if (w->give_pop)
        s->partial = gives.more;
    s->results = w->take_ends && !s->more;
    walk_move(&s->take_tiles, m->rows, m->cols, w->take_pop, &takes, c_valid && take_last_row);
    s->take_row = w->take_pop ? 0 : c_valid ? (take_last_row ? 0 : s->take_row + 1) : s->take_row;
    s->taking = w->take_pop || (s->taking && !w->take_ends);
    if (w->take_pop)
        s->more = takes.more;
    queue_move(&s->give, w->ask && (next->first ? next->c0 : !alone), give, w->give_pop);
    queue_move(&s->take, w->start && (next->last || !alone), take, w->take_pop);
}

static void move_funnel(struct daa_cycles_model *m, const struct wires *w, const struct block *started) {
    struct store *s = &m->store;
    const bool step = s->chunk.there && w->funnel_room;
    const uint32_t next_low = (s->row_low + s->pitch) % 4096, page = 4096 / m->bus_bytes;
    s->w_valid = w->push_beat || (s->w_valid && !w->w_taken);
    if (w->push_beat)
        s->w_last = w->burst_ends;
    if (w->store_start) {
        s->page = (uint32_t)(started->address % 4096 / m->bus_bytes);
        s->burst = 0;
    } else if (w->push_beat) {
        s->page = w->row_beat ? next_low / m->bus_bytes : (s->page + 1) % page;
        s->burst = w->burst_ends ? 0 : s->burst + 1;
    }
    const bool was_flush = s->flush;
    if (was_flush)
        s->flush = !w->push_beat;
    else if (step)
        s->flush = s->chunk.row_ends && !w->row_beat;
    if (w->store_start) {
        s->row_low = (uint32_t)(started->address % 4096);
        s->fill = s->row_low % m->bus_bytes;
    } else if (w->push_beat && w->row_beat) {
        s->row_low = next_low;
        s->fill = next_low % m->bus_bytes;
    } else if (step) {
        s->fill = w->end_byte % m->bus_bytes;
        s->flush_block = s->chunk.block_ends;
    }
}

static void move_store(struct daa_cycles_model *m, const struct wires *w, struct block pushed) {
    struct store *s = &m->store;
    const struct block started = s->blocks.slot[0];
    const bool last_col = s->left <= m->cols, last_row = s->m == 1;
    s->results = s->results + m->sums.results - w->store_start;
    s->under_way = s->under_way + w->issue - m->memory.b_valid;
    s->ahead = s->ahead + w->issue - (w->push_beat && w->burst_ends);
    move_funnel(m, w, &started);
    if (w->chunk_room) {
        s->chunk.there = w->chunk;
        if (w->chunk) {
            s->chunk.row_ends = s->row.row_ends && w->last_chunk;
            s->chunk.block_ends = s->row.block_ends && w->last_chunk;
            s->chunk.cols = w->count * s->bytes;
        }
    }
    if (w->row_room) {
        s->row.cols = s->read.there ? s->read.cols : 0;
        s->row.row_ends = s->read.row_ends;
        s->row.block_ends = s->read.block_ends;
    } else if (w->chunk) {
        s->row.cols -= w->count;
    }
    if (!s->read.there || w->row_room)
        s->read.there = w->read;
    if (w->read) {
        s->read.row_ends = last_col;
        s->read.block_ends = last_col && last_row;
        s->read.cols = last_col ? s->left : m->cols;
    }
    s->reading = w->store_start || (s->reading && !w->read_ends);
    if (w->store_start) {
        s->m = started.rows;
        s->n = s->left = started.elements;
    } else if (w->read) {
        s->m -= last_col;
        s->left = last_col ? s->n : s->left - m->cols;
    }
    bursts_move(&s->bursts, m->bus_bytes, s->pitch, w->store_start, &started, w->issue, true);
    if (w->store_start)
        s->bursts.bytes = started.elements * s->bytes;
    queue_move(&s->blocks, w->push && w->last, pushed, w->store_start);
}

static struct pending *oldest(struct channel *channel) {
    return &channel->burst[channel->first % BURSTS];
}

static void channel_put(struct channel *channel, struct pending pending) {
    channel->burst[(channel->first + channel->count++) % BURSTS] = pending;
}

static bool may_pass(uint32_t *credit, uint32_t rate, uint32_t beat) {
    *credit = *credit + rate > beat ? beat : *credit + rate;
    return *credit >= beat;
}

/* As tb/core/memory.c does it, without stalls. */
static void move_memory(struct daa_cycles_model *m, const struct wires *w, bool ar, bool aw, unsigned aw_length) {
    struct memory *y = &m->memory;
    if (ar)
        channel_put(&y->reads, (struct pending){m->ar_id, m->ar_length, m->cycle + y->latency});
    if (aw)
        y->lengths[y->length_in++ % BURSTS] = aw_length;
    if (w->w_taken) {
        y->write_credit -= y->beat;
        if (++y->length_beat == y->lengths[y->length_out % BURSTS]) {
            channel_put(&y->answers, (struct pending){0, 0, m->cycle + y->latency});
            y->length_out++;
            y->length_beat = 0;
        }
    }
    if (w->r_taken)
        y->r_valid = false;
    y->b_valid = false;
    const uint64_t next = m->cycle + 1;
    if (may_pass(&y->reads.credit, y->rate, y->beat) && !y->r_valid && y->reads.count > 0 &&
        oldest(&y->reads)->due <= next) {
        struct pending *burst = oldest(&y->reads);
        y->reads.credit -= y->beat;
        y->r_valid = true;
        y->r_id = burst->id;
        y->r_last = --burst->beats == 0;
        y->reads.first += y->r_last;
        y->reads.count -= y->r_last;
    }
    if (y->answers.count > 0 && oldest(&y->answers)->due <= next) {
        y->b_valid = true;
        y->answers.first++;
        y->answers.count--;
    }
    y->w_ready = may_pass(&y->write_credit, y->rate, y->beat);
}

static void move_job(struct daa_cycles_model *m, const struct wires *w) {
    static const enum state after[] = {[CHECK] = MULTIPLY, [BEGIN] = SIZE, [SIZE] = PUSH, [NEXT] = SIZE};
    m->open = m->open + (w->push && w->last) - w->stored;
    switch (m->state) {
    case MULTIPLY:
        m->state = m->bit == 0 ? BEGIN : MULTIPLY;
        m->bit--;
        return;
    case PUSH:
        m->state = w->push ? NEXT : PUSH;
        return;
    case NEXT:
        m->state = w->last && last_n(m) && last_m(m) && m->batch == 1 ? DRAIN : SIZE;
        job_next(m);
        return;
    case DRAIN:
        return;
    case BEGIN:
        job_begin(m);
        break;
    case CHECK:
        m->bit = COUNT_BITS - 1;
        break;
    default:
        break;
    }
    m->state = after[m->state];
}

static void move_loaders(struct daa_cycles_model *m, const struct wires *w, struct block block) {
    const struct daa_cycles_job *job = &m->job;
    const uint32_t rows = block.rows, cols = block.elements;
    struct block pushed[3] = {block, block, block};
    pushed[0].address = m->a.at;
    pushed[0].rows = job->a.along ? rows : block.k;
    pushed[0].elements = job->a.along ? block.k : rows;
    pushed[1].address = m->b.at;
    pushed[1].rows = job->b.along ? cols : block.k;
    pushed[1].elements = job->b.along ? block.k : cols;
    pushed[2].address = m->c0.at;
    pushed[2].rows = job->has_c0 ? rows : 0;
    const bool freed = w->go && w->ends;
    for (unsigned i = 0; i < 3; i++) {
        const bool soon = i == 2 ? w->c_free : w->soon, free = i == 2 ? w->c_free : freed;
        load_move(&m->load[i], &w->load[i], m->bus_bytes, w->push && (i < 2 || block.first), pushed[i], soon, free,
                  w->beat[i], m->memory.r_last, w->burst_ready[i]);
    }
}

/* One cycle with a job. */
static void cycles_step(struct daa_cycles_model *m) {
    struct wires w;
    wire_loaders(m, &w);
    wire_array(m, &w);
    wire_feed(m, &w);
    wire_sums(m, &w);
    wire_store(m, &w);
    wire_job(m, &w);
    const struct step shown = m->feed.show;
    const struct block block = {0,
                                last_m(m) ? m->m : m->block_m,
                                last_n(m) ? m->n : m->block_n,
                                last_k(m) ? m->k : m->block_k,
                                m->first,
                                w.last,
                                m->job.has_c0,
                                false};
    struct block stored = block;
    stored.address = m->c.at;
    const bool ar = m->ar_valid, aw = m->store.bursts.valid;
    m->counts.read_beats += w.r_taken;
    m->counts.read_bursts += w.turn < 3;
    m->counts.write_bursts += aw;
    m->counts.busy++;
    const unsigned aw_length = m->store.bursts.length;
    const unsigned turn_length = w.turn < 3 ? m->load[w.turn].bursts.length : 0;
    /* Each of these looks at registers of those below it, as they were. */
    move_store(m, &w, stored);
    move_sums(m, &w);
    move_feed(m, &w, block);
    move_loaders(m, &w, block);
    move_array(m, &w, &shown);
    move_memory(m, &w, ar, aw, aw_length);
    m->ar_valid = w.turn < 3;
    if (w.turn < 3) {
        m->ar_id = w.turn;
        m->b_last = w.turn < 2 ? w.turn == 1 : m->b_last;
        m->ar_length = turn_length;
    }
    move_job(m, &w);
    m->cycle++;
}

static bool drained(const struct daa_cycles_model *m) {
    struct wires w;
    wire_job(m, &w);
    return m->state == DRAIN && m->open == 0 && w.idle;
}

struct daa_cycles daa_cycles_run(struct daa_cycles_model *m, const struct daa_cycles_job *job) {
    m->counts = (struct daa_cycles){0};
    m->job = *job;
    if (job->m == 0 || job->n == 0 || job->batch == 0) {
        m->counts.busy = 2;
        return m->counts;
    }
    const struct daa_cycles_matrix *const matrices[] = {&job->a, &job->b, &job->c0};
    for (unsigned i = 0; i < 3; i++) {
        m->load[i].bytes = matrices[i]->bytes;
        m->load[i].pitch = matrices[i]->leading;
        m->load[i].along = i < 2 && matrices[i]->along;
        m->load[i].lanes = i == 0 ? m->rows : m->cols;
    }
    m->store.bytes = job->c.bytes;
    m->store.pitch = job->c.leading;
    m->memory.reads.credit = m->memory.write_credit = m->memory.beat;
    m->memory.w_ready = true;
    m->state = CHECK;
    while (!drained(m))
        cycles_step(m);
    m->state = IDLE;
    m->counts.busy += 2; /* the last cycle of draining, and that of the job's end */
    return m->counts;
}

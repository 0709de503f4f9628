/* Products side by side: a vector's lanes are neighbouring products, so that both operands differ from lane to lane and
 * none is broadcast. For the small products of grouped convolutions, of which there are many. On engine_four.h's step
 * of words that hold two bf16; of one stream they are floats. */
#ifndef DAA_ENGINE_BESIDE_H
#define DAA_ENGINE_BESIDE_H

enum { BESIDE_TURN = DAA_STREAMS_MAX }; /* steps after which fixed policies begin again */

/* What a task has for all of its rows. */
struct beside_task {
    const struct engine_beside *job;
    size_t lane, vectors, steps, words;   /* words: of a vector's accumulators */
    const struct anchored_limits *limits; /* NULL: accumulators are floats */
    struct pair_forms forms;
    of_halves high[BESIDE_TURN][FOUR_PAIRS_MAX];
    uint32_t *start, *a, *b, *acc; /* an accumulator before its first step; packed operands; accumulators */
};

INLINE size_t beside_kinds(size_t streams, bool steer) {
    return streams == 1 ? 1 : four_words(streams / 2, steer);
}

/* COUNT steps from K on of an operand's vectors, as four_pack_b() has them. */
INLINE void beside_pack(size_t streams, bool steer, const struct beside_task *task, bool is_a, const uint16_t *from,
                        const size_t *places, size_t k, size_t count, uint32_t *to) {
    const size_t kinds = beside_kinds(streams, steer), all = task->job->k, vectors = task->vectors;
    struct pair_forms forms = task->forms;
    forms.steer = steer;
    for (size_t t = 0; t < count; t++, k += streams, to += kinds * FOUR_LANES) {
        for (size_t v = 0; v < vectors; v++) {
            words of[FOUR_PAIRS_MAX], kept[FOUR_KINDS_MAX];
#pragma GCC unroll 4
            for (size_t pair = 0; pair < (streams + 1) / 2; pair++) {
                const size_t at = k + 2 * pair;
                of[pair] = at < all ? widen(from + places[at] + v * WIDTH) : all_words(0);
                if (streams > 1 && at + 1 < all)
                    of[pair] = or_words(of[pair], half_up(widen(from + places[at + 1] + v * WIDTH)));
            }
            if (streams == 1)
                kept[0] = half_up(of[0]); /* subnormals are zeros by FLUSHING */
            else
                four_pack(&forms, streams / 2, of, task->high[k / streams % BESIDE_TURN], is_a, kept);
#pragma GCC unroll 12
            for (size_t i = 0; i < kinds; i++)
                store_words(to + i * FOUR_LANES + v * WIDTH, kept[i]);
        }
    }
}

/* A step of a vector, and with LIMITS the place that it asks for. */
INLINE floats beside_sum(size_t streams, size_t groups, bool steer, const struct anchored_limits *limits, words reach,
                         const uint32_t *a, const uint32_t *b, words *asked) {
    words of_a[FOUR_KINDS_MAX];
#pragma GCC unroll 12
    for (size_t i = 0; i < beside_kinds(streams, steer); i++)
        of_a[i] = load_words(a + i * FOUR_LANES);
    if (streams == 1) {
        const int part = limits ? limits->key / 2 : 0;
        if (limits)
            *asked = anchored_asked(1, limits,
                                    saturated_halves(anchored_one_parts(of_a[0], limits->key - part),
                                                     anchored_one_parts(load_words(b), part)));
        return mul(as_floats(of_a[0]), load_floats_of(b));
    }
    words key;
    const floats sum = four_sum(streams / 2, groups, steer, reach, of_a, b, &key);
    if (limits)
        *asked = anchored_asked(4, limits, key);
    return sum;
}

/* COUNT steps on the accumulators of a task's vectors, as FROM has them, APART words from one to the next: all at once,
 * since a step waits for the one before. Those that are not there are the last one once more. */
INLINE void beside_steps(size_t streams, size_t groups, bool steer, const struct beside_task *task, words reach,
                         size_t count, const uint32_t *a, const uint32_t *b, const uint32_t *from, size_t apart,
                         uint32_t *acc) {
    const size_t step = beside_kinds(streams, steer) * FOUR_LANES;
    const struct anchored_limits *limits = task->limits;
    struct anchored_state state[FOUR_VECTORS];
    floats run[FOUR_VECTORS];
    size_t at[FOUR_VECTORS];
#pragma GCC unroll 4
    for (size_t v = 0; v < FOUR_VECTORS; v++) {
        at[v] = least_of(v, task->vectors - 1);
        run[v] = load_floats_of(from + at[v] * apart);
        state[v] = (struct anchored_state){all_words(0), all_words(0), all_words(0)};
        if (limits)
            anchored_open(limits, from + at[v] * apart, WIDTH, &state[v]);
    }
    for (size_t t = 0; t < count; t++, a += step, b += step) {
#pragma GCC unroll 4
        for (size_t v = 0; v < FOUR_VECTORS; v++) {
            words asked = all_words(0);
            const floats sum =
                beside_sum(streams, groups, steer, limits, reach, a + at[v] * WIDTH, b + at[v] * WIDTH, &asked);
            if (limits)
                anchored_step(1, limits, (struct anchored_sum){.in_floats = sum}, asked, &state[v]);
            else
                run[v] = add(run[v], sum);
        }
    }
#pragma GCC unroll 4
    for (size_t v = 0; v < FOUR_VECTORS; v++) {
        uint32_t *to = acc + at[v] * task->words;
        store_words(to + (limits ? WIDTH : 0), all_words(0)); /* which has no Infs to keep */
        if (limits)
            anchored_close(limits, &state[v], of_bits((1U << WIDTH) - 1), to, WIDTH);
        else
            store_words(to, as_words(run[v]));
    }
}

/* The accumulators of rows from FIRST on. PACKED: B is, by other rows, unless it has too many steps for that. */
INLINE void beside_rows(size_t streams, size_t groups, bool steer, const struct beside_task *task, size_t first,
                        size_t rows, bool packed) {
    const struct engine_beside *job = task->job;
    const size_t step = beside_kinds(streams, steer) * FOUR_LANES, accs = task->vectors * task->words;
    const words reach = four_reach(job->plan->window);
    for (size_t t = 0; t == 0 || t < task->steps; t += BESIDE_STEPS) {
        const size_t count = least_of(BESIDE_STEPS, task->steps - t), k = t * streams;
        for (size_t j = 0; j < job->n && !(packed && task->steps <= BESIDE_STEPS); j++)
            beside_pack(streams, steer, task, false, job->b + job->b_cols[j] + task->lane, job->b_rows, k, count,
                        task->b + j * count * step);
        uint32_t *acc = task->acc;
        for (size_t row = 0; row < rows; row++) {
            beside_pack(streams, steer, task, true, job->a + job->a_rows[first + row] + task->lane, job->a_cols, k,
                        count, task->a);
            for (size_t j = 0; j < job->n; j++, acc += accs)
                beside_steps(streams, groups, steer, task, reach, count, task->a, task->b + j * count * step,
                             t ? acc : task->start, t ? task->words : 0, acc);
        }
    }
}

/* What rows add to and rows behind them did not: pixels are too far apart for the processor to see what comes next. */
static void beside_ahead(const struct beside_task *task, size_t first, size_t rows) {
    const struct engine_beside *job = task->job;
    for (size_t row = 0; row < rows && job->n; row++)
        for (size_t v = 0; v < task->vectors; v++)
            __builtin_prefetch(job->c + job->c_rows[first + row] + job->c_cols[0] + task->lane + v * WIDTH, 1);
}

/* Their results, stored or added, the last row's first. */
static __attribute__((noinline)) void beside_results(const struct beside_task *task, size_t first, size_t rows) {
    const struct engine_beside *job = task->job;
    const uint32_t *acc = task->acc + rows * job->n * task->vectors * task->words;
    for (size_t row = rows; row-- > 0;) {
        for (size_t j = job->n; j-- > 0;) {
            float *to = job->c + job->c_rows[first + row] + job->c_cols[j] + task->lane + task->vectors * WIDTH;
            for (size_t v = 0; v < task->vectors; v++) {
                uint32_t result[WIDTH];
                acc -= task->words;
                to -= WIDTH;
                if (task->limits)
                    anchored_round(job->plan->anchored, acc, WIDTH, WIDTH, result);
                const floats found = /* no -0, and a float is no NaN */
                    task->limits ? load_floats_of(result) : add(load_floats_of(acc), as_floats(all_words(0)));
                store_floats(to, job->sums ? add(load_floats(to), found) : found);
            }
        }
    }
}

#define BESIDE(name, streams, groups, steer)                                                                           \
    static void name(const struct beside_task *task, size_t first, size_t rows, bool packed) {                         \
        beside_rows(streams, groups, steer, task, first, rows, packed);                                                \
    }
BESIDE(beside_1, 1, 1, false)
BESIDE(beside_2_fixed, 2, 1, false)
BESIDE(beside_2_steered, 2, 1, true)
BESIDE(beside_4_fixed, 4, 1, false)
BESIDE(beside_4_steered, 4, 1, true)
BESIDE(beside_4_in_pairs, 4, 2, true)
BESIDE(beside_8_fixed, 8, 1, false)
BESIDE(beside_8_steered, 8, 1, true)

/* Words of SCRATCH. */
static size_t beside_words(const struct engine_beside *job) {
    const size_t packed = BESIDE_STEPS * FOUR_KINDS_MAX * FOUR_LANES * (1 + job->n);
    return ANCHORED_WORDS * (WIDTH + BESIDE_ROWS * job->n * FOUR_LANES) + packed;
}

/* ROWS from FIRST on, from the last one to the first, of the vectors at LANE. */
static void beside_run(const struct engine_beside *job, size_t lane, size_t first, size_t rows, uint32_t *scratch) {
    typedef void function(const struct beside_task *, size_t, size_t, bool);
    static function *const functions[][2] = {
        [1] = {beside_1, NULL},
        [2] = {beside_2_fixed, beside_2_steered},
        [4] = {beside_4_fixed, beside_4_steered},
        [8] = {beside_8_fixed, beside_8_steered},
    };
    const struct engine_plan *plan = job->plan;
    function *const steps =
        plan->groups == 2 ? beside_4_in_pairs : functions[plan->streams][plan->winner == DAA_WINS_LARGEST];
    const bool anchored = plan->anchored && !job->exact;
    const struct anchored_limits limits = anchored ? anchored_make_limits(plan->anchored) : (struct anchored_limits){0};
    struct beside_task task = {.job = job,
                               .lane = lane,
                               .vectors = least_of(FOUR_VECTORS, (job->batch - lane) / WIDTH),
                               .steps = (job->k + (size_t)plan->streams - 1) / (size_t)plan->streams,
                               .words = anchored ? ANCHORED_WORDS * WIDTH : WIDTH,
                               .limits = anchored ? &limits : NULL,
                               .forms = pair_make_forms(plan),
                               .start = scratch,
                               .a = scratch + ANCHORED_WORDS * WIDTH};
    task.b = task.a + BESIDE_STEPS * FOUR_KINDS_MAX * FOUR_LANES;
    task.acc = task.b + BESIDE_STEPS * FOUR_KINDS_MAX * FOUR_LANES * job->n;
    for (size_t t = 0; t < BESIDE_TURN; t++)
        for (size_t pair = 0; pair < (size_t)plan->streams / 2; pair++)
            task.high[t][pair] = pair_high(plan, t, 1, 2 * pair);
    memset(task.start, 0, task.words * sizeof *task.start);
    for (size_t x = 0; anchored && x < WIDTH; x++)
        daa_anchored_put(plan->anchored, 0, task.start + x, WIDTH);
    const unsigned before = _mm_getcsr();
    for (size_t end = rows; end > 0;) {
        const size_t count = least_of(BESIDE_ROWS, end);
        const bool packed = end < rows;
        end -= count;
        if (job->sums)
            beside_ahead(&task, first + end, count);
        _mm_setcsr(FLUSHING);
        steps(&task, first + end, count, packed);
        _mm_setcsr(KEEPING);
        beside_results(&task, first + end, count);
    }
    _mm_setcsr(before);
}

#define BESIDE_KERNEL                                                                                                  \
    { FOUR_LANES, beside_words, beside_run, pack_scan }

#endif

/* Products side by side: a vector's lanes are neighbouring products, so that both operands differ from lane to lane and
 * none is broadcast. For the small products of grouped convolutions, of which there are many. On engine_four.h's step
 * of words that hold two bf16; one stream is two, of which the second one has zeros. */
#ifndef DAA_ENGINE_BESIDE_H
#define DAA_ENGINE_BESIDE_H

enum { BESIDE_TURN = DAA_STREAMS_MAX }; /* steps after which fixed policies begin again */

/* What is made once for all products. */
struct beside_forms {
    struct pair_forms forms;
    of_halves high[BESIDE_TURN][FOUR_PAIRS_MAX];
};

INLINE size_t beside_pairs(const struct engine_plan *plan) {
    return plan->streams > 2 ? (size_t)plan->streams / 2 : 1;
}

static void beside_make_forms(const struct engine_plan *plan, struct beside_forms *made) {
    made->forms = pair_make_forms(plan);
    for (size_t t = 0; t < BESIDE_TURN; t++)
        for (size_t pair = 0; pair < beside_pairs(plan); pair++)
            made->high[t][pair] = pair_high(plan, t, 1, 2 * pair);
}

/* A vector's operands of stream S in the step that begins at K; zeros behind the last one. */
INLINE words beside_load(const struct engine_beside *job, const uint16_t *from, const size_t *places, size_t k,
                         size_t s) {
    const size_t streams = (size_t)job->plan->streams;
    return s < streams && k + s < job->k ? widen(from + places[k + s]) : all_words(0);
}

/* The words of COUNT steps from K on, a step's LD apart, kinds FOUR_LANES apart as four_sum() reads them or WIDTH. */
INLINE void beside_pack(const struct engine_beside *job, const struct beside_forms *made, size_t pairs, bool is_a,
                        const uint16_t *from, const size_t *places, size_t k, size_t count, uint32_t *to, size_t apart,
                        size_t ld) {
    const size_t streams = (size_t)job->plan->streams, kinds = four_words(pairs, made->forms.steer);
    for (size_t t = 0; t < count; t++, k += streams) {
        words of[FOUR_PAIRS_MAX], kept[FOUR_KINDS_MAX];
#pragma GCC unroll 4
        for (size_t pair = 0; pair < pairs; pair++)
            of[pair] = or_words(beside_load(job, from, places, k, 2 * pair),
                                half_up(beside_load(job, from, places, k, 2 * pair + 1)));
        four_pack(&made->forms, pairs, of, made->high[k / streams % BESIDE_TURN], is_a, kept);
#pragma GCC unroll 12
        for (size_t i = 0; i < kinds; i++)
            store_words(to + t * ld + i * apart, kept[i]);
    }
}

/* COUNT steps of a vector's products on its accumulators. */
INLINE void beside_steps(size_t pairs, size_t groups, bool steer, const struct anchored_limits *limits, words reach,
                         size_t count, const uint32_t *a, const uint32_t *b, size_t b_step, uint32_t *acc) {
    const size_t kinds = four_words(pairs, steer);
    struct anchored_state state = {all_words(0), all_words(0), all_words(0)};
    floats run = load_floats_of(acc);
    if (limits)
        anchored_open(limits, acc, WIDTH, &state);
    for (size_t t = 0; t < count; t++, a += kinds * WIDTH, b += b_step) {
        words of_a[FOUR_KINDS_MAX], largest;
#pragma GCC unroll 12
        for (size_t i = 0; i < kinds; i++)
            of_a[i] = load_words(a + i * WIDTH);
        const floats sum = four_sum(pairs, groups, steer, reach, of_a, b, &largest);
        if (limits)
            anchored_step(limits, sum, exponents_of_keys(largest), &state);
        else
            run = add(run, sum);
    }
    if (limits)
        anchored_close(limits, &state, of_bits((1U << WIDTH) - 1), acc, WIDTH);
    else
        store_words(acc, as_words(run));
}

/* Rows from FIRST on of the vectors at LANE. SCRATCH has beside_words() words. */
INLINE void beside_rows(size_t pairs, size_t groups, bool steer, const struct engine_beside *job, size_t lane,
                        size_t first, size_t rows, uint32_t *scratch) {
    const struct engine_plan *plan = job->plan;
    const size_t kinds = four_words(pairs, steer), b_step = kinds * FOUR_LANES, state = ANCHORED_WORDS * WIDTH;
    const size_t vectors = least_of(FOUR_VECTORS, (job->batch - lane) / WIDTH);
    const struct anchored_limits made_limits =
        plan->anchored ? anchored_make_limits(plan->anchored) : (struct anchored_limits){0};
    const struct anchored_limits *limits = plan->anchored ? &made_limits : NULL;
    const words reach = four_reach(plan->window);
    const size_t steps = (job->k + (size_t)plan->streams - 1) / (size_t)plan->streams;
    uint32_t *a = scratch, *b = a + BESIDE_STEPS * kinds * WIDTH, *acc = b + BESIDE_STEPS * b_step * job->n;
    struct beside_forms made;
    beside_make_forms(plan, &made);
    memset(acc, 0, vectors * rows * job->n * state * sizeof *acc);
    for (size_t x = 0; limits && x < WIDTH; x++)
        daa_anchored_put(plan->anchored, 0, acc + x, WIDTH);
    for (size_t i = 1; limits && i < vectors * rows * job->n; i++)
        memcpy(acc + i * state, acc, state * sizeof *acc);
    for (size_t t = 0; t < steps; t += BESIDE_STEPS) {
        const size_t count = least_of(BESIDE_STEPS, steps - t), k = t * (size_t)plan->streams;
        for (size_t j = 0; j < job->n; j++)
            for (size_t v = 0; v < vectors; v++)
                beside_pack(job, &made, pairs, false, job->b + job->b_cols[j] + lane + v * WIDTH, job->b_rows, k, count,
                            b + j * BESIDE_STEPS * b_step + v * WIDTH, FOUR_LANES, b_step);
        for (size_t row = 0; row < rows; row++) {
            for (size_t v = 0; v < vectors; v++) {
                beside_pack(job, &made, pairs, true, job->a + job->a_rows[first + row] + lane + v * WIDTH, job->a_cols,
                            k, count, a, WIDTH, kinds * WIDTH);
                for (size_t j = 0; j < job->n; j++)
                    beside_steps(pairs, groups, steer, limits, reach, count, a,
                                 b + j * BESIDE_STEPS * b_step + v * WIDTH, b_step,
                                 acc + ((row * job->n + j) * vectors + v) * state);
            }
        }
    }
    for (size_t i = 0; i < rows * job->n * vectors; i++) {
        const size_t row = i / vectors / job->n, j = i / vectors % job->n;
        uint32_t *to =
            (uint32_t *)(void *)(job->c + job->c_rows[first + row] + job->c_cols[j] + lane + i % vectors * WIDTH);
        if (limits)
            anchored_round(plan->anchored, acc + i * state, WIDTH, WIDTH, to);
        else
            pack_results((const float *)(const void *)(acc + i * state), WIDTH, to);
    }
}

static size_t beside_words(const struct engine_beside *job, size_t rows) {
    const size_t kinds = FOUR_KINDS_MAX;
    return BESIDE_STEPS * kinds * (WIDTH + FOUR_LANES * job->n) + rows * job->n * FOUR_LANES * ANCHORED_WORDS;
}

#define BESIDE(name, pairs, groups, steer)                                                                             \
    static void name(const struct engine_beside *job, size_t lane, size_t first, size_t rows, uint32_t *scratch) {     \
        beside_rows(pairs, groups, steer, job, lane, first, rows, scratch);                                            \
    }
BESIDE(beside_1_fixed, 1, 1, false)
BESIDE(beside_1_steered, 1, 1, true)
BESIDE(beside_2_fixed, 2, 1, false)
BESIDE(beside_2_steered, 2, 1, true)
BESIDE(beside_2_in_pairs, 2, 2, true)
BESIDE(beside_4_fixed, 4, 1, false)
BESIDE(beside_4_steered, 4, 1, true)

static void beside_run(const struct engine_beside *job, size_t lane, size_t first, size_t rows, uint32_t *scratch) {
    typedef void function(const struct engine_beside *, size_t, size_t, size_t, uint32_t *);
    static function *const functions[3][2] = {
        {beside_1_fixed, beside_1_steered}, {beside_2_fixed, beside_2_steered}, {beside_4_fixed, beside_4_steered}};
    const unsigned before = _mm_getcsr();
    _mm_setcsr(FLUSHING);
    function *const steps = job->plan->groups == 2
                                ? beside_2_in_pairs
                                : functions[beside_pairs(job->plan) / 2][job->plan->winner == DAA_WINS_LARGEST];
    steps(job, lane, first, rows, scratch);
    _mm_setcsr(before);
}

#define BESIDE_KERNEL                                                                                                  \
    { FOUR_LANES, WIDTH, beside_words, beside_run, pack_scan }

#endif

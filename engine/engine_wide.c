/* The exact path of the engines: a step's sum is exact in a double at every window, and the one rounding to fp32 is
 * made from a sum rounded to odd, which cannot round twice. Exponents have room, so that flush and overflow are decided
 * on the rounded value, as the contract has it. */
#include "engine_bits.h"
#include "engine_kernel.h"

enum {
    ZERO_KEY = -100000,   /* exponent of a zero operand: its product never has the largest key */
    SPECIAL_KEY = 400000, /* of Inf and NaN: their products are never dropped, 0 * Inf among them */
    SPECIAL_LEAST = 200000,
    CHUNK = 4, /* steps of B taken apart at a time */
};

struct part {
    double high, low;
    int key;
};

static inline struct part take_apart(const struct engine_plan *plan, uint16_t raw) {
    const int drop = 8 - plan->lo_bits;
    uint64_t sign = (uint64_t)(raw >> 15) << 63;
    uint32_t field = raw >> 7 & 255, magnitude = raw & 32767;
    if (field == 0)
        return (struct part){.key = ZERO_KEY};
    if (field == 255) {
        double value = double_of_bits(sign | (magnitude & 127 ? UINT64_C(0x7ff8) : UINT64_C(0x7ff0)) << 48);
        return (struct part){value, value, SPECIAL_KEY};
    }
    uint32_t half = drop && plan->lo_round == DAA_NEAREST ? UINT32_C(1) << drop >> 1 : 0;
    uint32_t odd = plan->lo_bits == 1 ? 1 : magnitude >> drop & 1; /* at T = 1 the kept bit is the implicit one */
    uint32_t low = half ? (magnitude + half - 1 + odd) >> drop << drop : magnitude >> drop << drop;
    const uint64_t rebias = (uint64_t)(1023 - 127) << 52;
    return (struct part){double_of_bits(sign | (((uint64_t)magnitude << 45) + rebias)),
                         double_of_bits(sign | (((uint64_t)low << 45) + rebias)), (int)field};
}

/* acc + sum rounded once to fp32, flushed after rounding; zero is +0. */
static inline double accumulate(double acc, double sum) {
    double s = acc + sum, part = s - acc, error = (acc - (s - part)) + (sum - part);
    uint64_t bits = bits_of_double(s);
    bool finite = (bits >> 52 & 2047) != 2047;
    uint64_t inexact = finite && error != 0;
    uint64_t toward = (error > 0) == (s > 0) ? 1 : UINT64_MAX;
    bits += inexact && !(bits & 1) ? toward : 0;
    uint64_t rounded = (bits + UINT64_C(0x0fffffff) + (bits >> 29 & 1)) >> 29 << 29;
    uint64_t magnitude = rounded & (UINT64_MAX >> 1), sign = rounded & ~(UINT64_MAX >> 1);
    const uint64_t least = (uint64_t)(1023 - 126) << 52, beyond = (uint64_t)(1023 + 128) << 52;
    rounded = magnitude < least ? 0 : rounded;
    rounded = magnitude >= beyond && finite ? sign | UINT64_C(0x7ff0) << 48 : rounded;
    return double_of_bits(rounded);
}

__attribute__((always_inline)) static inline double
step_sum(enum daa_winner winner, int streams, int window, uint64_t step, const struct part *a, const struct part *b) {
    int key[DAA_STREAMS_MAX], top = 0;
    double sum = 0;
    for (int s = 0; s < streams; s++) {
        key[s] = a[s].key + b[s].key;
        top = key[s] > key[top] ? s : top;
    }
    for (int s = 0; s < streams; s++) {
        bool alive = key[s] >= key[top] - window || key[s] > SPECIAL_LEAST;
        bool high = winner == DAA_WINS_LARGEST ? s == top : daa_wins(winner, streams, step, s);
        double product = (high ? a[s].high : a[s].low) * (high ? b[s].high : b[s].low);
        sum += alive ? product : 0;
    }
    return sum;
}

__attribute__((always_inline)) static inline void run(const struct engine_plan *plan, enum daa_winner winner,
                                                      int streams, size_t steps, int rows, int lanes, const uint16_t *a,
                                                      size_t a_stride, const uint16_t *b, float *acc, size_t ld) {
    struct part parts[CHUNK * DAA_STREAMS_MAX * LANES_MAX], row_parts[CHUNK * DAA_STREAMS_MAX];
    for (size_t at = 0; at < steps; at += CHUNK) {
        int count = (int)(steps - at < CHUNK ? steps - at : CHUNK), products = count * streams;
        for (int lane = 0; lane < lanes; lane++)
            for (int i = 0; i < products; i++)
                parts[lane * products + i] =
                    take_apart(plan, b[(at * (size_t)streams + (size_t)i) * (size_t)lanes + (size_t)lane]);
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < products; i++)
                row_parts[i] = take_apart(plan, a[(size_t)row * a_stride + at * (size_t)streams + (size_t)i]);
            for (int lane = 0; lane < lanes; lane++) {
                float *here = &acc[(size_t)row * ld + (size_t)lane];
                double value = (double)*here;
                for (int t = 0; t < count; t++)
                    value = accumulate(value, step_sum(winner, streams, plan->window, at + (uint64_t)t,
                                                       row_parts + t * streams, parts + lane * products + t * streams));
                *here = (float)value;
            }
        }
    }
}

void daa_wide_tile(const struct engine_plan *plan, size_t steps, int rows, int lanes, const void *a, size_t a_stride,
                   const void *b, float *acc, size_t ld) {
    if (plan->streams == 1)
        run(plan, DAA_WINS_EVERY, 1, steps, rows, lanes, a, a_stride, b, acc, ld);
    else if (plan->winner == DAA_WINS_LARGEST && plan->streams == 2)
        run(plan, DAA_WINS_LARGEST, 2, steps, rows, lanes, a, a_stride, b, acc, ld);
    else if (plan->winner == DAA_WINS_LARGEST)
        run(plan, DAA_WINS_LARGEST, plan->streams, steps, rows, lanes, a, a_stride, b, acc, ld);
    else
        run(plan, plan->winner, plan->streams, steps, rows, lanes, a, a_stride, b, acc, ld);
}

/* From the top of the largest sum to the last bit of the smallest term that is kept. A product is below 4 * 2^key; only
 * one of two low values that were rounded up reaches 4 * 2^key, and then it is that power of two. */
static int sum_bits(const struct engine_plan *plan) {
    if (plan->streams == 1)
        return plan->frac_bits + 2;
    int low = 2 * (plan->lo_bits - 1), tail = low < plan->frac_bits ? low : plan->frac_bits;
    if (plan->winner == DAA_WINS_EVERY || plan->winner == DAA_WINS_FIRST || plan->winner == DAA_WINS_TURN ||
        plan->groups > 1) /* a high term may be at the window's end */
        tail = plan->frac_bits;
    int below = plan->window + tail; /* of a term at the window's end; a winner ends at its own last bit */
    if (plan->winner == DAA_WINS_LARGEST && below < plan->frac_bits)
        below = plan->frac_bits;
    int above = plan->streams == 2 ? 3 : plan->streams == 4 ? 4 : 5;
    bool carries = plan->lo_round == DAA_NEAREST && plan->lo_bits < (plan->floats ? 11 : 8) &&
                   plan->winner != DAA_WINS_EVERY && plan->winner != DAA_WINS_LARGEST;
    if (plan->streams == 2 && plan->window >= 8 && 2 * plan->window >= plan->frac_bits + 2 && !carries)
        above = 2; /* a term so far down does not lift the sum, of bf16 of 255/128 * 255/128, to 4 */
    return above + below;
}

bool daa_plan_fits_float(const struct engine_plan *plan) {
    return sum_bits(plan) <= 24;
}

bool daa_plan_fits_double(const struct engine_plan *plan) {
    return sum_bits(plan) <= 53;
}

bool daa_target_fits_float(const struct engine_plan *plan) {
    return plan->target.is_float || plan->target.frac_bits <= 21;
}

bool daa_plan_takes_doubles(const struct engine_plan *plan) {
    const bool floats_are_enough = plan->anchored ? plan->streams < 8 : daa_target_fits_float(plan);
    return plan->floats && !(floats_are_enough && daa_plan_fits_float(plan));
}

/* With the high product ahead, the sum ends with the low one, at least 2 (T - 1) below a key in the window. */
bool daa_plan_fits_two_floats(const struct engine_plan *plan) {
    bool one_high = plan->winner == DAA_WINS_FIRST || plan->winner == DAA_WINS_TURN;
    return plan->streams == 2 && one_high && plan->window + 2 * (plan->lo_bits - 1) + 3 <= 24;
}

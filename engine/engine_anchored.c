/* The anchored accumulator of the engines outside the vectors: starts, results, and what the exact path leaves to the
 * golden model's own steps. */
#include <string.h>

#include "../sim/golden.h"
#include "engine_kernel.h"

static uint32_t half(const struct daa_config *config) {
    return UINT32_C(1) << (config->acc_bits - 3);
}

static struct daa_acc get(const struct daa_config *config, const uint32_t *acc, size_t lanes) {
    const uint32_t word = acc[lanes];
    const int field = (int)(word / ANCHORED_UNIT), off = (int)(word & ANCHORED_OFF) / ANCHORED_OFF_UNIT;
    const int place = 127 - field + (word & ANCHORED_OFF_HIGH ? off : off ? 1 - off : 0);
    struct daa_acc value = {
        .m = (int32_t)(acc[0] - half(config)), .e = place / config->acc_step, .full = word & ANCHORED_FULL};
    if (field == ANCHORED_LOW && !off)
        value = daa_acc_start(config, 0);
    value.inf[0] = word & ANCHORED_INF_PLUS;
    value.inf[1] = word & ANCHORED_INF_MINUS;
    return value;
}

static void put(const struct daa_config *config, struct daa_acc value, uint32_t *acc, size_t lanes) {
    const int place = config->acc_step * value.e, low = 128 - ANCHORED_LOW - place, high = place - 127 + ANCHORED_HIGH;
    const bool empty = value.m == 0 && !value.full && value.e == daa_anchor_least(config);
    const int field = low > 0 ? ANCHORED_LOW : high > 0 ? ANCHORED_HIGH : 127 - place;
    const int off = empty ? 0 : low > 0 ? low : high > 0 ? high : 0;
    acc[0] = (uint32_t)value.m + half(config);
    acc[lanes] = (uint32_t)(field * ANCHORED_UNIT + off * ANCHORED_OFF_UNIT) | (high > 0 ? ANCHORED_OFF_HIGH : 0) |
                 (value.full ? ANCHORED_FULL : 0) | (value.inf[0] ? ANCHORED_INF_PLUS : 0) |
                 (value.inf[1] ? ANCHORED_INF_MINUS : 0);
}

void daa_anchored_put(const struct daa_config *config, uint32_t c0, uint32_t *acc, size_t lanes) {
    put(config, daa_acc_start(config, c0), acc, lanes);
}

uint32_t daa_anchored_get(const struct daa_config *config, const uint32_t *acc, size_t lanes) {
    return daa_acc_out(config, get(config, acc, lanes));
}

/* Raw operand I; floats are numbers of tf32. */
static struct daa_operand operand(const struct engine_plan *plan, const void *raw, size_t i) {
    const uint32_t bits = plan->floats ? ((const uint32_t *)raw)[i] >> 13 : ((const uint16_t *)raw)[i];
    return daa_decode(plan->anchored, plan->anchored->a_format, bits);
}

void daa_anchored_tile(const struct engine_plan *plan, size_t steps, int rows, int lanes, const void *a,
                       size_t a_stride, const void *b, float *acc, size_t ld) {
    const struct daa_config *config = plan->anchored;
    const size_t streams = (size_t)config->streams, width = (size_t)lanes;
    struct daa_tally unused = {0};
    for (size_t lane = 0; lane < width; lane++) {
        struct daa_operand of_b[DEPTH_MAX], of_a[DAA_STREAMS_MAX];
        for (size_t k = 0; k < steps * streams; k++)
            of_b[k] = operand(plan, b, k * width + lane);
        for (size_t row = 0; row < (size_t)rows; row++) {
            uint32_t *state = (uint32_t *)(void *)(acc + row * ld) + lane;
            struct daa_acc value = get(config, state, width);
            for (size_t t = 0; t < steps; t++) {
                for (size_t s = 0; s < streams; s++)
                    of_a[s] = operand(plan, a, row * a_stride + t * streams + s);
                value = daa_accumulate(config, value,
                                       daa_sum_step(config, t, (int)streams, of_a, of_b + t * streams, &unused));
            }
            put(config, value, state, width);
        }
    }
}

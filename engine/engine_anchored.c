/* The anchored accumulator of the engines outside the vectors: starts, results, and the exact path on the golden
 * model's own steps. */
#include <string.h>

#include "../sim/golden.h"
#include "engine_kernel.h"

static uint32_t half(const struct daa_config *config) {
    return UINT32_C(1) << (config->acc_bits - 3);
}

static bool is_full(int32_t reach) {
    return reach < ANCHORED_ASKS / 2;
}

static int32_t place_of(const struct daa_config *config, int32_t reach) {
    return reach - (config->acc_step - 1) - (is_full(reach) ? ANCHORED_ASKS : 0);
}

static struct daa_acc get(const struct daa_config *config, const uint32_t *acc, size_t lanes) {
    const int32_t reach = (int32_t)acc[lanes];
    return (struct daa_acc){.m = (int32_t)(acc[0] - half(config)),
                            .e = place_of(config, reach) / config->acc_step,
                            .full = is_full(reach),
                            .inf = {acc[2 * lanes] & 1, acc[2 * lanes] & 2}};
}

static void put(const struct daa_config *config, struct daa_acc value, uint32_t *acc, size_t lanes) {
    const int32_t place = config->acc_step * value.e, field = 127 - place;
    const int32_t reach = place + config->acc_step - 1 + (value.full ? ANCHORED_ASKS : 0);
    const uint32_t scale = (uint32_t)(field < 1 ? 1 : field > 254 ? 254 : field) << 23;
    acc[0] = (uint32_t)value.m + half(config);
    acc[lanes] = (uint32_t)reach;
    acc[2 * lanes] = scale | (value.inf[0] ? 1 : 0) | (value.inf[1] ? 2 : 0);
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

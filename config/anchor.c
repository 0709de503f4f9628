/* The anchors of the anchored accumulator (docs/contract.md, section 5.2). */
#include "config.h"

static int log2_of(int power) {
    int log2 = 0;
    while (power >> (log2 + 1))
        log2++;
    return log2;
}

int daa_anchor(const struct daa_config *config, int x) {
    int above = x - (config->acc_bits - 3), step = config->acc_step;
    return above >= 0 ? (above + step - 1) / step : -(-above / step);
}

int daa_sum_growth(const struct daa_config *config) {
    return 2 + log2_of(config->streams);
}

int daa_anchor_least(const struct daa_config *config) {
    int key = daa_format_exp_least(config->a_format) + daa_format_exp_least(config->b_format);
    int of_sum = daa_anchor(config, key + daa_sum_growth(config));
    int of_c0 = daa_anchor(config, daa_format_exp_min(config->acc_format) + 1);
    return of_sum < of_c0 ? of_sum : of_c0;
}

int daa_anchor_most(const struct daa_config *config) {
    int sums = daa_format_exp_max(config->a_format) + daa_format_exp_max(config->b_format) + 36;
    int c0 = daa_format_exp_max(config->acc_format) + 3;
    return daa_anchor(config, sums > c0 ? sums : c0) + 1;
}

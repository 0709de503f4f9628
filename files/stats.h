/* What a GEMM did, as JSON. */
#ifndef DAA_STATS_H
#define DAA_STATS_H

#include <jansson.h>

#include "matrix.h"

/* {option name: value, ...} as daa.json has it. */
json_t *daa_stats_options(const struct daa_config *config);
/* {"high": [one per stream], "low": [...], "zero": [...], "dropped": [...], "special": [...]} */
json_t *daa_stats_counts(const struct daa_config *config, const struct daa_counts *counts);
/* {"overflow": n, "underflow": n} */
json_t *daa_stats_matrix(const struct daa_matrix *matrix);
/* Writes STATS, indented, keys in the order they were set. Takes no reference. */
bool daa_stats_write(struct daa_output *output, const json_t *stats, struct daa_error *error);

#endif

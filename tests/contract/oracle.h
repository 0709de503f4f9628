/* The contract a second time, for the tests only: by value, exact by arbitrary precision (GMP for the steps, MPFR for
 * the conversions), written from docs/contract.md. Of the product it shares the description of a configuration and the
 * counts, no code. */
#ifndef ORACLE_H
#define ORACLE_H

#include "../../sim/daa.h"

void oracle_init(void);

/* One step of COUNT products; count may be less than the streams at the end of K. */
uint32_t oracle_step(const struct daa_config *config, uint64_t step, int count, const uint32_t *a, const uint32_t *b,
                     uint32_t acc, struct daa_counts *counts);
uint32_t oracle_start(const struct daa_config *config, uint32_t c0);
uint32_t oracle_out(const struct daa_config *config, uint32_t acc);

/* One anchored accumulator, which stays here between the calls. */
void oracle_anchored_start(const struct daa_config *config, uint32_t c0);
void oracle_anchored_step(const struct daa_config *config, uint64_t step, int count, const uint32_t *a,
                          const uint32_t *b, struct daa_counts *counts);
/* Is ACC in the same state, and its anchor in the range that the contract states? */
bool oracle_anchored_is(const struct daa_config *config, struct daa_acc acc);
uint32_t oracle_anchored_out(const struct daa_config *config);

enum daa_rounded oracle_from_double(struct daa_format format, double value, uint32_t *bits);
double oracle_to_double(struct daa_format format, uint32_t bits);

#endif

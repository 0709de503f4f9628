/* Counts of a GEMM's products (contract, section 7) without its arithmetic, for engine.c. */
#ifndef DAA_ENGINE_COUNT_H
#define DAA_ENGINE_COUNT_H

#include "engine.h"

/* Adds the counts of all products of ARGS, the whole batch, to args->counts, as the golden model would: any formats,
 * streams, window, and policy but magnitude. The arguments have been checked. Memory: proportional to m. False: out of
 * memory, with nothing added. */
bool daa_count_products(const struct daa_gemm_args *args);

#endif

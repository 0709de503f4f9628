/* Vectors of the self-checking bench: a few small tiles, with results from the golden model. */
#ifndef DAAGEN_VECTORS_H
#define DAAGEN_VECTORS_H

#include "plan.h"

/* Adds, for an array cut down to tb_rows x tb_cols:
 *   tb_rows tb_cols
 *   tb_a_bits tb_b_bits tb_c0_bits tb_c_bits   widths of the words below
 *   tb_a tb_b tb_last tb_from_c0               lists, an item per step
 *   tb_c0 tb_c                                 lists, an item per row of C0 and of results
 * Words are hexadecimal, laid out as on the array's ports. */
void vectors_add(struct plan *plan, const struct daa_config *config);

#endif

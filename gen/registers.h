/* The registers of the core: the one table that decoder, C header, SystemRDL and manual are made from. */
#ifndef DAAGEN_REGISTERS_H
#define DAAGEN_REGISTERS_H

#include "plan.h"

/* Lists, an item a register: `reg_names` (A_LO), `reg_signals` (a_lo), `reg_offsets` (080) and `reg_words` (020) in
 * hexadecimal, `reg_texts`, `reg_writable` (0 or 1), and where its fields stand among all fields, `reg_first` and
 * `reg_last`.
 * An item a field: `field_names` (IDLE), `field_signals` (status_idle), `field_is_part` (0 where it is the whole
 * register), `field_lows`, `field_highs`, `field_widths`, `field_places` (7:4), `field_masks` and `field_resets` in
 * hexadecimal, `field_at` (its place in the signal, or in a job), `field_access` in words, `field_texts`; and, 0 or 1,
 * a list `field_is_...` for each access. An item a counter: `counter_names`; a way for a job to end: `code_names`,
 * `code_texts`; a field of a job as daa_regs gives it to the core: `job_names`, `job_lows`, `job_widths`. `job_bits` is
 * the width of the whole. */
void registers_add(struct plan *plan, const struct daa_config *config);

#endif

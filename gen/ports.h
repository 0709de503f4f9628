/* The array's ports: the one list that the module's header, the benches and the constraints are made from. */
#ifndef DAAGEN_PORTS_H
#define DAAGEN_PORTS_H

#include "plan.h"

/* Lists, an item a port: `port_names` (a_data_i), `port_signals` (a_data), `port_kinds` (input or output, padded),
 * `port_regs` (what a bench has there: reg or wire), `port_ranges` ([Rows*2*16-1:0] or nothing), `port_notes`; and the
 * names of the inputs but the clock, `port_inputs`, and of the outputs, `port_outputs`. */
void ports_add(struct plan *plan, const struct daa_config *config);

#endif

/* Waves cost a large array minutes of building and most of its speed, so they are in a second program, DIR/daatb-trace,
 * built by make when it is first wanted. */
#ifndef DAA_TRACED_H
#define DAA_TRACED_H

#include "../config/config.h"

/* Becomes DIR/daatb-trace with the same arguments; ROOT is where the project's Makefile is. Returns only with an
 * error. */
bool traced_become(const char *root, char **argv, struct daa_error *error);

#endif

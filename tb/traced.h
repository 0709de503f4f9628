/* Waves cost a large array minutes of building and most of its speed, so they are in a second program, DIR/daatb-trace
 * for DIR/daatb, built by make when it is first wanted. */
#ifndef DAA_TRACED_H
#define DAA_TRACED_H

#include "../config/config.h"

/* Becomes the other program with the same arguments; the project's Makefile in ROOT makes it as TARGET. Returns only
 * with an error. */
bool traced_become(const char *root, const char *target, char **argv, struct daa_error *error);

#endif

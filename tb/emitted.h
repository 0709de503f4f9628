/* What the benches of an emitted directory share: its configuration, and a command line shown to be run again. */
#ifndef DAA_EMITTED_H
#define DAA_EMITTED_H

#include "../config/config.h"

/* The configuration that an emitted header states as a command line of daagen; fails unless it is a legal one. */
void emitted_config(const char *line, struct daa_config *config);

/* On stderr, behind a blank: TEXT as one word of a POSIX shell. */
void emitted_word(const char *text);

#endif

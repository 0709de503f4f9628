/* Files that are whole or not there: written beside their place, then renamed. SIGINT, SIGTERM and SIGHUP remove what
 * is unfinished. A place that is not a regular file (a pipe, a device) is written directly. */
#ifndef DAA_OUTPUT_H
#define DAA_OUTPUT_H

#include <stdio.h>

#include "../config/config.h"

enum { DAA_OUTPUTS_MAX = 4 }; /* open at one time */

struct daa_output {
    const char *path; /* as the caller named it; it must outlive this */
    FILE *file;       /* write here */
    char *place;      /* where it will stand, symbolic links followed */
    char *beside;     /* NULL where the place is written directly */
    int slot;
};

bool daa_output_open(struct daa_output *output, const char *path, struct daa_error *error);
/* All is written: what can still fail for want of room fails here. For several outputs that are to appear together:
 * finish each, then commit each. */
bool daa_output_finish(struct daa_output *output, struct daa_error *error);
/* Puts the file in its place, finished before if it was not. False, and nothing left: the disk is full, or the like. */
bool daa_output_commit(struct daa_output *output, struct daa_error *error);
/* Removes what was written; does nothing on an output that is not open (all zeros) or was committed. */
void daa_output_abort(struct daa_output *output);

#endif

/* Files that are whole or not there: written beside their place, then renamed. What is unfinished goes when the program
 * ends, by exit() or by a signal that asks it to. */
#ifndef DAA_OUTPUT_H
#define DAA_OUTPUT_H

#include <signal.h>
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

/* PATH may be a device or a pipe, which is written directly. */
bool daa_output_open(struct daa_output *output, const char *path, struct daa_error *error);
/* PATH is to be a plain file, for a writer that takes a name, BESIDE, and goes to and fro in it. */
bool daa_output_open_plain(struct daa_output *output, const char *path, struct daa_error *error);
/* All is written: what can still fail for want of room fails here. For several outputs that are to appear together:
 * finish each, then commit each. */
bool daa_output_finish(struct daa_output *output, struct daa_error *error);
/* Puts the file in its place, finished before if it was not. False, and nothing left: the disk is full, or the like. */
bool daa_output_commit(struct daa_output *output, struct daa_error *error);
/* Removes what was written; does nothing on an output that is not open (all zeros) or was committed. */
void daa_output_abort(struct daa_output *output);

/* Where PATH leads, links followed; the last part need not be there. NULL: errno says why. The caller frees. */
char *daa_output_place(const char *path);

/* For a program that stops by itself: from now on the first signal that asks it to end is only noted, here; the next
 * ends it. */
const volatile sig_atomic_t *daa_output_note_signal(void);
/* Ends the program by the signal that was noted, if one was. */
void daa_output_obey_signal(void);

#endif

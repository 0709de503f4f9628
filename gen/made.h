/* Directories and files of one emission, which an error or a signal undoes, and what is said where one cannot be made.
 */
#ifndef DAAGEN_MADE_H
#define DAAGEN_MADE_H

#include <stdbool.h>
#include <stddef.h>

/* Allocates what it formats. */
char *made_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

_Noreturn void cannot_write(const char *path, int reason);
_Noreturn void cannot_read(const char *path, int reason);

/* A directory that was there before is not ours to remove. */
void made_directory(const char *path);
/* The directories above the last part of PATH. */
void made_parents(const char *path);
void made_file(const char *path, const char *content, size_t length);

/* False: something is still there. */
bool made_remove(const char *path);

/* From now on PATH and all in it goes, too. */
void made_work(const char *path);
/* All stays from now on. */
void made_keep(void);
/* What was made and not kept goes when the program ends by exit(). */
void made_undo_at_exit(void);
/* One that asks us to end undoes all. */
void made_obey_signals(void);

#endif

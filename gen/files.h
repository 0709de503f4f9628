/* The emitted directory, written whole or not at all. */
#ifndef DAAGEN_FILES_H
#define DAAGEN_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct file {
    char *path; /* below the directory: "rtl/daa_pe.v" */
    char *text;
    size_t length;
};

enum { FILES_MAX = 64 };

struct files {
    struct file file[FILES_MAX];
    size_t count;
};

/* Takes TEXT over. */
void files_add(struct files *files, const char *path, char *text, size_t length);
void files_free(struct files *files);

/* Writes all into DIRECTORY, which may be new, empty or an earlier output (it has a daa.json of daagen's); the files of
 * an earlier output that are no longer made are removed, anything else is left alone. On an error or a signal nothing
 * has changed. The last file must be daa.json. */
void files_write(const struct files *files, const char *directory);

#endif

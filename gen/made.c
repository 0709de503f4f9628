#define _XOPEN_SOURCE 700
#include "made.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../files/command.h"
#include "../files/signals.h"

/* What an error undoes. The signals that end a program are held meanwhile. */
enum { MADE_MAX = 128 };
static char *made[MADE_MAX]; /* directories, in the order they were made */
static size_t made_count;
static char *work; /* NULL: there is none that may go */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)status, (void)type, (void)place;
    return remove(path);
}

bool made_remove(const char *path) {
    enum { OPEN_AT_ONCE = 8 };
    return nftw(path, remove_entry, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT;
}

void made_keep(void) {
    while (made_count > 0)
        free(made[--made_count]);
    free(work);
    work = NULL;
}

static void undo(void) {
    if (work)
        made_remove(work);
    for (size_t i = made_count; i-- > 0;)
        rmdir(made[i]);
    made_keep();
}

void made_work(const char *path) {
    work = made_text("%s", path);
}

void made_undo_at_exit(void) {
    atexit(undo);
}

char *made_text(const char *format, ...) {
    char *result = NULL;
    size_t length;
    FILE *stream = open_memstream(&result, &length);
    if (!stream)
        fail(EXIT_JOB, "out of memory");
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stream, format, arguments);
    va_end(arguments);
    if (fclose(stream) != 0)
        fail(EXIT_JOB, "out of memory");
    return result;
}

_Noreturn void cannot_write(const char *path, int reason) {
    const char *right = reason == ENOSPC || reason == EDQUOT || reason == EFBIG
                            ? "make room, or choose another -o DIR"
                            : "-o DIR must be a place that can be written";
    fail(EXIT_JOB, "cannot write '%.256s': %s; %s", path, strerror(reason), right);
}

_Noreturn void cannot_read(const char *path, int reason) {
    fail(EXIT_JOB, "cannot read '%.256s': %s; -o DIR must be a place that can be read and written", path,
         strerror(reason));
}

void made_directory(const char *path) {
    if (mkdir(path, 0777) != 0) {
        const int reason = errno;
        struct stat status;
        if (stat(path, &status) != 0)
            cannot_write(path, reason);
        if (!S_ISDIR(status.st_mode))
            cannot_write(path, ENOTDIR);
        return;
    }
    if (made_count == MADE_MAX)
        fail(EXIT_JOB, "'%.256s' is nested too deep", path);
    made[made_count++] = made_text("%s", path);
}

void made_parents(const char *path) {
    char *parent = made_text("%s", path);
    for (char *p = parent + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        made_directory(parent);
        *p = '/';
    }
    free(parent);
}

void made_file(const char *path, const char *content, size_t length) {
    FILE *stream = fopen(path, "wb");
    if (!stream)
        cannot_write(path, errno);
    errno = 0;
    bool written = fwrite(content, 1, length, stream) == length;
    int reason = errno;
    if (fclose(stream) != 0 && written) {
        written = false;
        reason = errno;
    }
    if (!written)
        cannot_write(path, reason);
}

void made_obey_signals(void) {
    if (!daa_signals_waiting())
        return;
    undo();
    daa_signals_release();
}

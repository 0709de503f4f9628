/* Everything is first written into a work directory beside its place. A new DIRECTORY is that work directory renamed;
 * in one that exists, the files are renamed into place one by one, daa.json last. */
#define _POSIX_C_SOURCE 200809L
#include "files.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dirent.h>
#include <jansson.h>

#include "fail.h"

enum { MADE_MAX = FILES_MAX + 64 };

/* What is unfinished, in the order it was made. A signal handler walks it, so an entry is complete before it counts. */
static char *made[MADE_MAX];
static volatile sig_atomic_t made_count;

/* Only async-signal-safe calls. */
static void remove_made(void) {
    for (int i = (int)made_count - 1; i >= 0; i--)
        if (unlink(made[i]) != 0)
            rmdir(made[i]);
}

static void on_signal(int number) {
    remove_made();
    signal(number, SIG_DFL);
    raise(number);
}

static void free_made(void) {
    while (made_count > 0)
        free(made[--made_count]);
}

static void at_exit(void) {
    remove_made();
    free_made();
}

static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
enum { CAUGHT_COUNT = sizeof(caught) / sizeof(caught[0]) };

static void clean_up_after_all(void) {
    atexit(at_exit);
    signal(SIGXFSZ, SIG_IGN); /* a write past the file size limit then fails like one to a full disk */
    for (int i = 0; i < CAUGHT_COUNT; i++)
        if (signal(caught[i], SIG_IGN) != SIG_IGN) /* nohup keeps what it ignores */
            signal(caught[i], on_signal);
}

static void hold_signals(int how) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < CAUGHT_COUNT; i++)
        sigaddset(&set, caught[i]);
    sigprocmask(how, &set, NULL);
}

/* Allocates what it formats. */
static char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *text(const char *format, ...) {
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

static _Noreturn void cannot_write(const char *path, int reason) {
    const char *right = reason == ENOSPC || reason == EDQUOT || reason == EFBIG
                            ? "make room, or choose another -o DIR"
                            : "-o DIR must be a place that can be written";
    fail(EXIT_JOB, "cannot write '%.256s': %s; %s", path, strerror(reason), right);
}

void files_add(struct files *files, const char *path, char *content, size_t length) {
    if (files->count == FILES_MAX)
        fail(EXIT_JOB, "more than %d files", FILES_MAX);
    files->file[files->count++] = (struct file){text("%s", path), content, length};
}

void files_free(struct files *files) {
    for (size_t i = 0; i < files->count; i++) {
        free(files->file[i].path);
        free(files->file[i].text);
    }
    files->count = 0;
}

/* Takes PATH over. */
static void remember(char *path) {
    if (made_count == MADE_MAX)
        fail(EXIT_JOB, "'%.256s' is nested too deep", path);
    made[made_count] = path;
    made_count++;
}

/* A directory that was there before is not ours to remove. Signals are held so that none falls between making one and
 * remembering it. */
static bool make_directory(const char *path) {
    hold_signals(SIG_BLOCK);
    bool done = mkdir(path, 0777) == 0;
    int reason = errno;
    if (done)
        remember(text("%s", path));
    hold_signals(SIG_UNBLOCK);
    errno = reason;
    return done;
}

/* The directories above the last part of PATH. */
static void make_parents(const char *path) {
    char *parent = text("%s", path);
    for (char *p = parent + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (!make_directory(parent) && errno != EEXIST)
            cannot_write(parent, errno);
        *p = '/';
    }
    free(parent);
}

static void write_file(const char *work, const struct file *file) {
    char *path = text("%s/%s", work, file->path);
    make_parents(path);
    remember(path); /* first, so that no signal falls between making and remembering it */
    FILE *stream = fopen(path, "wbx");
    if (!stream)
        cannot_write(path, errno);
    errno = 0;
    bool written = fwrite(file->text, 1, file->length, stream) == file->length;
    int reason = errno;
    if (fclose(stream) != 0 && written) {
        written = false;
        reason = errno;
    }
    if (!written)
        cannot_write(path, reason);
}

/* A fresh directory called after STEM. */
static char *make_work(const char *stem) {
    for (int attempt = 0; attempt < 1000; attempt++) {
        char *work = text("%s.%ld.%d", stem, (long)getpid(), attempt);
        if (make_directory(work))
            return work;
        if (errno != EEXIST)
            cannot_write(work, errno);
        free(work);
    }
    fail(EXIT_JOB, "cannot write '%.256s': work directories of earlier runs are in the way; remove them", stem);
}

static bool is_empty(const char *directory) {
    DIR *stream = opendir(directory);
    if (!stream)
        fail(EXIT_JOB, "cannot read '%.256s': %s; -o DIR must be a place that can be read and written", directory,
             strerror(errno));
    size_t entries = 0;
    while (readdir(stream))
        entries++;
    closedir(stream);
    return entries <= 2; /* "." and ".." */
}

/* Only modules and benches ever go stale: their names have the prefix in them. A daa.json edited by hand cannot name
 * anything else for removal. */
static bool may_go_stale(const char *path) {
    size_t length = strlen(path);
    bool in_room = strncmp(path, "rtl/", 4) == 0 || strncmp(path, "tb/", 3) == 0;
    return in_room && !strchr(strchr(path, '/') + 1, '/') && length > 2 && strcmp(path + length - 2, ".v") == 0;
}

/* The "files" of the daa.json in DIRECTORY; NULL where that is not an output of daagen. */
static json_t *earlier_files(const char *directory) {
    char *path = text("%s/daa.json", directory);
    json_t *root = json_load_file(path, 0, NULL);
    free(path);
    const char *generator = json_string_value(json_object_get(root, "generator"));
    json_t *list = json_object_get(root, "files");
    json_t *result = generator && strcmp(generator, "daagen") == 0 && json_is_array(list) ? json_incref(list) : NULL;
    json_decref(root);
    return result;
}

static bool listed(json_t *list, const char *path) {
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry) {
        if (json_is_string(entry) && strcmp(json_string_value(entry), path) == 0)
            return true;
    }
    return false;
}

static bool made_again(const struct files *files, const char *path) {
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->file[i].path, path) == 0)
            return true;
    return false;
}

/* Nothing foreign may stand where a file or directory of ours goes. */
static void check_place(const char *directory, const char *path, json_t *earlier) {
    char *place = text("%s/%s", directory, path);
    struct stat status;
    if (lstat(place, &status) == 0 && (!S_ISREG(status.st_mode) || !listed(earlier, path)))
        fail(EXIT_USAGE, "'%.256s' is in the way and not daagen's; move it, or choose another -o DIR", place);
    free(place);
}

static void remove_stale(const struct files *files, const char *directory, json_t *earlier) {
    size_t i;
    json_t *entry;
    json_array_foreach(earlier, i, entry) {
        const char *path = json_string_value(entry);
        if (!path || !may_go_stale(path) || made_again(files, path))
            continue;
        char *place = text("%s/%s", directory, path);
        unlink(place);
        free(place);
    }
}

static bool holds(const char *path, const struct file *file) {
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return false;
    size_t at = 0;
    int c;
    while ((c = getc(stream)) != EOF && at < file->length && (unsigned char)file->text[at] == c)
        at++;
    bool same = c == EOF && !ferror(stream) && at == file->length;
    fclose(stream);
    return same;
}

/* Moves one file from the work directory into place. One that is there already stays, with its time, so that make does
 * not build again what has not changed. */
static void move_file(const char *work, const char *directory, const struct file *file) {
    char *from = text("%s/%s", work, file->path);
    char *to = text("%s/%s", directory, file->path);
    if (!holds(to, file) && rename(from, to) != 0)
        cannot_write(to, errno);
    free(from);
    free(to);
}

static void make_subdirectories(const struct files *files, const char *directory) {
    for (size_t i = 0; i < files->count; i++) {
        char *place = text("%s/%s", directory, files->file[i].path);
        make_parents(place);
        free(place);
    }
}

/* From here on what was made is finished: only the work directory goes. */
static void keep_all_but(size_t kept) {
    while (made_count > (sig_atomic_t)kept)
        free(made[--made_count]);
}

static void write_all(const struct files *files, const char *work) {
    for (size_t i = 0; i < files->count; i++)
        write_file(work, &files->file[i]);
}

static void write_new(const struct files *files, const char *directory) {
    make_parents(directory);
    char *work = make_work(directory);
    write_all(files, work);
    hold_signals(SIG_BLOCK);
    if (rename(work, directory) != 0)
        cannot_write(directory, errno);
    keep_all_but(0);
    hold_signals(SIG_UNBLOCK);
    free(work);
}

static void write_over(const struct files *files, const char *directory) {
    json_t *earlier = is_empty(directory) ? json_array() : earlier_files(directory);
    if (!earlier)
        fail(EXIT_USAGE, "'%.256s' is neither empty nor an earlier output of daagen; choose another -o DIR", directory);
    for (size_t i = 0; i < files->count; i++)
        check_place(directory, files->file[i].path, earlier);
    char *stem = text("%s/.daagen", directory);
    char *work = make_work(stem);
    write_all(files, work);
    int in_work = (int)made_count;
    make_subdirectories(files, directory);
    hold_signals(SIG_BLOCK);
    for (size_t i = 0; i < files->count; i++)
        move_file(work, directory, &files->file[i]);
    keep_all_but((size_t)in_work);
    remove_stale(files, directory, earlier);
    remove_made();
    keep_all_but(0);
    hold_signals(SIG_UNBLOCK);
    json_decref(earlier);
    free(stem);
    free(work);
}

void files_write(const struct files *files, const char *directory) {
    clean_up_after_all();
    char *place = text("%s", directory);
    for (size_t length = strlen(place); length > 1 && place[length - 1] == '/'; length--)
        place[length - 1] = '\0';
    struct stat status;
    if (stat(place, &status) != 0) {
        if (errno != ENOENT)
            cannot_write(place, errno);
        write_new(files, place);
    } else if (S_ISDIR(status.st_mode)) {
        write_over(files, place);
    } else {
        fail(EXIT_USAGE, "'%.256s' is not a directory; choose another -o DIR", place);
    }
    free(place);
}

/* All of it is first written into a work directory inside DIRECTORY, and then renamed into place: daa.json, which says
 * that the rest is whole, is removed before the first file and comes last. The work directory keeps a list of what is
 * daagen's meanwhile, so that the next run knows it where this one is killed. */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE /* flock */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "../files/command.h"
#include "../files/signals.h"

#define MANIFEST "daa.json"
#define WORK ".daagen"
#define RECORD "before.json" /* in WORK: the manifest of what was daagen's before */

/* What an error undoes. The signals that end a program are held meanwhile. */
enum { MADE_MAX = FILES_MAX + 64 };
static char *made[MADE_MAX]; /* directories, in the order they were made */
static size_t made_count;
static char *work; /* NULL: there is none that may go */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)status, (void)type, (void)place;
    return remove(path);
}

/* False: something is still there. */
static bool remove_tree(const char *path) {
    enum { OPEN_AT_ONCE = 8 };
    return nftw(path, remove_entry, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT;
}

static void keep(void) {
    while (made_count > 0)
        free(made[--made_count]);
    free(work);
    work = NULL;
}

static void undo(void) {
    if (work)
        remove_tree(work);
    for (size_t i = made_count; i-- > 0;)
        rmdir(made[i]);
    keep();
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

static _Noreturn void cannot_read(const char *path, int reason) {
    fail(EXIT_JOB, "cannot read '%.256s': %s; -o DIR must be a place that can be read and written", path,
         strerror(reason));
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

/* A directory that was there before is not ours to remove. */
static void make_directory(const char *path) {
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
    made[made_count++] = text("%s", path);
}

/* The directories above the last part of PATH. */
static void make_parents(const char *path) {
    char *parent = text("%s", path);
    for (char *p = parent + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        make_directory(parent);
        *p = '/';
    }
    free(parent);
}

static void write_file(const char *path, const char *content, size_t length) {
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

/* One that asks us to end undoes all. */
static void obey_signals(void) {
    if (!daa_signals_waiting())
        return;
    undo();
    daa_signals_release();
}

/* ---- one run at a time ---- */

/* DIRECTORY is still the one that FD was opened on. */
static bool is_same(int fd, const char *directory) {
    struct stat held, named;
    return fstat(fd, &held) == 0 && stat(directory, &named) == 0 && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}

/* Makes DIRECTORY, where it is not there, and holds it until the program ends. A file system without locks is used
 * without. */
static void take(const char *directory) {
    enum { TRIES = 250, PAUSE = 20000000 }; /* 5 s */
    for (int i = 0; i < TRIES; i++) {
        make_parents(directory);
        make_directory(directory);
        int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno != ENOENT)
            cannot_read(directory, errno);
        const bool locked = fd >= 0 && (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK);
        if (locked && is_same(fd, directory))
            return;
        close(fd);
        obey_signals();
        nanosleep(&(struct timespec){.tv_nsec = PAUSE}, NULL);
    }
    fail(EXIT_JOB, "another daagen is writing into '%.256s'; try again when it has ended", directory);
}

/* ---- what is there already ---- */

static bool is_empty(const char *directory) {
    DIR *stream = opendir(directory);
    if (!stream)
        cannot_read(directory, errno);
    bool empty = true;
    for (struct dirent *entry; (entry = readdir(stream));)
        empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                          strcmp(entry->d_name, WORK) == 0);
    closedir(stream);
    return empty;
}

/* Only modules and benches ever go stale: their names have the prefix in them. A daa.json edited by hand cannot name
 * anything else for removal. */
static bool may_go_stale(const char *path) {
    size_t length = strlen(path);
    bool in_room = strncmp(path, "rtl/", 4) == 0 || strncmp(path, "tb/", 3) == 0;
    return in_room && !strchr(strchr(path, '/') + 1, '/') && length > 2 && strcmp(path + length - 2, ".v") == 0;
}

/* The "files" of the manifest DIRECTORY/NAME, added to LIST; false where that is not one of daagen's. */
static bool add_listed(json_t *list, const char *directory, const char *name) {
    char *path = text("%s/%s", directory, name);
    json_t *root = json_load_file(path, 0, NULL);
    free(path);
    const char *generator = json_string_value(json_object_get(root, "generator"));
    json_t *files = json_object_get(root, "files");
    const bool good = generator && strcmp(generator, "daagen") == 0 && json_is_array(files);
    if (good)
        json_array_extend(list, files);
    json_decref(root);
    return good;
}

/* What is daagen's in DIRECTORY. Without a manifest, the last run was killed: what it has left in WORK says so. */
static json_t *earlier_files(const char *directory, bool *killed) {
    json_t *list = json_array();
    char *manifest = text("%s/" MANIFEST, directory);
    *killed = access(manifest, F_OK) != 0;
    bool good = add_listed(list, directory, MANIFEST);
    if (*killed) {
        good = add_listed(list, directory, WORK "/" RECORD);
        good = add_listed(list, directory, WORK "/" MANIFEST) || good;
        *killed = good;
        good = good || is_empty(directory);
    }
    free(manifest);
    if (!good)
        fail(EXIT_USAGE, "'%.256s' is neither empty nor an earlier output of daagen; choose another -o DIR", directory);
    return list;
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

static bool is_ours(const struct stat *status, const char *path, json_t *earlier) {
    return strcmp(path, WORK) == 0 ? S_ISDIR(status->st_mode) : S_ISREG(status->st_mode) && listed(earlier, path);
}

/* Nothing foreign may stand where a file or directory of ours goes. */
static void check_place(const char *directory, const char *path, json_t *earlier) {
    char *place = text("%s/%s", directory, path);
    struct stat status;
    if (lstat(place, &status) == 0 && !is_ours(&status, path, earlier))
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

static bool all_hold(const struct files *files, const char *directory) {
    bool same = true;
    for (size_t i = 0; i < files->count && same; i++) {
        char *path = text("%s/%s", directory, files->file[i].path);
        same = holds(path, &files->file[i]);
        free(path);
    }
    return same;
}

/* ---- what is written ---- */

/* EARLIER as a manifest in WORK, whole at any moment. */
static void record(json_t *earlier, const char *directory) {
    json_t *root = json_pack("{s:s, s:O}", "generator", "daagen", "files", earlier);
    char *dump = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    if (!dump)
        fail(EXIT_JOB, "out of memory");
    char *beside = text("%s/" WORK "/" RECORD ".tmp", directory), *place = text("%s/" WORK "/" RECORD, directory);
    write_file(beside, dump, strlen(dump));
    if (rename(beside, place) != 0)
        cannot_write(place, errno);
    free(beside);
    free(place);
    free(dump);
    json_decref(root);
}

static void make_subdirectories(const struct files *files, const char *directory) {
    for (size_t i = 0; i < files->count; i++) {
        char *place = text("%s/%s", directory, files->file[i].path);
        make_parents(place);
        free(place);
    }
}

/* All that may fail for want of room. */
static void prepare(const struct files *files, const char *directory, const char *inside, json_t *earlier) {
    make_directory(inside);
    record(earlier, directory);
    for (size_t i = 0; i < files->count; i++) {
        char *path = text("%s/%s", inside, files->file[i].path);
        make_parents(path);
        write_file(path, files->file[i].text, files->file[i].length);
        free(path);
    }
    make_subdirectories(files, directory);
    obey_signals();
}

/* One that is there already stays, with its time, so that make does not build again what has not changed. */
static void move_file(const char *inside, const char *directory, const struct file *file) {
    char *from = text("%s/%s", inside, file->path);
    char *to = text("%s/%s", directory, file->path);
    if (!holds(to, file) && rename(from, to) != 0)
        cannot_write(to, errno);
    free(from);
    free(to);
}

static void move(const struct files *files, const char *directory, const char *inside, json_t *earlier) {
    char *manifest = text("%s/" MANIFEST, directory);
    if (unlink(manifest) != 0 && errno != ENOENT)
        cannot_write(manifest, errno);
    free(manifest);
    remove_stale(files, directory, earlier);
    for (size_t i = 0; i < files->count; i++)
        move_file(inside, directory, &files->file[i]);
    if (!remove_tree(inside))
        cannot_write(inside, errno);
}

static void write_into(const struct files *files, const char *directory) {
    char *inside = text("%s/" WORK, directory);
    bool killed;
    json_t *earlier = earlier_files(directory, &killed);
    check_place(directory, WORK, earlier);
    for (size_t i = 0; i < files->count; i++)
        check_place(directory, files->file[i].path, earlier);
    if (!killed && !remove_tree(inside))
        cannot_write(inside, errno);
    if (killed || !all_hold(files, directory)) {
        work = killed ? NULL : text("%s", inside);
        prepare(files, directory, inside, earlier);
        keep();
        move(files, directory, inside, earlier);
    }
    json_decref(earlier);
    free(inside);
}

void files_write(const struct files *files, const char *directory) {
    char *place = text("%s", directory);
    for (size_t length = strlen(place); length > 1 && place[length - 1] == '/'; length--)
        place[length - 1] = '\0';
    struct stat status;
    if (stat(place, &status) == 0 && !S_ISDIR(status.st_mode))
        fail(EXIT_USAGE, "'%.256s' is not a directory; choose another -o DIR", place);
    daa_signals_hold();
    signal(SIGXFSZ, SIG_IGN); /* a write past the file size limit then fails like one to a full disk */
    atexit(undo);
    take(place);
    write_into(files, place);
    free(place);
    daa_signals_release();
}

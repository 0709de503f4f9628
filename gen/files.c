/* All of it is first written into a work directory inside DIRECTORY, and then renamed into place: daa.json, which says
 * that the rest is whole, is removed before the first file and comes last. The work directory keeps a list of what is
 * daagen's meanwhile, so that the next run knows it where this one is killed. */
#define _XOPEN_SOURCE 700
#include "files.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../files/command.h"
#include "../files/signals.h"
#include "earlier.h"
#include "lock.h"
#include "made.h"

void files_add(struct files *files, const char *path, char *content, size_t length) {
    if (files->count == FILES_MAX)
        fail(EXIT_JOB, "more than %d files", FILES_MAX);
    files->file[files->count++] = (struct file){made_text("%s", path), content, length};
}

void files_free(struct files *files) {
    for (size_t i = 0; i < files->count; i++) {
        free(files->file[i].path);
        free(files->file[i].text);
    }
    files->count = 0;
}

static void make_subdirectories(const struct files *files, const char *directory) {
    for (size_t i = 0; i < files->count; i++) {
        char *place = made_text("%s/%s", directory, files->file[i].path);
        made_parents(place);
        free(place);
    }
}

/* All that may fail for want of room. */
static void prepare(const struct files *files, const char *directory, const char *inside, json_t *earlier) {
    made_directory(inside);
    earlier_record(earlier, directory);
    for (size_t i = 0; i < files->count; i++) {
        char *path = made_text("%s/%s", inside, files->file[i].path);
        made_parents(path);
        made_file(path, files->file[i].text, files->file[i].length);
        free(path);
    }
    make_subdirectories(files, directory);
    made_obey_signals();
}

/* One that is there already stays, with its time, so that make does not build again what has not changed. */
static void move_file(const char *inside, const char *directory, const struct file *file) {
    char *from = made_text("%s/%s", inside, file->path);
    char *to = made_text("%s/%s", directory, file->path);
    if (!earlier_holds(to, file) && rename(from, to) != 0)
        cannot_write(to, errno);
    free(from);
    free(to);
}

static void move(const struct files *files, const char *directory, const char *inside, json_t *earlier) {
    char *manifest = made_text("%s/" MANIFEST, directory);
    if (unlink(manifest) != 0 && errno != ENOENT)
        cannot_write(manifest, errno);
    free(manifest);
    earlier_remove_stale(earlier, directory, files);
    for (size_t i = 0; i < files->count; i++)
        move_file(inside, directory, &files->file[i]);
    if (!made_remove(inside))
        cannot_write(inside, errno);
}

static void write_into(const struct files *files, const char *directory) {
    char *inside = made_text("%s/" WORK, directory);
    bool killed;
    json_t *earlier = earlier_files(directory, &killed);
    earlier_check(earlier, directory, WORK);
    for (size_t i = 0; i < files->count; i++)
        earlier_check(earlier, directory, files->file[i].path);
    if (!killed && !made_remove(inside))
        cannot_write(inside, errno);
    if (killed || !earlier_all_hold(files, directory)) {
        if (!killed)
            made_work(inside);
        prepare(files, directory, inside, earlier);
        made_keep();
        move(files, directory, inside, earlier);
    }
    json_decref(earlier);
    free(inside);
}

void files_write(const struct files *files, const char *directory) {
    char *place = made_text("%s", directory);
    for (size_t length = strlen(place); length > 1 && place[length - 1] == '/'; length--)
        place[length - 1] = '\0';
    struct stat status;
    if (stat(place, &status) == 0 && !S_ISDIR(status.st_mode))
        fail(EXIT_USAGE, "'%.256s' is not a directory; choose another -o DIR", place);
    daa_signals_hold();
    signal(SIGXFSZ, SIG_IGN); /* a write past the file size limit then fails like one to a full disk */
    made_undo_at_exit();
    lock_take(place);
    write_into(files, place);
    free(place);
    daa_signals_release();
}

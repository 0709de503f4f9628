#define _XOPEN_SOURCE 700
#include "earlier.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../files/command.h"
#include "made.h"

#define RECORD "before.json" /* in WORK: the manifest of what was daagen's before */

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
    char *path = made_text("%s/%s", directory, name);
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

/* Without a manifest, the last run was killed: what it has left in WORK says so. */
json_t *earlier_files(const char *directory, bool *killed) {
    json_t *list = json_array();
    char *manifest = made_text("%s/" MANIFEST, directory);
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

void earlier_check(json_t *earlier, const char *directory, const char *path) {
    char *place = made_text("%s/%s", directory, path);
    struct stat status;
    if (lstat(place, &status) == 0 && !is_ours(&status, path, earlier))
        fail(EXIT_USAGE, "'%.256s' is in the way and not daagen's; move it, or choose another -o DIR", place);
    free(place);
}

void earlier_remove_stale(json_t *earlier, const char *directory, const struct files *files) {
    size_t i;
    json_t *entry;
    json_array_foreach(earlier, i, entry) {
        const char *path = json_string_value(entry);
        if (!path || !may_go_stale(path) || made_again(files, path))
            continue;
        char *place = made_text("%s/%s", directory, path);
        unlink(place);
        free(place);
    }
}

/* As a manifest. */
void earlier_record(json_t *earlier, const char *directory) {
    json_t *root = json_pack("{s:s, s:O}", "generator", "daagen", "files", earlier);
    char *dump = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    if (!dump)
        fail(EXIT_JOB, "out of memory");
    char *beside = made_text("%s/" WORK "/" RECORD ".tmp", directory),
         *place = made_text("%s/" WORK "/" RECORD, directory);
    made_file(beside, dump, strlen(dump));
    if (rename(beside, place) != 0)
        cannot_write(place, errno);
    free(beside);
    free(place);
    free(dump);
    json_decref(root);
}

bool earlier_holds(const char *path, const struct file *file) {
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

bool earlier_all_hold(const struct files *files, const char *directory) {
    bool same = true;
    for (size_t i = 0; i < files->count && same; i++) {
        char *path = made_text("%s/%s", directory, files->file[i].path);
        same = earlier_holds(path, &files->file[i]);
        free(path);
    }
    return same;
}

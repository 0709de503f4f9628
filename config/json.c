/* daa.json read back. Only "options" counts: everything else in the file is derived from it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "options.h"

enum { FILE_MAX = 1 << 16 }; /* a daa.json has a few kilobytes; anything longer is something else */

static bool no_such_file(const char *path, struct daa_error *error) {
    char names[128] = "";
    for (size_t i = 0; i < daa_named_count(); i++) {
        size_t length = strlen(names);
        snprintf(names + length, sizeof(names) - length, "%s%s", i ? ", " : "", daa_named_name(i));
    }
    return daa_fail(error, "config '%.128s' is neither a named configuration nor a file; it must be %s or a daa.json",
                    path, names);
}

/* Reads at most FILE_MAX bytes; NULL and an error otherwise. */
static char *read_file(const char *path, size_t *length, struct daa_error *error) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        if (errno == ENOENT)
            no_such_file(path, error);
        else
            daa_fail(error, "cannot read config '%.128s': %s; it must be a readable daa.json", path, strerror(errno));
        return NULL;
    }
    char *text = malloc(FILE_MAX + 1);
    *length = text ? fread(text, 1, FILE_MAX + 1, file) : 0;
    bool failed = ferror(file) != 0;
    int reason = errno;
    fclose(file);
    if (text && !failed && *length <= FILE_MAX)
        return text;
    if (!text)
        daa_fail(error, "out of memory");
    else if (failed)
        daa_fail(error, "cannot read config '%.128s': %s; it must be a readable daa.json", path, strerror(reason));
    else
        daa_fail(error, "config '%.128s' is longer than 64 KiB; it must be a daa.json", path);
    free(text);
    return NULL;
}

/* Numbers must be JSON integers and words JSON strings, but "auto" may stand for a number. */
static bool set_one(const char *path, const char *key, json_t *json, daa_set_function *set, void *context,
                    struct daa_error *error) {
    enum daa_option option = daa_option_find(key);
    if (option == OPT_COUNT)
        return daa_fail(error, "config '%.128s' has an unknown option '%.64s'; --help lists the options", path, key);
    bool number = daa_option_is_number(option);
    char digits[24];
    const char *text = NULL;
    if (number && json_is_integer(json)) {
        snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        text = digits;
    } else if (json_is_string(json) && (!number || strcmp(json_string_value(json), "auto") == 0)) {
        text = json_string_value(json);
    }
    if (!text)
        return daa_fail(error, "config '%.128s' has %s as the wrong type; it must be %s", path, key,
                        number ? "an integer" : "a string");
    struct daa_error why;
    return set(context, option, text, &why) || daa_fail(error, "config '%.128s': %s", path, why.text);
}

static bool set_all(const char *path, json_t *root, daa_set_function *set, void *context, struct daa_error *error) {
    json_t *options = json_object_get(root, "options");
    if (!json_is_object(options))
        return daa_fail(error, "config '%.128s' has no object \"options\"; it must be a daa.json", path);
    const char *key;
    json_t *value;
    json_object_foreach(options, key, value) {
        if (!set_one(path, key, value, set, context, error))
            return false;
    }
    return true;
}

bool daa_json_load(const char *path, daa_set_function *set, void *context, struct daa_error *error) {
    size_t length;
    char *text = read_file(path, &length, error);
    if (!text)
        return false;
    json_error_t reason;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &reason);
    free(text);
    if (!root)
        return daa_fail(error, "config '%.128s' line %d: %s; it must be a daa.json", path, reason.line, reason.text);
    bool done = set_all(path, root, set, context, error);
    json_decref(root);
    return done;
}

#include "manifest.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "../files/command.h"
#include "../files/stats.h"

static void put(json_t *object, const char *name, json_t *value) {
    if (json_object_set_new(object, name, value) != 0)
        fail(EXIT_JOB, "out of memory");
}

static json_t *report_json(const struct plan *plan, enum report which) {
    json_t *object = json_object();
    for (size_t i = 0; i < plan->count; i++)
        if (plan->values[i].report == which)
            put(object, plan->values[i].name, json_integer(plan->values[i].number));
    return object;
}

static json_t *files_json(const struct files *files) {
    json_t *list = json_array();
    for (size_t i = 0; i < files->count; i++)
        if (json_array_append_new(list, json_string(files->file[i].path)) != 0)
            fail(EXIT_JOB, "out of memory");
    if (json_array_append_new(list, json_string("daa.json")) != 0)
        fail(EXIT_JOB, "out of memory");
    return list;
}

char *manifest_text(const struct daa_config *config, struct plan *plan, const struct files *files, size_t *length) {
    json_t *root = json_object();
    put(root, "generator", json_string("daagen"));
    put(root, "version", json_string(DAA_VERSION));
    put(root, "options", daa_stats_options(config));
    put(root, "derived", report_json(plan, DERIVED));
    put(root, "latency", report_json(plan, LATENCY));
    put(root, "files", files_json(files));
    put(root, "hash", json_string(plan_find(plan, "hash")->text));
    char *dump = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    *length = dump ? strlen(dump) + 1 : 0;
    char *text = dump ? malloc(*length + 1) : NULL;
    if (!text)
        fail(EXIT_JOB, "out of memory");
    memcpy(text, dump, *length - 1);
    text[*length - 1] = '\n';
    text[*length] = '\0';
    free(dump);
    return text;
}

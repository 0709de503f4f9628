#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "emit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../files/command.h"
#include "manifest.h"
#include "template.h"
#include "vectors.h"

static bool ends_with(const char *name, const char *end) {
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

/* daa_pe.v.in -> rtl/<prefix>_pe.v, daa_tb.v.in -> tb/<prefix>_tb.v, and any other NAME.in -> NAME. */
static void output_path(const char *name, const char *prefix, char *path, size_t size) {
    if (!ends_with(name, ".v.in")) {
        snprintf(path, size, "%.*s", (int)(strlen(name) - strlen(".in")), name);
        return;
    }
    const char *rest = name + strlen("daa");
    const char *room = ends_with(name, "_tb.v.in") ? "tb" : "rtl";
    snprintf(path, size, "%s/%s%.*s", room, prefix, (int)(strlen(rest) - strlen(".in")), rest);
}

/* The modules, as a list for the templates that name them. */
static void list_modules(const struct daa_config *config, struct plan *plan) {
    plan_list(plan, "rtl_files");
    for (size_t i = 0; i < template_count; i++) {
        char path[128];
        output_path(templates[i].name, config->prefix, path, sizeof(path));
        if (strncmp(path, "rtl/", 4) == 0 && template_wanted(&templates[i], plan))
            plan_item(plan, "rtl_files", path);
    }
}

static void emit_one(const struct template *template, const char *prefix, struct plan *plan, struct files *files) {
    char path[128], *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        fail(EXIT_JOB, "out of memory");
    template_render(template, plan, out);
    if (fclose(out) != 0)
        fail(EXIT_JOB, "out of memory");
    output_path(template->name, prefix, path, sizeof(path));
    if (template_wanted(template, plan))
        files_add(files, path, text, length);
    else
        free(text);
}

void emit(const struct daa_config *config, struct plan *plan, struct files *files) {
    list_modules(config, plan);
    vectors_add(plan, config);
    for (size_t i = 0; i < template_count; i++)
        emit_one(&templates[i], config->prefix, plan, files);
    size_t length;
    char *text = manifest_text(config, plan, files, &length);
    files_add(files, "daa.json", text, length);
}

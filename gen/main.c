/* daagen: options -> configuration -> plan -> files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../config/config.h"
#include "emit.h"
#include "fail.h"
#include "files.h"
#include "plan.h"

struct request {
    struct daa_options *options;
    const char *directory;
};

static const char usage[] =
    "usage: daagen [--config NAME|FILE] [--OPTION VALUE]... -o DIR\n"
    "Emits the Verilog of one array, its manifest daa.json, a C header, constraints and a self-checking bench into "
    "DIR.\n"
    "\n"
    "  --config NAME|FILE  a named configuration (default paper) or an emitted daa.json; options given by name win\n"
    "  -o DIR              new, empty, or an earlier output, which is replaced\n"
    "  --list-configs      the named configurations\n"
    "  --version, --help\n"
    "\n"
    "Options, with default, range and meaning:\n";

static _Noreturn void finish(void) {
    if (fflush(stdout) != 0 || ferror(stdout))
        fail(EXIT_JOB, "cannot write to standard output; it must be open and have room");
    exit(EXIT_SUCCESS);
}

static _Noreturn void print_help(void) {
    fputs(usage, stdout);
    for (size_t i = 0; i < daa_option_count(); i++) {
        const struct daa_option_info *info = daa_option_info(i);
        printf("  --%-11s %-8s  %s\n%26s%s\n", info->name, info->fallback, info->range, "", info->meaning);
    }
    finish();
}

static _Noreturn void print_configs(void) {
    for (size_t i = 0; i < daa_named_count(); i++)
        printf("%-9s %s\n", daa_named_name(i), daa_named_meaning(i));
    finish();
}

static _Noreturn void print_version(void) {
    puts("daagen " DAA_VERSION);
    finish();
}

static void take_option(struct request *request, const char *name, const char *value) {
    struct daa_error error;
    bool done = strcmp(name, "config") == 0 ? daa_options_load(request->options, value, &error)
                                            : daa_options_set(request->options, name, value, &error);
    if (!done)
        fail(EXIT_USAGE, "%s", error.text);
}

static bool is_option(const char *name) {
    for (size_t i = 0; i < daa_option_count(); i++)
        if (strcmp(name, daa_option_info(i)->name) == 0)
            return true;
    return strcmp(name, "config") == 0;
}

/* --NAME VALUE or --NAME=VALUE; returns how many words it took. Names are never abbreviated, so that a new option
 * cannot change what an old command means. */
static int take_long(struct request *request, char **word) {
    char name[32];
    size_t length = strcspn(*word + 2, "=");
    snprintf(name, sizeof(name), "%.*s", (int)length, *word + 2);
    if (length >= sizeof(name) || !is_option(name))
        fail(EXIT_USAGE, "there is no option '%.64s'; --help lists them", *word);
    if ((*word)[2 + length] == '=') {
        take_option(request, name, *word + 2 + length + 1);
        return 1;
    }
    if (!word[1])
        fail(EXIT_USAGE, "--%s has no value; it must be --%s VALUE", name, name);
    take_option(request, name, word[1]);
    return 2;
}

static int take_directory(struct request *request, char **word) {
    if (!word[1] || !*word[1])
        fail(EXIT_USAGE, "-o has no value; it must be -o DIR");
    request->directory = word[1];
    return 2;
}

static void read_command(struct request *request, char **word) {
    while (*word) {
        if (strcmp(*word, "--help") == 0 || strcmp(*word, "-h") == 0)
            print_help();
        else if (strcmp(*word, "--list-configs") == 0)
            print_configs();
        else if (strcmp(*word, "--version") == 0)
            print_version();
        else if (strcmp(*word, "-o") == 0)
            word += take_directory(request, word);
        else if (strncmp(*word, "--", 2) == 0)
            word += take_long(request, word);
        else
            fail(EXIT_USAGE, "'%.64s' is not expected; it must be --OPTION VALUE or -o DIR", *word);
    }
    if (!request->directory)
        fail(EXIT_USAGE, "no place to write to is given; it must be -o DIR");
}

int main(int argc, char **argv) {
    (void)argc;
    struct request request = {.options = daa_options_new()};
    if (!request.options)
        fail(EXIT_JOB, "out of memory");
    read_command(&request, argv + 1);

    struct daa_config config;
    struct daa_error error;
    if (!daa_options_resolve(request.options, DAA_HARDWARE, &config, &error))
        fail(EXIT_USAGE, "%s", error.text);
    daa_options_free(request.options);

    struct plan *plan = plan_new(&config);
    static struct files files;
    emit(&config, plan, &files);
    files_write(&files, request.directory);
    files_free(&files);
    plan_free(plan);
    return EXIT_SUCCESS;
}

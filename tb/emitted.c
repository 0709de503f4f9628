#define _POSIX_C_SOURCE 200809L
#include "emitted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../files/command.h"

static bool parse(char *words, struct daa_options *options, struct daa_config *config, struct daa_error *error) {
    char *rest;
    for (char *name = strtok_r(words, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        const char *value = strtok_r(NULL, " ", &rest);
        if (strncmp(name, "--", 2) != 0 || !value)
            return daa_fail(error, "'%s' is not an option with its value", name);
        if (!daa_options_set(options, name + 2, value, error))
            return false;
    }
    return daa_options_resolve(options, DAA_HARDWARE, config, error);
}

void emitted_config(const char *line, struct daa_config *config) {
    struct daa_error error = {"out of memory"};
    struct daa_options *options = daa_options_new();
    char *words = strdup(line);
    const bool good = options && words && parse(words, options, config, &error);
    free(words);
    daa_options_free(options);
    if (good)
        return;
    fail(EXIT_JOB, "the array's own configuration is not a legal one (%s); emit and build it again", error.text);
}

void emitted_word(const char *text) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./_-+=:,%@";
    fputc(' ', stderr);
    if (*text && text[strspn(text, plain)] == '\0') {
        fputs(text, stderr);
        return;
    }
    fputc('\'', stderr);
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stderr);
        else
            fputc(*text, stderr);
    fputc('\'', stderr);
}

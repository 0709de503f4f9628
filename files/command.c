#define _POSIX_C_SOURCE 200809L
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

static const char *program = "daa";

void fail(int status, const char *format, ...) {
    char text[2 * DAA_ERROR_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
    fprintf(stderr, "%s: %s\n", program, text);
    exit(status);
}

void daa_command_flush(void) {
    if (fflush(stdout) != 0 || ferror(stdout))
        fail(EXIT_JOB, "cannot write to standard output (%s); it must be open and have room", strerror(errno));
}

/* A closed standard stream must not become one of our files. */
static void keep_standard_streams(void) {
    int fd;
    do
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* ---- what is printed ---- */

static void print_word(const struct daa_word *word) {
    char left[64];
    snprintf(left, sizeof left, "%s%s%s", word->name, word->value ? " " : "", word->value ? word->value : "");
    if (word->meaning)
        printf("  %-18s %s\n", left, word->meaning);
}

static void print_configs(const char *indent) {
    for (size_t i = 0; i < daa_named_count(); i++)
        printf("%s%-9s %s\n", indent, daa_named_name(i), daa_named_meaning(i));
}

static void print_options(void) {
    puts("\nOptions of the configuration, with default, range and meaning:");
    for (size_t i = 0; i < daa_option_count(); i++) {
        const struct daa_option_info *info = daa_option_info(i);
        printf("  --%-11s %-8s  %s\n%26s%s\n", info->name, info->fallback, info->range, "", info->meaning);
    }
    puts("\nNamed configurations:");
    print_configs("  ");
}

static void print_help(const struct daa_command *command) {
    printf("usage: %s %s\n%s\n\n", command->name, command->usage, command->purpose);
    for (const struct daa_word *word = command->words; word->name; word++)
        print_word(word);
    if (command->config)
        puts("  --config NAME|FILE a named configuration or an emitted daa.json, in place of the defaults; options by "
             "name win\n"
             "  --list-configs     the named configurations");
    puts("  --version, --help");
    if (command->config)
        print_options();
    if (command->more)
        printf("\n%s", command->more);
}

/* ---- what is read ---- */

enum { NAME_MAX_LENGTH = 31 };

struct reading {
    const struct daa_command *command;
    struct daa_options *options;
};

static const struct daa_word *find(const struct daa_command *command, const char *name) {
    const struct daa_word *word = command->words;
    while (word->name && strcmp(word->name, name) != 0)
        word++;
    return word->name ? word : NULL;
}

/* Words of every command, which end it. */
static void answer(const struct daa_command *command, const char *word) {
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        print_help(command);
    else if (strcmp(word, "--version") == 0)
        printf("%s " DAA_VERSION "\n", command->name);
    else if (command->config && strcmp(word, "--list-configs") == 0)
        print_configs("");
    else
        return;
    daa_command_flush();
    exit(EXIT_SUCCESS);
}

static bool is_option(const struct daa_command *command, const char *name) {
    if (!command->config || strncmp(name, "--", 2) != 0)
        return false;
    for (size_t i = 0; i < daa_option_count(); i++)
        if (strcmp(name + 2, daa_option_info(i)->name) == 0)
            return true;
    return strcmp(name, "--config") == 0;
}

static void set_option(struct daa_options *options, const char *name, const char *value) {
    struct daa_error error;
    if (!(strcmp(name, "config") == 0 ? daa_options_load(options, value, &error)
                                      : daa_options_set(options, name, value, &error)))
        fail(EXIT_USAGE, "%s", error.text);
}

/* Takes one word with its value, and returns the last of them. */
static char **take(const struct reading *reading, char **at) {
    char name[NAME_MAX_LENGTH + 1];
    const bool is_long = strncmp(*at, "--", 2) == 0;
    const size_t length = is_long ? strcspn(*at, "=") : strlen(*at);
    snprintf(name, sizeof name, "%.*s", (int)length, *at);
    const struct daa_word *word = find(reading->command, name);
    if (length > NAME_MAX_LENGTH || (!word && !is_option(reading->command, name))) {
        if (**at == '-')
            fail(EXIT_USAGE, "there is no option '%.64s'; --help lists them", *at);
        fail(EXIT_USAGE, "'%.64s' is not expected; --help lists what is", *at);
    }
    const char *value = (*at)[length] ? *at + length + 1 : NULL;
    if (word && word->set) {
        if (value)
            fail(EXIT_USAGE, "%s takes no value, and has '%.64s'", name, value);
        *word->set = true;
        return at;
    }
    if (!value)
        value = *++at;
    if (!value || (word && !*value))
        fail(EXIT_USAGE, "%s has no value; it must be %s %s", name, name, word ? word->value : "VALUE");
    if (word)
        *word->text = value;
    else
        set_option(reading->options, name + 2, value);
    return at;
}

/* Two names of one file. */
static bool same_place(const char *one, const char *other) {
    char *places[] = {daa_output_place(one), daa_output_place(other)};
    const bool same = strcmp(one, other) == 0 || (places[0] && places[1] && strcmp(places[0], places[1]) == 0);
    free(places[0]);
    free(places[1]);
    return same;
}

static void check(const struct daa_command *command) {
    for (const struct daa_word *word = command->words; word->name; word++) {
        if (word->needed && !*word->text)
            fail(EXIT_USAGE, "%s %s is missing; --help lists what is needed", word->name, word->value);
        for (const struct daa_word *other = command->words; other < word; other++)
            if (word->output && other->output && word->text != other->text && *word->text && *other->text &&
                same_place(*word->text, *other->text))
                fail(EXIT_USAGE, "'%.200s' is named for two outputs, %s and %s; they must be two files", *word->text,
                     other->name, word->name);
    }
}

void daa_command_read(const struct daa_command *command, char **argv) {
    struct daa_error error;
    struct reading reading = {command, daa_options_new()};
    program = command->name;
    keep_standard_streams();
    if (!reading.options)
        fail(EXIT_JOB, "out of memory");
    for (char **at = argv + 1; *at; at++) {
        answer(command, *at);
        at = take(&reading, at);
    }
    check(command);
    if (command->config && !daa_options_resolve(reading.options, command->use, command->config, &error))
        fail(EXIT_USAGE, "%s", error.text);
    daa_options_free(reading.options);
}

/* Mutated daa.json files: each is read whole or refused with one line, and what is read is a legal configuration. The
 * same seed gives the same files. fuzz-json FILE SEED COUNT: FILE is written and read COUNT times. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../config/config.h"
#include "../common/random.h"

static size_t draw(size_t limit) {
    return below((uint32_t)limit);
}

enum { TEXT_MAX = 4096 };

static const char *const words[] = {
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\u0000",
    "\\",
    "\n",
    "-1",
    "0",
    "1",
    "16",
    "256",
    "257",
    "1e9",
    "16.0",
    "true",
    "null",
    "\"auto\"",
    "\"on\"",
    "\"e8m7\"",
    "\"e9m99\"",
    "\"rows\"",
    "\"format\"",
    "\"quad\"",
    "\"options\"",
    "99999999999999999999",
    "\"\"",
    "\xff",
    "\"policy\": \"magnitude\",",
};
enum { WORDS = sizeof(words) / sizeof(words[0]) };

/* A legal file for a random legal configuration, more or less. */
static size_t sound(char *text) {
    static const char *const formats[] = {"bf16", "fp16", "e4m3", "e2m1", "e5m10"};
    int length = snprintf(text, TEXT_MAX,
                          "{\n  \"generator\": \"daagen\",\n  \"options\": {\n    \"rows\": %zu,\n    \"cols\": %zu,\n"
                          "    \"streams\": %d,\n    \"a-format\": \"%s\",\n    \"format\": \"%s\",\n"
                          "    \"policy\": \"%s\",\n    \"window\": %zu,\n    \"specials\": \"%s\",\n"
                          "    \"prefix\": \"x_%zu\"\n  },\n  \"files\": [\"daa.json\"]\n}\n",
                          1 + draw(256), 1 + draw(256), 1 << draw(4), formats[draw(5)], formats[draw(5)],
                          daa_policy_info((enum daa_policy)draw(DAA_POLICY_COUNT))->name, draw(33),
                          draw(2) ? "on" : "off", draw(1000));
    return (size_t)length;
}

/* Replaces CUT bytes at AT by LENGTH bytes of WORD. */
static size_t splice(char *text, size_t size, size_t at, size_t cut, const char *word, size_t length) {
    if (at + cut > size)
        cut = size - at;
    if (size - cut + length >= TEXT_MAX)
        return size;
    memmove(text + at + length, text + at + cut, size - at - cut);
    memcpy(text + at, word, length);
    return size - cut + length;
}

static size_t mutate(char *text, size_t size) {
    size_t at = draw(size + 1);
    const char *word = words[draw(WORDS)];
    char copy[64];
    switch (draw(5)) {
    case 0:
        return splice(text, size, at, 0, word, strlen(word));
    case 1:
        return splice(text, size, at, 1 + draw(8), word, strlen(word));
    case 2:
        return splice(text, size, at, 1 + draw(40), "", 0);
    case 3: { /* a piece of itself somewhere else */
        size_t from = draw(size + 1), length = draw(sizeof(copy));
        length = length > size - from ? size - from : length;
        memcpy(copy, text + from, length);
        return splice(text, size, at, 0, copy, length);
    }
    default:
        if (at < size)
            text[at] = (char)draw(256);
        return size;
    }
}

static void write_file(const char *path, const char *text, size_t size) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(text, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void fault(const char *what, size_t number, const char *text, size_t size) {
    fprintf(stderr, "file %zu: %s\n%.*s\n", number, what, (int)size, text);
    exit(1);
}

static bool legal(const struct daa_config *config) {
    struct daa_error error;
    bool sizes = config->rows >= 1 && config->rows <= 256 && config->cols >= 1 && config->cols <= 256;
    bool counts = (config->streams == 1 || config->streams == 2 || config->streams == 4 || config->streams == 8) &&
                  config->window >= 0 && config->window <= 32 && config->pipeline >= 1 && config->pipeline <= 5;
    return daa_config_check(config, DAA_SOFTWARE, &error) && sizes && counts &&
           config->a_format.exp_bits <= config->acc_format.exp_bits && strlen(config->prefix) > 0;
}

static bool one_line(const struct daa_error *error) {
    return error->text[0] && !strchr(error->text, '\n') && memchr(error->text, '\0', sizeof(error->text));
}

/* True: the file was read and its options are a legal configuration. */
static bool try_file(const char *path, size_t number, const char *text, size_t size) {
    struct daa_options *options = daa_options_new();
    struct daa_config config;
    struct daa_error error;
    memset(&error, 'x', sizeof(error));
    bool read = options && daa_options_load(options, path, &error) &&
                daa_options_resolve(options, DAA_SOFTWARE, &config, &error);
    daa_options_free(options);
    if (read && !legal(&config))
        fault("an illegal configuration was accepted", number, text, size);
    if (!read && !one_line(&error))
        fault("the error is not one line", number, text, size);
    return read;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: fuzz-json FILE SEED COUNT\n");
        return 2;
    }
    size_t count = strtoul(argv[3], NULL, 10), accepted = 0;
    random_state = strtoull(argv[2], NULL, 10);
    char text[TEXT_MAX];
    for (size_t i = 0; i < count; i++) {
        size_t size = sound(text);
        for (size_t mutations = draw(4); mutations > 0; mutations--)
            size = mutate(text, size);
        write_file(argv[1], text, size);
        accepted += try_file(argv[1], i, text, size);
    }
    printf("seed %s: %zu files, %zu accepted, %zu refused\n", argv[2], count, accepted, count - accepted);
    return 0;
}

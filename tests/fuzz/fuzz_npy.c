/* Mutated .npy files: each is read whole or refused with one line that begins with its name. The same seed gives the
 * same files. fuzz-npy FILE SEED COUNT: FILE is written and read COUNT times. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../files/matrix.h"
#include "../../files/npy.h"
#include "../common/random.h"

static size_t draw(size_t limit) {
    return below((uint32_t)limit);
}

enum { FILE_SIZE = 4096 };

static const char *const words[] = {
    "'descr'",
    "'shape'",
    "'fortran_order'",
    "True",
    "False",
    "(",
    ")",
    ",",
    ":",
    "{",
    "}",
    "'",
    "\"",
    "'<f4'",
    "'>u2'",
    "'|u1'",
    "'<i8'",
    "'|O'",
    "'<c16'",
    "[('x', '<f4')]",
    "-1",
    "0",
    "1",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999",
    "3L",
    " ",
    "\n",
    "\xff",
    "\\",
};

/* A sound file, more or less: returns its length. */
static size_t sound(unsigned char *file) {
    static const char *const types[] = {"<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "|u1", "<u2", ">u2", "<u4", ">u4"};
    const char *type = types[draw(sizeof types / sizeof types[0])];
    size_t rows = draw(5), cols = draw(5), version = 1 + draw(3), start = version == 1 ? 10 : 12;
    char header[256];
    int text = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': %s, 'shape': (%zu, %zu), }%*s\n", type,
                        draw(2) ? "True" : "False", rows, cols, (int)draw(40), "");
    size_t length = (size_t)text, elements = rows * cols * (size_t)(type[2] - '0');
    memcpy(file, "\x93NUMPY", 6);
    memcpy(
        file + 6,
        (unsigned char[]){(unsigned char)version, 0, (unsigned char)(length & 255), (unsigned char)(length >> 8), 0, 0},
        6);
    memcpy(file + start, header, length);
    for (size_t i = 0; i < elements; i++)
        file[start + length + i] = (unsigned char)draw(256);
    return start + length + elements;
}

static size_t insert(unsigned char *file, size_t length, size_t at, const char *word) {
    size_t added = strlen(word);
    memmove(file + at + added, file + at, length - at);
    memcpy(file + at, word, added);
    return length + added;
}

static size_t mutate(unsigned char *file, size_t length) {
    if (length == 0)
        return length;
    size_t near = draw(3) ? draw(length < 90 ? length : 90) : draw(length); /* mostly in the header */
    switch (draw(6)) {
    case 0:
        file[near] = (unsigned char)draw(256);
        return length;
    case 1:
        file[near] ^= (unsigned char)(1 << draw(8));
        return length;
    case 2:
        return draw(length);
    case 3: {
        size_t gone = draw(length - near) / (1 + draw(8));
        memmove(file + near, file + near + gone, length - near - gone);
        return length - gone;
    }
    case 4:
        return insert(file, length, near, words[draw(sizeof words / sizeof words[0])]);
    default: { /* in place of another, keeping the length that the header claims */
        const char *word = words[draw(sizeof words / sizeof words[0])];
        size_t size = strlen(word);
        if (near + size <= length)
            memcpy(file + near, word, size);
        return length;
    }
    }
}

static void write_file(const char *path, const unsigned char *bytes, size_t length) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void wrong(const char *what, const char *text, size_t at) {
    fprintf(stderr, "fuzz-npy: file %zu: %s: '%s'\n", at, what, text);
    exit(1);
}

/* Reads every element, so that the sanitizers see each access. */
static void read_all(const struct daa_npy *npy) {
    volatile double sum = 0;
    for (size_t row = 0; npy->cols && row < npy->rows; row++)
        for (size_t col = 0; col < npy->cols; col++)
            sum = sum + (daa_npy_is_real(npy->type) ? daa_npy_real(npy, row, col) : daa_npy_bits(npy, row, col));
}

int main(int argc, char **argv) {
    static const char *const formats[] = {"bf16", "fp16", "e4m3", "e2m1", "fp32"};
    unsigned char file[FILE_SIZE];
    size_t good = 0, loaded = 0;
    if (argc != 4) {
        fputs("fuzz-npy: give FILE SEED COUNT\n", stderr);
        return 2;
    }
    const char *path = argv[1];
    random_state = strtoull(argv[2], NULL, 10);
    size_t count = strtoull(argv[3], NULL, 10);
    for (size_t i = 0; i < count; i++) {
        size_t length = sound(file);
        for (size_t changes = draw(4); changes > 0; changes--)
            length = mutate(file, length);
        write_file(path, file, length);
        struct daa_npy npy;
        struct daa_matrix matrix;
        struct daa_format format;
        struct daa_error error = {""};
        bool read = daa_npy_read(path, &npy, &error);
        if (read)
            read_all(&npy);
        else if (strncmp(error.text, path, strlen(path)) != 0 || strchr(error.text, '\n') || strlen(error.text) < 10)
            wrong("not one line that begins with the file's name", error.text, i);
        daa_npy_free(&npy);
        if (!daa_format_parse(formats[draw(5)], &format))
            wrong("not a format", "", i);
        bool load = daa_matrix_load(path, format, draw(2), &matrix, &error);
        daa_matrix_free(&matrix);
        if (load && !read)
            wrong("loaded, but not read", error.text, i);
        good += read;
        loaded += load;
    }
    printf("%zu files, seed %s: %zu read, %zu refused; %zu loaded\n", count, argv[2], good, count - good, loaded);
    return good > 0 && good < count && loaded > 0 ? 0 : 1;
}

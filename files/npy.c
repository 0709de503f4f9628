#include "npy.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 65536 }; /* numpy's own are a few hundred bytes */

static const char magic[6] = "\x93NUMPY";

static const struct {
    const char *name; /* as in descr, after the byte order */
    size_t size;
    bool real;
} types[] = {
    [DAA_NPY_F2] = {"f2", 2, true},  [DAA_NPY_F4] = {"f4", 4, true},  [DAA_NPY_F8] = {"f8", 8, true},
    [DAA_NPY_U1] = {"u1", 1, false}, [DAA_NPY_U2] = {"u2", 2, false}, [DAA_NPY_U4] = {"u4", 4, false},
};

bool daa_npy_is_real(enum daa_npy_type type) {
    return types[type].real;
}

size_t daa_npy_size(enum daa_npy_type type) {
    return types[type].size;
}

/* ---- reading ---- */

struct reader {
    FILE *file;
    const char *path;
    struct daa_error *error;
    const char *at; /* the next character of the header */
};

__attribute__((format(printf, 2, 3))) static bool fail(struct reader *r, const char *format, ...) {
    char what[256];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return daa_fail(r->error, "%.200s: %s", r->path, what);
}

static bool fail_short(struct reader *r, const char *where) {
    if (ferror(r->file))
        return fail(r, "cannot be read (%s); give a readable .npy file", strerror(errno));
    return fail(r, "ends inside %s; give the whole .npy file", where);
}

static void skip_space(struct reader *r) {
    while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n')
        r->at++;
}

static bool accept(struct reader *r, char c) {
    skip_space(r);
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

static bool accept_word(struct reader *r, const char *word) {
    skip_space(r);
    size_t length = strlen(word);
    if (strncmp(r->at, word, length) != 0 || isalnum((unsigned char)r->at[length]))
        return false;
    r->at += length;
    return true;
}

static bool fail_header(struct reader *r) {
    return fail(r,
                "its header is not that of a .npy file: expected {'descr': ..., 'fortran_order': ..., 'shape': ...}");
}

/* A quoted string without escapes, which is all that these headers have. */
static bool read_string(struct reader *r, char *text, size_t size) {
    skip_space(r);
    char quote = *r->at;
    if (quote != '\'' && quote != '"')
        return false;
    const char *start = r->at + 1, *end = strchr(start, quote);
    if (!end || (size_t)(end - start) >= size)
        return false;
    memcpy(text, start, (size_t)(end - start));
    text[end - start] = '\0';
    r->at = end + 1;
    return true;
}

static bool read_descr(struct reader *r, struct daa_npy *npy) {
    static const char wanted[] = "give float16, float32, float64, uint8, uint16 or uint32";
    char text[64];
    skip_space(r);
    if (*r->at == '[')
        return fail(r, "its dtype is a structured one; %s", wanted);
    if (!read_string(r, text, sizeof text))
        return fail_header(r);
    for (const char *c = text; *c; c++)
        if (!isprint((unsigned char)*c))
            return fail_header(r);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!text[0] || strcmp(text + 1, types[i].name) != 0)
            continue;
        if (text[0] != '<' && text[0] != '>' && !(text[0] == '|' && types[i].size == 1))
            break;
        npy->type = (enum daa_npy_type)i;
        npy->big_endian = text[0] == '>';
        return true;
    }
    return fail(r, "its dtype is '%s'; %s", text, wanted);
}

static bool read_order(struct reader *r, struct daa_npy *npy) {
    npy->fortran_order = accept_word(r, "True");
    return npy->fortran_order || accept_word(r, "False") || fail_header(r);
}

static bool read_dimension(struct reader *r, size_t *value) {
    skip_space(r);
    if (!isdigit((unsigned char)*r->at))
        return fail_header(r);
    *value = 0;
    for (; isdigit((unsigned char)*r->at); r->at++) {
        size_t digit = (size_t)(*r->at - '0');
        if (*value > (SIZE_MAX - digit) / 10)
            return fail(r, "its shape is too large for this machine; give a smaller matrix");
        *value = *value * 10 + digit;
    }
    if (*r->at == 'L') /* written by Python 2 */
        r->at++;
    return true;
}

static bool read_shape(struct reader *r, struct daa_npy *npy) {
    if (!accept(r, '('))
        return fail_header(r);
    size_t dimensions = 0, value = 0;
    for (; !accept(r, ')'); dimensions++) {
        if (!read_dimension(r, &value))
            return false;
        if (dimensions == 0)
            npy->rows = value;
        if (dimensions == 1)
            npy->cols = value;
        skip_space(r);
        if (!accept(r, ',') && *r->at != ')')
            return fail_header(r);
    }
    if (dimensions != 2)
        return fail(r, "it has %zu dimension%s; a matrix has 2", dimensions, dimensions == 1 ? "" : "s");
    if (npy->cols && npy->rows > (SIZE_MAX - 1) / 8 / npy->cols) /* 8 bytes at most an element */
        return fail(r, "its shape (%zu, %zu) is too large for this machine; give a smaller matrix", npy->rows,
                    npy->cols);
    return true;
}

static bool parse_header(struct reader *r, struct daa_npy *npy) {
    bool descr = false, order = false, shape = false;
    char key[32];
    if (!accept(r, '{'))
        return fail_header(r);
    while (!accept(r, '}')) {
        if (!read_string(r, key, sizeof key) || !accept(r, ':'))
            return fail_header(r);
        bool *seen = strcmp(key, "descr") == 0           ? &descr
                     : strcmp(key, "fortran_order") == 0 ? &order
                     : strcmp(key, "shape") == 0         ? &shape
                                                         : NULL;
        if (!seen || *seen)
            return fail_header(r);
        *seen = true;
        if (!(seen == &descr ? read_descr(r, npy) : seen == &order ? read_order(r, npy) : read_shape(r, npy)))
            return false;
        skip_space(r);
        if (!accept(r, ',') && *r->at != '}')
            return fail_header(r);
    }
    skip_space(r);
    if (!descr || !order || !shape || *r->at)
        return fail_header(r);
    return true;
}

static bool read_header(struct reader *r, struct daa_npy *npy) {
    unsigned char start[12] = {0};
    size_t got = fread(start, 1, 8, r->file);
    if (got == 0 && !ferror(r->file))
        return fail(r, "is empty; give a .npy file");
    if (got == 0)
        return fail_short(r, "its header");
    if (memcmp(start, magic, got < sizeof magic ? got : sizeof magic) != 0)
        return fail(r, "is not a .npy file; write one with numpy.save");
    if (got < 8)
        return fail_short(r, "its header");
    int major = start[6], minor = start[7];
    if (major < 1 || major > 3 || minor != 0)
        return fail(r, "is .npy version %d.%d; give 1.0, 2.0 or 3.0", major, minor);
    size_t length_size = major == 1 ? 2 : 4, length = 0;
    if (fread(start + 8, 1, length_size, r->file) != length_size)
        return fail_short(r, "its header");
    for (size_t i = length_size; i > 0; i--)
        length = length << 8 | start[8 + i - 1];
    if (length > HEADER_MAX)
        return fail(r, "its header says it has %zu bytes; at most %d are read", length, HEADER_MAX);
    char *text = malloc(length + 1);
    if (!text)
        return fail(r, "out of memory for its header");
    bool good = fread(text, 1, length, r->file) == length || fail_short(r, "its header");
    if (good) {
        text[length] = '\0';
        r->at = text;
        good = strlen(text) == length ? parse_header(r, npy) : fail_header(r);
    }
    free(text);
    return good;
}

/* Grows with what arrives, so that a header's claim alone takes no memory. */
static bool read_data(struct reader *r, struct daa_npy *npy) {
    size_t size = npy->rows * npy->cols * daa_npy_size(npy->type), room = 0, got = 0;
    do {
        room = room ? (room > size / 2 ? size : 2 * room) : (size < 65536 ? size : 65536);
        unsigned char *grown = realloc(npy->data, room + 1); /* + 1: an empty matrix has a place too */
        if (!grown)
            return fail(r, "out of memory for its %zu x %zu elements; give a smaller matrix", npy->rows, npy->cols);
        npy->data = grown;
        got += fread(npy->data + got, 1, room - got, r->file);
        if (got < room)
            return fail_short(r, "its elements");
    } while (got < size);
    if (fgetc(r->file) != EOF)
        return fail(r, "has bytes after its %zu x %zu elements; give one matrix", npy->rows, npy->cols);
    return !ferror(r->file) || fail_short(r, "its elements");
}

bool daa_npy_read(const char *path, struct daa_npy *npy, struct daa_error *error) {
    *npy = (struct daa_npy){0};
    struct reader r = {.path = path, .error = error, .file = fopen(path, "rb")};
    if (!r.file)
        return fail(&r, "cannot be read (%s); give a readable .npy file", strerror(errno));
    bool good = read_header(&r, npy) && read_data(&r, npy);
    fclose(r.file);
    if (!good)
        daa_npy_free(npy);
    return good;
}

void daa_npy_free(struct daa_npy *npy) {
    free(npy->data);
    *npy = (struct daa_npy){0};
}

static uint64_t element(const struct daa_npy *npy, size_t row, size_t col) {
    size_t size = daa_npy_size(npy->type);
    size_t index = npy->fortran_order ? col * npy->rows + row : row * npy->cols + col;
    const unsigned char *bytes = npy->data + index * size;
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[npy->big_endian ? i : size - 1 - i];
    return value;
}

static double real_from_half(uint32_t half) {
    int exp = (int)(half >> 10 & 31);
    int frac = (int)(half & 1023);
    double magnitude =
        exp == 31 ? (frac ? (double)NAN : (double)INFINITY) : ldexp(exp ? 1024 + frac : frac, (exp ? exp : 1) - 25);
    return half >> 15 ? -magnitude : magnitude;
}

double daa_npy_real(const struct daa_npy *npy, size_t row, size_t col) {
    uint64_t bits = element(npy, row, col);
    uint32_t word = (uint32_t)bits;
    float single;
    double value;
    switch (npy->type) {
    case DAA_NPY_F2:
        return real_from_half(word);
    case DAA_NPY_F4:
        memcpy(&single, &word, sizeof single);
        return (double)single;
    default:
        memcpy(&value, &bits, sizeof value);
        return value;
    }
}

uint32_t daa_npy_bits(const struct daa_npy *npy, size_t row, size_t col) {
    return (uint32_t)element(npy, row, col);
}

/* ---- writing ---- */

bool daa_npy_write(FILE *file, enum daa_npy_type type, size_t rows, size_t cols, const uint32_t *values) {
    enum { HEADER = 128 }; /* of the whole file; two 20-digit dimensions fit, and the elements start aligned */
    unsigned char header[HEADER + 1];
    size_t size = daa_npy_size(type), count = rows * cols;
    memset(header, ' ', HEADER);
    memcpy(header, magic, sizeof magic);
    memcpy(header + sizeof magic, (unsigned char[]){1, 0, HEADER - 10, 0}, 4);
    int length =
        snprintf((char *)header + 10, HEADER - 10, "{'descr': '%c%s', 'fortran_order': False, 'shape': (%zu, %zu), }",
                 size == 1 ? '|' : '<', types[type].name, rows, cols);
    header[10 + length] = ' ';
    header[HEADER - 1] = '\n';
    if (fwrite(header, 1, HEADER, file) != HEADER)
        return false;
    unsigned char block[4096];
    size_t filled = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t byte = 0; byte < size; byte++)
            block[filled++] = (unsigned char)(values[i] >> (8 * byte) & 255);
        if (filled == sizeof block || i + 1 == count) {
            if (fwrite(block, 1, filled, file) != filled)
                return false;
            filled = 0;
        }
    }
    return true;
}

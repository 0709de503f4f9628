/* daavec: a GEMM as the words that the array's ports take, in hexadecimal, for a bench in plain Verilog (icarus.v); and
 * the rows of results that such a bench wrote, compared with the golden model. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../files/command.h"
#include "../files/operands.h"
#include "../sim/tiles.h"

struct job {
    const char *config_path, *a_path, *b_path, *c0_path, *write_path, *check_path;
    struct daa_config config;
    struct daa_operands operands;
    struct gemm gemm;
    struct tiles tiles;
};

static void read_arguments(struct job *job, char **argv) {
    const struct daa_word words[] = {
        {"--config", "FILE", "the daa.json of the array", .text = &job->config_path, .needed = true},
        {"--a", "FILE", "A", .text = &job->a_path, .needed = true},
        {"--b", "FILE", "B", .text = &job->b_path, .needed = true},
        {"--c", "FILE", "C0", .text = &job->c0_path},
        {"--write", "WORDS",
         "puts a.hex (last, c0, A), b.hex (last, B), c0.hex (last, C0) into this directory; prints the number of rows "
         "to come",
         .text = &job->write_path},
        {"--check", "WORDS", "compares WORDS/c.hex (last, C) with the golden model", .text = &job->check_path},
        {0},
    };
    const struct daa_command command = {
        "daavec",
        "--config DIR/daa.json --a A.npy --b B.npy [--c C0.npy] --write WORDS | --check WORDS",
        "A GEMM as the words that the array's ports take, and the words that they gave.",
        .words = words,
    };
    daa_command_read(&command, argv);
    if (!job->write_path == !job->check_path)
        fail(EXIT_USAGE, "it takes one of --write WORDS and --check WORDS");
}

static bool read_config(struct job *job, struct daa_error *error) {
    struct daa_options *options = daa_options_new();
    const bool good = options ? daa_options_load(options, job->config_path, error) &&
                                    daa_options_resolve(options, DAA_HARDWARE, &job->config, error)
                              : daa_fail(error, "out of memory");
    daa_options_free(options);
    return good;
}

static bool load(struct job *job, struct daa_error *error) {
    if (!daa_operands_load(&job->config, job->a_path, job->b_path, job->c0_path, &job->operands, error))
        return false;
    job->gemm = daa_operands_gemm(&job->operands);
    return true;
}

/* ---- words out ---- */

static void put_word(FILE *file, const uint8_t *word, size_t bytes) {
    while (bytes-- > 0)
        fprintf(file, "%02x", word[bytes]);
    fputc('\n', file);
}

typedef void word_function(const struct tiles *tiles, size_t tile, size_t index, uint8_t *word);

/* One line for each of PER_TILE words of every tile, after the marks: `last`, and of A also `c0`. */
static bool write_words(const struct job *job, const char *name, size_t per_tile, word_function *make, size_t bytes,
                        bool from_c0, struct daa_error *error) {
    char path[4096];
    struct daa_output output;
    snprintf(path, sizeof path, "%s/%s", job->write_path, name);
    if (!daa_output_open(&output, path, error))
        return false;
    uint8_t word[TILES_WORD_MAX];
    for (size_t tile = 0; tile < job->tiles.count; tile++)
        for (size_t i = 0; i < per_tile; i++) {
            make(&job->tiles, tile, i, word);
            fputs(i == per_tile - 1 ? "1 " : "0 ", output.file);
            if (from_c0)
                fputs(job->c0_path ? "1 " : "0 ", output.file);
            put_word(output.file, word, bytes);
        }
    return daa_output_commit(&output, error);
}

static bool write_all(const struct job *job, struct daa_error *error) {
    const struct tiles *tiles = &job->tiles;
    const size_t rows = (size_t)job->config.rows;
    if (!write_words(job, "a.hex", tiles->steps, tiles_a, tiles->a_bytes, true, error) ||
        !write_words(job, "b.hex", tiles->steps, tiles_b, tiles->b_bytes, false, error) ||
        !write_words(job, "c0.hex", job->c0_path ? rows : 0, tiles_c0, tiles->c0_bytes, false, error))
        return false;
    printf("%zu\n", tiles->count * rows);
    return true;
}

/* ---- results in ---- */

static int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* TEXT: hexadecimal digits, most significant first. False where one is not a digit (x, z). */
static bool read_word(const char *text, uint8_t *word, size_t bytes) {
    size_t digits = strspn(text, "0123456789abcdefABCDEFxXzZ");
    memset(word, 0, bytes);
    for (size_t i = 0; i < 2 * bytes && i < digits; i++) {
        const int value = digit(text[digits - 1 - i]);
        if (value < 0)
            return false;
        word[i / 2] |= (uint8_t)(value << (i % 2 * 4));
    }
    return digits > 0;
}

static bool read_rows(const struct job *job, FILE *file, uint32_t *c, struct daa_error *error) {
    const size_t rows = (size_t)job->config.rows, expected = job->tiles.count * rows;
    char line[2 * TILES_WORD_MAX + 16];
    size_t row = 0;
    for (; fgets(line, sizeof line, file); row++) {
        uint8_t word[TILES_WORD_MAX];
        if (row == expected)
            return daa_fail(error, "more than the %zu rows of results expected", expected);
        if (line[0] != '0' + (row % rows == rows - 1))
            return daa_fail(error, "c_last_o is '%c' in row %zu of tile %zu", line[0], row % rows, row / rows);
        if (!read_word(line + 2, word, job->tiles.c_bytes))
            return daa_fail(error, "X in the results: row %zu of tile %zu is %.64s", row % rows, row / rows, line + 2);
        tiles_store(&job->tiles, row / rows, row % rows, word, c);
    }
    if (row < expected)
        return daa_fail(error, "%zu rows of results; there must be %zu", row, expected);
    return true;
}

static bool compare(const struct job *job, const uint32_t *got, const uint32_t *want, struct daa_error *error) {
    const struct daa_format format = job->config.out_format;
    for (size_t i = 0; i < job->gemm.m * job->gemm.n; i++)
        if (got[i] != want[i])
            return daa_fail(error, "mismatch: C[%zu][%zu] is 0x%" PRIx32 " (%.9g), want 0x%" PRIx32 " (%.9g)",
                            i / job->gemm.n, i % job->gemm.n, got[i], daa_to_double(format, got[i]), want[i],
                            daa_to_double(format, want[i]));
    return true;
}

static bool check(const struct job *job, struct daa_error *error) {
    const struct gemm *gemm = &job->gemm;
    char path[4096];
    snprintf(path, sizeof path, "%s/c.hex", job->check_path);
    FILE *file = fopen(path, "r");
    if (!file)
        return daa_fail(error, "%.200s: there are no results; the simulation must write them", path);
    const size_t count = gemm->m * gemm->n + 1;
    uint32_t *got = calloc(count, sizeof *got), *want = calloc(count, sizeof *want);
    const bool good = got && want ? read_rows(job, file, got, error) &&
                                        daa_gemm(&job->config, gemm->m, gemm->n, gemm->k, gemm->a, gemm->lda, gemm->b,
                                                 gemm->ldb, gemm->c0, gemm->ldc0, want, gemm->n, NULL, error) &&
                                        compare(job, got, want, error)
                                  : daa_fail(error, "out of memory");
    fclose(file);
    free(got);
    free(want);
    if (good)
        printf("%zu x %zu x %zu, %zu tiles: equal to the golden model\n", gemm->m, gemm->n, gemm->k, job->tiles.count);
    return good;
}

int main(int argc, char **argv) {
    (void)argc;
    struct job job = {0};
    struct daa_error error;
    read_arguments(&job, argv);
    bool good = read_config(&job, &error) && load(&job, &error);
    if (good) {
        tiles_init(&job.tiles, &job.config, &job.gemm);
        good = job.write_path ? write_all(&job, &error) : check(&job, &error);
    }
    if (!good)
        fail(EXIT_JOB, "%s", error.text);
    daa_command_flush();
    daa_operands_free(&job.operands);
    return EXIT_SUCCESS;
}

/* What daa_gemm_run() refuses, and that it leaves C as it was: check-arguments. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../engine/engine.h"

enum { SIDE = 4, WORDS = 256 };

static struct daa_config config;
static uint32_t memory[WORDS], c0_memory[WORDS];
static int cases, faults;

static struct daa_gemm_args good(void) {
    return (struct daa_gemm_args){
        .config = &config,
        .m = SIDE,
        .n = SIDE,
        .k = SIDE,
        .batch = 1,
        .a = {memory, DAA_BITS32, false, SIDE, 0},
        .b = {memory + 16, DAA_BITS32, false, SIDE, 0},
        .c = {memory + 32, DAA_BITS32, SIDE, 0},
    };
}

/* WANT: part of the error; NULL: the call does it. */
static void try(const char *what, const struct daa_gemm_args *args, const char *want) {
    uint32_t before[WORDS];
    struct daa_error error = {""};
    memset(memory, 0, sizeof memory);
    memory[0] = 0x3f80, memory[16] = 0x3f80;
    for (size_t i = 32; i < WORDS; i++)
        memory[i] = 0x1234;
    memcpy(before, memory, sizeof before);
    const enum daa_status status = daa_gemm_run(args, NULL, &error), again = daa_gemm_run(args, NULL, NULL);
    const bool changed = memcmp(before, memory, sizeof before) != 0;
    const bool right = want ? status == DAA_BAD_ARGUMENT && !changed && strstr(error.text, want) : status == DAA_OK;
    cases++;
    if (right && again == status)
        return;
    faults++;
    fprintf(stderr, "check-arguments: %s: status %d, C is %schanged: %s\n", what, (int)status, changed ? "" : "un",
            error.text);
}

#define TRY(change, want)                                                                                              \
    do {                                                                                                               \
        struct daa_gemm_args args = good();                                                                            \
        change;                                                                                                        \
        try(#change, &args, want);                                                                                     \
    } while (0)

static void configurations(void) {
    static struct daa_config zero;
    struct daa_config bad = config;
    try("no arguments", NULL, "there are no arguments");
    TRY(args.config = NULL, "there is no configuration");
    TRY(args.config = &zero, "the configuration is not one that daa_options_resolve() makes: rows is '0'");
    bad.streams = 0;
    TRY(args.config = &bad, "streams is '0'; it must be 1|2|4|8");
    bad.streams = 2;
    bad.policy = DAA_POLICY_COUNT;
    TRY(args.config = &bad, "policy is");
    bad.policy = DAA_EXPONENT;
    bad.a_format.exp_bits = 0;
    TRY(args.config = &bad, "a-format is");
}

static void pointers(void) {
    TRY(args.a.data = NULL, "A has no data");
    TRY(args.b.data = NULL, "B has no data");
    TRY(args.c.data = NULL, "C has no data");
    TRY(args.a.data = (char *)memory + 2, "the data of A is not aligned; it must be at a multiple of 4 bytes");
    TRY(args.b.data = (char *)memory + 1, "the data of B is not aligned");
    TRY((args.b.data = (char *)memory + 65, args.b.type = DAA_BITS16), "at a multiple of 2 bytes");
    TRY(args.c.data = (char *)memory + 129, "the data of C is not aligned");
    TRY(args.c0.data = NULL, NULL);
    TRY((args.a.data = NULL, args.b.data = NULL, args.k = 0), NULL);
    TRY((args.a.data = NULL, args.b.data = NULL, args.c.data = NULL, args.batch = 0), NULL);
}

static void sizes(void) {
    TRY(args.a.ld = 3, "the leading dimension of A is 3; it must be at least 4");
    TRY(args.c.ld = 3, "the leading dimension of C is 3");
    TRY(args.m = SIZE_MAX, "it must fit in memory");
    TRY(args.a.type = (enum daa_type)3, "the type of A is 3");
    TRY(args.c.type = DAA_BITS16, "C must be DAA_FLOAT32 or DAA_BITS32");
    TRY(args.batch = 2, "the stride of C is 0; it must be at least 16");
    TRY(args.engine = DAA_ENGINE_COUNT, "it must be one of enum daa_engine");
    TRY(args.threads = -1, "threads is -1; it must be 0 to 256");
    TRY(args.threads = 257, "threads is 257");
}

static void overlap(void) {
    TRY(args.c.data = memory, "C overlaps A");
    TRY(args.c.data = memory + 15, "C overlaps A");
    TRY(args.c.data = memory + 16, "C overlaps B");
    TRY(args.c.data = memory + 31, "C overlaps B");
    TRY((args.a.data = memory + 47, args.a.type = DAA_BITS16), "C overlaps A"); /* its first word only */
    TRY((args.a.data = memory + 30, args.a.type = DAA_BITS16), "C overlaps A"); /* its last ones */
    TRY((args.a.data = memory + 48, args.a.type = DAA_BITS16), NULL);
    /* Side by side in one buffer of 8 columns: apart, then by a column too far left, then right. */
    TRY((args.a.ld = 8, args.b.data = memory + 100, args.c.data = memory + 4, args.c.ld = 8), NULL);
    TRY((args.a.ld = 8, args.b.data = memory + 100, args.c.data = memory + 3, args.c.ld = 8), "C overlaps A");
    TRY((args.a.ld = 8, args.b.data = memory + 100, args.c.data = memory + 5, args.c.ld = 8), "C overlaps A");
    TRY((args.b.ld = 9, args.b.transposed = true, args.a.data = memory + 100, args.c.data = memory + 20, args.c.ld = 9),
        NULL);
    TRY((args.b.ld = 9, args.b.transposed = true, args.a.data = memory + 100, args.c.data = memory + 20, args.c.ld = 8),
        "C overlaps B");
    /* Batches: C's second matrix on A's third; in between A's matrices. */
    TRY((args.batch = 3, args.a.stride = 16, args.b.data = memory + 200, args.c.data = memory + 47, args.c.stride = 50),
        "C overlaps A");
    TRY((args.batch = 3, args.a.stride = 16, args.b.data = memory + 200, args.c.data = memory + 48, args.c.stride = 17),
        NULL);
    TRY((args.batch = 3, args.a.stride = 32, args.b.data = memory + 200, args.c.data = memory + 16, args.c.stride = 32),
        NULL);
    TRY((args.batch = 3, args.a.stride = 32, args.b.data = memory + 200, args.c.data = memory + 16, args.c.stride = 33),
        "C overlaps A");
}

static void start(void) {
    TRY((args.c0 = (struct daa_gemm_matrix){memory + 32, DAA_BITS32, false, SIDE, 0}), NULL);
    TRY((args.c0 = (struct daa_gemm_matrix){memory + 33, DAA_BITS32, false, SIDE, 0}), "C overlaps C0");
    TRY((args.c0 = (struct daa_gemm_matrix){memory + 28, DAA_BITS32, false, SIDE, 0}), "C overlaps C0");
    TRY((args.c0 = (struct daa_gemm_matrix){memory + 32, DAA_BITS32, false, SIDE + 1, 0}), "C overlaps C0");
    TRY((args.c0 = (struct daa_gemm_matrix){memory + 48, DAA_BITS32, false, SIDE, 0}), NULL);
    TRY((args.c0 = (struct daa_gemm_matrix){c0_memory, DAA_BITS32, false, 0, 0}), "the leading dimension of C0 is 0");
    TRY((args.c0 = (struct daa_gemm_matrix){c0_memory, DAA_BITS32, true, SIDE, 0}), "not transposed");
    TRY((args.c0 = (struct daa_gemm_matrix){c0_memory, DAA_BITS16, false, SIDE, 0}), "DAA_FLOAT32 or DAA_BITS32");
    TRY((args.batch = 2, args.c.stride = 16,
         args.c0 = (struct daa_gemm_matrix){memory + 32, DAA_BITS32, false, SIDE, 0}),
        "C overlaps C0");
    TRY((args.batch = 2, args.c.stride = 16,
         args.c0 = (struct daa_gemm_matrix){memory + 32, DAA_BITS32, false, SIDE, 16}),
        NULL);
}

static void golden_alone(void) {
    static struct daa_config zero;
    struct daa_error error;
    uint32_t c[4] = {0};
    cases += 3;
    faults += daa_gemm(&zero, 1, 1, 1, memory, 1, memory, 1, NULL, 1, c, 1, NULL, &error) ||
              !strstr(error.text, "rows is '0'");
    faults += daa_gemm(NULL, 1, 1, 1, memory, 1, memory, 1, NULL, 1, c, 1, NULL, &error) || !strstr(error.text, "NULL");
    faults += daa_gemm(&config, 1, 1, 1, NULL, 1, memory, 1, NULL, 1, c, 1, NULL, NULL);
}

int main(void) {
    struct daa_options *options = daa_options_new();
    struct daa_error error;
    if (!options || !daa_options_resolve(options, DAA_SOFTWARE, &config, &error))
        return 1;
    daa_options_free(options);
    configurations();
    pointers();
    sizes();
    overlap();
    start();
    golden_alone();
    printf("%d cases, %d faults\n", cases, faults);
    return faults > 0;
}

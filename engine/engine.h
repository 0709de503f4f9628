/* The GEMM call of libdaa with a choice of engines. Each gives the bits of docs/contract.md; they differ in speed only.
 * Between calls threads are kept, which sleep, and no other state: any number of threads may call at the same time, and
 * a child of fork() may. */
#ifndef DAA_ENGINE_H
#define DAA_ENGINE_H

#include "../sim/daa.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum daa_engine {
    DAA_ENGINE_AUTO,     /* the fastest that this processor has and this configuration allows */
    DAA_ENGINE_GOLDEN,   /* the golden model: every configuration */
    DAA_ENGINE_PORTABLE, /* plain C: operands of up to 7 fraction bits, fp32 accumulator, any streams and window */
    DAA_ENGINE_AVX2,
    DAA_ENGINE_AVX512,
    DAA_ENGINE_AVX512BF16,
    DAA_ENGINE_COUNT
};

enum { DAA_THREADS_MAX = 256 };

/* "auto", "golden", "portable", "avx2", "avx512", "avx512bf16". */
const char *daa_engine_name(enum daa_engine engine);
bool daa_engine_parse(const char *name, enum daa_engine *engine);
/* Can this processor run it? The features that the processor reports, and how its arithmetic then behaves. */
bool daa_engine_present(enum daa_engine engine);

/* Elements of a matrix. FLOAT32 operands are rounded to the format as daa_from_double() does; FLOAT32 results hold each
 * number of the format exactly. The others are raw bits of the format. */
enum daa_type { DAA_FLOAT32, DAA_BITS32, DAA_BITS16 };

/* A row-major matrix, or a batch of them: element (i, j) of matrix x is data[x * stride + i * ld + j], with i and j
 * exchanged where it is transposed. A stride of 0 uses one matrix for the whole batch. */
struct daa_gemm_matrix {
    const void *data;
    enum daa_type type;
    bool transposed;
    size_t ld;     /* at least the row length as stored */
    size_t stride; /* in elements */
};

struct daa_gemm_result_matrix {
    void *data;
    enum daa_type type; /* FLOAT32 or BITS32 */
    size_t ld, stride;  /* the matrices of a batch may not overlap */
};

/* C = A B + C0: A is m x k, B is k x n, C0 and C are m x n. C may be C0, element by element; else it has memory of its
 * own, which may lie between the rows of an operand. Data are aligned to their elements' size. */
struct daa_gemm_args {
    const struct daa_config *config;
    size_t m, n, k;
    size_t batch; /* number of products; 0 is none */
    struct daa_gemm_matrix a, b;
    struct daa_gemm_matrix c0; /* accumulator format, FLOAT32 or BITS32, not transposed; data NULL is +0 */
    struct daa_gemm_result_matrix c;
    enum daa_engine engine;
    int threads;               /* 1..DAA_THREADS_MAX; 0 is one a processor */
    struct daa_counts *counts; /* added to, or NULL; undefined after DAA_NO_MEMORY, as C is */
};

/* What ran, and, where that is not what was asked for, why. */
struct daa_gemm_report {
    enum daa_engine engine;
    const char *reason; /* one line without an end, or NULL */
    int threads;
};

/* Values that stay as they are from version to version. */
enum daa_status {
    DAA_OK = 0,
    DAA_BAD_ARGUMENT = 1, /* a size, pointer, type or stride that cannot be */
    DAA_BAD_DATA = 2,     /* an element that the configuration refuses: C is unchanged */
    DAA_NO_ENGINE = 3,    /* the processor does not have the engine asked for */
    DAA_NO_MEMORY = 4,
};

/* REPORT and ERROR may be NULL. Anything but DAA_OK fills ERROR. An engine does the configurations that it lists;
 * others it leaves to the portable engine or the golden model, and the report says so; auto does likewise. Memory
 * beyond the arguments: some MB a thread; with the golden model proportional to m k + k n. */
enum daa_status daa_gemm_run(const struct daa_gemm_args *args, struct daa_gemm_report *report, struct daa_error *error);

/* Products of bf16 side by side: element (i, j) of operand A of product x is a[a_rows[i] + a_cols[j] + x], and so for B
 * and C, so that patches of an image need not be made. For many small products, as those of grouped convolutions. The
 * operands are numbers of the configuration's formats; C0 is +0. A_SIZE and B_SIZE elements are read to see whether
 * exponents are in range. C overlaps nothing.
 *
 * With SUMS results are added, in float32, to what C has: those of each SUMS rows one after another, the last row's
 * first, and of a row each to a place of its own. Other SUMS rows have other places. */
struct daa_beside_args {
    const struct daa_config *config;
    size_t m, n, k;
    size_t batch; /* a multiple of 16 */
    const uint16_t *a, *b;
    size_t a_size, b_size;
    const size_t *a_rows, *a_cols, *b_rows, *b_cols, *c_rows, *c_cols; /* m, k; k, n; m, n places */
    float *c;
    size_t sums; /* 0: results are stored, each to a place of its own */
    int threads;
};

/* DAA_NO_ENGINE: the configuration, n above 64, the processor, or what is in the operands is not for this call, which
 * has done nothing; daa_gemm_run() does it. */
enum daa_status daa_beside_run(const struct daa_beside_args *args, struct daa_error *error);

/* COUNT numbers rounded to the operand format NAME ("bf16", "eXmY") as daa_from_double() does, and read back, which a
 * float holds exactly; IN may be OUT. False and an error, OUT as it was: no such format, or a NaN that it does not
 * have. */
bool daa_quantize(const char *name, size_t count, const float *in, float *out, struct daa_error *error);

/* To bf16, which holds the numbers of formats of up to 7 fraction bits, as daa_beside_run() takes them: a NaN stays
 * one, which it refuses, and a subnormal, which is a zero there. */
bool daa_quantize_bf16(const char *name, size_t count, const float *in, uint16_t *out, struct daa_error *error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

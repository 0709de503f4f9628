/* libdaa: the arithmetic contract (docs/contract.md) in software. No host floating point decides any bit. */
#ifndef DAA_H
#define DAA_H

#include <stdint.h>

#include "../config/config.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Products counted per stream, over the M*N*K products of a GEMM (padding past K does not count). */
struct daa_counts {
    uint64_t high[DAA_STREAMS_MAX];    /* exact products summed */
    uint64_t low[DAA_STREAMS_MAX];     /* products of low values summed */
    uint64_t zero[DAA_STREAMS_MAX];    /* products with a zero operand (and no NaN or Inf) */
    uint64_t dropped[DAA_STREAMS_MAX]; /* nonzero products below the window */
    uint64_t special[DAA_STREAMS_MAX]; /* products with a NaN or Inf operand */
};

/* C = A B + C0 on raw bit patterns, one number per uint32_t, row-major: a is m x k (leading dimension lda >= k), b is
 * k x n (ldb >= n), c0 is m x n in acc_format or NULL for +0, c is m x n in out_format. counts may be NULL; it is added
 * to, not cleared. False and an error: no such configuration or no data; an operand (or C0) with Inf or NaN where
 * specials are off, naming the first one; bits above the format's width; out of memory. */
bool daa_gemm(const struct daa_config *config, size_t m, size_t n, size_t k, const uint32_t *a, size_t lda,
              const uint32_t *b, size_t ldb, const uint32_t *c0, size_t ldc0, uint32_t *c, size_t ldc,
              struct daa_counts *counts, struct daa_error *error);

enum daa_class { DAA_CLASS_ZERO, DAA_CLASS_FINITE, DAA_CLASS_INF, DAA_CLASS_NAN };

struct daa_number {
    enum daa_class kind;
    bool negative;
    int exp;
    uint64_t sig; /* a finite value is +-sig * 2^exp; sig is not 0 */
};

/* The state of an accumulator, of whichever kind the configuration has (docs/contract.md, section 5). */
struct daa_acc {
    struct daa_number number; /* rounded: a number of the accumulator format */
    int64_t m;                /* anchored: the value is m * 2^(acc_step * e) */
    int e;
    bool full, inf[2]; /* inf: an Inf of sign + and -; both: NaN */
};

/* One accumulator, a step at a time, of a configuration that daa_options_resolve() made: the golden model's inner loop
 * with its stages in view (unpack, steer, multiply, align, accumulate, round). c0 is raw bits of acc_format; a and b
 * hold `streams` operands; the result is raw bits of out_format. */
struct daa_acc daa_acc_start(const struct daa_config *config, uint32_t c0);
struct daa_acc daa_step(const struct daa_config *config, uint64_t step, const uint32_t *a, const uint32_t *b,
                        struct daa_acc acc, struct daa_counts *counts);
uint32_t daa_acc_out(const struct daa_config *config, struct daa_acc acc);
enum { DAA_ACC_TEXT_MAX = 80 };
/* The state in a few words, for a report. */
void daa_acc_text(const struct daa_config *config, struct daa_acc acc, char text[DAA_ACC_TEXT_MAX]);

/* Real numbers to and from raw bits. Round-to-nearest-even to the encoding (subnormal encodings included, as a plain
 * IEEE conversion gives them; a flush format then reads them as zero); overflow to Inf or to the largest finite value;
 * Inf likewise; NaN to the canonical NaN, or, in a finite format, false. */
enum daa_rounded { DAA_EXACT_OR_ROUNDED, DAA_OVERFLOWED, DAA_UNDERFLOWED, DAA_NO_NAN };
enum daa_rounded daa_from_double(struct daa_format format, double value, uint32_t *bits);
/* The value the contract gives the bits (subnormals of a flush format are zeros of their sign). Exact. */
double daa_to_double(struct daa_format format, uint32_t bits);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

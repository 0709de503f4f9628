/* Number formats (docs/contract.md, section 1): one table of aliases, and the general form eXmY. */
#ifndef DAA_FORMAT_H
#define DAA_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum daa_encoding {
    DAA_IEEE,   /* largest exponent is Inf and NaN */
    DAA_FN,     /* no Inf; NaN is all ones below the sign */
    DAA_FINITE, /* no Inf, no NaN */
};

struct daa_format {
    int exp_bits;  /* X: 2..8 */
    int frac_bits; /* Y: operands 1..10, accumulator 7..23 */
    enum daa_encoding encoding;
    bool subnormals; /* true: subnormals keep their IEEE value; false: they read as a zero of their sign */
};

enum { DAA_FORMAT_NAME_MAX = 16 };

/* Bits of one number: 1 + X + Y. */
int daa_format_width(struct daa_format format);
/* 2^(X-1) - 1. */
int daa_format_bias(struct daa_format format);
/* Exponent of the smallest normal number (1 - bias) and of the largest finite number. */
int daa_format_exp_min(struct daa_format format);
int daa_format_exp_max(struct daa_format format);
/* Exponent of the smallest nonzero number: below daa_format_exp_min by Y where subnormals are kept. */
int daa_format_exp_least(struct daa_format format);
bool daa_format_equal(struct daa_format a, struct daa_format b);

/* Reads an alias (bf16, tf32, fp16, e5m2, e4m3, e3m2, e2m3, e2m1, fp32) or eXmY. False: not a format at all; the
 * ranges of X and Y for each use are checked by daa_options_resolve(). */
bool daa_format_parse(const char *text, struct daa_format *format);
/* Writes the alias where there is one, else eXmY. */
void daa_format_name(struct daa_format format, char name[DAA_FORMAT_NAME_MAX]);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

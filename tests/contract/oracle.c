#include "oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <gmp.h>
#include <mpfr.h>

/* A real number x is the integer x * 2^UNIT. The product of two operands then is in units of 2^(-2 UNIT), and so are
 * the sums and accumulators. Every value of every format is an integer in either. */
enum { UNIT = 160, UNIT2 = 2 * UNIT };

enum kind { REAL, POS_INF, NEG_INF, NOT_A_NUMBER };

struct value {
    enum kind kind;
    mpz_t x; /* of a REAL */
};

static struct value a_value[DAA_STREAMS_MAX], b_value[DAA_STREAMS_MAX], acc_value;
static mpz_t low_a, low_b, product[DAA_STREAMS_MAX], term, sum, quantum, quotient, rest, size, limit;

/* Section 5.2, by value: the accumulator is a number, a multiple of its place 2^(G E). */
static struct {
    mpz_t x; /* in units of 2^-UNIT2 */
    long anchor;
    bool full, inf[2];
} anchored;

void oracle_init(void) {
    for (int i = 0; i < DAA_STREAMS_MAX; i++)
        mpz_inits(a_value[i].x, b_value[i].x, product[i], NULL);
    mpz_inits(acc_value.x, low_a, low_b, term, sum, quantum, quotient, rest, size, limit, anchored.x, NULL);
}

/* ---- section 1: what the bits mean ---- */

static long bias(struct daa_format f) {
    return (1L << (f.exp_bits - 1)) - 1;
}

/* x = FACTOR * 2^EXP in units of 2^-UNIT. */
static void set_scaled(mpz_t x, unsigned long factor, long exp, long unit) {
    if (exp + unit < 0)
        abort(); /* the unit is too coarse */
    mpz_set_ui(x, factor);
    mpz_mul_2exp(x, x, (mp_bitcnt_t)(exp + unit));
}

static void decode(struct daa_format f, bool subnormals, uint32_t bits, long unit, struct value *v) {
    unsigned long fractions = 1UL << f.frac_bits, exponents = 1UL << f.exp_bits;
    unsigned long frac = bits % fractions, exp = bits / fractions % exponents;
    bool negative = bits / fractions / exponents % 2 != 0;
    v->kind = REAL;
    mpz_set_ui(v->x, 0);
    if (f.encoding == DAA_IEEE && exp == exponents - 1)
        v->kind = frac ? NOT_A_NUMBER : negative ? NEG_INF : POS_INF;
    else if (f.encoding == DAA_FN && exp == exponents - 1 && frac == fractions - 1)
        v->kind = NOT_A_NUMBER;
    else if (exp > 0)
        set_scaled(v->x, fractions + frac, (long)exp - bias(f) - f.frac_bits, unit);
    else if (subnormals)
        set_scaled(v->x, frac, 1 - bias(f) - f.frac_bits, unit);
    if (negative)
        mpz_neg(v->x, v->x);
}

/* The exponent e with 2^e <= |x| < 2^(e+1). */
static long exponent(const mpz_t x, long unit) {
    return (long)mpz_sizeinbase(x, 2) - 1 - unit;
}

/* x to a multiple of 2^exp. */
static void round_to_multiple(mpz_t x, long exp, long unit, bool nearest) {
    if (exp + unit <= 0)
        return; /* all are */
    set_scaled(quantum, 1, exp, unit);
    mpz_abs(size, x);
    mpz_fdiv_qr(quotient, rest, size, quantum);
    mpz_mul_2exp(rest, rest, 1);
    int against_half = mpz_cmp(rest, quantum);
    if (nearest && (against_half > 0 || (against_half == 0 && mpz_odd_p(quotient))))
        mpz_add_ui(quotient, quotient, 1);
    int sign = mpz_sgn(x);
    mpz_mul(x, quotient, quantum);
    if (sign < 0)
        mpz_neg(x, x);
}

static void smallest_normal(struct daa_format f, long unit, mpz_t x) {
    set_scaled(x, 1, 1 - bias(f), unit);
}

static void largest_finite(struct daa_format f, long unit, mpz_t x) {
    unsigned long significand = (2UL << f.frac_bits) - (f.encoding == DAA_FN ? 2 : 1);
    long top = (1L << f.exp_bits) - (f.encoding == DAA_IEEE ? 2 : 1);
    set_scaled(x, significand, top - bias(f) - f.frac_bits, unit);
}

static uint32_t infinite(struct daa_format f, bool negative) {
    uint32_t sign = negative ? UINT32_C(1) << (f.exp_bits + f.frac_bits) : 0;
    uint32_t all = (UINT32_C(1) << (f.exp_bits + f.frac_bits)) - 1;
    switch (f.encoding) {
    case DAA_IEEE:
        return sign | (((UINT32_C(1) << f.exp_bits) - 1) << f.frac_bits);
    case DAA_FN:
        return sign | (all - 1);
    default:
        return sign | all;
    }
}

static uint32_t not_a_number(struct daa_format f) {
    if (f.encoding == DAA_FN)
        return (UINT32_C(1) << (f.exp_bits + f.frac_bits)) - 1;
    return (((UINT32_C(1) << f.exp_bits) - 1) << f.frac_bits) | (UINT32_C(1) << (f.frac_bits - 1));
}

/* The bits of x, which is a value of the format. */
static uint32_t encode(struct daa_format f, const mpz_t x, long unit) {
    if (mpz_sgn(x) == 0)
        return 0;
    long e = exponent(x, unit), least = 1 - bias(f);
    bool normal = e >= least;
    set_scaled(quantum, 1, (normal ? e : least) - f.frac_bits, unit);
    mpz_abs(size, x);
    if (!mpz_divisible_p(size, quantum))
        abort(); /* it is not */
    mpz_divexact(quotient, size, quantum);
    uint32_t significand = (uint32_t)mpz_get_ui(quotient);
    uint32_t field = normal ? (uint32_t)(e + bias(f)) : 0;
    uint32_t frac = normal ? significand - (UINT32_C(1) << f.frac_bits) : significand;
    uint32_t sign = mpz_sgn(x) < 0 ? UINT32_C(1) << (f.exp_bits + f.frac_bits) : 0;
    return sign | field << f.frac_bits | frac;
}

/* Rounds x, whose bits it returns. */
static uint32_t round_real(struct daa_format f, bool gradual, mpz_t x) {
    if (mpz_sgn(x) == 0)
        return 0;
    long e = exponent(x, UNIT2), least = 1 - bias(f);
    round_to_multiple(x, (gradual && e < least ? least : e) - f.frac_bits, UNIT2, true);
    smallest_normal(f, UNIT2, limit);
    if (!gradual && mpz_cmpabs(x, limit) < 0)
        return 0;
    largest_finite(f, UNIT2, limit);
    if (mpz_cmpabs(x, limit) > 0)
        return infinite(f, mpz_sgn(x) < 0);
    return encode(f, x, UNIT2);
}

/* ---- sections 2 to 6: one step ---- */

static void low_value(const struct daa_config *config, struct daa_format f, const mpz_t x, mpz_t low) {
    long bits = config->lo_bits < f.frac_bits + 1 ? config->lo_bits : f.frac_bits + 1;
    mpz_set(low, x);
    round_to_multiple(low, exponent(x, UNIT) - bits + 1, UNIT, config->lo_round == DAA_NEAREST);
}

/* The one of stream S's group. */
static int winning_stream(const struct daa_config *config, uint64_t step, int count, int s, const bool *takes_part,
                          const long *key) {
    const int size = config->streams / config->groups, lowest = s - s % size;
    int best = -1;
    switch (config->policy) {
    case DAA_STATIC:
        return lowest;
    case DAA_ROTATE:
        return lowest + (int)(step % (unsigned)size);
    case DAA_EXPONENT:
        for (int i = lowest + size - 1; i >= lowest; i--)
            if (i < count && takes_part[i] && (best < 0 || key[i] >= key[best]))
                best = i;
        return best;
    case DAA_MAGNITUDE:
        for (int i = lowest + size - 1; i >= lowest; i--)
            if (i < count && takes_part[i] && (best < 0 || mpz_cmpabs(product[i], product[best]) >= 0))
                best = i;
        return best;
    case DAA_HIGH:
    case DAA_LOW:
        return -1;
    case DAA_POLICY_COUNT:
        break;
    }
    fputs("the oracle does not know this policy\n", stderr);
    exit(1);
}

/* The step's Infs by sign; a NaN is both. */
static void infinities(int count, bool inf[2], struct daa_counts *counts) {
    inf[0] = inf[1] = false;
    for (int s = 0; s < count; s++) {
        const struct value *a = &a_value[s], *b = &b_value[s];
        if (a->kind == REAL && b->kind == REAL)
            continue;
        counts->special[s]++;
        bool zero = (a->kind == REAL && mpz_sgn(a->x) == 0) || (b->kind == REAL && mpz_sgn(b->x) == 0);
        if (a->kind == NOT_A_NUMBER || b->kind == NOT_A_NUMBER || zero) {
            inf[0] = inf[1] = true;
        } else {
            bool a_negative = a->kind == NEG_INF || (a->kind == REAL && mpz_sgn(a->x) < 0);
            bool b_negative = b->kind == NEG_INF || (b->kind == REAL && mpz_sgn(b->x) < 0);
            inf[a_negative ^ b_negative] = true;
        }
    }
}

/* acc_value after a step with a NaN or an Inf. */
static void add_infinities(const bool inf[2]) {
    bool opposite = (acc_value.kind == POS_INF && inf[1]) || (acc_value.kind == NEG_INF && inf[0]);
    if (opposite || (inf[0] && inf[1]))
        acc_value.kind = NOT_A_NUMBER;
    else if (acc_value.kind != NOT_A_NUMBER)
        acc_value.kind = inf[0] ? POS_INF : NEG_INF;
}

/* Adds up the step's finite products in `sum`. False: they are all zero. Else KEY_OF_STEP is K*. */
static long key_of_step;
static bool finite_sum(const struct daa_config *config, uint64_t step, int count, struct daa_counts *counts) {
    bool takes_part[DAA_STREAMS_MAX] = {false};
    long key[DAA_STREAMS_MAX] = {0}, top = 0;
    bool any = false;
    for (int s = 0; s < count; s++) {
        if (a_value[s].kind != REAL || b_value[s].kind != REAL)
            continue;
        mpz_mul(product[s], a_value[s].x, b_value[s].x);
        if (mpz_sgn(product[s]) == 0) {
            counts->zero[s]++;
            continue;
        }
        takes_part[s] = true;
        key[s] = exponent(a_value[s].x, UNIT) + exponent(b_value[s].x, UNIT);
        top = any && top > key[s] ? top : key[s];
        any = true;
    }
    mpz_set_ui(sum, 0);
    for (int s = 0; s < count; s++) {
        if (!takes_part[s])
            continue;
        if (key[s] < top - config->window) {
            counts->dropped[s]++;
        } else if (config->streams == 1 || config->policy == DAA_HIGH ||
                   s == winning_stream(config, step, count, s, takes_part, key)) {
            counts->high[s]++;
            mpz_add(sum, sum, product[s]);
        } else {
            counts->low[s]++;
            low_value(config, config->a_format, a_value[s].x, low_a);
            low_value(config, config->b_format, b_value[s].x, low_b);
            mpz_mul(term, low_a, low_b);
            mpz_add(sum, sum, term);
        }
    }
    key_of_step = top;
    return any;
}

/* Zero is always +0, and NaN has one form. */
static uint32_t acc_bits(struct daa_format f, uint32_t bits_of_real) {
    switch (acc_value.kind) {
    case NOT_A_NUMBER:
        return not_a_number(f);
    case POS_INF:
    case NEG_INF:
        return infinite(f, acc_value.kind == NEG_INF);
    default:
        return bits_of_real;
    }
}

static void decode_operands(const struct daa_config *config, int count, const uint32_t *a, const uint32_t *b) {
    for (int s = 0; s < count; s++) {
        decode(config->a_format, config->a_format.subnormals, a[s], UNIT, &a_value[s]);
        decode(config->b_format, config->b_format.subnormals, b[s], UNIT, &b_value[s]);
    }
}

uint32_t oracle_step(const struct daa_config *config, uint64_t step, int count, const uint32_t *a, const uint32_t *b,
                     uint32_t acc, struct daa_counts *counts) {
    bool inf[2];
    decode_operands(config, count, a, b);
    decode(config->acc_format, false, acc, UNIT2, &acc_value);
    finite_sum(config, step, count, counts);
    infinities(count, inf, counts);
    if (inf[0] || inf[1])
        add_infinities(inf);
    else if (acc_value.kind == REAL)
        mpz_add(acc_value.x, acc_value.x, sum);
    return acc_bits(config->acc_format,
                    acc_value.kind == REAL ? round_real(config->acc_format, false, acc_value.x) : 0);
}

uint32_t oracle_start(const struct daa_config *config, uint32_t c0) {
    decode(config->acc_format, false, c0, UNIT2, &acc_value);
    return acc_bits(config->acc_format, acc_value.kind == REAL ? encode(config->acc_format, acc_value.x, UNIT2) : 0);
}

uint32_t oracle_out(const struct daa_config *config, uint32_t acc) {
    struct daa_format out = config->out_format;
    decode(config->acc_format, false, acc, UNIT2, &acc_value);
    return acc_bits(out, acc_value.kind == REAL ? round_real(out, out.subnormals, acc_value.x) : 0);
}

/* ---- section 5.2, by value: the accumulator is the number itself, a multiple of its place 2^(G E) ---- */

static long place(const struct daa_config *config) {
    return config->acc_step * anchored.anchor;
}

/* The lowest E with 2^SIZE <= 2^(W - 3) * 2^(G E). */
static long anchor_of(const struct daa_config *config, long size) {
    long e = 0;
    while (config->acc_bits - 3 + config->acc_step * e < size)
        e++;
    while (config->acc_bits - 3 + config->acc_step * (e - 1) >= size)
        e--;
    return e;
}

/* Is x in [-2^BITS, 2^BITS) times the place? */
static bool within(const struct daa_config *config, int bits) {
    set_scaled(limit, 1, bits + place(config), UNIT2);
    mpz_neg(size, limit);
    return mpz_cmp(anchored.x, limit) < 0 && mpz_cmp(anchored.x, size) >= 0;
}

/* Down to a multiple of the place of E. */
static void raise_to(const struct daa_config *config, long e) {
    anchored.anchor = e;
    set_scaled(quantum, 1, place(config), UNIT2);
    mpz_fdiv_q(quotient, anchored.x, quantum);
    mpz_mul(anchored.x, quotient, quantum);
}

void oracle_anchored_start(const struct daa_config *config, uint32_t c0) {
    decode(config->acc_format, false, c0, UNIT2, &acc_value);
    mpz_set_ui(anchored.x, 0);
    anchored.anchor = -1000; /* lower than any: an empty accumulator */
    anchored.full = false;
    anchored.inf[0] = acc_value.kind == POS_INF || acc_value.kind == NOT_A_NUMBER;
    anchored.inf[1] = acc_value.kind == NEG_INF || acc_value.kind == NOT_A_NUMBER;
    if (acc_value.kind != REAL || mpz_sgn(acc_value.x) == 0)
        return;
    anchored.anchor = anchor_of(config, exponent(acc_value.x, UNIT2) + 1);
    mpz_set(anchored.x, acc_value.x);
    round_to_multiple(anchored.x, place(config), UNIT2, true);
}

void oracle_anchored_step(const struct daa_config *config, uint64_t step, int count, const uint32_t *a,
                          const uint32_t *b, struct daa_counts *counts) {
    bool inf[2];
    decode_operands(config, count, a, b);
    bool some = finite_sum(config, step, count, counts);
    infinities(count, inf, counts);
    anchored.inf[0] |= inf[0];
    anchored.inf[1] |= inf[1];
    if (!some)
        return;
    long size_of_sum = key_of_step + 2; /* and log2 S: the streams are a power of two */
    for (int s = config->streams; s > 1; s /= 2)
        size_of_sum++;
    long least = anchor_of(config, size_of_sum), found = anchored.anchor;
    bool beyond = mpz_sgn(anchored.x) != 0 && !within(config, config->acc_bits - 3);
    if (least > found)
        raise_to(config, least);
    else if (anchored.full)
        raise_to(config, found + 1);
    anchored.full = anchored.anchor == found && beyond;
    round_to_multiple(sum, place(config), UNIT2, true);
    mpz_add(anchored.x, anchored.x, sum);
    if (!within(config, config->acc_bits - 1))
        abort(); /* M has no more than W bits */
}

bool oracle_anchored_is(const struct daa_config *config, struct daa_acc acc) {
    if (acc.inf[0] != anchored.inf[0] || acc.inf[1] != anchored.inf[1])
        return false;
    if (acc.inf[0] || acc.inf[1])
        return true; /* the rest no longer counts */
    if (acc.e < daa_anchor_least(config) || acc.e > daa_anchor_most(config))
        return false;
    if (anchored.anchor == -1000)
        return acc.m == 0 && acc.e == daa_anchor_least(config) && !acc.full;
    set_scaled(quantum, 1, place(config), UNIT2);
    mpz_divexact(quotient, anchored.x, quantum);
    return mpz_fits_slong_p(quotient) && mpz_get_si(quotient) == acc.m && acc.e == anchored.anchor &&
           acc.full == anchored.full;
}

uint32_t oracle_anchored_out(const struct daa_config *config) {
    struct daa_format out = config->out_format;
    acc_value.kind = anchored.inf[0] && anchored.inf[1] ? NOT_A_NUMBER
                     : anchored.inf[0]                  ? POS_INF
                     : anchored.inf[1]                  ? NEG_INF
                                                        : REAL;
    mpz_set(acc_value.x, anchored.x);
    return acc_bits(out, acc_value.kind == REAL ? round_real(out, out.subnormals, acc_value.x) : 0);
}

/* ---- conversions, on MPFR ---- */

static double flushed(struct daa_format f, double value) {
    return !f.subnormals && fabs(value) < ldexp(1.0, (int)(1 - bias(f))) ? copysign(0.0, value) : value;
}

double oracle_to_double(struct daa_format f, uint32_t bits) {
    struct value v;
    mpz_init(v.x);
    decode(f, true, bits, UNIT, &v);
    mpfr_t real;
    mpfr_init2(real, 53);
    mpfr_set_z_2exp(real, v.x, -UNIT, MPFR_RNDN);
    double value = v.kind == NOT_A_NUMBER ? (double)NAN
                   : v.kind == POS_INF    ? (double)INFINITY
                   : v.kind == NEG_INF    ? -(double)INFINITY
                                          : mpfr_get_d(real, MPFR_RNDN);
    mpfr_clear(real);
    mpz_clear(v.x);
    bool negative = bits >> (f.exp_bits + f.frac_bits) & 1;
    return value == 0 && negative ? -0.0 : flushed(f, value); /* an integer has no -0 */
}

/* MPFR's own recipe for a format: its precision, its exponent range, and subnormalize. MPFR's significands are in
 * [1/2, 1), so its exponents are one higher. */
enum daa_rounded oracle_from_double(struct daa_format f, double value, uint32_t *bits) {
    if (isnan(value)) {
        if (f.encoding == DAA_FINITE)
            return DAA_NO_NAN;
        *bits = not_a_number(f);
        return DAA_EXACT_OR_ROUNDED;
    }
    long least = 1 - bias(f), top = (1L << f.exp_bits) - (f.encoding == DAA_IEEE ? 2 : 1) - bias(f);
    mpfr_exp_t old_min = mpfr_get_emin(), old_max = mpfr_get_emax();
    mpfr_t real;
    mpz_t largest, integer;
    mpz_inits(largest, integer, NULL);
    mpfr_init2(real, f.frac_bits + 1);
    mpfr_set_emin(least - f.frac_bits + 1);
    mpfr_set_emax(top + 1);
    int inexact = mpfr_set_d(real, value, MPFR_RNDN);
    inexact = mpfr_check_range(real, inexact, MPFR_RNDN);
    mpfr_subnormalize(real, inexact, MPFR_RNDN);
    mpfr_set_emin(old_min);
    mpfr_set_emax(old_max);
    largest_finite(f, UNIT, largest);
    bool over = mpfr_inf_p(real) != 0;
    if (!over) {
        mpfr_mul_2si(real, real, UNIT, MPFR_RNDN);
        mpfr_get_z(integer, real, MPFR_RNDN);
        over = mpz_cmpabs(integer, largest) > 0;
    }
    *bits = over ? infinite(f, value < 0) : encode(f, integer, UNIT);
    if (!over && mpz_sgn(integer) == 0 && signbit(value))
        *bits = UINT32_C(1) << (f.exp_bits + f.frac_bits);
    mpz_clears(largest, integer, NULL);
    mpfr_clear(real);
    if (over)
        return isinf(value) && f.encoding == DAA_IEEE ? DAA_EXACT_OR_ROUNDED : DAA_OVERFLOWED;
    double read = oracle_to_double(f, *bits);
    return fabs(read) < ldexp(1.0, (int)least) && read != value ? DAA_UNDERFLOWED : DAA_EXACT_OR_ROUNDED;
}

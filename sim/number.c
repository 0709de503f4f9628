#include "number.h"

#include <assert.h>

static uint32_t ones(int bits) {
    return (UINT32_C(1) << bits) - 1;
}

static enum daa_class class_of(struct daa_format f, uint32_t field, uint32_t frac) {
    bool top = field == ones(f.exp_bits);
    if (field == 0 && (frac == 0 || !f.subnormals))
        return DAA_CLASS_ZERO;
    if (f.encoding == DAA_IEEE && top)
        return frac ? DAA_CLASS_NAN : DAA_CLASS_INF;
    if (f.encoding == DAA_FN && top && frac == ones(f.frac_bits))
        return DAA_CLASS_NAN;
    return DAA_CLASS_FINITE;
}

struct daa_number daa_number_read(struct daa_format f, uint32_t bits) {
    uint32_t frac = bits & ones(f.frac_bits);
    uint32_t field = bits >> f.frac_bits & ones(f.exp_bits);
    struct daa_number number = {
        .kind = class_of(f, field, frac),
        .negative = bits >> (f.exp_bits + f.frac_bits) & 1,
    };
    if (number.kind == DAA_CLASS_FINITE) {
        number.sig = field ? frac | UINT32_C(1) << f.frac_bits : frac;
        number.exp = (field ? (int)field : 1) - daa_format_bias(f) - f.frac_bits;
    }
    return number;
}

static uint32_t nan_bits(struct daa_format f) {
    assert(f.encoding != DAA_FINITE);
    uint32_t frac = f.encoding == DAA_FN ? ones(f.frac_bits) : UINT32_C(1) << (f.frac_bits - 1);
    return ones(f.exp_bits) << f.frac_bits | frac;
}

static uint32_t largest_bits(struct daa_format f) {
    uint32_t all = ones(f.exp_bits + f.frac_bits);
    if (f.encoding == DAA_FINITE)
        return all;
    return f.encoding == DAA_FN ? all - 1 : (ones(f.exp_bits) << f.frac_bits) - 1;
}

static uint32_t beyond_bits(struct daa_format f) {
    return f.encoding == DAA_IEEE ? ones(f.exp_bits) << f.frac_bits : largest_bits(f);
}

/* sig / 2^shift to the nearest integer, ties to even. */
static uint64_t round_shift(uint64_t sig, int shift, bool *exact) {
    *exact = true;
    if (shift <= 0)
        return sig << -shift;
    uint64_t kept = shift > 63 ? 0 : sig >> shift;
    uint64_t rest = shift > 63 ? sig : sig & ((UINT64_C(1) << shift) - 1);
    *exact = rest == 0;
    if (shift > 64)
        return 0; /* rest < 2^64 is below the half */
    uint64_t half = UINT64_C(1) << (shift - 1);
    return kept + (rest > half || (rest == half && (kept & 1)));
}

static int top_bit(uint64_t sig) {
    return 63 - __builtin_clzll(sig);
}

static uint32_t round_finite(struct daa_format f, enum daa_tiny tiny, struct daa_number number, enum daa_event *event) {
    const int exp_min = daa_format_exp_min(f);
    int unit = number.exp + top_bit(number.sig) - f.frac_bits; /* exponent of the result's last bit */
    if (tiny == DAA_GRADUAL && unit < exp_min - f.frac_bits)
        unit = exp_min - f.frac_bits;
    bool exact;
    uint64_t sig = round_shift(number.sig, unit - number.exp, &exact);
    if (sig >> (f.frac_bits + 1)) {
        sig >>= 1;
        unit++;
    }
    int field = unit + f.frac_bits + daa_format_bias(f);
    bool normal = sig >> f.frac_bits && field > 0;
    if (!normal) {
        *event = exact ? DAA_EVENT_NONE : DAA_EVENT_UNDERFLOW;
        return tiny == DAA_GRADUAL ? (uint32_t)sig : 0;
    }
    uint32_t frac = (uint32_t)sig & ones(f.frac_bits);
    if (field > daa_format_exp_max(f) + daa_format_bias(f) ||
        ((uint32_t)field << f.frac_bits | frac) > largest_bits(f)) {
        *event = DAA_EVENT_OVERFLOW;
        return beyond_bits(f);
    }
    return (uint32_t)field << f.frac_bits | frac;
}

uint32_t daa_number_write(struct daa_format f, enum daa_tiny tiny, struct daa_number number, enum daa_event *event) {
    enum daa_event unused;
    if (!event)
        event = &unused;
    *event = DAA_EVENT_NONE;
    uint32_t magnitude = 0;
    if (number.kind == DAA_CLASS_NAN)
        return nan_bits(f);
    if (number.kind == DAA_CLASS_INF)
        magnitude = beyond_bits(f);
    if (number.kind == DAA_CLASS_FINITE)
        magnitude = round_finite(f, tiny, number, event);
    if (tiny == DAA_FLUSH && magnitude == 0)
        return 0;
    return (uint32_t)number.negative << (f.exp_bits + f.frac_bits) | magnitude;
}

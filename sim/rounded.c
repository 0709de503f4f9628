/* The rounded accumulator (docs/contract.md, sections 5.1 and 6): every step rounds once to the accumulator format. */
#include "golden.h"

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

/* SIG * 2^EXP rounded to the accumulator format. Beyond 64 bits the bottom one is sticky. */
static struct daa_number round_to_acc(const struct daa_config *config, int128 sig, int exp) {
    uint128 size = sig < 0 ? -(uint128)sig : (uint128)sig;
    struct daa_number number = {.kind = DAA_CLASS_FINITE, .negative = sig < 0, .exp = exp};
    if (size >> 64) {
        int shift = 64 - __builtin_clzll((uint64_t)(size >> 64));
        bool sticky = (size & (((uint128)1 << shift) - 1)) != 0;
        size = size >> shift | sticky;
        number.exp += shift;
    }
    number.sig = (uint64_t)size;
    if (number.sig == 0)
        return (struct daa_number){.kind = DAA_CLASS_ZERO};
    return daa_number_read(config->acc_format, daa_number_write(config->acc_format, DAA_FLUSH, number, NULL));
}

/* acc + SUM * 2^EXP, rounded once. The one with the larger exponent is moved to the other's; where they are so far
 * apart that this would not fit, the smaller is far below half a unit of the result and only its sign counts. */
static struct daa_number accumulate(const struct daa_config *config, struct daa_number acc, int64_t sum, int exp) {
    enum { FAR = 64 }; /* 63 bits + FAR fit in 127 */
    int64_t acc_sig = acc.negative ? -(int64_t)acc.sig : (int64_t)acc.sig;
    if (sum == 0 || acc.kind >= DAA_CLASS_INF)
        return acc;
    if (acc.kind == DAA_CLASS_ZERO)
        return round_to_acc(config, sum, exp);
    bool acc_above = acc.exp > exp;
    int64_t above = acc_above ? acc_sig : sum, below = acc_above ? sum : acc_sig;
    int above_exp = acc_above ? acc.exp : exp, below_exp = acc_above ? exp : acc.exp;
    if (above_exp - below_exp > FAR) {
        below = below < 0 ? -1 : 1;
        below_exp = above_exp - FAR;
    }
    return round_to_acc(config, (int128)above * ((int128)1 << (above_exp - below_exp)) + below, below_exp);
}

static struct daa_number add_specials(struct daa_number acc, const bool inf[2]) {
    bool against = acc.kind == DAA_CLASS_INF && inf[!acc.negative];
    if (acc.kind == DAA_CLASS_NAN || (inf[0] && inf[1]) || against)
        return (struct daa_number){.kind = DAA_CLASS_NAN};
    return (struct daa_number){.kind = DAA_CLASS_INF, .negative = inf[1]};
}

struct daa_number daa_rounded_add(const struct daa_config *config, struct daa_number acc, struct daa_sum sum) {
    if (sum.inf[0] || sum.inf[1])
        return add_specials(acc, sum.inf);
    return accumulate(config, acc, sum.sig, sum.exp);
}

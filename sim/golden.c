/* The golden model: docs/contract.md in integers, stage by stage under the names the hardware uses. */
#include "golden.h"

#include <assert.h>

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

/* ---- unpack (section 2): once per operand, at the edge of the array ---- */

/* The significand's top T bits, rounded; in the significand's own unit, so it may be 2^(Y+1). */
static int low_significand(int sig, int drop, enum daa_lo_round round) {
    int kept = sig >> drop, rest = sig & ((1 << drop) - 1), half = 1 << drop >> 1;
    bool up = round == DAA_NEAREST && (rest > half || (rest == half && drop && (kept & 1)));
    return (kept + up) << drop;
}

struct daa_operand daa_unpack(const struct daa_config *config, struct daa_format format, uint32_t bits) {
    struct daa_number number = daa_number_read(format, bits);
    struct daa_operand operand = {.class = (uint8_t)number.class};
    int sign = number.negative ? -1 : 1;
    if (number.class == DAA_CLASS_INF)
        operand.sig = (int16_t)sign;
    if (number.class != DAA_CLASS_FINITE)
        return operand;
    int sig = (int)number.sig, exp = number.exp + format.frac_bits;
    for (; !(sig >> format.frac_bits); exp--)
        sig <<= 1;
    int bits_kept = config->lo_bits < format.frac_bits + 1 ? config->lo_bits : format.frac_bits + 1;
    operand.exp = (int16_t)exp;
    operand.sig = (int16_t)(sign * sig);
    operand.low = (int16_t)(sign * low_significand(sig, format.frac_bits + 1 - bits_kept, config->lo_round));
    return operand;
}

/* ---- steer (sections 3, 4, 6): what becomes of each product ---- */

struct steering {
    enum daa_fate fate[DAA_STREAMS_MAX];
    int key[DAA_STREAMS_MAX]; /* of the finite nonzero products */
    int top;                  /* K* */
    bool any;                 /* is there such a product, that is, a K*? */
    bool nan, inf[2];         /* a NaN product; an Inf product of sign + and - */
};

static void classify(struct steering *s, int stream, struct daa_operand a, struct daa_operand b) {
    bool zero = a.class == DAA_CLASS_ZERO || b.class == DAA_CLASS_ZERO;
    if (a.class >= DAA_CLASS_INF || b.class >= DAA_CLASS_INF) {
        s->fate[stream] = DAA_FATE_SPECIAL;
        if (zero || a.class == DAA_CLASS_NAN || b.class == DAA_CLASS_NAN)
            s->nan = true;
        else
            s->inf[(a.sig < 0) != (b.sig < 0)] = true;
    } else if (zero) {
        s->fate[stream] = DAA_FATE_ZERO;
    } else {
        s->fate[stream] = DAA_FATE_LOW;
        s->key[stream] = a.exp + b.exp;
        if (!s->any || s->key[stream] > s->top)
            s->top = s->key[stream];
        s->any = true;
    }
}

/* Is product a of key_a larger in magnitude than b of key_b? Each is at least 2^key and below 2^(key+2), in one unit.
 */
static bool larger(int32_t a, int key_a, int32_t b, int key_b) {
    int ahead = key_a - key_b;
    int64_t size_a = a < 0 ? -(int64_t)a : a, size_b = b < 0 ? -(int64_t)b : b;
    if (ahead >= 2 || ahead <= -2)
        return ahead > 0;
    return (ahead > 0 ? size_a << ahead : size_a) > (ahead < 0 ? size_b << -ahead : size_b);
}

static int largest(const struct steering *s, bool by_key, int count, const struct daa_operand *a,
                   const struct daa_operand *b) {
    int best = -1;
    for (int i = 0; i < count; i++) {
        if (s->fate[i] != DAA_FATE_LOW)
            continue;
        if (best < 0 || (by_key ? s->key[i] > s->key[best]
                                : larger(a[i].sig * b[i].sig, s->key[i], a[best].sig * b[best].sig, s->key[best])))
            best = i;
    }
    return best;
}

static void steer(const struct daa_config *config, uint64_t step, int count, const struct daa_operand *a,
                  const struct daa_operand *b, struct steering *s) {
    for (int i = 0; i < count; i++)
        classify(s, i, a[i], b[i]);
    if (!s->any)
        return;
    const struct daa_policy_info *policy = daa_policy_info(config->policy);
    const enum daa_winner winner = config->streams == 1 ? DAA_WINS_EVERY : policy->winner;
    const int best = winner == DAA_WINS_LARGEST ? largest(s, policy->compares_keys, count, a, b) : -1;
    for (int i = 0; i < count; i++) {
        if (s->fate[i] != DAA_FATE_LOW)
            continue;
        if (s->key[i] < s->top - config->window)
            s->fate[i] = DAA_FATE_DROPPED;
        else if (i == best || daa_wins(winner, config->streams, step, i))
            s->fate[i] = DAA_FATE_HIGH;
    }
}

/* ---- multiply (section 4): exact, in units of 2^(key - Ya - Yb) ---- */

static int32_t multiply(enum daa_fate fate, struct daa_operand a, struct daa_operand b) {
    if (fate == DAA_FATE_HIGH)
        return a.sig * b.sig;
    return fate == DAA_FATE_LOW ? a.low * b.low : 0;
}

/* ---- align (section 4): the exact sum of a step, in units of 2^(K* - D - Ya - Yb) ---- */

/* 8 terms below 2^(22 + 32 + 1) fit with room to spare. */
static int64_t align(const struct steering *s, int window, int count, const struct daa_operand *a,
                     const struct daa_operand *b) {
    int64_t sum = 0;
    for (int i = 0; i < count; i++)
        if (s->fate[i] == DAA_FATE_HIGH || s->fate[i] == DAA_FATE_LOW)
            sum += multiply(s->fate[i], a[i], b[i]) * (INT64_C(1) << (s->key[i] - (s->top - window)));
    return sum;
}

/* ---- accumulate and round (section 5) ---- */

/* SIG * 2^EXP rounded to the accumulator format. Beyond 64 bits the bottom one is sticky. */
static struct daa_number round_to_acc(const struct daa_config *config, int128 sig, int exp) {
    uint128 size = sig < 0 ? -(uint128)sig : (uint128)sig;
    struct daa_number number = {.class = DAA_CLASS_FINITE, .negative = sig < 0, .exp = exp};
    if (size >> 64) {
        int shift = 64 - __builtin_clzll((uint64_t)(size >> 64));
        bool sticky = (size & (((uint128)1 << shift) - 1)) != 0;
        size = size >> shift | sticky;
        number.exp += shift;
    }
    number.sig = (uint64_t)size;
    if (number.sig == 0)
        return (struct daa_number){.class = DAA_CLASS_ZERO};
    return daa_number_read(config->acc_format, daa_number_write(config->acc_format, DAA_FLUSH, number, NULL));
}

/* acc + SUM * 2^EXP, rounded once. The one with the larger exponent is moved to the other's; where they are so far
 * apart that this would not fit, the smaller is far below half a unit of the result and only its sign counts. */
static struct daa_number accumulate(const struct daa_config *config, struct daa_number acc, int64_t sum, int exp) {
    enum { FAR = 64 }; /* 63 bits + FAR fit in 127 */
    int64_t acc_sig = acc.negative ? -(int64_t)acc.sig : (int64_t)acc.sig;
    if (sum == 0 || acc.class >= DAA_CLASS_INF)
        return acc;
    if (acc.class == DAA_CLASS_ZERO)
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

/* ---- specials (section 6) ---- */

static struct daa_number add_specials(const struct steering *s, struct daa_number acc) {
    bool against = acc.class == DAA_CLASS_INF && s->inf[!acc.negative];
    if (acc.class == DAA_CLASS_NAN || s->nan || (s->inf[0] && s->inf[1]) || against)
        return (struct daa_number){.class = DAA_CLASS_NAN};
    return (struct daa_number){.class = DAA_CLASS_INF, .negative = s->inf[1]};
}

struct daa_number daa_unpacked_step(const struct daa_config *config, uint64_t step, int count,
                                    const struct daa_operand *a, const struct daa_operand *b, struct daa_number acc,
                                    struct daa_tally *tally) {
    struct steering s = {0};
    steer(config, step, count, a, b, &s);
    for (int i = 0; i < count; i++)
        tally->products[s.fate[i]][i]++;
    if (s.nan || s.inf[0] || s.inf[1])
        return add_specials(&s, acc);
    if (!s.any)
        return acc;
    int exp = s.top - config->window - config->a_format.frac_bits - config->b_format.frac_bits;
    return accumulate(config, acc, align(&s, config->window, count, a, b), exp);
}

struct daa_number daa_read_acc(const struct daa_config *config, uint32_t bits) {
    struct daa_format format = config->acc_format;
    format.subnormals = false;
    return daa_number_read(format, bits);
}

static uint32_t write_acc(const struct daa_config *config, struct daa_number acc) {
    return daa_number_write(config->acc_format, DAA_FLUSH, acc, NULL);
}

uint32_t daa_acc_start(const struct daa_config *config, uint32_t c0) {
    return write_acc(config, daa_read_acc(config, c0));
}

uint32_t daa_write_out(const struct daa_config *config, struct daa_number acc) {
    struct daa_format out = config->out_format;
    uint32_t bits = daa_number_write(out, out.subnormals ? DAA_GRADUAL : DAA_FLUSH, acc, NULL);
    bool zero = daa_number_read(out, bits).class == DAA_CLASS_ZERO;
    return zero ? 0 : bits;
}

uint32_t daa_acc_out(const struct daa_config *config, uint32_t acc) {
    return daa_write_out(config, daa_read_acc(config, acc));
}

void daa_tally_add(const struct daa_tally *tally, struct daa_counts *counts) {
    for (int i = 0; i < DAA_STREAMS_MAX; i++) {
        counts->high[i] += tally->products[DAA_FATE_HIGH][i];
        counts->low[i] += tally->products[DAA_FATE_LOW][i];
        counts->zero[i] += tally->products[DAA_FATE_ZERO][i];
        counts->dropped[i] += tally->products[DAA_FATE_DROPPED][i];
        counts->special[i] += tally->products[DAA_FATE_SPECIAL][i];
    }
}

uint32_t daa_step(const struct daa_config *config, uint64_t step, const uint32_t *a, const uint32_t *b, uint32_t acc,
                  struct daa_counts *counts) {
    struct daa_operand a_unpacked[DAA_STREAMS_MAX], b_unpacked[DAA_STREAMS_MAX];
    struct daa_tally tally = {0};
    for (int i = 0; i < config->streams; i++) {
        a_unpacked[i] = daa_unpack(config, config->a_format, a[i]);
        b_unpacked[i] = daa_unpack(config, config->b_format, b[i]);
    }
    struct daa_number next =
        daa_unpacked_step(config, step, config->streams, a_unpacked, b_unpacked, daa_read_acc(config, acc), &tally);
    if (counts)
        daa_tally_add(&tally, counts);
    return write_acc(config, next);
}

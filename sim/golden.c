/* The golden model: docs/contract.md in integers, stage by stage under the names the hardware uses. */
#include "golden.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- decode (sections 1 and 2): once per operand, at the edge of the array ---- */

/* The significand's top T bits, rounded; in the significand's own unit, so it may be 2^(Y+1). */
static int low_significand(int sig, int drop, enum daa_lo_round round) {
    int kept = sig >> drop, rest = sig & ((1 << drop) - 1), half = 1 << drop >> 1;
    bool up = round == DAA_NEAREST && (rest > half || (rest == half && drop && (kept & 1)));
    return (kept + up) << drop;
}

struct daa_operand daa_decode(const struct daa_config *config, struct daa_format format, uint32_t bits) {
    struct daa_number number = daa_number_read(format, bits);
    struct daa_operand operand = {.kind = (uint8_t)number.kind};
    int sign = number.negative ? -1 : 1;
    if (number.kind == DAA_CLASS_INF)
        operand.sig = (int16_t)sign;
    if (number.kind != DAA_CLASS_FINITE)
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

/* ---- unpack (sections 3, 6): class and key of each product, from its decoded operands ---- */

struct steering {
    enum daa_fate fate[DAA_STREAMS_MAX];
    int key[DAA_STREAMS_MAX]; /* of the finite nonzero products */
    int top;                  /* K* */
    bool any;                 /* is there such a product, that is, a K*? */
    bool nan, inf[2];         /* a NaN product; an Inf product of sign + and - */
};

static void unpack(struct steering *s, int stream, struct daa_operand a, struct daa_operand b) {
    bool zero = a.kind == DAA_CLASS_ZERO || b.kind == DAA_CLASS_ZERO;
    if (a.kind >= DAA_CLASS_INF || b.kind >= DAA_CLASS_INF) {
        s->fate[stream] = DAA_FATE_SPECIAL;
        if (zero || a.kind == DAA_CLASS_NAN || b.kind == DAA_CLASS_NAN)
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

/* ---- steer (sections 3, 4): what becomes of each product ---- */

/* Is product a of key_a larger in magnitude than b of key_b? Each is at least 2^key and below 2^(key+2), in one unit.
 */
static bool larger(int32_t a, int key_a, int32_t b, int key_b) {
    int ahead = key_a - key_b;
    int64_t size_a = a < 0 ? -(int64_t)a : a, size_b = b < 0 ? -(int64_t)b : b;
    if (ahead >= 2 || ahead <= -2)
        return ahead > 0;
    return (ahead > 0 ? size_a << ahead : size_a) > (ahead < 0 ? size_b << -ahead : size_b);
}

/* Of the streams from FIRST to before LAST; -1 where none takes part. */
static int largest(const struct steering *s, bool by_key, int first, int last, const struct daa_operand *a,
                   const struct daa_operand *b) {
    int best = -1;
    for (int i = first; i < last; i++) {
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
        unpack(s, i, a[i], b[i]);
    if (!s->any)
        return;
    const struct daa_policy_info *policy = daa_policy_info(config->policy);
    const enum daa_winner winner = config->streams == 1 ? DAA_WINS_EVERY : policy->winner;
    const int group = config->streams / config->groups;
    for (int first = 0; first < count; first += group) {
        const int last = first + group < count ? first + group : count;
        const int best = winner == DAA_WINS_LARGEST ? largest(s, policy->compares_keys, first, last, a, b) : -1;
        for (int i = first; i < last; i++) {
            if (s->fate[i] != DAA_FATE_LOW)
                continue;
            if (s->key[i] < s->top - config->window)
                s->fate[i] = DAA_FATE_DROPPED;
            else if (i == best || daa_wins(winner, group, step, i))
                s->fate[i] = DAA_FATE_HIGH;
        }
    }
}

/* ---- multiply (section 4): exact, in units of 2^(key - Ya - Yb) ---- */

static int32_t multiply(enum daa_fate fate, struct daa_operand a, struct daa_operand b) {
    if (fate == DAA_FATE_HIGH)
        return a.sig * b.sig;
    return fate == DAA_FATE_LOW ? a.low * b.low : 0;
}

/* ---- align (section 4): a product in units of 2^(K* - D - Ya - Yb), which all of a step share ---- */

static int64_t align(int32_t product, int key, int lowest) {
    return product * (INT64_C(1) << (key - lowest));
}

/* ---- sum (section 4): exact ---- */

/* Terms below 2^(22 + 32 + 1) fit with room to spare. */
static int64_t add_up(const struct steering *s, int window, int count, const struct daa_operand *a,
                      const struct daa_operand *b) {
    int64_t sum = 0;
    for (int i = 0; i < count; i++)
        if (s->fate[i] == DAA_FATE_HIGH || s->fate[i] == DAA_FATE_LOW)
            sum += align(multiply(s->fate[i], a[i], b[i]), s->key[i], s->top - window);
    return sum;
}

struct daa_sum daa_sum_step(const struct daa_config *config, uint64_t step, int count, const struct daa_operand *a,
                            const struct daa_operand *b, struct daa_tally *tally) {
    struct steering s = {0};
    steer(config, step, count, a, b, &s);
    for (int i = 0; i < count; i++)
        tally->products[s.fate[i]][i]++;
    struct daa_sum sum = {.some = s.any, .key = s.top, .inf = {s.nan || s.inf[0], s.nan || s.inf[1]}};
    if (s.any) {
        sum.sig = add_up(&s, config->window, count, a, b);
        sum.exp = s.top - config->window - config->a_format.frac_bits - config->b_format.frac_bits;
    }
    return sum;
}

/* ---- accumulate and round (section 5): rounded.c, anchored.c ---- */

struct daa_acc daa_acc_start(const struct daa_config *config, uint32_t c0) {
    struct daa_format format = config->acc_format;
    format.subnormals = false;
    struct daa_number number = daa_number_read(format, c0);
    return config->accumulator == DAA_ANCHORED ? daa_anchored_start(config, number)
                                               : (struct daa_acc){.number = number};
}

struct daa_acc daa_accumulate(const struct daa_config *config, struct daa_acc acc, struct daa_sum sum) {
    if (config->accumulator == DAA_ANCHORED)
        return daa_anchored_add(config, acc, sum);
    return (struct daa_acc){.number = daa_rounded_add(config, acc.number, sum)};
}

uint32_t daa_acc_out(const struct daa_config *config, struct daa_acc acc) {
    struct daa_format out = config->out_format;
    struct daa_number number = config->accumulator == DAA_ANCHORED ? daa_anchored_value(config, acc) : acc.number;
    uint32_t bits = daa_number_write(out, out.subnormals ? DAA_GRADUAL : DAA_FLUSH, number, NULL);
    bool zero = daa_number_read(out, bits).kind == DAA_CLASS_ZERO;
    return zero ? 0 : bits;
}

void daa_acc_text(const struct daa_config *config, struct daa_acc acc, char text[DAA_ACC_TEXT_MAX]) {
    if (config->accumulator == DAA_ANCHORED) {
        snprintf(text, DAA_ACC_TEXT_MAX, "%" PRId64 " * 2^%d%s%s%s", acc.m, config->acc_step * acc.e,
                 acc.full ? " full" : "", acc.inf[0] ? " +Inf" : "", acc.inf[1] ? " -Inf" : "");
    } else {
        uint32_t bits = daa_number_write(config->acc_format, DAA_FLUSH, acc.number, NULL);
        snprintf(text, DAA_ACC_TEXT_MAX, "0x%0*" PRIx32 " (%.9g)", (daa_format_width(config->acc_format) + 3) / 4, bits,
                 daa_to_double(config->acc_format, bits));
    }
}

struct daa_acc daa_step(const struct daa_config *config, uint64_t step, const uint32_t *a, const uint32_t *b,
                        struct daa_acc acc, struct daa_counts *counts) {
    struct daa_operand a_decoded[DAA_STREAMS_MAX], b_decoded[DAA_STREAMS_MAX];
    struct daa_tally tally = {0};
    for (int i = 0; i < config->streams; i++) {
        a_decoded[i] = daa_decode(config, config->a_format, a[i]);
        b_decoded[i] = daa_decode(config, config->b_format, b[i]);
    }
    struct daa_sum sum = daa_sum_step(config, step, config->streams, a_decoded, b_decoded, &tally);
    if (counts)
        daa_tally_add(&tally, counts);
    return daa_accumulate(config, acc, sum);
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

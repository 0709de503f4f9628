/* The golden model's inside, on decoded operands: for the files of libdaa. */
#ifndef DAA_GOLDEN_H
#define DAA_GOLDEN_H

#include "../config/winner.h"
#include "daa.h"
#include "number.h"

/* An operand as the edge of the array makes it: a finite one is sig * 2^(exp - Y), 2^Y <= |sig| < 2^(Y+1), with low its
 * low value in the same unit. */
struct daa_operand {
    int16_t exp, sig, low; /* signed; of an Inf only the sign of sig counts */
    uint8_t kind;          /* enum daa_class */
};

enum daa_fate { DAA_FATE_ZERO, DAA_FATE_SPECIAL, DAA_FATE_DROPPED, DAA_FATE_LOW, DAA_FATE_HIGH, DAA_FATES };

struct daa_tally {
    uint64_t products[DAA_FATES][DAA_STREAMS_MAX];
};

struct daa_operand daa_decode(const struct daa_config *config, struct daa_format format, uint32_t bits);
/* What a step gives the accumulator: the exact sum of its finite products, and its Infs. */
struct daa_sum {
    bool some;   /* is there a finite product that is not zero? */
    int key;     /* K*, if so */
    int64_t sig; /* the sum is sig * 2^exp */
    int exp;
    bool inf[2]; /* an Inf product of sign + and -; both: NaN */
};

/* The stages up to the sum, of COUNT (at most S) products. */
struct daa_sum daa_sum_step(const struct daa_config *config, uint64_t step, int count, const struct daa_operand *a,
                            const struct daa_operand *b, struct daa_tally *tally);
struct daa_acc daa_accumulate(const struct daa_config *config, struct daa_acc acc, struct daa_sum sum);

/* The accumulators themselves: rounded.c, anchored.c. */
struct daa_number daa_rounded_add(const struct daa_config *config, struct daa_number acc, struct daa_sum sum);
struct daa_acc daa_anchored_start(const struct daa_config *config, struct daa_number c0);
struct daa_acc daa_anchored_add(const struct daa_config *config, struct daa_acc acc, struct daa_sum sum);
struct daa_number daa_anchored_value(const struct daa_config *config, struct daa_acc acc);

void daa_tally_add(const struct daa_tally *tally, struct daa_counts *counts);

#endif

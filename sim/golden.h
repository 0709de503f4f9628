/* The golden model's inside, on unpacked operands: for gemm.c. */
#ifndef DAA_GOLDEN_H
#define DAA_GOLDEN_H

#include "../config/winner.h"
#include "daa.h"
#include "number.h"

/* An operand as the edge of the array makes it: a finite one is sig * 2^(exp - Y), 2^Y <= |sig| < 2^(Y+1), with low its
 * low value in the same unit. */
struct daa_operand {
    int16_t exp, sig, low; /* signed; of an Inf only the sign of sig counts */
    uint8_t class;         /* enum daa_class */
};

enum daa_fate { DAA_FATE_ZERO, DAA_FATE_SPECIAL, DAA_FATE_DROPPED, DAA_FATE_LOW, DAA_FATE_HIGH, DAA_FATES };

struct daa_tally {
    uint64_t products[DAA_FATES][DAA_STREAMS_MAX];
};

struct daa_operand daa_unpack(const struct daa_config *config, struct daa_format format, uint32_t bits);
/* One step of COUNT (at most S) products onto acc, which is zero, normal, Inf or NaN. */
struct daa_number daa_unpacked_step(const struct daa_config *config, uint64_t step, int count,
                                    const struct daa_operand *a, const struct daa_operand *b, struct daa_number acc,
                                    struct daa_tally *tally);
struct daa_number daa_read_acc(const struct daa_config *config, uint32_t bits);
uint32_t daa_write_out(const struct daa_config *config, struct daa_number acc);
void daa_tally_add(const struct daa_tally *tally, struct daa_counts *counts);

#endif

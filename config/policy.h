/* The policies: who is high in a group of streams (docs/contract.md, section 3). One row each; the other rooms ask this
 * table. */
#ifndef DAA_POLICY_H
#define DAA_POLICY_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Constant, name, can it be built in hardware, does it compare keys, and its winner. */
#define DAA_POLICIES(ROW)                                                                                              \
    ROW(DAA_EXPONENT, "exponent", true, true, DAA_WINS_LARGEST)                                                        \
    ROW(DAA_STATIC, "static", true, false, DAA_WINS_FIRST)                                                             \
    ROW(DAA_ROTATE, "rotate", true, false, DAA_WINS_TURN)                                                              \
    ROW(DAA_HIGH, "high", true, false, DAA_WINS_EVERY)                                                                 \
    ROW(DAA_LOW, "low", true, false, DAA_WINS_NONE)                                                                    \
    ROW(DAA_MAGNITUDE, "magnitude", false, false, DAA_WINS_LARGEST)

#define DAA_POLICY_CONSTANT(constant, name, hardware, keys, winner) constant,
enum daa_policy { DAA_POLICIES(DAA_POLICY_CONSTANT) DAA_POLICY_COUNT };
#undef DAA_POLICY_CONSTANT

/* The stream of a group that is high: the one that a comparison of the step's products finds, or one that is known
 * beforehand. */
enum daa_winner {
    DAA_WINS_LARGEST,
    DAA_WINS_FIRST, /* its first one */
    DAA_WINS_TURN,  /* its stream t mod S/P */
    DAA_WINS_EVERY, /* all of them */
    DAA_WINS_NONE,
};

struct daa_policy_info {
    const char *name;
    bool hardware;      /* can be emitted; others are for software only */
    bool compares_keys; /* the largest is that of the largest key, ties to the lowest stream */
    enum daa_winner winner;
};

const struct daa_policy_info *daa_policy_info(enum daa_policy policy);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

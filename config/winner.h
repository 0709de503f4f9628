/* Who is high where the winner of a step is known beforehand: for golden model and engines. */
#ifndef DAA_WINNER_H
#define DAA_WINNER_H

#include <stdint.h>

#include "policy.h"

/* Is STREAM high in step STEP, with groups of GROUP streams? Where products are compared, no stream is high by itself.
 */
static inline bool daa_wins(enum daa_winner winner, int group, uint64_t step, int stream) {
    switch (winner) {
    case DAA_WINS_FIRST:
        return stream % group == 0;
    case DAA_WINS_TURN:
        return stream % group == (int)(step % (uint64_t)group);
    case DAA_WINS_EVERY:
        return true;
    case DAA_WINS_LARGEST:
    case DAA_WINS_NONE:
        break;
    }
    return false;
}

#endif

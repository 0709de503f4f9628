/* The rules of AXI4 that a manager must keep, and what the core promises beyond them, watched in every cycle. */
#ifndef DAA_RULES_H
#define DAA_RULES_H

#include "../../config/config.h"
#include "axi.h"

enum { RULES_IDS = 3, RULES_RING = 1024 }; /* the core reads A with ID 0, B with 1 and C0 with 2, and writes with 0 */

struct rules {
    unsigned bus_bytes;
    unsigned outstanding;             /* read bursts in flight, of one ID, at most */
    struct axi_manager before;        /* the last cycle, */
    bool ar_waits, aw_waits, w_waits; /* in which these were not taken */
    unsigned reads[RULES_IDS];        /* bursts without their last beat */
    /* Writes: addresses that were taken, bursts whose data were, answers that were; data may come before their address.
     */
    uint64_t writes, ended, answers, beats, met;
    unsigned beat; /* of the burst whose data come next */
    struct axi_address open[RULES_RING];
    struct rules_beat {
        uint64_t strobe;
        bool last;
    } ahead[RULES_RING];
};

/* BUS_BYTES of a beat. */
void rules_init(struct rules *rules, unsigned bus_bytes, unsigned outstanding);
/* The signals of a cycle. False and an error: the rule that the core broke. */
bool rules_watch(struct rules *rules, const struct axi_manager *manager, const struct axi_memory *memory,
                 struct daa_error *error);
/* At the end: every burst has its answer. */
bool rules_ended(const struct rules *rules, struct daa_error *error);

#endif

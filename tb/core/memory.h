/* A memory behind an AXI4 port: ranges of bytes of the caller's, read and written as the bursts say, with a fixed
 * latency, a bandwidth, random stalls and reordering, and bus errors where they are wanted. */
#ifndef DAA_MEMORY_H
#define DAA_MEMORY_H

#include <stddef.h>

#include "../../config/config.h"
#include "axi.h"

struct memory_settings {
    unsigned bus_bytes; /* of a beat */
    unsigned latency;   /* 1 or more: cycles from an address or a last beat of data to its answer */
    double bandwidth;   /* bytes a cycle, of reads and of writes, at most bus_bytes */
    double stall;       /* chance that a channel does nothing in a cycle, below 1 */
    double write_stall; /* the same of the channels of writes, where it is more */
    bool reorder;       /* answers of different IDs overtake each other, beat by beat */
    uint64_t seed;
};

/* What went over the bus. */
struct memory_counts {
    uint64_t read_bursts, write_bursts, read_beats, write_bytes;
};

struct memory;

/* NULL: out of memory. */
struct memory *memory_new(const struct memory_settings *settings);
void memory_free(struct memory *memory);

/* SIZE bytes at ADDRESS are DATA. Where nothing is, the answer is DECERR; in a beat that is there in part the rest
 * reads as random bytes. A write where WRITABLE is false is a fault of the manager's. */
bool memory_map(struct memory *memory, uint64_t address, size_t size, uint8_t *data, bool writable);
void memory_unmap(struct memory *memory);
/* Beats that touch one of these bytes are answered by SLVERR. SIZE 0: none are. */
void memory_break(struct memory *memory, uint64_t address, size_t size);

/* What it answers in the cycle that is now; and the rising edge at its end. False: the manager broke a rule of the
 * memory's own (it wrote where it must not, or data have no address). */
const struct axi_memory *memory_answer(const struct memory *memory);
bool memory_edge(struct memory *memory, const struct axi_manager *manager, struct daa_error *error);

/* Drops all that is under way, as a hard reset does. */
void memory_reset(struct memory *memory);
/* Nothing is under way. */
bool memory_idle(const struct memory *memory);
const struct memory_counts *memory_counts(const struct memory *memory);

#endif

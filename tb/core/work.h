/* One job of the core: its matrices as numbers, as bytes in memory, and its results by the golden model. */
#ifndef DAA_WORK_H
#define DAA_WORK_H

#include "../../driver/daa_core.h"
#include "../../sim/cycles.h"
#include "../../sim/daa.h"
#include "memory.h"

/* How a matrix lies in memory. */
struct layout {
    uint64_t address;
    size_t pad;   /* elements between the end of a line and the next one */
    size_t gap;   /* elements between the matrices of a batch; where they lie side by side, of a line of all of them */
    bool side;    /* the matrices of a batch lie side by side in longer lines, else one after the other */
    bool columns; /* column-major; A and B only */
    bool other;   /* A, B: as float32. C0, C: in A's format */
};

/* BATCH products C = A B (+ C0), the matrices of a batch one below the other: raw bits, row-major, of the operands' and
 * the accumulator's formats, or of what layout.other says. */
struct work {
    size_t m, n, k, batch;
    const uint32_t *a, *b, *c0; /* c0: NULL for +0 */
    struct layout a_layout, b_layout, c0_layout, c_layout;
    bool in_place; /* C is C0 */
};

/* Its bytes. */
struct work_image {
    struct daa_core_job job;
    struct work_bytes {
        uint8_t *data, *used; /* used: 1 where an element's bytes are */
        size_t size;
    } a, b, c0, c;
};

/* False: out of memory, or more than memory holds. */
bool work_image_new(struct work_image *image, const struct daa_config *config, const struct work *work,
                    struct daa_error *error);
void work_image_free(struct work_image *image);
bool work_image_map(struct work_image *image, struct memory *memory);
/* C as raw bits, one matrix below the other. */
void work_image_results(const struct work_image *image, const struct daa_config *config, const struct work *work,
                        uint32_t *c);
/* Bytes between C's elements are as they were. */
bool work_image_clean(const struct work_image *image);

/* The job for the cycle model. */
struct daa_cycles_job work_cycles(const struct work_image *image, const struct daa_config *config);

/* The format of an element of C. */
struct daa_format work_format(const struct daa_config *config, const struct work *work);
/* C by the golden model. */
bool work_golden(const struct daa_config *config, const struct work *work, uint32_t *c, struct daa_counts *counts,
                 struct daa_error *error);

#endif

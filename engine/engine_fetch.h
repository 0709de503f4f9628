/* Blocks of a source matrix as raw operands, for engine.c: bf16 where its format's numbers are bf16's too, or floats.
 */
#ifndef DAA_ENGINE_FETCH_H
#define DAA_ENGINE_FETCH_H

#include "engine_kernel.h"

struct engine_source {
    enum daa_type type;
    const void *data; /* of one matrix */
    size_t ld;
    struct daa_format format;
    bool floats;                     /* of 32 bits, else bf16 */
    struct engine_rounding rounding; /* to the format */
    engine_rounding_function *round_floats;
};

/* LINES stored lines from element INDEX on, COUNT elements of each: element e of line i to raw[i * ld + e], or, across,
 * to raw[e * ld + i]; there COUNT is at most DEPTH_MAX. */
void daa_fetch_lines(const struct engine_source *source, size_t index, size_t lines, size_t count, void *raw,
                     size_t ld);
void daa_fetch_across(const struct engine_source *source, size_t index, size_t lines, size_t count, void *raw,
                      size_t ld);

/* COUNT elements next to each other from INDEX on, as floats. */
void daa_fetch_floats(const struct engine_source *source, size_t index, size_t count, uint32_t *words);

#endif

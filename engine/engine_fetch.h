/* Blocks of a source matrix as raw bf16, for engine.c, whatever format they are of: its numbers are bf16's too. */
#ifndef DAA_ENGINE_FETCH_H
#define DAA_ENGINE_FETCH_H

#include "engine_kernel.h"

struct engine_source {
    enum daa_type type;
    const void *data; /* of one matrix */
    size_t ld;
    struct daa_format format;
    struct engine_rounding rounding; /* to the format */
    engine_rounding_function *round_floats;
};

/* LINES stored lines from element INDEX on, COUNT elements of each: element e of line i to raw[i * ld + e], or, across,
 * to raw[e * ld + i]; there COUNT is at most DEPTH_MAX. */
void daa_fetch_lines(const struct engine_source *source, size_t index, size_t lines, size_t count, uint16_t *raw,
                     size_t ld);
void daa_fetch_across(const struct engine_source *source, size_t index, size_t lines, size_t count, uint16_t *raw,
                      size_t ld);

#endif

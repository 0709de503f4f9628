/* Sources to raw operands, row after row as stored or across them. */
#include <float.h>
#include <math.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "../config/options.h"
#include "engine_bits.h"
#include "engine_fetch.h"

enum { EIGHT = 8, AHEAD = 16, CACHE_LINE = 64 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static const char *at(enum daa_type type, const void *data, size_t index) {
    return (const char *)data + index * (type == DAA_BITS16 ? 2 : 4);
}

/* Lines are short: in moves of a known size, where a call would take longer. */
static void copy(const uint16_t *from, size_t count, uint16_t *to) {
    size_t i = 0;
    for (; i + EIGHT <= count; i += EIGHT)
        memcpy(to + i, from + i, EIGHT * sizeof *to);
    for (; i < count; i++)
        to[i] = from[i];
}

static float power_of_two(int exponent) {
    return float_of_bits((uint32_t)(exponent + 127) << 23);
}

struct engine_rounding daa_make_rounding(struct daa_format format) {
    const int drop = 23 - format.frac_bits, least_exponent = daa_format_exp_min(format);
    const bool narrow = format.exp_bits < 8;
    const uint32_t inf = 0x7f800000, ones = (UINT32_C(1) << format.frac_bits) - (format.encoding == DAA_FN ? 2 : 1);
    const uint32_t largest = (uint32_t)(daa_format_exp_max(format) + 127) << 23 | ones << drop;
    return (struct engine_rounding){
        .drop = drop,
        .narrow = narrow,
        .keep = format.subnormals,
        .normal = narrow ? power_of_two(least_exponent) : 0,
        .grid = narrow ? power_of_two(least_exponent + drop) : 0,
        .largest = largest,
        .beyond = format.encoding == DAA_IEEE ? inf : largest,
    };
}

void daa_round_floats(const struct engine_rounding *r, const uint32_t *words, size_t count, void *to) {
    uint16_t *raw = to;
    for (size_t i = 0; i < count; i++)
        raw[i] = (uint16_t)(daa_round_float(r, words[i]) >> 16);
}

static bool read_format(const char *name, struct daa_value *value, struct daa_error *error) {
    return daa_option_read(OPT_FORMAT, name, value, NULL) ||
           daa_fail(error, "'%.64s' is no operand format; it must be an alias such as bf16, or %s", name,
                    daa_option_info(OPT_FORMAT)->range);
}

bool daa_quantize_bf16(const char *name, size_t count, const float *in, uint16_t *out, struct daa_error *error) {
    struct daa_value value;
    if (!read_format(name, &value, error))
        return false;
    if (value.format.frac_bits > 7)
        return daa_fail(error, "%s has %d fraction bits, and bf16 7; use daa_quantize()", name, value.format.frac_bits);
    engine_rounding_function *round = daa_round_floats;
#if defined(__x86_64__)
    if (daa_engine_present(DAA_ENGINE_AVX2))
        round = daa_kernels_avx2[0][0].round_floats;
#endif
    const struct engine_rounding rounding = daa_make_rounding(value.format);
    round(&rounding, (const uint32_t *)(const void *)in, count, out);
    return true;
}

bool daa_quantize(const char *name, size_t count, const float *in, float *out, struct daa_error *error) {
    struct daa_value value;
    if (!read_format(name, &value, error))
        return false;
    const struct engine_rounding rounding = daa_make_rounding(value.format);
    const uint32_t flushed = rounding.narrow || rounding.keep ? 0 : bits_of_float(FLT_MIN);
    for (size_t i = 0; value.format.encoding == DAA_FINITE && i < count; i++)
        if (isnan(in[i]))
            return daa_fail(error, "element %zu is NaN, and %s has none; remove it", i, name);
    for (size_t i = 0; i < count; i++) {
        const uint32_t word = daa_round_float(&rounding, bits_of_float(in[i]));
        const uint32_t kept = (word & INT32_MAX) < flushed ? word & ~(uint32_t)INT32_MAX : word;
        out[i] = float_of_bits((word & INT32_MAX) > 0x7f800000 ? 0x7fc00000 : kept);
    }
    return true;
}

/* Numbers of FORMAT as floats' bits. */
static uint32_t widen(struct daa_format format, uint32_t bits) {
    const uint32_t fields = (UINT32_C(1) << format.exp_bits) - 1, fraction = (UINT32_C(1) << format.frac_bits) - 1;
    const uint32_t sign = bits >> (format.exp_bits + format.frac_bits) << 31;
    const uint32_t field = bits >> format.frac_bits & fields, rest = bits & fraction;
    const int bias = daa_format_bias(format);
    if (format.encoding == DAA_IEEE && field == fields)
        return sign | 0x7f800000 | (rest ? 0x400000 : 0);
    if (format.encoding == DAA_FN && field == fields && rest == fraction)
        return sign | 0x7fc00000;
    if (field == 0 && format.exp_bits < 8 && format.subnormals)
        return sign | bits_of_float((float)rest * power_of_two(1 - bias - format.frac_bits));
    if (field == 0)
        return sign;
    return sign | (field + 127 - (uint32_t)bias) << 23 | rest << (23 - format.frac_bits);
}

static bool is_bf16(struct daa_format format) {
    return format.exp_bits == 8 && format.frac_bits == 7 && format.encoding == DAA_IEEE;
}

static void load_floats(const struct engine_source *source, const void *from, size_t count, uint32_t *to) {
    const uint16_t *halves = from;
    const uint32_t *words = from;
    if (source->type == DAA_FLOAT32)
        source->round_floats(&source->rounding, words, count, to);
    else
        for (size_t i = 0; i < count; i++)
            to[i] = widen(source->format, source->type == DAA_BITS16 ? halves[i] : words[i]);
}

static void load(const struct engine_source *source, const void *from, size_t count, uint16_t *raw) {
    const uint16_t *halves = from;
    const uint32_t *words = from;
    if (source->type == DAA_FLOAT32)
        source->round_floats(&source->rounding, words, count, raw);
    else if (is_bf16(source->format) && source->type == DAA_BITS16)
        copy(from, count, raw);
    else
        for (size_t i = 0; i < count; i++)
            raw[i] = (uint16_t)(widen(source->format, source->type == DAA_BITS16 ? halves[i] : words[i]) >> 16);
}

/* A line is short, too little for the processor to see what comes next. */
static void prefetch(const struct engine_source *source, size_t index, size_t count) {
#if defined(__GNUC__)
    const char *first = at(source->type, source->data, index), *end = at(source->type, source->data, index + count);
    for (const char *next = first; next < end; next += CACHE_LINE)
        __builtin_prefetch(next);
#endif
}

void daa_fetch_floats(const struct engine_source *source, size_t index, size_t count, uint32_t *words) {
    load_floats(source, at(source->type, source->data, index), count, words);
}

void daa_fetch_lines(const struct engine_source *source, size_t index, size_t lines, size_t count, void *raw,
                     size_t ld) {
    for (size_t line = 0; line < lines; line++, index += source->ld) {
        const void *from = at(source->type, source->data, index);
        if (line + AHEAD < lines)
            prefetch(source, index + AHEAD * source->ld, count);
        if (source->floats)
            load_floats(source, from, count, (uint32_t *)raw + line * ld);
        else
            load(source, from, count, (uint16_t *)raw + line * ld);
    }
}

/* Eight lines of eight elements each to eight lines of the other direction. */
static void transpose(const uint16_t *const from[EIGHT], size_t at_element, uint16_t *to, size_t ld) {
#if defined(__SSE2__)
    __m128i row[EIGHT], pair[EIGHT], four[EIGHT];
    for (int i = 0; i < EIGHT; i++)
        row[i] = _mm_loadu_si128((const __m128i_u *)(from[i] + at_element));
    for (int i = 0; i < EIGHT; i += 2) {
        pair[i] = _mm_unpacklo_epi16(row[i], row[i + 1]);
        pair[i + 1] = _mm_unpackhi_epi16(row[i], row[i + 1]);
    }
    for (int i = 0; i < EIGHT; i += 4) {
        four[i] = _mm_unpacklo_epi32(pair[i], pair[i + 2]);
        four[i + 1] = _mm_unpackhi_epi32(pair[i], pair[i + 2]);
        four[i + 2] = _mm_unpacklo_epi32(pair[i + 1], pair[i + 3]);
        four[i + 3] = _mm_unpackhi_epi32(pair[i + 1], pair[i + 3]);
    }
    for (size_t i = 0; i < EIGHT / 2; i++) {
        _mm_storeu_si128((__m128i_u *)(to + 2 * i * ld), _mm_unpacklo_epi64(four[i], four[i + 4]));
        _mm_storeu_si128((__m128i_u *)(to + (2 * i + 1) * ld), _mm_unpackhi_epi64(four[i], four[i + 4]));
    }
#else
    for (size_t i = 0; i < EIGHT; i++)
        for (size_t j = 0; j < EIGHT; j++)
            to[j * ld + i] = from[i][at_element + j];
#endif
}

static void floats_across(const struct engine_source *source, size_t index, size_t lines, size_t count, uint32_t *raw,
                          size_t ld) {
    uint32_t loaded[EIGHT][DEPTH_MAX];
    for (size_t line = 0; line < lines; line += EIGHT, index += EIGHT * source->ld) {
        const size_t there = least(lines - line, EIGHT);
        for (size_t i = 0; i < there; i++)
            load_floats(source, at(source->type, source->data, index + i * source->ld), count, loaded[i]);
        for (size_t element = 0; element < count; element++)
            for (size_t i = 0; i < there; i++)
                raw[element * ld + line + i] = loaded[i][element];
    }
}

void daa_fetch_across(const struct engine_source *source, size_t index, size_t lines, size_t count, void *to,
                      size_t ld) {
    uint16_t loaded[EIGHT][DEPTH_MAX], *raw = to;
    if (source->floats) {
        floats_across(source, index, lines, count, to, ld);
        return;
    }
    for (size_t line = 0; line < lines; line += EIGHT, index += EIGHT * source->ld) {
        const uint16_t *from[EIGHT];
        const size_t there = least(lines - line, EIGHT);
        for (size_t i = 0; i < there; i++) {
            from[i] = (const uint16_t *)source->data + index + i * source->ld;
            if (line + i + EIGHT < lines)
                prefetch(source, index + (i + EIGHT) * source->ld, count);
            if (source->type != DAA_BITS16 || !is_bf16(source->format)) {
                load(source, at(source->type, source->data, index + i * source->ld), count, loaded[i]);
                from[i] = loaded[i];
            }
        }
        size_t element = 0;
        for (; there == EIGHT && element + EIGHT <= count; element += EIGHT)
            transpose(from, element, raw + element * ld + line, ld);
        for (; element < count; element++)
            for (size_t i = 0; i < there; i++)
                raw[element * ld + line + i] = from[i][element];
    }
}

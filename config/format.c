#include "format.h"

#include <stdio.h>
#include <string.h>

struct alias {
    const char *name;
    struct daa_format format;
};

static const struct alias aliases[] = {
    {"bf16", {8, 7, DAA_IEEE, false}},  {"tf32", {8, 10, DAA_IEEE, false}}, {"fp16", {5, 10, DAA_IEEE, true}},
    {"e5m2", {5, 2, DAA_IEEE, true}},   {"e4m3", {4, 3, DAA_FN, true}},     {"e3m2", {3, 2, DAA_FINITE, true}},
    {"e2m3", {2, 3, DAA_FINITE, true}}, {"e2m1", {2, 1, DAA_FINITE, true}}, {"fp32", {8, 23, DAA_IEEE, false}},
};
enum { ALIAS_COUNT = sizeof(aliases) / sizeof(aliases[0]) };

int daa_format_width(struct daa_format format) {
    return 1 + format.exp_bits + format.frac_bits;
}

int daa_format_bias(struct daa_format format) {
    return (1 << (format.exp_bits - 1)) - 1;
}

int daa_format_exp_min(struct daa_format format) {
    return 1 - daa_format_bias(format);
}

int daa_format_exp_max(struct daa_format format) {
    int all_ones = (1 << format.exp_bits) - 1 - daa_format_bias(format);
    return format.encoding == DAA_IEEE ? all_ones - 1 : all_ones;
}

int daa_format_exp_least(struct daa_format format) {
    return daa_format_exp_min(format) - (format.subnormals ? format.frac_bits : 0);
}

bool daa_format_equal(struct daa_format a, struct daa_format b) {
    return a.exp_bits == b.exp_bits && a.frac_bits == b.frac_bits && a.encoding == b.encoding &&
           a.subnormals == b.subnormals;
}

/* One or two decimal digits without a leading zero; returns the end, or NULL. */
static const char *read_small(const char *text, int *value) {
    if (text[0] < '1' || text[0] > '9')
        return NULL;
    *value = text[0] - '0';
    if (text[1] < '0' || text[1] > '9')
        return text + 1;
    *value = *value * 10 + (text[1] - '0');
    return text + 2;
}

bool daa_format_parse(const char *text, struct daa_format *format) {
    for (size_t i = 0; i < ALIAS_COUNT; i++) {
        if (strcmp(text, aliases[i].name) == 0) {
            *format = aliases[i].format;
            return true;
        }
    }
    int exp_bits, frac_bits;
    if (*text != 'e' || !(text = read_small(text + 1, &exp_bits)))
        return false;
    if (*text != 'm' || !(text = read_small(text + 1, &frac_bits)) || *text)
        return false;
    *format = (struct daa_format){exp_bits, frac_bits, DAA_IEEE, exp_bits < 8};
    return true;
}

void daa_format_name(struct daa_format format, char name[DAA_FORMAT_NAME_MAX]) {
    for (size_t i = 0; i < ALIAS_COUNT; i++) {
        if (daa_format_equal(format, aliases[i].format)) {
            snprintf(name, DAA_FORMAT_NAME_MAX, "%s", aliases[i].name);
            return;
        }
    }
    snprintf(name, DAA_FORMAT_NAME_MAX, "e%um%u", (unsigned)format.exp_bits % 100, (unsigned)format.frac_bits % 100);
}

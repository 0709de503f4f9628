/* The option table by its entries. */
#ifndef DAA_OPTIONS_H
#define DAA_OPTIONS_H

#include "config.h"

enum daa_option {
    OPT_ROWS,
    OPT_COLS,
    OPT_STREAMS,
    OPT_GROUPS,
    OPT_FORMAT,
    OPT_A_FORMAT,
    OPT_B_FORMAT,
    OPT_ACC_FORMAT,
    OPT_OUT_FORMAT,
    OPT_ACCUMULATOR,
    OPT_ACC_BITS,
    OPT_ACC_STEP,
    OPT_LO_BITS,
    OPT_LO_ROUND,
    OPT_POLICY,
    OPT_WINDOW,
    OPT_SPECIALS,
    OPT_PIPELINE,
    OPT_CLOCK_GATING,
    OPT_C0_ROWS,
    OPT_RESULT_ROWS,
    OPT_CORE,
    OPT_BUS_BITS,
    OPT_BLOCK_M,
    OPT_BLOCK_N,
    OPT_BLOCK_K,
    OPT_OUTSTANDING,
    OPT_AXI_ID_BITS,
    OPT_QUEUE,
    OPT_PREFIX,
    OPT_COUNT
};

/* One option's value; which member counts depends on the option. */
struct daa_value {
    bool automatic;           /* "auto": derived when the configuration is resolved */
    int number;               /* whole numbers, and the position of a word in its range */
    struct daa_format format; /* formats */
    const char *text;         /* names */
};

/* The option called NAME; OPT_COUNT where there is none. */
enum daa_option daa_option_find(const char *name);
/* Reads TEXT by the option's own range. */
bool daa_option_read(enum daa_option option, const char *text, struct daa_value *value, struct daa_error *error);
/* Is this value of a configuration one that the option may have? */
bool daa_option_check(const struct daa_config *config, enum daa_option option, struct daa_error *error);

/* Reads the "options" of a daa.json: calls SET for each of them. */
typedef bool daa_set_function(void *context, enum daa_option option, const char *text, struct daa_error *error);
bool daa_json_load(const char *path, daa_set_function *set, void *context, struct daa_error *error);

#endif

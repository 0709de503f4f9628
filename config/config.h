/* What a DAA is: its parameters, their one table (options.c), the named configurations, and daa.json read back. */
#ifndef DAA_CONFIG_H
#define DAA_CONFIG_H

#include <stdint.h>

#include "format.h"
#include "policy.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define DAA_VERSION "0.1.0"

/* Limits that the option table prints, too. */
#define DAA_SIDE_MAX 256 /* rows, and columns */
#define DAA_WINDOW_MAX 32
#define DAA_PREFIX_MAX 32

enum { DAA_STREAMS_MAX = 8, DAA_ERROR_MAX = 512, DAA_OPTION_COUNT_MAX = 40 };

enum daa_lo_round { DAA_NEAREST, DAA_TRUNCATE };
enum daa_accumulator { DAA_ROUNDED, DAA_ANCHORED };

/* A resolved, legal configuration: every default filled in, every rule checked. */
struct daa_config {
    int rows, cols; /* 1..DAA_SIDE_MAX */
    int streams;    /* S: 1, 2, 4 or 8 */
    int groups;     /* P, of S/P streams each: 1, 2 or 4 */
    struct daa_format a_format, b_format, acc_format, out_format;
    enum daa_accumulator accumulator;
    int acc_bits, acc_step; /* anchored: W, 8..64, and G, 1, 2, 4 or 8; else 0 */
    int lo_bits;            /* T: 1..11; each operand uses min(T, Y+1) */
    enum daa_lo_round lo_round;
    enum daa_policy policy;
    int window; /* D: 0..DAA_WINDOW_MAX */
    bool specials;
    int pipeline; /* 1..5, see check_pipeline() */
    bool clock_gating;
    int c0_rows, result_rows;      /* that wait inside the array: rows..4096 */
    bool core;                     /* also <prefix>_core; only then are the next ones not 0 */
    int bus_bits;                  /* 64, 128, 256 or 512 */
    int block_m, block_n, block_k; /* what the core computes at a time */
    int outstanding, axi_id_bits, queue;
    char prefix[DAA_PREFIX_MAX + 1]; /* modules are called <prefix>_array, ... */
};

/* For callers that do not compile with this header: what they were built for, and the room a configuration takes. */
const char *daa_version(void);
size_t daa_config_size(void);

/* One line, without the program's name and without a newline: what is wrong and what would be right. */
struct daa_error {
    char text[DAA_ERROR_MAX];
};

/* Writes the error (control characters become '?', so it stays one line) and returns false. ERROR may be NULL. */
bool daa_fail(struct daa_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Some policies are for software only. */
enum daa_use { DAA_HARDWARE, DAA_SOFTWARE };

/* Option texts: a base layer from a named configuration or a file, and over it what the command line sets, later ones
 * winning. The order of loading and setting does not matter. */
struct daa_options;
struct daa_options *daa_options_new(void);
void daa_options_free(struct daa_options *options);
/* NAME is an option name of the table without dashes ("rows", "lo-bits"). False and an error: no such option, or a
 * value that is wrong by itself. */
bool daa_options_set(struct daa_options *options, const char *name, const char *value, struct daa_error *error);
/* NAME_OR_FILE: a named configuration, or a path to a daa.json. Replaces an earlier load. */
bool daa_options_load(struct daa_options *options, const char *name_or_file, struct daa_error *error);
/* Fills in defaults and checks every rule. */
bool daa_options_resolve(const struct daa_options *options, enum daa_use use, struct daa_config *config,
                         struct daa_error *error);

/* Is this a configuration as daa_options_resolve() makes them? False and an error: a value out of its range, or a rule
 * that is broken. CONFIG may have any bytes. */
bool daa_config_check(const struct daa_config *config, enum daa_use use, struct daa_error *error);

/* The table itself, for the command lines, the manifest, the emitted header and the README's table. */
struct daa_option_info {
    const char *name;     /* "lo-bits" */
    const char *fallback; /* the default as text; "auto" where it is derived (then MEANING says how) */
    const char *range;    /* "1..11", "exponent|static|..." */
    const char *meaning;  /* one line */
};
size_t daa_option_count(void);
const struct daa_option_info *daa_option_info(size_t index);
/* The resolved value of option INDEX as text, e.g. "bf16", "16", "on". `format` has none of its own (NULL):
 * a-format and b-format say it; neither have acc-bits and acc-step where the accumulator is rounded. */
const char *daa_option_value(const struct daa_config *config, size_t index, char *buffer, size_t size);

/* False where it goes without saying, in the canonical text and in a daa.json: one group. */
bool daa_option_is_said(const struct daa_config *config, size_t index);

/* True where a daa.json has the value as a number, not as a string. */
bool daa_option_is_number(size_t index);

enum { DAA_LINE_MAX = 512 };
/* All options as one command line, "--rows 16 --cols 16 ...": the canonical text of a configuration. */
void daa_config_line(const struct daa_config *config, char line[DAA_LINE_MAX]);
/* FNV-1a over the generator's version and that line: equal only for the same version and configuration. */
uint64_t daa_config_hash(const struct daa_config *config);

/* Cycles that the foot of a column takes to round an anchored accumulator. */
enum { DAA_ANCHORED_FOOT = 3 };
/* The anchored accumulator (docs/contract.md, section 5.2): the anchor of a size of 2^X, and the range of all anchors.
 */
int daa_anchor(const struct daa_config *config, int x);
int daa_anchor_least(const struct daa_config *config);
int daa_anchor_most(const struct daa_config *config);
/* A step's sum is no more than 2^(K* + this). */
int daa_sum_growth(const struct daa_config *config);
/* The rows that wait inside where tiles of ROWS steps are to lose no cycle: of C0, from when a row comes until the last
 * column has read it; of results, from a tile's last step until a row goes out. */
int daa_c0_rows_auto(const struct daa_config *config);
int daa_result_rows_auto(const struct daa_config *config);

/* In the core's memory and on its bus a number takes 1, 2 or 4 bytes. */
int daa_container(struct daa_format format);
/* block-k is a multiple of this: S*S, so that the policy rotate goes on where K was cut, and the elements of a word of
 * the buffers, which are those of a bus word or a step's. */
int daa_block_k_step(const struct daa_config *config);

/* The named configurations: name, one line of meaning. Index 0..count-1. */
size_t daa_named_count(void);
const char *daa_named_name(size_t index);
const char *daa_named_meaning(size_t index);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

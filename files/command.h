/* Command lines: what the words of each command have in common, read by a table, and the ways out of a command. */
#ifndef DAA_COMMAND_H
#define DAA_COMMAND_H

#include "../config/config.h"

enum { EXIT_JOB = 1, EXIT_USAGE = 2 };

/* One word that a command takes, --NAME VALUE or --NAME=VALUE; it sets either TEXT or, having no value, SWITCH. */
struct daa_word {
    const char *name;    /* "--stats", "-o" */
    const char *value;   /* what the help calls it: "FILE" */
    const char *meaning; /* NULL: another name, which the help leaves out */
    const char **text;
    bool *set;
    bool needed, output; /* outputs must be different files */
};

struct daa_command {
    const char *name;  /* "daagemm" */
    const char *usage; /* the help: what follows the name, what it does, and what comes at its end */
    const char *purpose;
    const char *more;
    const struct daa_word *words; /* up to one without a name */
    /* Where it is not NULL, --config and the configuration's options are taken too, and make this one. */
    struct daa_config *config;
    enum daa_use use;
};

/* Reads the words after ARGV[0]. Names are never abbreviated, so that a new one cannot change what an old command line
 * means; of a word that is given twice the last counts. Does not return from --help, --version, --list-configs or a
 * word that is wrong. */
void daa_command_read(const struct daa_command *command, char **argv);

/* Fails unless all that was printed on stdout has been written. */
void daa_command_flush(void);

/* Prints "NAME: ..." as one line on stderr and exits. */
void fail(int status, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));

#endif

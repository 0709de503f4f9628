/* Everything computed: a configuration as named values, for the templates and for daa.json. */
#ifndef DAAGEN_PLAN_H
#define DAAGEN_PLAN_H

#include "../config/config.h"

enum { PLAN_NAME_MAX = 32 }; /* with its end */

enum kind { NUMBER, TEXT, LIST };

/* Where a value goes besides the templates. */
enum report { NOT_REPORTED, DERIVED, LATENCY };

struct value {
    char name[PLAN_NAME_MAX];
    enum kind kind;
    int number;   /* NUMBER; of a LIST the length, so that `for i in 0..list-1` works */
    char *text;   /* TEXT */
    char **items; /* LIST */
    enum report report;
    bool manifest_only; /* daa.json alone has it; no template needs to */
    bool used;          /* a template named it */
};

enum { VALUES_MAX = 300 };

struct plan {
    struct value values[VALUES_MAX];
    size_t count;
};

/* All values but the vectors of the bench (vectors.h) and the list of files. */
struct plan *plan_new(const struct daa_config *config);
void plan_free(struct plan *plan);

void plan_number(struct plan *plan, const char *name, int number);
void plan_text(struct plan *plan, const char *name, const char *text);
/* An empty list, and one more item of a list. */
void plan_list(struct plan *plan, const char *name);
void plan_item(struct plan *plan, const char *list, const char *text);

/* NULL: there is no such value. */
struct value *plan_find(struct plan *plan, const char *name);

#endif

/* Counted expectations of the checks in C. */
#ifndef DAA_TESTS_EXPECT_H
#define DAA_TESTS_EXPECT_H

#include <stdbool.h>
#include <stdio.h>

static int cases, faults;

static inline void expect(bool holds, const char *what, const char *detail) {
    cases++;
    if (holds)
        return;
    faults++;
    fprintf(stderr, "%s: %s\n", what, detail);
}

#endif

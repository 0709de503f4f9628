/* The one way out of daagen on an error. */
#ifndef DAAGEN_FAIL_H
#define DAAGEN_FAIL_H

enum { EXIT_JOB = 1, EXIT_USAGE = 2 };

/* Prints "daagen: ..." as one line on stderr and exits; files.c removes what is unfinished. */
void fail(int status, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));

#endif

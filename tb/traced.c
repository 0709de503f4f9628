#define _POSIX_C_SOURCE 200809L
#include "traced.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs make with what it says going to stderr. */
static bool run_make(const char *root, const char *target, const char *variable) {
    const pid_t child = fork();
    if (child == 0) {
        unsetenv("MAKEFLAGS"); /* of a make that may have started us */
        unsetenv("MAKELEVEL");
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execlp("make", "make", "-s", "--no-print-directory", "-C", root, target, variable, (char *)NULL);
        _exit(127);
    }
    int status;
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool traced_become(const char *root, const char *target, char **argv, struct daa_error *error) {
    char self[PATH_MAX], program[PATH_MAX + 8], variable[PATH_MAX + 8];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return daa_fail(error, "cannot find itself (%s); /proc must be mounted", strerror(errno));
    self[length] = '\0';
    snprintf(program, sizeof program, "%s-trace", self);
    char *name = strrchr(self, '/');
    *name++ = '\0';
    snprintf(variable, sizeof variable, "DIR=%s", self);
    if (access(program, X_OK) != 0)
        fprintf(stderr, "%s: building the array with waves, once\n", name);
    if (!run_make(root, target, variable))
        return daa_fail(error, "the array with waves could not be built; make -C %.200s %s %.200s must succeed", root,
                        target, variable);
    execv(program, argv);
    return daa_fail(error, "cannot run %.400s (%s); make %s must have built it", program, strerror(errno), target);
}

#define _POSIX_C_SOURCE 200809L
#include "signals.h"

#include <signal.h>
#include <stddef.h>

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { ENDING_COUNT = sizeof ending / sizeof ending[0] };

static sigset_t ending_set(void) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < ENDING_COUNT; i++)
        sigaddset(&set, ending[i]);
    return set;
}

void daa_signals_catch(void (*handler)(int number)) {
    struct sigaction action = {.sa_handler = handler, .sa_mask = ending_set()}, old;
    for (int i = 0; i < ENDING_COUNT; i++)
        if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(ending[i], &action, NULL);
}

void daa_signals_hold(void) {
    const sigset_t set = ending_set();
    sigprocmask(SIG_BLOCK, &set, NULL);
}

bool daa_signals_waiting(void) {
    sigset_t waiting;
    sigpending(&waiting);
    for (int i = 0; i < ENDING_COUNT; i++)
        if (sigismember(&waiting, ending[i]))
            return true;
    return false;
}

void daa_signals_release(void) {
    const sigset_t set = ending_set();
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void daa_signals_end(int number) {
    signal(number, SIG_DFL);
    raise(number);
}

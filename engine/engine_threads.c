/* Threads that live between calls and sleep there. A call opens a crew with places for others, works, closes it, and
 * waits for those who have joined. A child of fork() has none of the threads, and starts its own. */
#define _DEFAULT_SOURCE /* sigset_t, clock_gettime */
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "engine.h"
#include "engine_threads.h"

struct crew {
    void (*work)(void *);
    void *argument;
    int places;         /* open ones */
    atomic_int working; /* others who are at work */
    pthread_cond_t ended;
    struct crew *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static struct crew *crews; /* those with open places */
static int threads, busy;  /* busy: those at work */
static atomic_int asked;   /* open places of all crews */

/* Waits a little until NUMBER is 0, or is not: as long as a small product may take, since a processor that has gone to
 * sleep is late by as much. Other programs' work goes first. */
static void wait_a_little(const atomic_int *number, bool for_zero) {
    enum { NANOSECONDS = 200000 };
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        if ((atomic_load_explicit(number, memory_order_relaxed) == 0) == for_zero)
            return;
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((int64_t)(now.tv_sec - begin.tv_sec) * 1000000000 + now.tv_nsec - begin.tv_nsec < NANOSECONDS);
}

static void close_crew(struct crew *crew) {
    for (struct crew **place = &crews; *place; place = &(*place)->next) {
        if (*place == crew) {
            *place = crew->next;
            break;
        }
    }
    asked -= crew->places;
    crew->places = 0;
}

static void *live(void *unused) {
    (void)unused;
    fesetenv(FE_DFL_ENV); /* whatever the caller that started it had */
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!crews)
            pthread_cond_wait(&opened, &lock);
        struct crew *crew = crews;
        asked--;
        crew->places--;
        if (crew->places == 0)
            close_crew(crew);
        crew->working++;
        busy++;
        pthread_mutex_unlock(&lock);
        crew->work(crew->argument);
        pthread_mutex_lock(&lock);
        busy--;
        if (--crew->working == 0)
            pthread_cond_signal(&crew->ended);
        if (!crews) {
            pthread_mutex_unlock(&lock);
            wait_a_little(&asked, false);
            pthread_mutex_lock(&lock);
        }
    }
    return NULL;
}

/* Signals are for the threads of the program. */
static bool start_thread(void) {
    sigset_t every, before;
    pthread_attr_t detached;
    pthread_t thread;
    if (pthread_attr_init(&detached) != 0)
        return false;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    const bool started = pthread_create(&thread, &detached, live, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
    return started;
}

static void before_fork(void) {
    pthread_mutex_lock(&lock);
}

static void in_parent(void) {
    pthread_mutex_unlock(&lock);
}

static void in_child(void) {
    static const pthread_cond_t nobody_waits = PTHREAD_COND_INITIALIZER;
    opened = nobody_waits;
    crews = NULL;
    threads = busy = asked = 0;
    pthread_mutex_unlock(&lock);
}

static void watch_forks(void) {
    pthread_atfork(before_fork, in_parent, in_child);
}

/* Opens the crew; how many there are for it. */
static int open_crew(struct crew *crew) {
    const int places = crew->places;
    pthread_mutex_lock(&lock);
    asked += places;
    while (threads - busy < asked && threads < DAA_THREADS_MAX && start_thread())
        threads++;
    const int free_threads = threads - busy;
    crew->next = crews;
    crews = crew;
    for (int i = 0; i < places; i++)
        pthread_cond_signal(&opened);
    pthread_mutex_unlock(&lock);
    return free_threads < places ? free_threads : places;
}

int daa_run_threads(int wanted, void (*work)(void *argument), void *argument) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct crew crew = {.work = work, .argument = argument, .places = wanted - 1, .ended = PTHREAD_COND_INITIALIZER};
    int others = 0;
    if (wanted > 1) {
        pthread_once(&once, watch_forks);
        others = open_crew(&crew);
    }
    work(argument);
    if (wanted > 1) {
        pthread_mutex_lock(&lock);
        close_crew(&crew);
        pthread_mutex_unlock(&lock);
        wait_a_little(&crew.working, true);
        pthread_mutex_lock(&lock);
        while (crew.working)
            pthread_cond_wait(&crew.ended, &lock);
        pthread_mutex_unlock(&lock);
        pthread_cond_destroy(&crew.ended);
    }
    return 1 + others;
}

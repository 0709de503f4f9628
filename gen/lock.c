#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE /* flock */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../files/command.h"
#include "made.h"

/* DIRECTORY is still the one that FD was opened on. */
static bool is_same(int fd, const char *directory) {
    struct stat held, named;
    return fstat(fd, &held) == 0 && stat(directory, &named) == 0 && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}

void lock_take(const char *directory) {
    enum { TRIES = 250, PAUSE = 20000000 }; /* 5 s */
    for (int i = 0; i < TRIES; i++) {
        made_parents(directory);
        made_directory(directory);
        int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno != ENOENT)
            cannot_read(directory, errno);
        const bool locked = fd >= 0 && (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK);
        if (locked && is_same(fd, directory))
            return;
        close(fd);
        made_obey_signals();
        nanosleep(&(struct timespec){.tv_nsec = PAUSE}, NULL);
    }
    fail(EXIT_JOB, "another daagen is writing into '%.256s'; try again when it has ended", directory);
}

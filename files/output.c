#define _XOPEN_SOURCE 700
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names the signal handler removes: the pointers are set before the file is made and cleared after it is gone. */
static char *volatile unfinished[DAA_OUTPUTS_MAX];

static void remove_unfinished(int signal_number) {
    for (int i = 0; i < DAA_OUTPUTS_MAX; i++)
        if (unfinished[i])
            unlink(unfinished[i]);
    raise(signal_number); /* the default action, which SA_RESETHAND has restored, follows on return */
}

static void watch_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    static bool watching;
    if (watching)
        return;
    watching = true;
    signal(SIGXFSZ, SIG_IGN); /* past a size limit a write fails instead, and the error says so */
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction action = {.sa_flags = (int)SA_RESETHAND}, old;
        action.sa_handler = remove_unfinished;
        sigfillset(&action.sa_mask);
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(signals[i], &action, NULL);
    }
}

static bool fail(struct daa_error *error, const char *path, const char *why) {
    return daa_fail(error, "%.200s: cannot be written (%s); give a path that can", path, why);
}

static void forget(struct daa_output *output) {
    if (output->beside)
        unfinished[output->slot] = NULL;
    free(output->beside);
    free(output->place);
    *output = (struct daa_output){0};
}

static char *name_beside(const char *place) {
    size_t size = strlen(place) + 32;
    char *name = malloc(size);
    if (name)
        snprintf(name, size, "%s.%ld.tmp", place, (long)getpid());
    return name;
}

static bool open_beside(struct daa_output *output, mode_t mode, bool keep_mode) {
    int slot = 0;
    while (slot < DAA_OUTPUTS_MAX && unfinished[slot])
        slot++;
    if (slot == DAA_OUTPUTS_MAX) {
        errno = EMFILE;
        return false;
    }
    char *name = name_beside(output->place);
    if (!name)
        return false;
    watch_signals();
    output->beside = name;
    output->slot = slot;
    unfinished[slot] = name;
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (fd < 0)
        return false;
    if (keep_mode)
        (void)fchmod(fd, mode & 0777); /* a courtesy; another owner's file keeps our mode */
    output->file = fdopen(fd, "wb");
    if (!output->file) {
        close(fd);
        unlink(name);
        return false;
    }
    return true;
}

bool daa_output_open(struct daa_output *output, const char *path, struct daa_error *error) {
    *output = (struct daa_output){.path = path};
    struct stat info = {0};
    bool exists = stat(path, &info) == 0;
    if (exists && S_ISDIR(info.st_mode))
        return fail(error, path, "it is a directory");
    if (exists && access(path, W_OK) != 0)
        return fail(error, path, strerror(errno));
    output->place = exists ? realpath(path, NULL) : NULL;
    if (!output->place)
        output->place = strdup(path); /* new, or behind a link that has no name (a pipe at /dev/stdout) */
    if (!output->place)
        return fail(error, path, strerror(errno));
    bool opened;
    if (exists && !S_ISREG(info.st_mode)) {
        output->file = fopen(path, "wb");
        opened = output->file != NULL;
    } else {
        opened = open_beside(output, info.st_mode, exists);
    }
    if (!opened) {
        fail(error, path, strerror(errno));
        forget(output);
    }
    return opened;
}

bool daa_output_finish(struct daa_output *output, struct daa_error *error) {
    bool written = !ferror(output->file) && fflush(output->file) == 0;
    int why = errno;
    if (fclose(output->file) != 0 && written) {
        written = false;
        why = errno;
    }
    output->file = NULL;
    if (written)
        return true;
    fail(error, output->path, strerror(why));
    daa_output_abort(output);
    return false;
}

bool daa_output_commit(struct daa_output *output, struct daa_error *error) {
    if (output->file && !daa_output_finish(output, error))
        return false;
    if (output->beside && rename(output->beside, output->place) != 0) {
        fail(error, output->path, strerror(errno));
        daa_output_abort(output);
        return false;
    }
    forget(output);
    return true;
}

void daa_output_abort(struct daa_output *output) {
    if (!output->place)
        return;
    if (output->file)
        fclose(output->file);
    if (output->beside)
        unlink(output->beside);
    forget(output);
}

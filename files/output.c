#define _XOPEN_SOURCE 700
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signals.h"

/* Names that are removed at the end: the pointers are set before the file is made and cleared after it is gone. */
static char *volatile unfinished[DAA_OUTPUTS_MAX];
static volatile sig_atomic_t noted;
static bool note_first;

static void remove_unfinished(void) {
    for (int i = 0; i < DAA_OUTPUTS_MAX; i++)
        if (unfinished[i])
            unlink(unfinished[i]);
}

static void on_signal(int number) {
    if (note_first && !noted) {
        noted = number;
        return;
    }
    remove_unfinished();
    daa_signals_end(number);
}

static void watch(void) {
    static bool watching;
    if (watching)
        return;
    watching = true;
    atexit(remove_unfinished);
    signal(SIGXFSZ, SIG_IGN); /* past a size limit a write fails instead, and the error says so */
    daa_signals_catch(on_signal);
}

const volatile sig_atomic_t *daa_output_note_signal(void) {
    note_first = true;
    watch();
    return &noted;
}

void daa_output_obey_signal(void) {
    if (!noted)
        return;
    remove_unfinished();
    daa_signals_end(noted);
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

/* The directory that PATH's last part is in. */
static char *directory_of(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

char *daa_output_place(const char *path) {
    char *place = realpath(path, NULL);
    if (place || errno != ENOENT)
        return place;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (!*name) {
        errno = EISDIR;
        return NULL;
    }
    char *directory = directory_of(path), *real = directory ? realpath(directory, NULL) : NULL;
    const size_t size = real ? strlen(real) + strlen(name) + 2 : 0;
    place = real ? malloc(size) : NULL;
    if (place)
        snprintf(place, size, "%s/%s", real, name);
    free(directory);
    free(real);
    return place;
}

static int free_slot(void) {
    int slot = 0;
    while (slot < DAA_OUTPUTS_MAX && unfinished[slot])
        slot++;
    return slot;
}

/* The name is short, whatever the length of the file's own. Signals are held so that none falls between making the file
 * and remembering it. */
static int make_beside(struct daa_output *output) {
    char *directory = directory_of(output->place);
    const size_t size = directory ? strlen(directory) + sizeof "/.daa-tmp.XXXXXX" : 0;
    output->beside = directory ? malloc(size) : NULL;
    int fd = -1;
    if (output->beside) {
        snprintf(output->beside, size, "%s/.daa-tmp.XXXXXX", directory);
        daa_signals_hold();
        fd = mkstemp(output->beside);
        if (fd >= 0)
            unfinished[output->slot] = output->beside;
        daa_signals_release();
    }
    free(directory);
    return fd;
}

static bool open_beside(struct daa_output *output, mode_t mode) {
    watch();
    output->slot = free_slot();
    if (output->slot == DAA_OUTPUTS_MAX) {
        errno = EMFILE;
        return false;
    }
    const int fd = make_beside(output);
    if (fd < 0)
        return false;
    (void)fchmod(fd, mode & 0777); /* a courtesy */
    output->file = fdopen(fd, "wb");
    if (!output->file) {
        close(fd);
        unlink(output->beside);
    }
    return output->file != NULL;
}

/* What a new file's would be. */
static mode_t default_mode(void) {
    const mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static bool open_output(struct daa_output *output, const char *path, bool plain, struct daa_error *error) {
    *output = (struct daa_output){.path = path};
    struct stat info = {0};
    const bool exists = stat(path, &info) == 0;
    if (!exists && errno == ENOENT && lstat(path, &info) == 0)
        return fail(error, path, "it is a symbolic link to what is not there");
    if (exists && S_ISDIR(info.st_mode))
        return fail(error, path, "it is a directory");
    if (exists && plain && !S_ISREG(info.st_mode))
        return fail(error, path, "it is not a plain file");
    if (exists && access(path, W_OK) != 0)
        return fail(error, path, strerror(errno));
    output->place = daa_output_place(path);
    bool opened = output->place != NULL;
    if (opened && exists && !S_ISREG(info.st_mode)) {
        output->file = fopen(path, "wb");
        opened = output->file != NULL;
    } else if (opened) {
        opened = open_beside(output, exists ? info.st_mode : default_mode());
    }
    if (!opened) {
        fail(error, path, strerror(errno));
        forget(output);
    }
    return opened;
}

bool daa_output_open(struct daa_output *output, const char *path, struct daa_error *error) {
    return open_output(output, path, false, error);
}

bool daa_output_open_plain(struct daa_output *output, const char *path, struct daa_error *error) {
    return open_output(output, path, true, error);
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

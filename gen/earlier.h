/* What daagen has left in a directory before: by its manifest, or where a run was killed by the list in its work
 * directory. */
#ifndef DAAGEN_EARLIER_H
#define DAAGEN_EARLIER_H

#include <stdbool.h>

#include <jansson.h>

#include "files.h"

#define MANIFEST "daa.json"
#define WORK ".daagen" /* the work directory */

/* What is daagen's in DIRECTORY; fails where that is neither empty nor an earlier output. The caller frees the list. */
json_t *earlier_files(const char *directory, bool *killed);
/* Fails where something foreign stands at DIRECTORY/PATH, where a file or directory of ours goes. */
void earlier_check(json_t *earlier, const char *directory, const char *path);
/* Keeps the list in WORK, whole at any moment. */
void earlier_record(json_t *earlier, const char *directory);
/* Removes those modules and benches that FILES no longer has. */
void earlier_remove_stale(json_t *earlier, const char *directory, const struct files *files);

/* Is PATH already what FILE is to be? And all FILES? */
bool earlier_holds(const char *path, const struct file *file);
bool earlier_all_hold(const struct files *files, const char *directory);

#endif

/* daa.json: every option, what is derived from them, the latencies and the files. */
#ifndef DAAGEN_MANIFEST_H
#define DAAGEN_MANIFEST_H

#include "files.h"
#include "plan.h"

/* Allocated text; FILES are those besides daa.json. */
char *manifest_text(const struct daa_config *config, struct plan *plan, const struct files *files, size_t *length);

#endif

/* A configuration to the files of its emitted directory. */
#ifndef DAAGEN_EMIT_H
#define DAAGEN_EMIT_H

#include "files.h"
#include "plan.h"

/* Templates rendered, with daa.json last. */
void emit(const struct daa_config *config, struct plan *plan, struct files *files);

#endif

/* What a caller of daa_gemm_run() may have got wrong, for engine.c. */
#ifndef DAA_ENGINE_ARGUMENTS_H
#define DAA_ENGINE_ARGUMENTS_H

#include "engine.h"

/* Configuration, sizes, pointers, alignment, overlap. */
bool daa_check_arguments(const struct daa_gemm_args *args, struct daa_error *error);
/* Elements that the configuration refuses; the arguments have been checked. */
bool daa_check_data(const struct daa_gemm_args *args, struct daa_error *error);

#endif

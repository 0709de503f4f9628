/* The Verilated core with a face in C: its two ports, its clock, and its waves. */
#ifndef DAA_FACE_H
#define DAA_FACE_H

#include "axi.h"

#ifdef __cplusplus
extern "C" {
#endif

struct face;

/* The configuration the model was made for, as daagen's command line; whether it can write waves; and the directory of
 * the Makefile that made it. */
extern const char face_options[];
extern const bool face_traces;
extern const char face_root[];

/* TRACE: a file for FST waves, or NULL. NULL: out of memory. */
struct face *face_new(const char *trace);
void face_free(struct face *face);

/* The inputs; they are seen from face_eval() on. */
void face_reset(struct face *face, bool held);
void face_drive(struct face *face, const struct axi_memory *memory, const struct axil_processor *processor);
void face_eval(struct face *face);
/* The outputs, as of the last face_eval(). */
void face_sample(const struct face *face, struct axi_manager *manager, struct axil_registers *registers, bool *irq);
/* The rising edge. */
void face_tick(struct face *face);

#ifdef __cplusplus
}
#endif

#endif

/* The Verilated array with a face in C: its ports as words of packed bytes (pack.h), its clock, and its waves. */
#ifndef DAA_DUT_H
#define DAA_DUT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dut;

/* The configuration the model was made for, as daagen's command line; whether it can write waves; and the directory
 * of the Makefile that made it. */
extern const char dut_options[];
extern const bool dut_traces;
extern const char dut_root[];

/* TRACE: a file for FST waves, or NULL. The array is held in reset; NULL: out of memory. */
struct dut *dut_new(const char *trace);
/* Also closes the trace. */
void dut_free(struct dut *dut);
/* Resets the array and lets go; its own sweep comes in the cycles that follow. */
void dut_reset(struct dut *dut);

/* The inputs. Words are read at once and need not stay. */
void dut_set_a(struct dut *dut, const uint8_t *word, bool last, bool c0);
void dut_set_b(struct dut *dut, const uint8_t *word, bool last);
void dut_set_c0(struct dut *dut, const uint8_t *word, bool last);
void dut_set_valid(struct dut *dut, bool a, bool b, bool c0);
void dut_set_c_ready(struct dut *dut, bool ready);

/* Lets the outputs follow the inputs; only then are they read. */
void dut_eval(struct dut *dut);
bool dut_a_ready(const struct dut *dut);
bool dut_b_ready(const struct dut *dut);
bool dut_c0_ready(const struct dut *dut);
bool dut_c_valid(const struct dut *dut);
bool dut_c_last(const struct dut *dut);
const uint8_t *dut_c_word(const struct dut *dut);
bool dut_error(const struct dut *dut);

/* The rising edge. */
void dut_tick(struct dut *dut);
/* Rising edges since dut_new(). */
uint64_t dut_cycles(const struct dut *dut);

#ifdef __cplusplus
}
#endif

#endif

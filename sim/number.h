/* One number between its bits and its value, for the files of libdaa. */
#ifndef DAA_NUMBER_H
#define DAA_NUMBER_H

#include "daa.h"

/* The value that FORMAT gives BITS; a subnormal of a flush format is a zero. */
struct daa_number daa_number_read(struct daa_format format, uint32_t bits);

/* What rounding does below the smallest normal: round to a subnormal, or round as if the exponent had no end and then
 * make the result +0. */
enum daa_tiny { DAA_GRADUAL, DAA_FLUSH };

enum daa_event { DAA_EVENT_NONE, DAA_EVENT_OVERFLOW, DAA_EVENT_UNDERFLOW };

/* Rounds to nearest, ties to even; a flushed result is +0. A sig of 33 or more significant bits may carry a sticky bit
 * at its bottom. EVENT may be NULL; underflow is a result of gradual rounding below the smallest normal and not exact.
 */
uint32_t daa_number_write(struct daa_format format, enum daa_tiny tiny, struct daa_number number,
                          enum daa_event *event);

#endif

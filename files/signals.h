/* The signals that ask a program to end: SIGINT, SIGTERM, SIGHUP and SIGQUIT. One that was ignored from the start, as
 * under nohup, stays so. */
#ifndef DAA_SIGNALS_H
#define DAA_SIGNALS_H

#include <stdbool.h>

void daa_signals_catch(void (*handler)(int number));
/* Holds them back, for work that must not be cut off; whether one waits; and lets them come. */
void daa_signals_hold(void);
bool daa_signals_waiting(void);
void daa_signals_release(void);
/* Ends the program by signal NUMBER. */
void daa_signals_end(int number);

#endif

/* Threads that live between calls. */
#ifndef DAA_ENGINE_THREADS_H
#define DAA_ENGINE_THREADS_H

/* work(argument) on the calling thread and on up to WANTED - 1 others at the same time; returns when all of them have.
 * Who comes when the calling thread is done already is not waited for. Returns how many there were to share the work.
 */
int daa_run_threads(int wanted, void (*work)(void *argument), void *argument);

#endif

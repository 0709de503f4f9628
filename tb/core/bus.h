/* The Verilated core between a processor and a memory, a cycle at a time: registers read and written over AXI4-Lite,
 * the memory of memory.h, and the rules of rules.h watched in every cycle. */
#ifndef DAA_BUS_H
#define DAA_BUS_H

#include <signal.h>

#include "../../driver/daa_core.h"
#include "face.h"
#include "memory.h"
#include "rules.h"

struct bus_settings {
    struct memory_settings memory;
    unsigned outstanding;              /* of the core's configuration */
    const volatile sig_atomic_t *stop; /* nonzero: give up */
    void (*progress)(uint64_t cycles); /* called now and then; may be NULL */
    uint64_t patience;                 /* cycles without a transfer on the memory's side that a sound core may take */
};

struct bus;

/* TRACE: a file for FST waves, or NULL. NULL: out of memory. */
struct bus *bus_new(const struct bus_settings *settings, const char *trace);
void bus_free(struct bus *bus);

/* A hard reset: the core, and a memory without anything under way. */
void bus_reset(struct bus *bus);
/* COUNT cycles. False: the core broke a rule, or the caller asked to stop; bus_error() says what. It stays so. */
bool bus_run(struct bus *bus, uint64_t count);
/* Until the interrupt is there. False also where nothing moves any more. */
bool bus_until_interrupt(struct bus *bus);
/* For the driver: each access takes cycles. What it reads after a failure is 0. */
struct daa_core_registers bus_registers(struct bus *bus);

struct memory *bus_memory(struct bus *bus);
uint64_t bus_cycles(const struct bus *bus);
bool bus_interrupt(const struct bus *bus);
/* NULL: all is well. */
const char *bus_error(const struct bus *bus);
/* At the end of a run: every burst has its answer. */
bool bus_ended(struct bus *bus);

#endif

/* Two jobs on the core by its driver: C = A B, and then C = A B + C in place, of bf16 operands into float32.
 *
 * On a target, with the registers of the core at REGISTERS:
 *   cc -ffreestanding -DREGISTERS=0x40000000 core.c ../driver/daa_core.c
 * On the Verilated core of an emitted directory (a configuration of bf16, as `tiny`):
 *   make DIR=DIR DIR/example-core && DIR/example-core */
#include "../driver/daa_core.h"

enum { M = 2, N = 3, K = 4 };

/* bf16 is the upper half of a float32. */
static uint16_t a[M][K] = {{0x3f80, 0x4000, 0x4040, 0x4080}, {0xbf80, 0x3f00, 0x0000, 0x40c0}};
static uint16_t b[K][N] = {
    {0x3f80, 0x0000, 0x4000}, {0x4000, 0x3f80, 0xbf80}, {0x4040, 0x4000, 0x3f00}, {0x3f80, 0x3f80, 0x4040}};
static float c[M][N];

#ifdef REGISTERS
static uint32_t read32(void *context, uint32_t offset) {
    (void)context;
    return *(volatile uint32_t *)((uintptr_t)REGISTERS + offset);
}

static void write32(void *context, uint32_t offset, uint32_t value) {
    (void)context;
    *(volatile uint32_t *)((uintptr_t)REGISTERS + offset) = value;
}

static struct daa_core_registers find_registers(void) {
    const struct daa_core_registers registers = {read32, write32, 0};
    return registers;
}
#else
#include <stdio.h>

#include "../tb/core/bus.h"
#include "../tb/emitted.h"

/* A processor's bus, with these three arrays as memory. */
static struct daa_core_registers find_registers(void) {
    struct daa_config config;
    emitted_config(face_options, &config);
    const unsigned bytes = (unsigned)config.bus_bits / 8;
    const struct bus_settings settings = {
        .memory = {.bus_bytes = bytes, .latency = 10, .bandwidth = bytes},
        .outstanding = (unsigned)config.outstanding,
    };
    struct bus *bus = bus_new(&settings, NULL);
    bus_reset(bus);
    memory_map(bus_memory(bus), (uintptr_t)a, sizeof a, (uint8_t *)a, false);
    memory_map(bus_memory(bus), (uintptr_t)b, sizeof b, (uint8_t *)b, false);
    memory_map(bus_memory(bus), (uintptr_t)c, sizeof c, (uint8_t *)c, true);
    return bus_registers(bus);
}
#endif

static enum daa_core_result multiply(struct daa_core *core) {
    struct daa_core_job job = {.m = M, .n = N, .k = K, .batch = 1};
    uint32_t first, second;
    job.a = (struct daa_core_matrix){.address = (uintptr_t)a, .leading = sizeof a[0]};
    job.b = (struct daa_core_matrix){.address = (uintptr_t)b, .leading = sizeof b[0]};
    job.c = (struct daa_core_matrix){.address = (uintptr_t)c, .leading = sizeof c[0]};
    enum daa_core_result result = daa_core_submit(core, &job, &first);
    if (result)
        return result;
    job.c0 = job.c; /* the second one starts from what the first has left */
    job.has_c0 = true;
    result = daa_core_submit(core, &job, &second);
    return result ? result : daa_core_wait(core, second, 100000);
}

int main(void) {
    struct daa_core core;
    enum daa_core_result result = daa_core_open(&core, find_registers());
    if (!result)
        result = multiply(&core);
#ifndef REGISTERS
    printf("%s\n", daa_core_text(result));
    for (int row = 0; row < M; row++)
        printf("%g %g %g\n", c[row][0], c[row][1], c[row][2]);
#endif
    return result != DAA_CORE_OK;
}

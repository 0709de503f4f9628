/* Numbers to and from the bits of a port: number i lies at bit i * width, least significant byte first. */
#ifndef DAA_PACK_H
#define DAA_PACK_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of COUNT numbers of WIDTH bits (1..32); the bits above the last number are zero. */
size_t pack_bytes(size_t count, int width);
void pack(uint8_t *image, const uint32_t *numbers, size_t count, int width);
void unpack(uint32_t *numbers, const uint8_t *image, size_t count, int width);

#endif

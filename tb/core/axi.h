/* The signals of an AXI4 manager and of an AXI4-Lite subordinate in one cycle. */
#ifndef DAA_AXI_H
#define DAA_AXI_H

#include <stdbool.h>
#include <stdint.h>

enum { AXI_BYTES_MAX = 64, AXI_PAGE = 4096, AXI_INCR = 1 };
enum axi_response { AXI_OKAY = 0, AXI_SLVERR = 2, AXI_DECERR = 3 };

struct axi_address {
    bool valid;
    uint8_t id, len, size, burst; /* LEN + 1 beats of 2^SIZE bytes */
    uint64_t address;
};

/* What the manager drives, */
struct axi_manager {
    struct axi_address ar, aw;
    bool w_valid, w_last, r_ready, b_ready;
    uint64_t w_strobe;
    uint8_t w_data[AXI_BYTES_MAX];
};

/* and what the memory answers. */
struct axi_memory {
    bool ar_ready, aw_ready, w_ready, r_valid, r_last, b_valid;
    uint8_t r_id, r_response, b_id, b_response;
    uint8_t r_data[AXI_BYTES_MAX];
};

/* The registers' port: what the processor drives, */
struct axil_processor {
    bool aw_valid, w_valid, b_ready, ar_valid, r_ready;
    uint32_t aw_address, w_data, w_strobe, ar_address;
};

/* and what the registers answer. */
struct axil_registers {
    bool aw_ready, w_ready, b_valid, ar_ready, r_valid;
    uint32_t b_response, r_data, r_response;
};

#endif

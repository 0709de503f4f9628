// The C face (face.h) of the model that Verilator made of the core of one emitted directory. Whatever type Verilator
// gives a port (8, 16, 32, 64 bits or an array of 32), its memory is little-endian bytes.
#include "face.h"

#include <cstring>
#include <new>

#include "Vcore.h"
#include "daa_config.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif

const char face_options[] = DAA_OPTIONS;
const bool face_traces = VM_TRACE_FST;
const char face_root[] = DAA_ROOT;

struct face {
    VerilatedContext context;
    Vcore core{&context};
    uint64_t cycles = 0;
#if VM_TRACE_FST
    VerilatedFstC waves;
    bool tracing = false;
#endif
};

// Time is in units of half a cycle: even at the falling edge, odd at the rising one.
static void dump(struct face *face, uint64_t half) {
#if VM_TRACE_FST
    if (face->tracing)
        face->waves.dump(2 * face->cycles + half);
#else
    (void)face;
    (void)half;
#endif
}

struct face *face_new(const char *trace) {
    struct face *face = new (std::nothrow) struct face;
    if (!face)
        return nullptr;
#if VM_TRACE_FST
    if (trace) {
        face->context.traceEverOn(true);
        face->core.trace(&face->waves, 99);
        face->waves.open(trace);
        face->tracing = true;
    }
#else
    (void)trace;
#endif
    face->core.rst_ni = 0;
    return face;
}

void face_free(struct face *face) {
    if (!face)
        return;
    face->core.final();
#if VM_TRACE_FST
    if (face->tracing)
        face->waves.close();
#endif
    delete face;
}

void face_reset(struct face *face, bool held) {
    face->core.rst_ni = !held;
}

void face_drive(struct face *face, const struct axi_memory *memory, const struct axil_processor *processor) {
    Vcore &core = face->core;
    core.m_axi_arready = memory->ar_ready;
    core.m_axi_awready = memory->aw_ready;
    core.m_axi_wready = memory->w_ready;
    core.m_axi_rvalid = memory->r_valid;
    core.m_axi_rlast = memory->r_last;
    core.m_axi_rid = memory->r_id;
    core.m_axi_rresp = memory->r_response;
    std::memcpy(&core.m_axi_rdata, memory->r_data, sizeof core.m_axi_rdata);
    core.m_axi_bvalid = memory->b_valid;
    core.m_axi_bid = memory->b_id;
    core.m_axi_bresp = memory->b_response;
    core.s_axil_awvalid = processor->aw_valid;
    core.s_axil_awaddr = processor->aw_address;
    core.s_axil_wvalid = processor->w_valid;
    core.s_axil_wdata = processor->w_data;
    core.s_axil_wstrb = processor->w_strobe;
    core.s_axil_bready = processor->b_ready;
    core.s_axil_arvalid = processor->ar_valid;
    core.s_axil_araddr = processor->ar_address;
    core.s_axil_rready = processor->r_ready;
}

void face_eval(struct face *face) {
    face->core.clk_i = 0;
    face->core.eval();
    dump(face, 0);
}

void face_sample(const struct face *face, struct axi_manager *manager, struct axil_registers *registers, bool *irq) {
    const Vcore &core = face->core;
    manager->ar = {static_cast<bool>(core.m_axi_arvalid),
                   core.m_axi_arid,
                   core.m_axi_arlen,
                   core.m_axi_arsize,
                   core.m_axi_arburst,
                   core.m_axi_araddr};
    manager->aw = {static_cast<bool>(core.m_axi_awvalid),
                   core.m_axi_awid,
                   core.m_axi_awlen,
                   core.m_axi_awsize,
                   core.m_axi_awburst,
                   core.m_axi_awaddr};
    manager->w_valid = core.m_axi_wvalid;
    manager->w_last = core.m_axi_wlast;
    manager->w_strobe = 0;
    std::memcpy(&manager->w_strobe, &core.m_axi_wstrb, sizeof core.m_axi_wstrb);
    std::memcpy(manager->w_data, &core.m_axi_wdata, sizeof core.m_axi_wdata);
    manager->r_ready = core.m_axi_rready;
    manager->b_ready = core.m_axi_bready;
    registers->aw_ready = core.s_axil_awready;
    registers->w_ready = core.s_axil_wready;
    registers->b_valid = core.s_axil_bvalid;
    registers->b_response = core.s_axil_bresp;
    registers->ar_ready = core.s_axil_arready;
    registers->r_valid = core.s_axil_rvalid;
    registers->r_data = core.s_axil_rdata;
    registers->r_response = core.s_axil_rresp;
    *irq = core.irq_o;
}

void face_tick(struct face *face) {
    face->core.clk_i = 1;
    face->core.eval();
    dump(face, 1);
    face->cycles++;
}

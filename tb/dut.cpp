// The C face (dut.h) of the model that Verilator made of one emitted directory, whose daa_config.h says the widths.
// Whatever type Verilator gives a port (8, 16, 32, 64 bits or an array of 32), its memory is little-endian bytes.
#include "dut.h"

#include <cstring>
#include <new>

#include "Vdut.h"
#include "daa_config.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif

const char dut_options[] = DAA_OPTIONS;
const bool dut_traces = VM_TRACE_FST;
const char dut_root[] = DAA_ROOT;

struct dut {
    VerilatedContext context;
    Vdut array{&context};
    uint64_t cycles = 0;
#if VM_TRACE_FST
    VerilatedFstC waves;
    bool tracing = false;
#endif
};

// Time is in units of half a cycle: even at the falling edge, odd at the rising one.
static void dump(struct dut *dut, uint64_t half) {
#if VM_TRACE_FST
    if (dut->tracing)
        dut->waves.dump(2 * dut->cycles + half);
#else
    (void)dut;
    (void)half;
#endif
}

// The bytes Verilator keeps a port of BITS bits in.
static constexpr size_t room(size_t bits) {
    return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : bits <= 64 ? 8 : (bits + 31) / 32 * 4;
}

template <size_t Bits, typename Port> static void set(Port &port, const uint8_t *word) {
    static_assert(sizeof(Port) == room(Bits), "daa_config.h and the Verilog disagree on the width of a port");
    std::memcpy(&port, word, (Bits + 7) / 8);
}

struct dut *dut_new(const char *trace) {
    struct dut *dut = new (std::nothrow) struct dut;
    if (!dut)
        return nullptr;
#if VM_TRACE_FST
    if (trace) {
        dut->context.traceEverOn(true);
        dut->array.trace(&dut->waves, 99);
        dut->waves.open(trace);
        dut->tracing = true;
    }
#else
    (void)trace;
#endif
    dut->array.rst_ni = 0;
    return dut;
}

void dut_free(struct dut *dut) {
    if (!dut)
        return;
    dut->array.final();
#if VM_TRACE_FST
    if (dut->tracing)
        dut->waves.close();
#endif
    delete dut;
}

void dut_reset(struct dut *dut) {
    dut_set_valid(dut, false, false, false);
    dut_set_c_ready(dut, false);
    dut->array.rst_ni = 0;
    for (int i = 0; i < 2; i++) {
        dut_eval(dut);
        dut_tick(dut);
    }
    dut->array.rst_ni = 1;
}

void dut_set_a(struct dut *dut, const uint8_t *word, bool last, bool c0) {
    set<DAA_ROWS * DAA_STREAMS * DAA_A_WIDTH>(dut->array.a_data_i, word);
    dut->array.a_last_i = last;
    dut->array.a_c0_i = c0;
}

void dut_set_b(struct dut *dut, const uint8_t *word, bool last) {
    set<DAA_COLS * DAA_STREAMS * DAA_B_WIDTH>(dut->array.b_data_i, word);
    dut->array.b_last_i = last;
}

void dut_set_c0(struct dut *dut, const uint8_t *word, bool last) {
    set<DAA_COLS * DAA_ACC_WIDTH>(dut->array.c0_data_i, word);
    dut->array.c0_last_i = last;
}

void dut_set_valid(struct dut *dut, bool a, bool b, bool c0) {
    dut->array.a_valid_i = a;
    dut->array.b_valid_i = b;
    dut->array.c0_valid_i = c0;
}

void dut_set_c_ready(struct dut *dut, bool ready) {
    dut->array.c_ready_i = ready;
}

void dut_eval(struct dut *dut) {
    dut->array.clk_i = 0;
    dut->array.eval();
    dump(dut, 0);
}

bool dut_a_ready(const struct dut *dut) {
    return dut->array.a_ready_o;
}

bool dut_b_ready(const struct dut *dut) {
    return dut->array.b_ready_o;
}

bool dut_c0_ready(const struct dut *dut) {
    return dut->array.c0_ready_o;
}

bool dut_c_valid(const struct dut *dut) {
    return dut->array.c_valid_o;
}

bool dut_c_last(const struct dut *dut) {
    return dut->array.c_last_o;
}

const uint8_t *dut_c_word(const struct dut *dut) {
    static_assert(sizeof dut->array.c_data_o == room(DAA_COLS * DAA_OUT_WIDTH), "the width of c_data_o");
    return reinterpret_cast<const uint8_t *>(&dut->array.c_data_o);
}

bool dut_error(const struct dut *dut) {
    return dut->array.error_o;
}

void dut_tick(struct dut *dut) {
    dut->array.clk_i = 1;
    dut->array.eval();
    dump(dut, 1);
    dut->cycles++;
}

uint64_t dut_cycles(const struct dut *dut) {
    return dut->cycles;
}

// daa_regs under random AXI4-Lite masters: addresses and data in any order, responses taken late, jobs taken and ended
// at random, soft resets. A model of each register, in step with the clock, says what every read and every output must
// be.
//   check_regs SEED CYCLES
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <vector>

#include "Vregs.h"
#include "daa_registers.h"
#include "settings.h" // QUEUE, BEAT_BYTES, MACS_MOST, CONSTANTS {{offset, value}, ...}
#include "verilated.h"

static uint64_t state;

static uint64_t draw() { // SplitMix64
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
static uint32_t below(uint32_t end) {
    return (uint32_t)((draw() >> 32) * end >> 32);
}
static bool chance(int percent) {
    return (int)below(100) < percent;
}

static uint64_t cycle;
static int writes, reads, jobs, resets, refused;

static void expect(bool good, const char *what) {
    if (good)
        return;
    printf("cycle %llu: %s\n", (unsigned long long)cycle, what);
    exit(1);
}

static const struct { uint32_t offset, value; } constants[] = CONSTANTS;

// A job's registers from A_LO on, and the bits that each of them has.
enum { FIRST = DAA_REG_A_LO / 4, FIELDS = (DAA_REG_START - DAA_REG_A_LO) / 4 };
static const int width[FIELDS] = {32, 32, 32, 32, 32, 32, 32, 32, 24, 24, 24,
                                  32, 32, 32, 32, 24, 32, 32, 32, 32, 7,  16};

enum { IN_CORE = 8 }; // jobs that a core takes before the first has ended

struct Job {
    uint32_t word[FIELDS] = {};
    bool operator==(const Job &other) const {
        return memcmp(word, other.word, sizeof word) == 0;
    }
};

struct Access {
    uint32_t address, data;
    uint8_t strobe;
};

enum {
    CYCLES,
    BUSY,
    WAIT_A,
    WAIT_B,
    WAIT_C,
    MACS,
    READ_BYTES,
    WRITE_BYTES,
    READ_BURSTS,
    WRITE_BURSTS,
    STEPS,
    COUNTERS
};

struct Model {
    Job shadow;
    std::deque<Job> waiting;
    std::deque<uint32_t> running; // tags
    bool resetting = false, irq = false;
    uint32_t control = 0, pending = 0, error = 0, error_job = 0, done = 0, failed = 0, codes = 0;
    uint64_t count[COUNTERS] = {}, taken[COUNTERS] = {};

    unsigned left() const {
        return (unsigned)(waiting.size() + running.size());
    }

    bool read(uint32_t offset, uint32_t *value) const {
        *value = 0;
        for (const auto &constant : constants)
            if (constant.offset == offset) {
                *value = constant.value;
                return true;
            }
        if (offset >= DAA_REG_A_LO && offset < DAA_REG_START) {
            *value = shadow.word[offset / 4 - FIRST];
            return true;
        }
        if (offset >= DAA_REG_CYCLES_LO && offset <= DAA_REG_STEPS_HI) {
            const uint32_t at = (offset - DAA_REG_CYCLES_LO) / 4;
            *value = (uint32_t)(taken[at / 2] >> 32 * (at % 2));
            return true;
        }
        switch (offset) {
        case DAA_REG_STATUS:
            *value = (left() == 0 && !resetting) | (waiting.size() == QUEUE) << 1 | resetting << 2 |
                     (uint32_t)waiting.size() << 4 | left() << 8 | error << 16;
            return true;
        case DAA_REG_CONTROL:
            *value = control;
            return true;
        case DAA_REG_IRQ:
            *value = pending;
            return true;
        case DAA_REG_DONE:
            *value = done;
            return true;
        case DAA_REG_ERROR_JOB:
            *value = error_job;
            return true;
        case DAA_REG_FAILED:
            *value = failed;
            return true;
        case DAA_REG_CODES:
            *value = codes;
            return true;
        case DAA_REG_START:
        case DAA_REG_COUNT:
            return true;
        }
        return false;
    }

    static bool writable(uint32_t offset) {
        return (offset >= DAA_REG_A_LO && offset <= DAA_REG_START) || offset == DAA_REG_CONTROL ||
               offset == DAA_REG_IRQ || offset == DAA_REG_COUNT;
    }
};

static void put(std::vector<bool> &bits, uint32_t word, int count) {
    for (int i = 0; i < count; i++)
        bits.push_back(word >> i & 1);
}

static bool same(const Job &job, const WData *data) {
    std::vector<bool> bits;
    for (int i = 0; i < FIELDS; i++)
        put(bits, job.word[i], width[i]);
    for (size_t i = 0; i < bits.size(); i++)
        if ((data[i / 32] >> i % 32 & 1) != bits[i])
            return false;
    return true;
}

// What the core does in a cycle.
struct Core {
    bool take, done, soft_idle;
    uint32_t code, tag, add[COUNTERS];
    explicit Core(const Vregs &d)
        : take(d.job_valid_o && d.job_ready_i), done(d.done_i), soft_idle(d.soft_idle_i), code(d.done_code_i),
          tag(d.done_tag_i), add{1,
                                 d.count_busy_i,
                                 d.count_wait_a_i,
                                 d.count_wait_b_i,
                                 d.count_wait_c_i,
                                 d.count_macs_i,
                                 d.count_read_beat_i ? BEAT_BYTES : 0u,
                                 d.count_write_bytes_i,
                                 d.count_read_burst_i,
                                 d.count_write_burst_i,
                                 d.count_steps_i} {}
};

// One cycle of the model, in which WRITE takes effect.
static void step(Model &m, const Access *write, const Core &core) {
    const bool was_full = m.waiting.size() == QUEUE, was_resetting = m.resetting;
    const bool end = core.done && !was_resetting;
    const uint32_t mask = !write ? 0
                                 : (write->strobe & 1 ? 0xffu : 0) | (write->strobe & 2 ? 0xff00u : 0) |
                                       (write->strobe & 4 ? 0xff0000u : 0) | (write->strobe & 8 ? 0xff000000u : 0);
    const uint32_t offset = write ? write->address & ~3u : 0, ones = write ? write->data & mask : 0;
    m.irq = ((m.pending & 1) && (m.control & 2)) || ((m.pending & 6) && (m.control & 4));
    const uint32_t before = m.pending;
    if (core.take) {
        m.running.push_back(m.waiting.front().word[FIELDS - 1]);
        m.waiting.pop_front();
    }
    if (write && offset == DAA_REG_IRQ) {
        m.pending &= ~(ones & 7);
        if (before & ones & 2)
            m.error = m.error_job = 0;
    }
    if (write && offset == DAA_REG_START && (ones & 1)) {
        if (was_full || was_resetting) {
            m.pending |= 4;
            refused++;
        } else {
            m.waiting.push_back(m.shadow);
        }
    }
    if (end) {
        m.running.pop_front();
        m.pending |= 1;
        m.done++;
        m.codes = m.codes << 4 | core.code;
        if (core.code) {
            if (!(m.pending & 2)) {
                m.error = core.code;
                m.error_job = core.tag;
            }
            m.pending |= 2;
            m.failed++;
        }
    }
    if (write && offset >= DAA_REG_A_LO && offset < DAA_REG_START) {
        const int field = (int)(offset / 4 - FIRST);
        const uint32_t has = (uint32_t)((1ull << width[field]) - 1);
        m.shadow.word[field] = ((m.shadow.word[field] & ~mask) | ones) & has;
    }
    if (write && offset == DAA_REG_COUNT && (ones & 1))
        memcpy(m.taken, m.count, sizeof m.taken);
    if (was_resetting ? !core.soft_idle : write && offset == DAA_REG_CONTROL && (ones & 1))
        m.resetting = true;
    else
        m.resetting = false;
    if (write && offset == DAA_REG_CONTROL)
        m.control = ((m.control & ~mask) | ones) & 6;
    if (was_resetting) {
        m.waiting.clear();
        m.running.clear();
    }
    for (int i = 0; i < COUNTERS; i++)
        m.count[i] += core.add[i];
}

struct Outputs {
    uint32_t word[10];
    explicit Outputs(const Vregs &d)
        : word{d.axil_awready_o,
               d.axil_wready_o,
               d.axil_bvalid_o,
               d.axil_bvalid_o ? d.axil_bresp_o : 0u,
               d.axil_arready_o,
               d.axil_rvalid_o,
               d.axil_rvalid_o ? d.axil_rdata_o : 0u,
               d.irq_o,
               d.job_valid_o,
               d.soft_reset_o} {}
    bool operator==(const Outputs &other) const {
        return memcmp(word, other.word, sizeof word) == 0;
    }
};

// How busy everybody is; drawn anew now and then.
struct Mood {
    int address, data, response, read, take, job_ready, end, starts;
};

static Access random_access(const Mood &mood) {
    static const uint32_t often[] = {DAA_REG_IRQ,       DAA_REG_STATUS, DAA_REG_COUNT, DAA_REG_DONE,
                                     DAA_REG_ERROR_JOB, DAA_REG_FAILED, DAA_REG_CODES};
    Access access = {4 * below(1024) + below(4), (uint32_t)draw(), (uint8_t)(chance(70) ? 15 : below(16))};
    if (chance(mood.starts))
        access = {DAA_REG_START, 1, (uint8_t)(chance(95) ? 1 : 14)};
    else if (chance(2))
        access.address = DAA_REG_CONTROL, access.data &= chance(40) ? 7 : 6;
    else if (chance(60))
        access.address = DAA_REG_A_LO + 4 * below(FIELDS);
    else if (chance(60))
        access.address = often[below(sizeof often / sizeof *often)];
    else if (chance(60))
        access.address = 4 * below(96) + below(4);
    return access;
}

static void clock_low(Vregs &dut) {
    dut.clk_i = 0;
    dut.eval();
}

static void clock_high(Vregs &dut) {
    dut.clk_i = 1;
    dut.eval();
    cycle++;
}

// An offer on a channel: what is offered stays until it is taken.
static bool offer(bool already, bool some, int percent) {
    return already || (some && chance(percent));
}

static void core_inputs(Vregs &dut, const Model &m, const Mood &mood) {
    dut.job_ready_i = m.running.size() < IN_CORE && chance(mood.job_ready);
    dut.done_i = m.resetting ? chance(10) : !m.running.empty() && chance(mood.end);
    dut.done_code_i = chance(30) ? below(7) : 0;
    dut.done_tag_i = (uint16_t)(m.running.empty() ? 7 : m.running.front());
    static int quiet;
    quiet = dut.soft_reset_o ? quiet + 1 : 0;
    dut.soft_idle_i = quiet > 1 && chance(20);
    const uint32_t bits = (uint32_t)draw();
    dut.count_busy_i = bits & 1;
    dut.count_wait_a_i = bits >> 1 & 1;
    dut.count_wait_b_i = bits >> 2 & 1;
    dut.count_wait_c_i = bits >> 3 & 1;
    dut.count_steps_i = bits >> 4 & 1;
    dut.count_read_beat_i = bits >> 5 & 1;
    dut.count_read_burst_i = bits >> 6 & 1;
    dut.count_write_burst_i = bits >> 7 & 1;
    dut.count_write_bytes_i = (uint8_t)below(65);
    dut.count_macs_i = below(MACS_MOST + 1);
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    state = strtoull(argv[1], nullptr, 10);
    const uint64_t cycles = strtoull(argv[2], nullptr, 10);
    VerilatedContext context;
    Vregs dut{&context};
    Model m;
    Mood mood = {50, 50, 50, 50, 50, 50, 50, 20};
    std::deque<Access> addresses, data, to_address, to_data; // taken and not answered; not taken
    std::deque<uint32_t> reading;
    bool aw = false, w = false, ar = false;
    uint32_t read_at = 0;
    unsigned late = 0;
    dut.rst_ni = 0;
    for (int i = 0; i < 3; i++) {
        clock_low(dut);
        clock_high(dut);
    }
    dut.rst_ni = 1;
    clock_low(dut);
    while (cycle < cycles) {
        if (chance(1))
            mood = {1 + (int)below(100), 1 + (int)below(100), 1 + (int)below(100), 1 + (int)below(100),
                    1 + (int)below(100), (int)below(100),     (int)below(60),      (int)below(60)};
        if (to_address.size() < 3 && to_data.size() < 3) {
            const Access access = random_access(mood);
            to_address.push_back(access);
            to_data.push_back(access);
        }
        aw = offer(aw, !to_address.empty(), mood.address);
        w = offer(w, !to_data.empty(), mood.data);
        if (!ar && chance(mood.read)) {
            ar = true;
            read_at = random_access(mood).address;
        }
        clock_low(dut);
        const Outputs first(dut);
        // The outputs are registers: whatever the inputs do in a cycle, they stay.
        dut.axil_awaddr_i = to_address.empty() ? 0 : to_address.front().address;
        dut.axil_awvalid_i = aw;
        dut.axil_wdata_i = to_data.empty() ? 0 : to_data.front().data;
        dut.axil_wstrb_i = to_data.empty() ? 0 : to_data.front().strobe;
        dut.axil_wvalid_i = w;
        dut.axil_bready_i = chance(mood.response);
        dut.axil_araddr_i = read_at;
        dut.axil_arvalid_i = ar;
        dut.axil_rready_i = chance(mood.take);
        core_inputs(dut, m, mood);
        clock_low(dut);
        expect(first == Outputs(dut), "an output follows an input within the cycle");

        expect(dut.irq_o == m.irq, "irq_o");
        expect(dut.soft_reset_o == m.resetting, "soft_reset_o");
        expect(!dut.job_valid_o || (!m.waiting.empty() && same(m.waiting.front(), &dut.job_data_o[0])),
               "job_data_o is not the oldest job that waits");
        late = dut.job_valid_o || m.waiting.empty() || m.resetting ? 0 : late + 1;
        expect(late < 3, "a job waits and is not offered");

        const bool b_was = dut.axil_bvalid_o, r_was = dut.axil_rvalid_o;
        const bool b_taken = b_was && dut.axil_bready_i, r_taken = r_was && dut.axil_rready_i;
        if (dut.axil_awvalid_i && dut.axil_awready_o) {
            addresses.push_back(to_address.front());
            to_address.pop_front();
            aw = false;
        }
        if (dut.axil_wvalid_i && dut.axil_wready_o) {
            data.push_back(to_data.front());
            to_data.pop_front();
            w = false;
        }
        const bool ar_taken = dut.axil_arvalid_i && dut.axil_arready_o;
        if (dut.job_valid_o && dut.job_ready_i)
            jobs++;
        const Core core(dut);
        const uint32_t b_resp = dut.axil_bresp_o, r_data = dut.axil_rdata_o, r_resp = dut.axil_rresp_o;
        clock_high(dut);

        // A response that comes up shows that its access took place in this cycle.
        const bool wrote = !b_was && dut.axil_bvalid_o, did_read = !r_was && dut.axil_rvalid_o;
        expect(!b_was || b_taken || (dut.axil_bvalid_o && dut.axil_bresp_o == b_resp), "a write's response changed");
        expect(!b_taken || !dut.axil_bvalid_o, "a write's response came twice");
        expect(!r_was || r_taken || (dut.axil_rvalid_o && dut.axil_rdata_o == r_data && dut.axil_rresp_o == r_resp),
               "a read's response changed");
        expect(!r_taken || !dut.axil_rvalid_o, "a read's response came twice");
        Access write = {};
        if (wrote) {
            expect(!addresses.empty() && !data.empty(), "a response without a write");
            write = addresses.front();
            write.data = data.front().data;
            write.strobe = data.front().strobe;
            addresses.pop_front();
            data.pop_front();
            expect(dut.axil_bresp_o == (Model::writable(write.address & ~3u) ? 0 : 2), "bresp");
            writes++;
        }
        if (did_read) {
            uint32_t want;
            expect(!reading.empty(), "a response without a read");
            const bool known = m.read(reading.front() & ~3u, &want);
            if (dut.axil_rdata_o != want)
                printf("read of 0x%03x: got 0x%08x, want 0x%08x\n", reading.front(), dut.axil_rdata_o, want);
            expect(dut.axil_rdata_o == want, "rdata");
            expect(dut.axil_rresp_o == (known ? 0 : 2), "rresp");
            reading.pop_front();
            reads++;
        }
        if (ar_taken) {
            reading.push_back(read_at);
            ar = false;
        }
        const bool was = m.resetting;
        step(m, wrote ? &write : nullptr, core);
        resets += !was && m.resetting;
        expect(addresses.size() < 3 && data.size() < 3 && reading.size() < 3, "more was taken than there is room for");
    }
    dut.final();
    expect(writes > 100 && reads > 100 && jobs > 20 && resets > 3 && refused > 3, "too little has happened");
    printf("%d writes, %d reads, %d jobs, %d refused, %d soft resets: all right (seed %s)\n", writes, reads, jobs,
           refused, resets, argv[1]);
    return 0;
}

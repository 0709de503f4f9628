#include "memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { RANGES_MAX = 16, BURSTS_MAX = 256, BEATS_MAX = 4096, PART = 1 << 16 };

struct range {
    uint64_t address;
    size_t size;
    uint8_t *data;
    bool writable;
};

/* A burst that was asked for and not answered. */
struct burst {
    struct axi_address at;
    unsigned beat; /* the next one */
    uint64_t due;  /* the first cycle in which it may be answered */
    uint8_t response;
};

struct beat {
    uint8_t data[AXI_BYTES_MAX];
    uint64_t strobe;
    bool last;
};

struct bursts {
    struct burst burst[BURSTS_MAX];
    size_t count;
};

struct memory {
    struct memory_settings settings;
    struct range range[RANGES_MAX], broken;
    size_t ranges;
    struct bursts reads, writes, answers; /* answers: writes whose data are all there */
    struct beat *beats;                   /* data that came before their address: a ring */
    size_t beat_first, beat_count;
    uint64_t cycle, random, threshold, write_threshold; /* of draw(): below it a channel does nothing */
    uint32_t rate, read_credit, write_credit;           /* bytes a cycle, and bytes that may pass, in parts of 1/PART */
    struct axi_memory answer;
    struct memory_counts counts;
};

/* SplitMix64. */
static uint64_t draw(struct memory *memory) {
    uint64_t z = memory->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static bool stalls(struct memory *memory, uint64_t threshold) {
    return threshold && draw(memory) >> 32 < threshold;
}

struct memory *memory_new(const struct memory_settings *settings) {
    struct memory *memory = calloc(1, sizeof *memory);
    if (!memory)
        return NULL;
    memory->beats = calloc(BEATS_MAX, sizeof *memory->beats);
    if (!memory->beats) {
        free(memory);
        return NULL;
    }
    memory->settings = *settings;
    memory->random = settings->seed;
    const double write_stall = settings->write_stall > settings->stall ? settings->write_stall : settings->stall;
    memory->threshold = (uint64_t)(settings->stall * 4294967296.0);
    memory->write_threshold = (uint64_t)(write_stall * 4294967296.0);
    memory->rate = (uint32_t)(settings->bandwidth * PART);
    return memory;
}

void memory_free(struct memory *memory) {
    if (memory)
        free(memory->beats);
    free(memory);
}

bool memory_map(struct memory *memory, uint64_t address, size_t size, uint8_t *data, bool writable) {
    if (memory->ranges == RANGES_MAX)
        return false;
    memory->range[memory->ranges++] = (struct range){address, size, data, writable};
    return true;
}

void memory_unmap(struct memory *memory) {
    memory->ranges = 0;
}

void memory_break(struct memory *memory, uint64_t address, size_t size) {
    memory->broken = (struct range){.address = address, .size = size};
}

const struct axi_memory *memory_answer(const struct memory *memory) {
    return &memory->answer;
}

void memory_reset(struct memory *memory) {
    memory->reads.count = memory->writes.count = memory->answers.count = memory->beat_count = 0;
    memory->answer = (struct axi_memory){0};
}

bool memory_idle(const struct memory *memory) {
    return memory->reads.count + memory->writes.count + memory->answers.count + memory->beat_count == 0 &&
           !memory->answer.r_valid && !memory->answer.b_valid;
}

const struct memory_counts *memory_counts(const struct memory *memory) {
    return &memory->counts;
}

/* ---- bytes ---- */

static bool is_in(const struct range *range, uint64_t address) {
    return address - range->address < range->size;
}

static const struct range *find(const struct memory *memory, uint64_t address) {
    for (size_t i = 0; i < memory->ranges; i++)
        if (is_in(&memory->range[i], address))
            return &memory->range[i];
    return NULL;
}

/* The aligned word of a burst's next beat. */
static uint64_t word_of(const struct memory *memory, const struct burst *burst) {
    const uint64_t bytes = memory->settings.bus_bytes;
    return burst->at.address / bytes * bytes + burst->beat * bytes;
}

static uint8_t read_word(struct memory *memory, uint64_t word, uint8_t *data) {
    bool there = false;
    for (unsigned i = 0; i < memory->settings.bus_bytes; i++) {
        const struct range *range = find(memory, word + i);
        there |= range != NULL;
        data[i] = range ? range->data[word + i - range->address] : (uint8_t)draw(memory);
        if (is_in(&memory->broken, word + i)) {
            data[i] = (uint8_t)draw(memory);
            return AXI_SLVERR;
        }
    }
    return there ? AXI_OKAY : AXI_DECERR;
}

static bool write_byte(struct memory *memory, uint64_t address, uint8_t byte, uint8_t *response,
                       struct daa_error *error) {
    const struct range *range = find(memory, address);
    if (is_in(&memory->broken, address)) {
        *response = AXI_SLVERR;
    } else if (!range) {
        *response = AXI_DECERR;
    } else if (!range->writable) {
        return daa_fail(error, "the core writes to address 0x%" PRIx64 ", where none of its results are", address);
    } else {
        range->data[address - range->address] = byte;
    }
    memory->counts.write_bytes++;
    return true;
}

static bool write_word(struct memory *memory, struct burst *burst, const struct beat *beat, struct daa_error *error) {
    const uint64_t word = word_of(memory, burst);
    for (unsigned i = 0; i < memory->settings.bus_bytes; i++)
        if (beat->strobe >> i & 1 && !write_byte(memory, word + i, beat->data[i], &burst->response, error))
            return false;
    return true;
}

/* ---- queues ---- */

static void drop(struct bursts *bursts, size_t index) {
    bursts->count--;
    memmove(&bursts->burst[index], &bursts->burst[index + 1], (bursts->count - index) * sizeof *bursts->burst);
}

static void ask(struct memory *memory, struct bursts *bursts, const struct axi_address *at) {
    bursts->burst[bursts->count++] = (struct burst){.at = *at, .due = memory->cycle + memory->settings.latency};
}

/* Which burst is answered next; COUNT: none. With reordering any that is the oldest of its ID. */
static size_t choose(struct memory *memory, const struct bursts *bursts) {
    size_t ready[BURSTS_MAX], count = 0;
    uint64_t seen[4] = {0}; /* IDs of older bursts */
    for (size_t i = 0; i < bursts->count && (memory->settings.reorder || i == 0); i++) {
        const uint8_t id = bursts->burst[i].at.id;
        if (!(seen[id / 64] >> id % 64 & 1) && bursts->burst[i].due <= memory->cycle)
            ready[count++] = i;
        seen[id / 64] |= (uint64_t)1 << id % 64;
    }
    return count == 0 ? bursts->count : count == 1 ? ready[0] : ready[draw(memory) % count];
}

/* ---- the edge ---- */

static void take_addresses(struct memory *memory, const struct axi_manager *manager) {
    if (memory->answer.ar_ready && manager->ar.valid) {
        ask(memory, &memory->reads, &manager->ar);
        memory->counts.read_bursts++;
    }
    if (memory->answer.aw_ready && manager->aw.valid) {
        ask(memory, &memory->writes, &manager->aw);
        memory->counts.write_bursts++;
    }
}

static void take_data(struct memory *memory, const struct axi_manager *manager) {
    if (!memory->answer.w_ready || !manager->w_valid)
        return;
    struct beat *beat = &memory->beats[(memory->beat_first + memory->beat_count++) % BEATS_MAX];
    memcpy(beat->data, manager->w_data, sizeof beat->data);
    beat->strobe = manager->w_strobe;
    beat->last = manager->w_last;
}

/* Data meet their addresses. */
static bool write_beats(struct memory *memory, struct daa_error *error) {
    while (memory->beat_count > 0 && memory->writes.count > 0) {
        struct burst *burst = &memory->writes.burst[0];
        const struct beat *beat = &memory->beats[memory->beat_first];
        if (beat->last != (burst->beat == burst->at.len))
            return daa_fail(error, "m_axi_wlast is not on a burst's last beat and there alone");
        if (!write_word(memory, burst, beat, error))
            return false;
        memory->beat_first = (memory->beat_first + 1) % BEATS_MAX;
        memory->beat_count--;
        if (burst->beat++ < burst->at.len)
            continue;
        burst->due = memory->cycle + memory->settings.latency;
        memory->answers.burst[memory->answers.count++] = *burst;
        drop(&memory->writes, 0);
    }
    return true;
}

static void end_answers(struct memory *memory, const struct axi_manager *manager) {
    struct axi_memory *answer = &memory->answer;
    if (answer->r_valid && manager->r_ready) {
        answer->r_valid = false;
        memory->counts.read_beats++;
    }
    if (answer->b_valid && manager->b_ready)
        answer->b_valid = false;
}

static bool may_pass(uint32_t *credit, uint32_t rate, uint32_t beat) {
    *credit = *credit + rate > beat ? beat : *credit + rate;
    return *credit >= beat;
}

static void offer_read(struct memory *memory) {
    struct axi_memory *answer = &memory->answer;
    const uint32_t beat = memory->settings.bus_bytes * PART;
    const bool room = may_pass(&memory->read_credit, memory->rate, beat);
    if (answer->r_valid || !room || stalls(memory, memory->threshold))
        return;
    const size_t chosen = choose(memory, &memory->reads);
    if (chosen == memory->reads.count)
        return;
    struct burst *burst = &memory->reads.burst[chosen];
    memory->read_credit -= beat;
    answer->r_valid = true;
    answer->r_id = burst->at.id;
    answer->r_response = read_word(memory, word_of(memory, burst), answer->r_data);
    answer->r_last = burst->beat == burst->at.len;
    if (burst->beat++ == burst->at.len)
        drop(&memory->reads, chosen);
}

static void offer_answer(struct memory *memory) {
    struct axi_memory *answer = &memory->answer;
    const bool none = answer->b_valid || stalls(memory, memory->write_threshold);
    const size_t chosen = none ? memory->answers.count : choose(memory, &memory->answers);
    if (chosen == memory->answers.count)
        return;
    answer->b_valid = true;
    answer->b_id = memory->answers.burst[chosen].at.id;
    answer->b_response = memory->answers.burst[chosen].response;
    drop(&memory->answers, chosen);
}

static void set_ready(struct memory *memory) {
    struct axi_memory *answer = &memory->answer;
    const uint32_t beat = memory->settings.bus_bytes * PART;
    const size_t writes = memory->writes.count + memory->answers.count;
    answer->ar_ready = memory->reads.count < BURSTS_MAX - 1 && !stalls(memory, memory->threshold);
    answer->aw_ready = writes < BURSTS_MAX - 1 && !stalls(memory, memory->write_threshold);
    answer->w_ready = may_pass(&memory->write_credit, memory->rate, beat) && memory->beat_count < BEATS_MAX &&
                      !stalls(memory, memory->write_threshold);
}

bool memory_edge(struct memory *memory, const struct axi_manager *manager, struct daa_error *error) {
    if (memory->answer.w_ready && manager->w_valid)
        memory->write_credit -= memory->settings.bus_bytes * PART;
    take_addresses(memory, manager);
    take_data(memory, manager);
    end_answers(memory, manager);
    if (!write_beats(memory, error))
        return false;
    memory->cycle++;
    offer_read(memory);
    offer_answer(memory);
    set_ready(memory);
    return true;
}

#include "rules.h"

#include <inttypes.h>
#include <string.h>

void rules_init(struct rules *rules, unsigned bus_bytes, unsigned outstanding) {
    memset(rules, 0, sizeof *rules);
    rules->bus_bytes = bus_bytes;
    rules->outstanding = outstanding;
}

static bool same_address(const struct axi_address *one, const struct axi_address *other) {
    return one->valid == other->valid && one->id == other->id && one->len == other->len && one->size == other->size &&
           one->burst == other->burst && one->address == other->address;
}

/* What was offered and not taken stays as it was. */
static bool check_stable(const struct rules *rules, const struct axi_manager *now, struct daa_error *error) {
    const struct axi_manager *before = &rules->before;
    if (rules->ar_waits && !same_address(&before->ar, &now->ar))
        return daa_fail(error, "m_axi_ar* changed before it was taken");
    if (rules->aw_waits && !same_address(&before->aw, &now->aw))
        return daa_fail(error, "m_axi_aw* changed before it was taken");
    if (!rules->w_waits)
        return true;
    bool same = now->w_valid && before->w_last == now->w_last && before->w_strobe == now->w_strobe;
    for (unsigned i = 0; same && i < rules->bus_bytes; i++)
        same = !(now->w_strobe >> i & 1) || before->w_data[i] == now->w_data[i];
    return same || daa_fail(error, "m_axi_w* changed before it was taken");
}

static bool check_burst(const struct rules *rules, const char *channel, const struct axi_address *at, unsigned ids,
                        struct daa_error *error) {
    const uint64_t word = at->address / rules->bus_bytes * rules->bus_bytes;
    if (at->burst != AXI_INCR)
        return daa_fail(error, "m_axi_%sburst is %u; it must be 1, INCR", channel, at->burst);
    if (1u << at->size != rules->bus_bytes)
        return daa_fail(error, "m_axi_%ssize is %u; it must say %u bytes", channel, at->size, rules->bus_bytes);
    if (at->id >= ids)
        return daa_fail(error, "m_axi_%sid is %u; it must be less than %u", channel, at->id, ids);
    if (word % AXI_PAGE + (at->len + 1u) * rules->bus_bytes > AXI_PAGE)
        return daa_fail(error, "a burst of %u beats at 0x%" PRIx64 " (%s) crosses a border of 4 KB", at->len + 1u,
                        at->address, channel);
    return true;
}

static bool take_read(struct rules *rules, const struct axi_address *ar, struct daa_error *error) {
    if (!check_burst(rules, "ar", ar, RULES_IDS, error))
        return false;
    if (++rules->reads[ar->id] > rules->outstanding)
        return daa_fail(error, "%u read bursts of ID %u are in flight; outstanding is %u", rules->reads[ar->id], ar->id,
                        rules->outstanding);
    return true;
}

/* The lanes of a beat that its burst covers. */
static uint64_t lanes(const struct rules *rules, const struct axi_address *at, unsigned beat) {
    const uint64_t all = rules->bus_bytes == 64 ? UINT64_MAX : ((uint64_t)1 << rules->bus_bytes) - 1;
    return beat == 0 ? all & (UINT64_MAX << at->address % rules->bus_bytes) : all;
}

static bool check_beat(const struct rules *rules, const struct axi_address *at, const struct rules_beat *beat,
                       struct daa_error *error) {
    if (beat->last != (rules->beat == at->len))
        return daa_fail(error, "m_axi_wlast is %d on beat %u of a burst of %u", beat->last, rules->beat + 1,
                        at->len + 1u);
    if (beat->strobe & ~lanes(rules, at, rules->beat))
        return daa_fail(error, "m_axi_wstrb is 0x%" PRIx64 " on a beat that has only lanes 0x%" PRIx64, beat->strobe,
                        lanes(rules, at, rules->beat));
    return true;
}

/* Data meet their addresses. */
static bool meet(struct rules *rules, struct daa_error *error) {
    for (; rules->met < rules->beats && rules->ended < rules->writes; rules->met++) {
        const struct rules_beat *beat = &rules->ahead[rules->met % RULES_RING];
        if (!check_beat(rules, &rules->open[rules->ended % RULES_RING], beat, error))
            return false;
        rules->beat = beat->last ? 0 : rules->beat + 1;
        rules->ended += beat->last;
    }
    return (rules->beats - rules->met < RULES_RING && rules->writes - rules->ended < RULES_RING) ||
           daa_fail(error, "addresses and data of writes are %d apart", RULES_RING);
}

static bool take_write(struct rules *rules, const struct axi_address *aw, struct daa_error *error) {
    rules->open[rules->writes++ % RULES_RING] = *aw;
    return check_burst(rules, "aw", aw, 1, error);
}

bool rules_watch(struct rules *rules, const struct axi_manager *now, const struct axi_memory *memory,
                 struct daa_error *error) {
    const bool ar = now->ar.valid && memory->ar_ready, aw = now->aw.valid && memory->aw_ready;
    const bool w = now->w_valid && memory->w_ready, r = now->r_ready && memory->r_valid;
    if (!check_stable(rules, now, error) || (ar && !take_read(rules, &now->ar, error)) ||
        (aw && !take_write(rules, &now->aw, error)))
        return false;
    if (w)
        rules->ahead[rules->beats++ % RULES_RING] = (struct rules_beat){now->w_strobe, now->w_last};
    if (!meet(rules, error))
        return false;
    if (r && memory->r_last)
        rules->reads[memory->r_id]--;
    if (now->b_ready && memory->b_valid)
        rules->answers++;
    rules->before = *now;
    rules->ar_waits = now->ar.valid && !memory->ar_ready;
    rules->aw_waits = now->aw.valid && !memory->aw_ready;
    rules->w_waits = now->w_valid && !memory->w_ready;
    return true;
}

bool rules_ended(const struct rules *rules, struct daa_error *error) {
    for (unsigned id = 0; id < RULES_IDS; id++)
        if (rules->reads[id])
            return daa_fail(error, "%u read bursts of ID %u were not taken to their end", rules->reads[id], id);
    if (rules->writes != rules->ended || rules->writes != rules->answers || rules->beats != rules->met || rules->beat)
        return daa_fail(error,
                        "%" PRIu64 " write bursts had an address, %" PRIu64 " all their data, %" PRIu64
                        " an answer that was taken",
                        rules->writes, rules->ended, rules->answers);
    if (rules->ar_waits || rules->aw_waits || rules->w_waits)
        return daa_fail(error, "an address or data are still on offer");
    return true;
}

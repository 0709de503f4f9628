#include "policy.h"

#include <assert.h>

const struct daa_policy_info *daa_policy_info(enum daa_policy policy) {
#define ROW(constant, name, hardware, keys, winner) [constant] = {name, hardware, keys, winner},
    static const struct daa_policy_info table[DAA_POLICY_COUNT] = {DAA_POLICIES(ROW)};
#undef ROW
    assert((unsigned)policy < DAA_POLICY_COUNT);
    return &table[policy];
}

/* Real numbers to and from raw bits. A double is taken apart as the bits it is. */
#include <string.h>

#include "daa.h"
#include "number.h"

static struct daa_number read_double(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t frac = bits & ((UINT64_C(1) << 52) - 1);
    int field = (int)(bits >> 52 & 2047);
    struct daa_number number = {.negative = bits >> 63, .kind = DAA_CLASS_FINITE};
    if (field == 2047) {
        number.kind = frac ? DAA_CLASS_NAN : DAA_CLASS_INF;
    } else if (field == 0 && frac == 0) {
        number.kind = DAA_CLASS_ZERO;
    } else {
        number.sig = field ? frac | UINT64_C(1) << 52 : frac;
        number.exp = (field ? field : 1) - 1075;
    }
    return number;
}

enum daa_rounded daa_from_double(struct daa_format format, double value, uint32_t *bits) {
    struct daa_number number = read_double(value);
    if (number.kind == DAA_CLASS_NAN && format.encoding == DAA_FINITE)
        return DAA_NO_NAN;
    enum daa_event event;
    *bits = daa_number_write(format, DAA_GRADUAL, number, &event);
    if (event == DAA_EVENT_OVERFLOW || (number.kind == DAA_CLASS_INF && format.encoding != DAA_IEEE))
        return DAA_OVERFLOWED;
    bool lost = number.kind == DAA_CLASS_FINITE && daa_number_read(format, *bits).kind == DAA_CLASS_ZERO;
    return lost || event == DAA_EVENT_UNDERFLOW ? DAA_UNDERFLOWED : DAA_EXACT_OR_ROUNDED;
}

double daa_to_double(struct daa_format format, uint32_t bits) {
    struct daa_number number = daa_number_read(format, bits);
    uint64_t word = (uint64_t)number.negative << 63;
    if (number.kind == DAA_CLASS_NAN)
        word = UINT64_C(0x7ff8) << 48;
    if (number.kind == DAA_CLASS_INF)
        word |= UINT64_C(0x7ff) << 52;
    if (number.kind == DAA_CLASS_FINITE) { /* never subnormal as a double: no format reaches that far down */
        int top = 63 - __builtin_clzll(number.sig);
        word |= (uint64_t)(number.exp + top + 1023) << 52;
        word |= number.sig << (52 - top) & ((UINT64_C(1) << 52) - 1);
    }
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}

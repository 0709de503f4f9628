/* C = A B + C0 by docs/contract.md on a GPU, for one configuration, which macros say (python/daa/_gpu.py, where each
 * has its meaning beside it). nvcc, NVRTC and, with tests/gpu/emulate.h before it, g++ compile it; it includes nothing.
 *
 * A block computes a tile of C and goes down K in stages. Of each stage its threads fetch the operands, round them and
 * lay out in shared memory what a step needs of them: the values, their low values, exponents as halves (fp16, two
 * columns a word). A thread then computes its part of the tile step by step, in floats, where a step's sum is exact.
 * Stages whose exponents leave the range in which that holds, or with Inf or NaN, take the exact path: doubles, one
 * result at a time. With GROUPS > 1, for few results and a long K, each group of threads computes the sums of one step
 * of a stage, and as many threads as there are results then add them up in the order of K. */

typedef unsigned u32;
typedef unsigned short u16;
typedef unsigned long long u64;

/* ---- what is to be computed ---- */

enum { FLOAT32, BF16, FP16 };                        /* A_TYPE, B_TYPE: of elements in memory */
enum { IEEE, FN, FINITE };                           /* encodings of formats */
enum { LARGEST, PRODUCT, FIRST, TURN, EVERY, NONE }; /* WINNER: largest key, largest product, ... */
enum { EXACT, SINGLE, PAIR, MANY, FIXED };           /* FORM: of a step's sum; EXACT: no floats, all stages are exact */

/* Steps are in bytes: from a row of A, or column of B, to the next (lane), along K, from a matrix to the next. */
struct Matrix {
    const char *data;
    long long lane, batch;
    int k;
    int vector; /* may fours of elements be read at once? */
};

struct Problem {
    Matrix a, b;
    const float *c0; /* or NULL */
    long long c0_row, c0_col, c0_batch;
    float *c;
    int m, n, k;
    u64 *counts; /* by fate, then stream: high, low, zero, dropped, special */
};

constexpr int S = STREAMS, STEPS = BK / S;
constexpr bool KEYS = FORM == MANY || FORM == FIXED, LOWS = FORM == PAIR || FORM == MANY;
constexpr int TEAM = BM * BN / (TM * TN), THREADS = GROUPS * TEAM, OUTPUTS = GROUPS == 1 ? TM * TN : BM * BN / THREADS;
static_assert(TM % 4 == 0 && TN % 4 == 0 && BK % S == 0 && THREADS % 32 == 0, "tile");
static_assert(GROUPS == 1 || (STEPS == GROUPS && BM * BN % THREADS == 0 && FORM != EXACT), "groups");

/* What is laid out of a step: S values of each row, S words more where the sum takes other values than these, and words
 * of halves; then the same of columns, but two columns' halves a word. */
constexpr int USED = FORM == EXACT || FORM == SINGLE || (FORM == FIXED && WINNER == EVERY) ? 0 : S;
constexpr int FLOATS = S + USED, HALVES = KEYS ? S : FORM == PAIR ? 1 : 0;
constexpr int ROW_WORDS = FLOATS + HALVES, OF_COLUMNS = ROW_WORDS * BM;
constexpr int STEP_WORDS = OF_COLUMNS + FLOATS * BN + HALVES * BN / 2, STAGE_WORDS = STEPS * STEP_WORDS;
/* Of a stage, as floats' bits: the largest size of all rows, and of all columns, and the least but zero, negated; then
 * the largest of each row and column. */
enum { A_MOST, A_LEAST, B_MOST, B_LEAST, EXTREMES };
constexpr int RANGE_WORDS = EXTREMES + (ANCHORED ? BM + BN : 0), RANGES = 3;
constexpr int ACC_WORDS = !ANCHORED ? 0 : ANCHOR_BITS > 32 ? 3 : 2; /* of an accumulator, where it is kept there */
constexpr int AT_ONCE = UNROLL;                                     /* steps, of the innermost loop */
constexpr int SUM_WORDS = GROUPS == 1 ? 0 : GROUPS * BM * BN;
static_assert(SHARED_BYTES == 4 * (2 * STAGE_WORDS + SUM_WORDS + ACC_WORDS * BM * BN + RANGES * RANGE_WORDS), "bytes");

constexpr int ZERO_EXPONENT = -1000; /* where there are but zeros */

/* ---- what the machine has ---- */

struct Both { /* of two halves */
    bool first, second;
};

/* The bits of a half that is a multiple of 1/2 below 1024, in both halves of a word. */
__device__ constexpr u32 halves(float value) {
    float size = value < 0 ? -value : value;
    u32 exponent = 15;
    for (; size >= 2; size /= 2)
        exponent++;
    for (; size > 0 && size < 1; size *= 2)
        exponent--;
    return (size > 0 ? exponent << 10 | (u32)((size - 1) * 1024) : 0) * 0x10001u | (value < 0 ? 0x80008000u : 0);
}

#ifdef __CUDACC__
extern __shared__ __align__(16) u32 shared_words[];

__device__ inline float float_of(u32 word) {
    return __uint_as_float(word);
}
__device__ inline u32 float_bits(float x) {
    return __float_as_uint(x);
}
__device__ inline double double_of(u64 bits) {
    return __longlong_as_double((long long)bits);
}
__device__ inline u64 double_bits(double x) {
    return (u64)__double_as_longlong(x);
}
__device__ inline long long nearest_integer(double x) {
    return __double2ll_rn(x);
}
__device__ inline int nearest_int(float x) {
    return __float2int_rn(x);
}
__device__ inline float multiply(float x, float y) {
    return __fmul_rn(x, y);
}
__device__ inline float multiply_add(float x, float y, float z) {
    return __fmaf_rn(x, y, z);
}
__device__ inline float add(float x, float y) {
    return __fadd_rn(x, y);
}
/* Held in a register, not computed again where it is used. */
__device__ inline float held(float x) {
    asm volatile("" : "+f"(x));
    return x;
}
__device__ inline u16 half_of(int x) {
    u16 half;
    asm("cvt.rn.f16.s32 %0, %1;" : "=h"(half) : "r"(x));
    return half;
}
__device__ inline u32 add_halves(u32 x, u32 y) {
    u32 sum;
    asm("add.rn.f16x2 %0, %1, %2;" : "=r"(sum) : "r"(x), "r"(y));
    return sum;
}
__device__ inline u32 subtract_halves(u32 x, u32 y) {
    u32 difference;
    asm("sub.rn.f16x2 %0, %1, %2;" : "=r"(difference) : "r"(x), "r"(y));
    return difference;
}
__device__ inline u32 larger_halves(u32 x, u32 y) {
    u32 larger;
    asm("max.f16x2 %0, %1, %2;" : "=r"(larger) : "r"(x), "r"(y));
    return larger;
}
__device__ inline Both at_least(u32 x, u32 y) {
    u32 first, second;
    asm("{.reg .pred p, q;\n setp.ge.f16x2 p|q, %2, %3;\n selp.u32 %0, 1, 0, p;\n selp.u32 %1, 1, 0, q;}"
        : "=r"(first), "=r"(second)
        : "r"(x), "r"(y));
    return {first != 0, second != 0};
}
/* |x| <= y */
__device__ inline Both within(u32 x, u32 y) {
    u32 first, second;
    asm("{.reg .pred p, q; .reg .b32 size;\n abs.f16x2 size, %2;\n setp.le.f16x2 p|q, size, %3;\n"
        " selp.u32 %0, 1, 0, p;\n selp.u32 %1, 1, 0, q;}"
        : "=r"(first), "=r"(second)
        : "r"(x), "r"(y));
    return {first != 0, second != 0};
}
/* The largest of a warp, to be handed on by its first thread. */
__device__ inline u32 largest_of_warp(u32 x) {
    return __reduce_max_sync(0xffffffffu, x);
}
__device__ inline bool hands_on() {
    return threadIdx.x % 32 == 0;
}
__device__ inline void raise(u32 *place, u32 value) {
    atomicMax(place, value);
}
__device__ inline void add_count(u64 *place, u64 value) {
    atomicAdd(place, value);
}
struct __align__(16) Four {
    u32 x, y, z, w;
};
struct __align__(8) Two {
    u32 x, y;
};
#else
struct Four {
    u32 x, y, z, w;
};
struct Two {
    u32 x, y;
};
#endif

__device__ inline Four four_at(const u32 *at) {
    return *(const Four *)(const void *)at;
}
__device__ inline Two two_at(const u32 *at) {
    return *(const Two *)(const void *)at;
}

/* 2^exponent, a normal double. */
__device__ inline double power_of_two(int exponent) {
    return double_of((u64)(exponent + 1023) << 52);
}

/* ---- numbers ---- */

/* The exponent field less its bias; of a float that is no zero and no subnormal. */
__device__ inline int exponent_of(u32 word) {
    return (int)(word >> 23 & 255) - 127;
}

/* X rounded to nearest even with Y bits of fraction, as if exponents had no end, or, with GRADUAL, as subnormals are.
 * Then numbers beyond the format become its limit, and, without SUBNORMALS, those below its normal ones zero. */
template <int X, int Y, int ENCODING, bool SUBNORMALS, bool GRADUAL> __device__ inline double to_format(double x) {
    constexpr int bias = (1 << (X - 1)) - 1, least = 1 - bias, most = ENCODING == IEEE ? bias : bias + 1;
    constexpr int below_two = ENCODING == FN ? Y - 1 : Y; /* the largest number is (2 - 2^-this) 2^most */
    const double size = fabs(x), limit = (2.0 - 1.0 / (1 << below_two)) * power_of_two(most);
    const int exponent = (int)(double_bits(size) >> 52) - 1023;
    if (exponent == 1024 && size != size)
        return x;
    const int unit = (GRADUAL && exponent < least ? least : exponent) - Y;
    const double shift = exponent < 1024 ? power_of_two(unit + 52) : 0.0;
    double rounded = (size + shift) - shift;
    if (rounded > limit)
        rounded = ENCODING == IEEE ? double_of(0x7ffull << 52) : limit;
    if (!SUBNORMALS && rounded < power_of_two(least))
        rounded = 0.0;
    return x < 0 && rounded > 0 ? -rounded : rounded;
}

/* With the one NaN of the contract. */
__device__ inline float to_float(double x) {
    return x != x ? float_of(0x7fc00000) : (float)x;
}

/* A number of an operand format as a float, whose exponent is then normal; a zero is +0, or -0 as a float's bits. */
template <int X, int Y, int ENCODING, bool SUBNORMALS> __device__ inline u32 round_operand(u32 word) {
    if (X == 8 && ENCODING == IEEE && !SUBNORMALS) {
        constexpr u32 drop = 23 - Y;
        if ((word & 0x7fffffff) > 0x7f800000)
            return 0x7fc00000;
        word = (word + (1u << (drop - 1)) - 1 + (word >> drop & 1)) >> drop << drop;
    } else {
        const bool subnormal = (word & 0x7f800000) == 0; /* which no smaller format can tell from a zero */
        word = subnormal ? 0 : float_bits(to_float(to_format<X, Y, ENCODING, SUBNORMALS, true>(float_of(word))));
    }
    return word & 0x7f800000 ? word : 0;
}

/* Raw bits of fp16. */
__device__ inline u32 widen_fp16(u32 raw) {
    const u32 sign = (raw & 0x8000) << 16, field = raw >> 10 & 31, fraction = raw & 1023;
    if (field == 0)
        return fraction ? sign | (float_bits((float)fraction) - (24u << 23)) : 0;
    return sign | (field == 31 ? 0x7f800000 | (fraction ? 0x400000 : 0) : (field + 112) << 23 | fraction << 13);
}

/* The low value of a finite number that is not zero, T bits of a fraction of Y: as a float, or where its exponent may
 * leave a float's, the size alone, to be read as if there were one more. */
template <int T, bool SIGNED> __device__ inline u32 low_word(u32 word) {
    constexpr u32 drop = 24 - T;
    const u32 size = SIGNED ? word : word & 0x7fffffff;
    if (TRUNCATE)
        return size >> drop << drop;
    const u32 odd = T == 1 ? 1 : size >> drop & 1; /* of one bit, what is kept is the one before the point */
    return (size + (1u << (drop - 1)) - 1 + odd) >> drop << drop;
}

/* ---- the exact path ---- */

struct Sum {
    double value;
    int key;   /* K* */
    bool some; /* is there one? */
};

enum { NO_KEY = -100000, ALWAYS = 400000 };

__device__ inline int exact_exponent(u32 word) {
    const int exponent = exponent_of(word);
    return exponent == -127 ? NO_KEY : exponent == 128 ? ALWAYS : exponent;
}

template <int T> __device__ inline double exact_low(u32 word) {
    if ((word >> 23 & 255) % 255 == 0)
        return float_of(word);
    const u64 size = (u64)low_word<T, false>(word) << 29;
    return double_of((size + (896ull << 52)) | (u64)(word >> 31) << 63);
}

/* Is stream I high in this step, where that is known beforehand? */
__device__ inline bool is_high(int i, long long step) {
    return S == 1 || WINNER == EVERY || (WINNER == FIRST && i == 0) || (WINNER == TURN && step % S == i);
}

/* Which stream wins a step, where products decide. */
__device__ inline int winner_of(const u32 *a, const u32 *b, const int *key) {
    int best = 0;
    for (int i = 1; i < S; i++) {
        const bool larger = WINNER == PRODUCT ? fabs((double)float_of(a[i * BM]) * float_of(b[i * BN])) >
                                                    fabs((double)float_of(a[best * BM]) * float_of(b[best * BN]))
                                              : key[i] > key[best];
        best = larger ? i : best;
    }
    return best;
}

/* A step's sum, of the values of a row and of a column. Products with an Inf or a NaN are in it. */
__device__ inline Sum exact_sum(const u32 *a, const u32 *b, long long step) {
    int key[S], top = 2 * NO_KEY;
    Sum sum = {0.0, 0, false};
#pragma unroll
    for (int i = 0; i < S; i++) {
        key[i] = exact_exponent(a[i * BM]) + exact_exponent(b[i * BN]);
        top = key[i] > top ? key[i] : top;
    }
    const int best = WINNER == LARGEST || WINNER == PRODUCT ? winner_of(a, b, key) : -1;
#pragma unroll
    for (int i = 0; i < S; i++) {
        const u32 x = a[i * BM], y = b[i * BN];
        const bool high = i == best || is_high(i, step);
        const double product = high ? (double)float_of(x) * float_of(y) : exact_low<A_LOW>(x) * exact_low<B_LOW>(y);
        if (key[i] >= top - WINDOW || key[i] > ALWAYS / 2)
            sum.value += product;
    }
    sum.key = top;
    sum.some = top > NO_KEY / 2;
    return sum;
}

/* acc + sum, rounded once: first to odd, which has bits enough not to round twice. */
__device__ inline float exact_add(float acc, double sum) {
    const double x = acc, near = x + sum, part = near - x, error = (x - (near - part)) + (sum - part);
    u64 bits = double_bits(near);
    if ((bits >> 52 & 2047) != 2047 && error != 0.0 && !(bits & 1))
        bits += (error > 0) == (near > 0) ? 1 : ~0ull;
    return (float)to_format<ACC_X, ACC_Y, IEEE, false, false>(double_of(bits));
}

/* ---- accumulators ---- */

#if ANCHORED
/* M, and a tag: E * 8, 1 where `full` is set, 2 and 4 for an Inf of sign + and -. */
struct Acc {
    long long m;
    int tag;
};
constexpr int ACC_BITS = ANCHOR_BITS, STEP = ANCHOR_STEP, LOG2_STEP = STEP == 8 ? 3 : STEP / 2;
constexpr int GROWTH = 2 + (S == 8 ? 3 : S / 2); /* a step's sum is no more than 2^(K* + this) */
constexpr long long HALF = 1ll << (ACC_BITS - 3);

__device__ inline int anchor(int x) {
    return (x - (ACC_BITS - 3) + STEP - 1) >> LOG2_STEP;
}

__device__ inline int tag_of_infs(double x) {
    return x != x ? 6 : x > 0 ? 2 : 4;
}

__device__ inline bool is_infinite(double x) {
    return (double_bits(x) >> 52 & 2047) == 2047;
}

__device__ inline Acc start(float c0) {
    const double value = to_format<ACC_X, ACC_Y, IEEE, false, true>(c0);
    Acc acc = {0, ANCHOR_LEAST * 8};
    if (is_infinite(value)) {
        acc.tag |= tag_of_infs(value);
    } else if (value != 0) {
        const int e = anchor((int)(double_bits(fabs(value)) >> 52) - 1022);
        acc.m = nearest_integer(value * power_of_two(-STEP * e));
        acc.tag = e * 8;
    }
    return acc;
}

__device__ inline Acc add_exactly(Acc acc, Sum sum) {
    if (is_infinite(sum.value)) {
        acc.tag |= tag_of_infs(sum.value);
    } else if (sum.some) {
        int e = acc.tag >> 3;
        const int rise = anchor(sum.key + GROWTH) - e, full = acc.tag & 1, by = rise > 0 ? rise : full;
        const bool next_full = by == 0 && (acc.m < -HALF || acc.m >= HALF);
        e += by;
        acc.m >>= by * STEP < 63 ? by * STEP : 63;
        acc.m += nearest_integer(sum.value * power_of_two(-STEP * e));
        acc.tag = e * 8 | (acc.tag & 6) | (int)next_full;
    }
    return acc;
}

__device__ inline float result(Acc acc) {
    u64 size = acc.m < 0 ? 0 - (u64)acc.m : (u64)acc.m;
    if (size >> 53) /* what is cut off only has to be seen */
        size = size >> 11 << 11 | ((size & 2047) != 0) << 11;
    double value = (double)(long long)size * power_of_two(STEP * (acc.tag >> 3));
    value = acc.m < 0 ? -value : value;
    if (acc.tag & 6)
        value = (acc.tag & 6) == 6 ? double_of(0x7ff8ull << 48) : double_of((acc.tag & 4 ? 0xfffull : 0x7ffull) << 52);
    return to_float(to_format<OUT_X, OUT_Y, OUT_ENCODING, OUT_SUBNORMALS, OUT_SUBNORMALS>(value));
}
#else
typedef float Acc;

__device__ inline Acc start(float c0) {
    return (float)to_format<ACC_X, ACC_Y, IEEE, false, true>(c0);
}

__device__ inline Acc add_exactly(Acc acc, Sum sum) {
    return exact_add(acc, sum.value);
}

__device__ inline float result(Acc acc) {
    return to_float(to_format<OUT_X, OUT_Y, OUT_ENCODING, OUT_SUBNORMALS, OUT_SUBNORMALS>(acc));
}
#endif

/* A stage of one result. */
__device__ __noinline__ Acc exact_stage(Acc acc, const u32 *a, const u32 *b, long long first_step) {
#pragma unroll 1
    for (int t = 0; t < STEPS; t++)
        acc = add_exactly(acc, exact_sum(a + t * STEP_WORDS, b + t * STEP_WORDS, first_step + t));
    return acc;
}

/* ---- steps in floats ---- */

/* Keys as halves are SCALE times exponents plus, where the largest decides, a tie bit of the stream; keys of zeros are
 * far below. Two of them are compared where a step has two streams: then the difference counts. */
constexpr int SCALE = FORM == MANY ? 2 * S : 1, TIES = FORM == MANY ? S - 1 : 0, ZERO_KEY = -400 * SCALE;
constexpr int BELOW = SCALE * WINDOW + TIES; /* the window's end, from the top */

__device__ inline int key_of(u32 word, int tie) {
    return word & 0x7fffffff ? SCALE * exponent_of(word) + tie : ZERO_KEY;
}

/* Stream 0's exponent before stream 1's. A zero's is far below: it loses against every number, by more than a window.
 */
__device__ inline int ahead_of(u32 first, u32 second) {
    return (first & 0x7fffffff ? exponent_of(first) : -400) - (second & 0x7fffffff ? exponent_of(second) : -400);
}

struct Rows {
    float x[FLOATS][TM];
    u32 k[HALVES + 1][TM];
};
struct Columns {
    float x[FLOATS][4];
    u32 k[HALVES + 1][2];
};

/* Sums of a step for one row and two columns, those of word Q. All are exact, whatever the order. */
__device__ inline void two_sums(const Rows &a, int i, const Columns &b, int q, float *sums) {
    const int j = 2 * q;
    float g, h;
    if constexpr (FORM == SINGLE) {
        g = multiply(a.x[0][i], b.x[0][j]), h = multiply(a.x[0][i], b.x[0][j + 1]);
    } else if constexpr (FORM == PAIR) {
        /* Half a window less than what stream 0 is ahead by: its product is high from -D/2 on, and then the other
         * one is not dropped up to D/2; else stream 1's is high, and this one is not dropped from -D - D/2 on. */
        const u32 ahead = add_halves(a.k[0][i], b.k[0][q]);
        const Both near = at_least(ahead, halves(-1.5f * WINDOW)), wins = at_least(ahead, halves(-0.5f * WINDOW));
        const Both other = within(ahead, halves(0.5f * WINDOW));
        g = multiply(a.x[1][i], b.x[1][j]), h = multiply(a.x[1][i], b.x[1][j + 1]);
        g = near.first ? multiply_add(a.x[2][i], b.x[2][j], g) : g;
        h = near.second ? multiply_add(a.x[2][i], b.x[2][j + 1], h) : h;
        g = wins.first ? multiply(a.x[0][i], b.x[0][j]) : g;
        h = wins.second ? multiply(a.x[0][i], b.x[0][j + 1]) : h;
        g = other.first ? multiply_add(a.x[3][i], b.x[3][j], g) : g;
        h = other.second ? multiply_add(a.x[3][i], b.x[3][j + 1], h) : h;
    } else if constexpr (KEYS) {
        u32 key[S], top;
#pragma unroll
        for (int s = 0; s < S; s++) {
            key[s] = add_halves(a.k[s][i], b.k[s][q]);
            top = s ? larger_halves(top, key[s]) : key[s];
        }
        g = h = 0.0f;
        if constexpr (FORM == MANY) {
            g = multiply(a.x[0][i], b.x[0][j]), h = multiply(a.x[0][i], b.x[0][j + 1]);
#pragma unroll
            for (int s = 1; s < S; s++) {
                const Both wins = at_least(key[s], top);
                g = wins.first ? multiply(a.x[s][i], b.x[s][j]) : g;
                h = wins.second ? multiply(a.x[s][i], b.x[s][j + 1]) : h;
            }
        }
        /* The top itself is left out where it is the one that is high. */
        const u32 middle = add_halves(top, halves(FORM == MANY ? -0.5f * (BELOW + 1) : -0.5f * BELOW));
#pragma unroll
        for (int s = 0; s < S; s++) {
            const Both kept =
                within(subtract_halves(key[s], middle), halves(FORM == MANY ? 0.5f * (BELOW - 1) : 0.5f * BELOW));
            g = kept.first ? multiply_add(a.x[USED + s][i], b.x[USED + s][j], g) : g;
            h = kept.second ? multiply_add(a.x[USED + s][i], b.x[USED + s][j + 1], h) : h;
        }
    } else {
        g = h = 0.0f;
    }
    sums[0] = g, sums[1] = h;
}

/* A thread's part of a step: its operands, handed to take(rows, i, columns, q, j) for row i and columns j and j + 1. */
template <class Take> __device__ inline void of_step(const u32 *step, int row, int column, Take take) {
    Rows a;
    constexpr int first = LOWS ? 0 : USED, last = FORM == PAIR || FORM == MANY ? FLOATS : USED + S;
#pragma unroll
    for (int w = first; w < last; w++)
#pragma unroll
        for (int i = 0; i < TM; i += 4) {
            const Four four = four_at(step + w * BM + row + i / 4 * (BM / (TM / 4)));
            a.x[w][i] = float_of(four.x), a.x[w][i + 1] = float_of(four.y);
            a.x[w][i + 2] = float_of(four.z), a.x[w][i + 3] = float_of(four.w);
        }
#pragma unroll
    for (int w = 0; w < HALVES; w++)
#pragma unroll
        for (int i = 0; i < TM; i += 4) {
            const Four four = four_at(step + (FLOATS + w) * BM + row + i / 4 * (BM / (TM / 4)));
            a.k[w][i] = four.x, a.k[w][i + 1] = four.y, a.k[w][i + 2] = four.z, a.k[w][i + 3] = four.w;
        }
#pragma unroll
    for (int j = 0; j < TN; j += 4) {
        Columns b;
        const u32 *from = step + OF_COLUMNS;
        const int at = column + j / 4 * (BN / (TN / 4));
#pragma unroll
        for (int w = first; w < last; w++) {
            const Four four = four_at(from + w * BN + at);
            b.x[w][0] = float_of(four.x), b.x[w][1] = float_of(four.y);
            b.x[w][2] = float_of(four.z), b.x[w][3] = float_of(four.w);
        }
#pragma unroll
        for (int w = 0; w < HALVES; w++) {
            const Two two = two_at(from + FLOATS * BN + w * (BN / 2) + at / 2);
            b.k[w][0] = two.x, b.k[w][1] = two.y;
        }
#pragma unroll
        for (int i = 0; i < TM; i++)
#pragma unroll
            for (int q = 0; q < 2; q++)
                take(a, i, b, q, j + 2 * q);
    }
}

/* ---- operands into shared memory ---- */

/* A side of the product: its rows, or its columns. */
template <u32 LANES, int TYPE, bool K_FAST, bool OF_A> struct Side {
    /* A thread has one lane, and units of its elements, DEEP along K: where these lie together in memory, fours.
     * Threads of a warp have lanes side by side, and so no two of them a bank. */
    static constexpr u32 DEEP = K_FAST && S < 4 ? 4 : S,
                         APART = THREADS / LANES * DEEP; /* of a thread's units, along K */
    static constexpr u32 UNITS = LANES * BK / DEEP, EACH = (UNITS + THREADS - 1) / THREADS;
    static constexpr int SIZE = TYPE == FLOAT32 ? 4 : 2;
    static_assert(BK % DEEP == 0 && THREADS % LANES == 0, "unit");

    const char *at; /* where the next stage's first unit begins */
    int left;       /* elements of K from there on */
    u32 raw[EACH][DEEP];

    __device__ static u32 lane() {
        return threadIdx.x % LANES;
    }
    __device__ static u32 first_k() {
        return threadIdx.x / LANES * DEEP;
    }

    __device__ static u32 element(const char *at) {
        return TYPE == FLOAT32 ? *(const u32 *)(const void *)at : *(const u16 *)(const void *)at;
    }

    __device__ static void read_four(const char *at, u32 *to) {
        if (TYPE == FLOAT32) {
            const Four four = four_at((const u32 *)(const void *)at);
            to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
        } else {
            const Two two = two_at((const u32 *)(const void *)at);
            to[0] = two.x & 0xffff, to[1] = two.x >> 16, to[2] = two.y & 0xffff, to[3] = two.y >> 16;
        }
    }

    /* Of COUNT lanes in all, from lane FIRST on. Those beyond are zeros, as K is behind its end. */
    __device__ void open(const Matrix &m, long long batch, int first, int count, int depth) {
        const int here = first + (int)lane();
        at = m.data + batch * m.batch + here * m.lane + (long long)first_k() * m.k;
        left = here < count ? depth - (int)first_k() : 0;
    }

    /* A stage. */
    __device__ void fetch(const Matrix &m) {
#pragma unroll
        for (u32 u = 0; u < EACH; u++) {
            const bool there = UNITS % THREADS == 0 || threadIdx.x + u * THREADS < UNITS;
#pragma unroll
            for (u32 d = 0; d < DEEP; d++)
                raw[u][d] = 0;
            if (K_FAST && m.vector) { /* K is a multiple of 4 */
#pragma unroll
                for (u32 d = 0; d < DEEP; d += 4)
                    if (there && (int)(u * APART + d) < left)
                        read_four(at + (u * APART + d) * SIZE, raw[u] + d);
            } else {
#pragma unroll
                for (u32 d = 0; d < DEEP; d++)
                    if (there && (int)(u * APART + d) < left)
                        raw[u][d] = element(at + (long long)(int)(u * APART + d) * (K_FAST ? SIZE : m.k));
            }
        }
        at += (long long)BK * (K_FAST ? SIZE : m.k);
        left -= BK;
    }

    /* The elements of one step of one lane. */
    __device__ static void lay_out(u32 *stage, u32 step, long long turn, const u32 *word) {
        constexpr int low_bits = OF_A ? A_LOW : B_LOW;
        u32 *floats = stage + step * STEP_WORDS + (OF_A ? 0 : OF_COLUMNS) + lane();
#pragma unroll
        for (int s = 0; s < S; s++) {
            floats[s * LANES] = word[s];
            if (USED) {
                const bool low = LOWS || !is_high(s, turn);
                floats[(USED + s) * LANES] = low ? low_word<low_bits, true>(word[s]) : word[s];
            }
        }
        if (FORM == PAIR && OF_A)
            floats[FLOATS * LANES] = half_of(ahead_of(word[0], word[1])) * 0x10001u;
        u16 *half = (u16 *)(stage + step * STEP_WORDS + OF_COLUMNS + FLOATS * BN) + lane();
        if (FORM == PAIR && !OF_A) /* plus half a window, see two_sums() */
            *half = (u16)add_halves(half_of(ahead_of(word[0], word[1])), halves(-0.5f * WINDOW));
        if (KEYS) {
#pragma unroll
            for (int s = 0; s < S; s++) {
                const u16 key = half_of(key_of(word[s], OF_A && FORM == MANY ? S - 1 - s : 0));
                if (OF_A)
                    floats[(FLOATS + s) * LANES] = key * 0x10001u;
                else
                    half[s * BN] = key;
            }
        }
    }

    /* What fetch() has read, rounded; its extremes into RANGE. */
    __device__ void store(u32 *stage, u32 *range, long long first_step) {
        u32 most = 0, least = 0; /* the least one negated, so that a zero never is it */
#pragma unroll
        for (u32 u = 0; u < EACH; u++) {
            if (UNITS % THREADS != 0 && threadIdx.x + u * THREADS >= UNITS)
                continue;
#pragma unroll
            for (u32 d = 0; d < DEEP; d += S) {
                const u32 step = (first_k() + u * APART + d) / S;
                u32 word[S];
#pragma unroll
                for (u32 s = 0; s < S; s++) {
                    word[s] = rounded(raw[u][d + s]);
                    const u32 size = word[s] & 0x7fffffff;
                    most = size > most ? size : most;
                    least = 0u - size > least ? 0u - size : least;
                }
                lay_out(stage, step, first_step + step, word);
            }
        }
        if (ANCHORED)
            raise(range + EXTREMES + (OF_A ? 0 : BM) + lane(), most);
        most = largest_of_warp(most), least = largest_of_warp(least);
        if (hands_on()) {
            raise(range + (OF_A ? A_MOST : B_MOST), most);
            raise(range + (OF_A ? A_LEAST : B_LEAST), least);
        }
    }

    __device__ static u32 rounded(u32 raw) {
        if (TYPE == BF16)
            return raw & 0x7f80 ? raw << 16 : 0;
        if (TYPE == FP16)
            return widen_fp16(raw);
        return OF_A ? round_operand<A_X, A_Y, A_ENCODING, A_SUBNORMALS>(raw)
                    : round_operand<B_X, B_Y, B_ENCODING, B_SUBNORMALS>(raw);
    }
};
typedef Side<BM, A_TYPE, A_K_FAST, true> SideA;
typedef Side<BN, B_TYPE, B_K_FAST, false> SideB;

/* Exponents of sizes; of a zero's, less than any. */
__device__ inline int exponent_of_size(u32 size) {
    return size ? exponent_of(size) : ZERO_EXPONENT;
}

/* Are all products and sums of a stage exact in floats, down to a product's last bit? A low value may be one exponent
 * above its operand's. */
__device__ inline bool in_range(const u32 *range) {
    const int a_most = exponent_of_size(range[A_MOST]), b_most = exponent_of_size(range[B_MOST]);
    const int most = a_most + b_most, least = exponent_of(0u - range[A_LEAST]) + exponent_of(0u - range[B_LEAST]);
    if (a_most >= 127 || b_most >= 127)
        return false;
    if (a_most == ZERO_EXPONENT || b_most == ZERO_EXPONENT)
        return true;
    if (ANCHORED) /* nor may a sum be scaled to where no float is */
        return least >= -98 && most <= 90;
    return least - (A_Y + B_Y) >= -126 && most <= 127 - 5;
}

/* ---- the product ---- */

/* A thread's place in its tile: rows and columns in fours, TM / 4 and TN / 4 of them, spread over the tile. A warp has
 * 8 by 4 threads, neighbours of which read the same fours, so that reads merge. */
__device__ inline void place_of_thread(int &row, int &column) {
    constexpr int across = BN / TN, wide = across < 4 ? across : 4, tall = TEAM < 32 ? TEAM / wide : 32 / wide;
    const int thread = (int)threadIdx.x % TEAM, lane = thread % (wide * tall), warp = thread / (wide * tall);
    const int y = (lane >> 1 & 1) | lane >> 3 << 1, x = (lane & 1) | (lane >> 2 & 1) << 1; /* of 8 by 4 */
    row = 4 * (warp / (across / wide) * tall + (wide == 4 ? y : lane / wide));
    column = 4 * (warp % (across / wide) * wide + (wide == 4 ? x : lane % wide));
}

/* Where row I, and column J, of a thread's part are in the tile. */
__device__ inline int row_of_part(int row, int i) {
    return i / 4 * (BM / (TM / 4)) + row + i % 4;
}
__device__ inline int column_of_part(int column, int j) {
    return j / 4 * (BN / (TN / 4)) + column + j % 4;
}

/* Where output O of a thread is: in its part, or, with groups, one of as many as there are threads. */
__device__ inline int row_of(int row, int o) {
    if (GROUPS > 1)
        return ((int)threadIdx.x + o * THREADS) / BN;
    return row_of_part(row, o / TN);
}
__device__ inline int column_of(int column, int o) {
    if (GROUPS > 1)
        return ((int)threadIdx.x + o * THREADS) % BN;
    return column_of_part(column, o % TN);
}

/* A thread's accumulators. In a stage, add() takes the sums of an output one after the other. */
struct Outputs {
#if ANCHORED
    u32 *kept;                         /* in shared memory */
    u32 state[OUTPUTS], seen[OUTPUTS]; /* M + HALF; the bits of all that a step found */
    float scale[OUTPUTS];

    __device__ u32 &word(int o, int w) {
        return kept[(o * ACC_WORDS + w) * THREADS + (int)threadIdx.x];
    }
    __device__ Acc get(int o) {
        const u32 upper = ACC_WORDS == 3 ? word(o, 2) : (u32)((int)word(o, 0) >> 31);
        return {(long long)((u64)upper << 32 | word(o, 0)), (int)word(o, 1)};
    }
    __device__ void set(int o, Acc acc) {
        word(o, 0) = (u32)acc.m, word(o, 1) = (u32)acc.tag;
        if (ACC_WORDS == 3)
            word(o, 2) = (u32)(acc.m >> 32);
    }
    /* While no product asks for a higher anchor and M stays in -HALF .. HALF - 1, a step adds to M and does no more. */
    __device__ void open(int o) {
        const int place = STEP * ((int)word(o, 1) >> 3);
        state[o] = word(o, 0) + (u32)HALF, seen[o] = 0;
        scale[o] = held(float_of((u32)(127 - (place < -125 ? -125 : place > 125 ? 125 : place)) << 23));
    }
    __device__ void add(int o, float sum) {
        seen[o] |= state[o];
        state[o] += (u32)nearest_int(multiply(sum, scale[o]));
    }
    /* False: it was not so. MOST: the largest that a key may have been. */
    __device__ bool close(int o, int most) {
        const int tag = (int)word(o, 1);
        const bool good = (tag & 7) == 0 && most + GROWTH - (ACC_BITS - 3) <= STEP * (tag >> 3);
        if (!good || seen[o] >> (ACC_BITS - 2) != 0)
            return false;
        word(o, 0) = state[o] - (u32)HALF;
        return true;
    }
#else
    u32 *kept;
    float acc[OUTPUTS];

    __device__ Acc get(int o) {
        return acc[o];
    }
    __device__ void set(int o, Acc value) {
        acc[o] = value;
    }
    __device__ void open(int) {}
    __device__ void add(int o, float sum) {
        acc[o] = ::add(acc[o], sum);
    }
    __device__ bool close(int, int) {
        return true;
    }
#endif
};

/* A step of a thread's own tile. */
__device__ inline void add_step(Outputs &outputs, const u32 *step, int row, int column) {
    of_step(step, row, column, [&](const Rows &a, int i, const Columns &b, int q, int j) {
#if FORM == 1 && !ANCHORED
        float *acc = outputs.acc + i * TN + j;
        acc[0] = multiply_add(a.x[0][i], b.x[0][2 * q], acc[0]);
        acc[1] = multiply_add(a.x[0][i], b.x[0][2 * q + 1], acc[1]);
#else
        float sums[2];
        two_sums(a, i, b, q, sums);
        outputs.add(i * TN + j, sums[0]);
        outputs.add(i * TN + j + 1, sums[1]);
#endif
    });
}

/* A step of the tile that a group has, as sums in shared memory. */
__device__ inline void put_step(u32 *to, const u32 *step, int row, int column) {
    of_step(step, row, column, [&](const Rows &a, int i, const Columns &b, int q, int j) {
        float sums[2];
        two_sums(a, i, b, q, sums);
        u32 *at = to + row_of_part(row, i) * BN + column_of_part(column, j);
        at[0] = float_bits(sums[0]), at[1] = float_bits(sums[1]);
    });
}

__device__ inline void add_stage(Outputs &outputs, const u32 *stage, u32 *sums, const u32 *range, int row, int column,
                                 long long first_step) {
    const bool fast = FORM != EXACT && in_range(range);
    if (fast) {
        if (GROUPS > 1) {
            const int group = (int)threadIdx.x / TEAM;
            put_step(sums + group * BM * BN, stage + group * STEP_WORDS, row, column);
            __syncthreads();
        }
#pragma unroll
        for (int o = 0; o < OUTPUTS; o++)
            outputs.open(o);
        if (GROUPS > 1) {
#pragma unroll
            for (int t = 0; t < GROUPS; t++)
#pragma unroll
                for (int o = 0; o < OUTPUTS; o++)
                    outputs.add(o, float_of(sums[t * BM * BN + (int)threadIdx.x + o * THREADS]));
        } else {
#pragma unroll AT_ONCE
            for (int t = 0; t < STEPS; t++)
                add_step(outputs, stage + t * STEP_WORDS, row, column);
        }
    }
#pragma unroll
    for (int o = 0; o < OUTPUTS; o++) {
        const int r = row_of(row, o), c = column_of(column, o);
        const int most =
            !ANCHORED ? 0 : exponent_of_size(range[EXTREMES + r]) + exponent_of_size(range[EXTREMES + BM + c]);
        if (!fast || !outputs.close(o, most))
            outputs.set(o, exact_stage(outputs.get(o), stage + r, stage + OF_COLUMNS + c, first_step));
    }
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) daa_gemm(Problem p) {
    u32 *const stages = shared_words, *const sums = stages + 2 * STAGE_WORDS, *const kept = sums + SUM_WORDS;
    u32 *const ranges = kept + ACC_WORDS * BM * BN;
    const u32 down = (u32)(p.m + BM - 1) / BM, across = (u32)(p.n + BN - 1) / BN, tile = blockIdx.x % (down * across);
    const long long batch = blockIdx.x / (down * across);
    const int first_row = (int)(tile / across) * BM, first_column = (int)(tile % across) * BN;
    const int count = (p.k + BK - 1) / BK;
    int row, column;
    place_of_thread(row, column);

    Outputs outputs;
    outputs.kept = kept;
#pragma unroll
    for (int o = 0; o < OUTPUTS; o++) {
        const long long r = first_row + row_of(row, o), c = first_column + column_of(column, o);
        const bool given = p.c0 && r < p.m && c < p.n;
        outputs.set(o, start(given ? p.c0[batch * p.c0_batch + r * p.c0_row + c * p.c0_col] : 0.0f));
    }

    SideA a;
    SideB b;
    a.open(p.a, batch, first_row, p.m, p.k);
    b.open(p.b, batch, first_column, p.n, p.k);
    for (int i = (int)threadIdx.x; i < RANGES * RANGE_WORDS; i += THREADS)
        ranges[i] = 0;
    __syncthreads();
    for (int s = -1; s < count; s++) {
        /* Each turn fetches a stage, uses the one before it, and then stores what it has fetched. */
        if (s + 1 < count) {
            a.fetch(p.a);
            b.fetch(p.b);
        }
        if (s >= 0)
            add_stage(outputs, stages + s % 2 * STAGE_WORDS, sums, ranges + s % RANGES * RANGE_WORDS, row, column,
                      (long long)s * STEPS);
        if (s + 1 < count) {
            u32 *const range = ranges + (s + 1) % RANGES * RANGE_WORDS;
            a.store(stages + (s + 1) % 2 * STAGE_WORDS, range, (long long)(s + 1) * STEPS);
            b.store(stages + (s + 1) % 2 * STAGE_WORDS, range, (long long)(s + 1) * STEPS);
        }
        /* All threads are done with the ranges of the stage before; the turn after next fills them again. */
        for (int i = (int)threadIdx.x; i < RANGE_WORDS; i += THREADS)
            ranges[(s + 2) % RANGES * RANGE_WORDS + i] = 0;
        __syncthreads();
    }

#pragma unroll
    for (int o = 0; o < OUTPUTS; o++) {
        const long long r = first_row + row_of(row, o), c = first_column + column_of(column, o);
        if (r < p.m && c < p.n)
            p.c[(batch * p.m + r) * p.n + c] = result(outputs.get(o));
    }
}

/* ---- counts ---- */

enum { IS_HIGH, IS_LOW, IS_ZERO, IS_DROPPED, IS_SPECIAL, FATES };

/* What becomes of the products of a step, of a row's and a column's words (contract, sections 3 to 6). */
__device__ inline void count_step(const u32 *a, const u32 *b, int products, long long step, u32 (*seen)[S]) {
    int key[S], fate[S], top = 2 * NO_KEY, best = -1;
    double size[S];
#pragma unroll
    for (int i = 0; i < S; i++) {
        const int of_a = exact_exponent(a[i]), of_b = exact_exponent(b[i]);
        size[i] = fabs((double)float_of(a[i]) * float_of(b[i]));
        key[i] = of_a + of_b;
        fate[i] = of_a == ALWAYS || of_b == ALWAYS ? IS_SPECIAL : key[i] < NO_KEY / 2 ? IS_ZERO : IS_LOW;
        top = fate[i] == IS_LOW && key[i] > top ? key[i] : top;
    }
#pragma unroll
    for (int i = 0; i < S; i++) {
        bool first = best < 0;
#pragma unroll
        for (int j = 0; j < S; j++)
            first |= j == best && (WINNER == PRODUCT ? size[i] > size[j] : key[i] > key[j]);
        best = fate[i] == IS_LOW && first ? i : best;
    }
#pragma unroll
    for (int i = 0; i < S; i++) {
        const bool high = S > 1 && (WINNER == LARGEST || WINNER == PRODUCT) ? i == best : is_high(i, step);
        if (fate[i] == IS_LOW)
            fate[i] = key[i] < top - WINDOW ? IS_DROPPED : high ? IS_HIGH : IS_LOW;
#pragma unroll
        for (int f = 0; f < FATES; f++)
            seen[f][i] += i < products && fate[i] == f;
    }
}

/* One thread a result; not fast. */
extern "C" __global__ void daa_count(Problem p, long long results) {
    const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= results)
        return;
    const long long batch = at / p.n / p.m, row = at / p.n % p.m, column = at % p.n;
    const char *const a = p.a.data + batch * p.a.batch + row * p.a.lane;
    const char *const b = p.b.data + batch * p.b.batch + column * p.b.lane;
    u32 seen[FATES][S] = {};
    for (int k = 0; k < p.k; k += S) {
        u32 of_a[S], of_b[S];
#pragma unroll
        for (int s = 0; s < S; s++) {
            of_a[s] = k + s < p.k ? SideA::rounded(SideA::element(a + (long long)(k + s) * p.a.k)) : 0;
            of_b[s] = k + s < p.k ? SideB::rounded(SideB::element(b + (long long)(k + s) * p.b.k)) : 0;
        }
        count_step(of_a, of_b, p.k - k, k / S, seen);
    }
#pragma unroll
    for (int f = 0; f < FATES; f++)
#pragma unroll
        for (int s = 0; s < S; s++)
            if (seen[f][s])
                add_count(p.counts + f * 8 + s, seen[f][s]);
}

/* ---- operands alone ---- */

/* COUNT floats rounded to A's format, with a zero's sign. */
extern "C" __global__ void daa_quantize(const u32 *in, u32 *out, long long count) {
    const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count)
        return;
    const u32 word = round_operand<A_X, A_Y, A_ENCODING, A_SUBNORMALS>(in[at]);
    out[at] = word ? word : in[at] & 0x80000000;
}

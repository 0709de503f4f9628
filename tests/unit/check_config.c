/* Formats, the option table and the rules, against what docs/contract.md says of them. */
#include <stdio.h>
#include <string.h>

#include "../../config/config.h"
#include "../common/expect.h"

struct known {
    const char *name;
    int width, bias, exp_min, exp_max, exp_least;
    enum daa_encoding encoding;
    bool subnormals;
};

/* Largest and smallest exponents by hand: e4m3 reaches 448 = 1.75 * 2^8, e2m1 reaches 6 = 1.5 * 2^2. */
static const struct known known[] = {
    {"bf16", 16, 127, -126, 127, -126, DAA_IEEE, false},
    {"tf32", 19, 127, -126, 127, -126, DAA_IEEE, false},
    {"fp16", 16, 15, -14, 15, -24, DAA_IEEE, true},
    {"e5m2", 8, 15, -14, 15, -16, DAA_IEEE, true},
    {"e4m3", 8, 7, -6, 8, -9, DAA_FN, true},
    {"e3m2", 6, 3, -2, 4, -4, DAA_FINITE, true},
    {"e2m3", 6, 1, 0, 2, -3, DAA_FINITE, true},
    {"e2m1", 4, 1, 0, 2, -1, DAA_FINITE, true},
    {"fp32", 32, 127, -126, 127, -126, DAA_IEEE, false},
    {"e7m5", 13, 63, -62, 63, -67, DAA_IEEE, true},
    {"e8m9", 18, 127, -126, 127, -126, DAA_IEEE, false},
    {"e2m10", 13, 1, 0, 1, -10, DAA_IEEE, true},
};

static void check_formats(void) {
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const struct known *k = &known[i];
        struct daa_format format;
        char name[DAA_FORMAT_NAME_MAX];
        bool read = daa_format_parse(k->name, &format);
        expect(read, k->name, "is not read");
        if (!read)
            continue;
        daa_format_name(format, name);
        expect(strcmp(name, k->name) == 0, k->name, name);
        expect(daa_format_width(format) == k->width, k->name, "width");
        expect(daa_format_bias(format) == k->bias, k->name, "bias");
        expect(daa_format_exp_min(format) == k->exp_min, k->name, "exp_min");
        expect(daa_format_exp_max(format) == k->exp_max, k->name, "exp_max");
        expect(daa_format_exp_least(format) == k->exp_least, k->name, "exp_least");
        expect(format.encoding == k->encoding && format.subnormals == k->subnormals, k->name, "encoding");
    }
    static const char *const twins[][2] = {{"e8m7", "bf16"}, {"e8m10", "tf32"}, {"e5m10", "fp16"}, {"e8m23", "fp32"}};
    for (size_t i = 0; i < sizeof(twins) / sizeof(twins[0]); i++) {
        struct daa_format one = {0}, other = {0};
        bool both = daa_format_parse(twins[i][0], &one) && daa_format_parse(twins[i][1], &other);
        expect(both && daa_format_equal(one, other), twins[i][0], "is not its alias");
    }
    static const char *const bad[] = {"",      "e",     "e8",     "e8m",    "m7",    "E8M7",  "bf16 ", " bf16", "e08m7",
                                      "e8m07", "e8m7x", "e123m1", "e1m123", "e-1m2", "e8m+7", "BF16",  "fp",    "e0m1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct daa_format format;
        expect(!daa_format_parse(bad[i], &format), bad[i], "is read as a format");
    }
}

/* Sets "name value name value ..." and resolves; returns the error or NULL. */
static const char *resolve(const char *load, const char *settings, enum daa_use use, struct daa_config *config) {
    static struct daa_error error;
    struct daa_options *options = daa_options_new();
    char text[256], *save = text;
    snprintf(text, sizeof(text), "%s", settings);
    bool done = !load || daa_options_load(options, load, &error);
    while (done && *save) {
        char *name = save, *value = save + strcspn(save, " ");
        *value++ = '\0';
        save = value + strcspn(value, " ");
        if (*save)
            *save++ = '\0';
        done = daa_options_set(options, name, value, &error);
    }
    done = done && daa_options_resolve(options, use, config, &error);
    daa_options_free(options);
    return done ? NULL : error.text;
}

static void gives(const char *load, const char *settings, const char *want) {
    struct daa_config config;
    char line[DAA_LINE_MAX] = "";
    const char *error = resolve(load, settings, DAA_HARDWARE, &config);
    if (!error)
        daa_config_line(&config, line);
    expect(!error && strstr(line, want), settings, error ? error : line);
}

static void refuses(const char *settings, const char *want) {
    struct daa_config config;
    const char *error = resolve(NULL, settings, DAA_HARDWARE, &config);
    expect(error && strstr(error, want), settings, error ? error : "is accepted");
}

static size_t policy_option(void) {
    size_t index = 0;
    while (strcmp(daa_option_info(index)->name, "policy") != 0)
        index++;
    return index;
}

static void check_defaults(void) {
    gives(NULL, "",
          "--rows 16 --cols 16 --streams 2 --a-format bf16 --b-format bf16 --acc-format fp32 --out-format fp32 "
          "--accumulator anchored --acc-bits 32 --acc-step 4 --lo-bits 4 --lo-round nearest --policy exponent --window "
          "8 --specials on --pipeline 3 --clock-gating off --prefix daa");
    gives(
        "paper", "",
        "--rows 16 --cols 16 --streams 2 --a-format bf16 --b-format bf16 --acc-format fp32 --out-format fp32 "
        "--accumulator rounded --lo-bits 4 --lo-round nearest --policy exponent --window 8 --specials on --pipeline 2 "
        "--clock-gating off --prefix daa");
    static const char *const rounded[] = {"baseline", "paper", "quad", "high2", "low2", "fp8", "tiny"};
    for (size_t i = 0; i < sizeof(rounded) / sizeof(rounded[0]); i++)
        gives(rounded[i], "", "--accumulator rounded --lo-bits 4 ");
    static const char *const anchored[] = {"safe2", "lean2", "alike2", "safe4", "lean4", "alike4"};
    for (size_t i = 0; i < sizeof(anchored) / sizeof(anchored[0]); i++)
        gives(anchored[i], "", "--accumulator anchored --acc-bits 32 --acc-step 4 ");
    expect(daa_named_count() == 7 + 6, "named configurations", "are more than those");
    gives("baseline", "", "--streams 1 ");
    gives("quad", "", "--streams 4 ");
    gives("high2", "", "--policy high");
    gives("low2", "", "--policy low");
    gives("fp8", "", "--a-format e4m3 --b-format e5m2 ");
    gives("tiny", "", "--rows 2 --cols 2 --streams 2 ");
}

static void check_layers(void) {
    gives(NULL, "format fp16", "--a-format fp16 --b-format fp16 ");
    gives(NULL, "format fp16 a-format e5m2", "--a-format e5m2 --b-format fp16 ");
    gives(NULL, "a-format e5m2 format fp16", "--a-format e5m2 --b-format fp16 ");
    gives(NULL, "format fp16 a-format auto", "--a-format fp16 --b-format fp16 ");
    gives("fp8", "format bf16", "--a-format bf16 --b-format bf16 ");
    gives("fp8", "b-format fp16", "--a-format e4m3 --b-format fp16 ");
    gives("tiny", "rows 3 rows 5", "--rows 5 --cols 2 ");
    gives(NULL, "out-format auto acc-format e8m10", "--out-format tf32 ");
    gives(NULL, "policy low streams 1", "--policy low");
}

/* The default window of bf16 at T = 4, 3, 2, 1 as the contract states it. */
static void check_window(void) {
    gives(NULL, "lo-bits 4", "--window 8 ");
    gives(NULL, "lo-bits 3", "--window 10 ");
    gives(NULL, "lo-bits 2", "--window 12 ");
    gives(NULL, "lo-bits 1", "--window 14 ");
    gives(NULL, "lo-bits 11", "--window 8 ");
    gives(NULL, "format tf32 lo-bits 1", "--window 20 ");
    gives(NULL, "format e2m1 lo-bits 1", "--window 8 ");
    gives(NULL, "window 0", "--window 0 ");
}

static void check_values(void) {
    static const char *const numbers[] = {"0", "257", "16x", "+16", "-1", "016", "1e1", "1.0", "99999999999", "0x10"};
    char settings[64];
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        snprintf(settings, sizeof(settings), "rows %s", numbers[i]);
        refuses(settings, "it must be 1..256");
    }
    refuses("rows ", "rows is ''; it must be 1..256");
    refuses("cols 257", "cols is '257'; it must be 1..256");
    refuses("streams 3", "it must be 1|2|4|8");
    refuses("streams 16", "it must be 1|2|4|8");
    refuses("groups 3", "groups is '3'; it must be 1|2|4");
    refuses("groups 8 streams 8", "groups is '8'; it must be 1|2|4");
    refuses("lo-bits 12", "it must be 1..11");
    refuses("lo-round up", "it must be nearest|truncate");
    refuses("policy fastest", "it must be exponent|static|rotate|high|low");
    refuses("policy exponen", "it must be exponent|");
    refuses("window 33", "it must be auto|0..32");
    refuses("specials yes", "it must be on|off");
    refuses("pipeline 6", "it must be auto|1..5");
    refuses("pipeline 4 accumulator rounded",
            "pipeline is 4; with 2 streams and accumulator 'rounded' it must be 1..3, with 'anchored' 2..4");
    refuses("pipeline 5 streams 4 accumulator rounded", "it must be 1..4, with 'anchored' 2..5");
    refuses("pipeline 1",
            "pipeline is 1; with 2 streams and accumulator 'anchored' it must be 2..4, with 'rounded' 1..3");
    refuses("pipeline 1 streams 8", "it must be 2..5, with 'rounded' 1..4");
    gives(NULL, "pipeline auto streams 1", "--pipeline 3 ");
    gives(NULL, "pipeline auto streams 8", "--pipeline 4 ");
    gives(NULL, "pipeline auto streams 8 accumulator rounded", "--pipeline 2 ");
    refuses("result-rows 15", "result-rows is 15 and rows is 16; a tile's rows must fit: auto, or at least 16");
    refuses("c0-rows 3 rows 4", "c0-rows is 3 and rows is 4; a tile's rows must fit: auto, or at least 4");
    refuses("format e9m1", "X 2..8, Y 1..10");
    refuses("format e8m11", "X 2..8, Y 1..10");
    refuses("format fp32", "X 2..8, Y 1..10");
    refuses("format auto", "X 2..8, Y 1..10");
    refuses("acc-format e4m7", "X 5..8, Y 7..23");
    refuses("acc-format e8m24", "X 5..8, Y 7..23");
    refuses("out-format e1m1", "X 2..8, Y 1..23");
    refuses("height 3", "there is no option 'height'");
    refuses("row 3", "there is no option 'row'");
    static const char *const prefixes[] = {"",    "_a",  "9a", "a_", "a__b",
                                           "a-b", "a.b", "a$", "ä",  "abcdefghijklmnopqrstuvwxyz0123456"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        snprintf(settings, sizeof(settings), "prefix %s", prefixes[i]);
        refuses(settings, "a Verilog identifier of at most 32 characters");
    }
    gives(NULL, "prefix abcdefghijklmnopqrstuvwxyz012345", "--prefix abcdefghijklmnopqrstuvwxyz012345");
}

static void check_rules(void) {
    struct daa_config config;
    refuses("acc-format e5m23", "at least as wide as the operands: X >= 8");
    refuses("acc-format e8m7 b-format tf32", "b-format is tf32");
    gives(NULL, "acc-format e5m23 format fp16", "--acc-format e5m23 ");
    refuses("acc-format e8m7 out-format fp32", "no wider than the accumulator: X <= 8 and Y <= 7");
    refuses("out-format e2m1", "it needs specials off");
    gives(NULL, "out-format e2m1 specials off", "--out-format e2m1 ");
    gives(NULL, "out-format e4m3", "--out-format e4m3 ");
    refuses("groups 2", "groups is 2 and streams is 2; a group has at least 2 streams, so it must be 1");
    refuses("groups 2 streams 1", "groups is 2 and streams is 1; a group has at least 2 streams, so it must be 1");
    refuses("groups 4 streams 4", "groups is 4 and streams is 4; a group has at least 2 streams, so it must be 1|2");
    gives(NULL, "groups 1 streams 4", "--streams 4 --a-format"); /* one goes without saying */
    gives(NULL, "groups 2 streams 4", "--streams 4 --groups 2 --a-format");
    gives(NULL, "groups 4 streams 8 policy rotate", "--streams 8 --groups 4 ");
    refuses("policy magnitude", "policy is 'magnitude', which is for software only; in hardware it must be "
                                "exponent|static|rotate|high|low");
    expect(!resolve(NULL, "policy magnitude", DAA_SOFTWARE, &config) && config.policy == DAA_MAGNITUDE, "magnitude",
           "is refused in software");
    expect(!resolve(NULL, "streams 8", DAA_HARDWARE, &config) && config.streams == 8, "streams 8", "is refused");
}

/* The core's options exist only with it; what is automatic fits the rules. */
static void check_core(void) {
    struct daa_config config;
    gives(NULL, "core off", "--clock-gating off --prefix daa");
    gives(
        NULL, "core on",
        "--core on --bus-bits 128 --block-m 128 --block-n 128 --block-k 128 --outstanding 8 --axi-id-bits 4 --queue 2 "
        "--prefix daa");
    gives("tiny", "core on bus-bits 64", "--bus-bits 64 --block-m 16 --block-n 16 --block-k 16 ");
    gives(NULL, "core on rows 5 cols 3 streams 4 bus-bits 64", "--block-m 40 --block-n 24 --block-k 48 ");
    gives("fp8", "core on bus-bits 512", "--block-k 128 ");
    gives("tiny", "core on a-format e4m3 bus-bits 512", "--block-k 64 ");
    refuses("core yes", "it must be off|on");
    refuses("queue 3", "queue is 3 and core is 'off', which has none; it must be auto, or core on");
    refuses("bus-bits 64 core off", "bus-bits is 64 and core is 'off'");
    refuses("core on bus-bits 32", "it must be auto|64|128|256|512");
    refuses("core on block-m 24", "block-m is 24; it must be a multiple of rows, 16, so auto or 32");
    refuses("core on cols 3 block-n 16", "block-n is 16; it must be a multiple of cols, 3, so auto or 18");
    refuses("core on block-k 100", "it must be a multiple of S*S and of the elements of a bus word, 8, so auto or 104");
    refuses("core on streams 8 block-k 96", "it must be a multiple of S*S and of the elements of a bus word, 64");
    refuses("core on axi-id-bits 1", "it must be auto|2..8");
    refuses("core on outstanding 17", "it must be auto|1..16");
    refuses("core on queue 9", "it must be auto|1..8");
    expect(!resolve(NULL, "core on", DAA_HARDWARE, &config), "core", "is refused");
    struct daa_error error;
    config.block_n = 17;
    expect(!daa_config_check(&config, DAA_HARDWARE, &error) && strstr(error.text, "multiple of cols"), "block_n 17",
           error.text);
    config.block_n = 0;
    expect(!daa_config_check(&config, DAA_HARDWARE, &error) && strstr(error.text, "block-n is '0'"), "block_n 0",
           error.text);
}

/* The table of policies against the contract's. */
static void check_policies(void) {
    static const struct {
        const char *name;
        struct daa_policy_info info;
    } known[] = {
        {"exponent", {"exponent", true, true, DAA_WINS_LARGEST}},
        {"static", {"static", true, false, DAA_WINS_FIRST}},
        {"rotate", {"rotate", true, false, DAA_WINS_TURN}},
        {"magnitude", {"magnitude", false, false, DAA_WINS_LARGEST}},
        {"high", {"high", true, false, DAA_WINS_EVERY}},
        {"low", {"low", true, false, DAA_WINS_NONE}},
    };
    char settings[64], buffer[64];
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct daa_config config;
        snprintf(settings, sizeof(settings), "policy %s", known[i].name);
        if (resolve(NULL, settings, DAA_SOFTWARE, &config)) {
            expect(false, known[i].name, "is refused in software");
            continue;
        }
        const struct daa_policy_info *info = daa_policy_info(config.policy), *want = &known[i].info;
        expect(strcmp(info->name, want->name) == 0 && info->hardware == want->hardware &&
                   info->compares_keys == want->compares_keys && info->winner == want->winner,
               known[i].name, "has another row");
        expect(info->hardware || strstr(daa_option_info(policy_option())->meaning, info->name), known[i].name,
               "is for software only, and the option's meaning does not say so");
        expect(strcmp(daa_option_value(&config, policy_option(), buffer, sizeof(buffer)), known[i].name) == 0,
               known[i].name, buffer);
    }
}

/* Configurations that nobody resolved: each value out of its range, and each rule broken. */
static void check_unresolved(void) {
    struct daa_config good, zero, bad;
    memset(&zero, 0, sizeof(zero));
    expect(!resolve("paper", "", DAA_SOFTWARE, &good) && daa_config_check(&good, DAA_HARDWARE, NULL), "paper",
           "is refused");
    struct daa_error error;
    expect(!daa_config_check(&zero, DAA_SOFTWARE, NULL), "zeros", "are a configuration");
    expect(!daa_config_check(&zero, DAA_SOFTWARE, &error) && strcmp(error.text, "rows is '0'; it must be 1..256") == 0,
           "zeros", error.text);
#define BAD(change, want)                                                                                              \
    bad = good, bad.change;                                                                                            \
    expect(!daa_config_check(&bad, DAA_SOFTWARE, &error) && strstr(error.text, want), #change, error.text)
    BAD(streams = 0, "streams is '0'; it must be 1|2|4|8");
    BAD(streams = 3, "streams is '3'");
    BAD(streams = 16, "streams is '16'");
    BAD(streams = -2, "streams is '-2'");
    BAD(groups = 0, "groups is '0'; it must be 1|2|4");
    BAD(groups = 2, "groups is 2 and streams is 2");
    BAD(lo_bits = 0, "lo-bits is '0'");
    BAD(lo_bits = 12, "lo-bits is '12'");
    BAD(lo_round = (enum daa_lo_round)2, "lo-round is '2'");
    BAD(policy = DAA_POLICY_COUNT, "policy is '6'; it must be exponent|");
    BAD(policy = (enum daa_policy)(-1), "policy is '-1'");
    BAD(window = 33, "window is '33'");
    BAD(window = -1, "window is '-1'");
    BAD(pipeline = 0, "pipeline is '0'");
    BAD(a_format.exp_bits = 9, "a-format is 'e9m7'");
    BAD(b_format.frac_bits = 11, "b-format is 'e8m11'");
    BAD(b_format.encoding = DAA_FINITE, "b-format is");
    BAD(a_format.subnormals = true, "a-format is");
    BAD(acc_format.frac_bits = 24, "acc-format is 'e8m24'");
    BAD(acc_format.frac_bits = 0, "acc-format is 'e8m0'");
    BAD(out_format.exp_bits = 0, "out-format is 'e0m23'");
    BAD(acc_format.exp_bits = 5, "acc-format is");
    BAD(prefix[0] = '\0', "prefix is ''");
    BAD(accumulator = (enum daa_accumulator)2, "accumulator is '2'; it must be rounded|anchored");
    BAD(accumulator = DAA_ANCHORED, "acc-bits is '0'; it must be auto|8..64");
    BAD(accumulator = DAA_ANCHORED; bad.acc_bits = 32, "acc-step is '0'; it must be auto|1|2|4|8");
#undef BAD
    bad = good;
    memset(bad.prefix, 'x', sizeof(bad.prefix));
    expect(!daa_config_check(&bad, DAA_SOFTWARE, &error) && strstr(error.text, "prefix is 'xxx"),
           "a prefix without end", error.text);
}

/* The anchors of the default formats, counted by hand from the contract, and what belongs to one accumulator only. */
static void check_accumulator(void) {
    struct daa_config config;
    const char *error = resolve(NULL, "", DAA_SOFTWARE, &config);
    expect(!error && config.acc_bits == 32 && config.acc_step == 4, "anchored", "has other defaults");
    expect(daa_anchor(&config, 29) == 0 && daa_anchor(&config, 30) == 1 && daa_anchor(&config, 33) == 1 &&
               daa_anchor(&config, 26) == 0 && daa_anchor(&config, 25) == -1,
           "anchored", "has other anchors");
    expect(daa_anchor_least(&config) == -69 && daa_anchor_most(&config) == 67, "anchored", "has another range");
    error = resolve(NULL, "accumulator anchored acc-bits 24 acc-step 8", DAA_SOFTWARE, &config);
    char line[DAA_LINE_MAX];
    daa_config_line(&config, line);
    expect(!error && strstr(line, "--accumulator anchored --acc-bits 24 --acc-step 8 "), "anchored", line);
    refuses("acc-bits 30 accumulator rounded", "acc-bits is 30 and accumulator is 'rounded'");
    refuses("acc-step 4 accumulator rounded", "acc-step is 4 and accumulator is 'rounded'");
    gives(NULL, "acc-bits auto acc-step auto", "--accumulator anchored --acc-bits 32 --acc-step 4 --lo-bits");
    gives(NULL, "accumulator rounded acc-bits auto acc-step auto", "--accumulator rounded --lo-bits");
    refuses("acc-bits 7", "it must be auto|8..64");
    refuses("acc-step 3", "it must be auto|1|2|4|8");
    refuses("accumulator exact", "it must be rounded|anchored");
}

static void check_hash(void) {
    struct daa_config one, other;
    expect(!resolve("paper", "", DAA_HARDWARE, &one) && !resolve(NULL, "accumulator rounded", DAA_HARDWARE, &other),
           "hash", "resolve");
    expect(daa_config_hash(&one) == daa_config_hash(&other), "hash", "differs for the same configuration");
    other.window = 9;
    expect(daa_config_hash(&one) != daa_config_hash(&other), "hash", "is the same for another window");
}

int main(void) {
    check_formats();
    check_defaults();
    check_layers();
    check_window();
    check_values();
    check_rules();
    check_core();
    check_policies();
    check_unresolved();
    check_accumulator();
    check_hash();
    printf("%d cases, %d faults\n", cases, faults);
    return faults > 0;
}

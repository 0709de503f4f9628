/* daacore: a GEMM through the Verilated core of one emitted directory, from memory to memory, by its driver; compared
 * with the golden model bit for bit. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../files/command.h"
#include "../../files/npy.h"
#include "../../files/stats.h"
#include "../../sim/cycles.h"
#include "../emitted.h"
#include "../traced.h"
#include "bus.h"
#include "work.h"

static const char more[] =
    "A matrix starts --shift elements behind a border of 4 KB, and --pad elements stand between its lines.\n"
    "Exit status: 0 done and equal; 1 a mismatch, a hang, a broken rule of AXI, or a job that failed (no output file "
    "is\n"
    "written); 2 usage.\n"
    "\n"
    "--stats:\n"
    "  predicted_cycles what the cycle model (sim/cycles.h) says of them; only without --stall\n"
    "  cycles           in which a job ran, of all jobs, as the core's counter BUSY says\n"
    "  macs             jobs * batch * M * N * K, the products that were asked for\n"
    "  macs_per_cycle   macs / cycles\n"
    "  utilization      macs_per_cycle / (rows * cols * streams)\n"
    "  counters         all counters of the core (docs/registers.md)\n"
    "  seconds          processor time of the simulation; check_seconds, of the golden model\n"
    "\nThis core: ";

struct task {
    char **argv;
    const char *a_path, *b_path, *c0_path, *c_path, *stats_path, *trace_path;
    bool raw, compare, float32, c_as_a, c0_as_a;
    unsigned jobs;
    struct bus_settings settings;
    struct daa_config config;
    struct daa_matrix a, b, c0;
    struct work work;
    struct work_image image;
    struct daa_output c_file, stats_file, trace_file;
    uint32_t *got, *want;
    size_t results;
    struct daa_core core;
    struct daa_core_counters counters;
    struct daa_counts counts;
    double seconds, check_seconds;
};

/* The signal that asks to stop; until this is set one ends the program at once. */
static const volatile sig_atomic_t *caught;

static _Noreturn void fail_job(const struct daa_error *error) {
    daa_output_obey_signal();
    fail(EXIT_JOB, "%s", error->text);
}

static _Noreturn void no_memory(void) {
    fail_job(&(struct daa_error){"out of memory; the matrices are too large for this machine"});
}

/* ---- words ---- */

static double read_real(const char *name, const char *text, double least, double end, const char *range) {
    char *rest;
    const double number = strtod(text, &rest);
    if (rest == text || *rest || !(number >= least && number < end))
        fail(EXIT_USAGE, "%s is '%.64s'; it must be %s", name, text, range);
    return number;
}

static uint64_t read_whole(const char *name, const char *text, uint64_t least, uint64_t most) {
    char *rest;
    errno = 0;
    const unsigned long long number = strtoull(text, &rest, 10);
    if (*text < '0' || *text > '9' || *rest || errno || number < least || number > most)
        fail(EXIT_USAGE, "%s is '%.64s'; it must be a whole number from %" PRIu64 " to %" PRIu64, name, text, least,
             most);
    return number;
}

static bool read_order(const char *name, const char *text) {
    if (strcmp(text, "rows") != 0 && strcmp(text, "columns") != 0)
        fail(EXIT_USAGE, "%s is '%.64s'; it must be rows or columns", name, text);
    return *text == 'c';
}

/* Texts of words whose values are no names of files. */
struct texts {
    const char *batch, *jobs, *a_order, *b_order, *shift, *pad, *latency, *bandwidth, *stall, *seed;
};

static void read_memory(struct task *task, const struct texts *texts) {
    const unsigned bytes = (unsigned)task->config.bus_bits / 8;
    char range[64];
    snprintf(range, sizeof range, "above 0 and at most %u, the bytes of a beat", bytes);
    const double bandwidth =
        texts->bandwidth ? read_real("--bandwidth", texts->bandwidth, 1.0 / 1024, bytes + 1e-9, range) : bytes;
    task->settings.memory.bus_bytes = bytes;
    task->settings.memory.bandwidth = bandwidth;
    task->settings.memory.latency = (unsigned)read_whole("--latency", texts->latency, 1, 1000000);
    task->settings.memory.stall = read_real("--stall", texts->stall, 0, 1, "at least 0 and less than 1");
    task->settings.memory.seed = read_whole("--seed", texts->seed, 0, INT64_MAX);
    task->settings.outstanding = (unsigned)task->config.outstanding;
}

static void read_layouts(struct task *task, const struct texts *texts) {
    const size_t shift = read_whole("--shift", texts->shift, 0, 1 << 20),
                 pad = read_whole("--pad", texts->pad, 0, 1 << 20);
    struct work *work = &task->work;
    struct layout *layouts[] = {&work->a_layout, &work->b_layout, &work->c0_layout, &work->c_layout};
    for (size_t i = 0; i < 4; i++)
        *layouts[i] = (struct layout){.pad = pad};
    work->a_layout.other = work->b_layout.other = task->float32;
    work->c0_layout.other = task->c0_as_a;
    work->c_layout.other = task->c_as_a;
    work->a_layout.columns = read_order("--a-order", texts->a_order);
    work->b_layout.columns = read_order("--b-order", texts->b_order);
    for (size_t i = 0; i < 4; i++)
        layouts[i]->address = ((uint64_t)(i + 1) << 44) + shift * 4; /* far from each other */
    work->batch = read_whole("--batch", texts->batch, 1, DAA_CORE_SIZE_MAX);
    task->jobs = (unsigned)read_whole("--jobs", texts->jobs, 1, 1000000);
    if (work->in_place && !task->c0_path)
        fail(EXIT_USAGE, "--in-place is given and --c is not; it must be, for C to be where C0 is");
    if (work->in_place && daa_container(task->c0_as_a ? task->config.a_format : task->config.acc_format) !=
                              daa_container(work_format(&task->config, work)))
        fail(EXIT_USAGE,
             "--in-place is given and a number of C takes other bytes than one of C0; --c0-as-a and --c-as-a "
             "must be such that both take the same");
    if (work->in_place && task->jobs > 1)
        fail(EXIT_USAGE,
             "--in-place is given and --jobs is %u; it must be 1, for the second job would start from results",
             task->jobs);
}

static void read_arguments(struct task *task, char **argv) {
    bool unchecked = false;
    struct texts texts = {"1", "1", "rows", "rows", "0", "0", "1", NULL, "0", "1"};
    *task = (struct task){.argv = argv};
    const struct daa_word words[] = {
        {"--a", "FILE", "A: float16/32/64 are rounded to the operand format, uint8/16/32 are raw bits of it",
         .text = &task->a_path, .needed = true},
        {"--b", "FILE", "B, likewise", .text = &task->b_path, .needed = true},
        {"--c", "FILE", "what C starts from, likewise in the accumulator format (without it: +0)",
         .text = &task->c0_path},
        {"-o", "FILE", "the results, as float32", .text = &task->c_path, .needed = true, .output = true},
        {"--raw", .meaning = "the results as raw bits of their format", .set = &task->raw},
        {"--stats", "FILE", "what the run did, as JSON (below)", .text = &task->stats_path, .output = true},
        {"--batch", "P", "the files hold P matrices, one below the other (default 1)", .text = &texts.batch},
        {"--jobs", "N", "the whole job N times, queued (default 1)", .text = &texts.jobs},
        {"--a-order", "ORDER", "how A lies in memory: rows (default) or columns", .text = &texts.a_order},
        {"--b-order", "ORDER", "B, likewise", .text = &texts.b_order},
        {"--float32", .meaning = "A and B lie in memory as float32, and the core rounds them", .set = &task->float32},
        {"--c0-as-a", .meaning = "what C starts from is in A's format", .set = &task->c0_as_a},
        {"--c-as-a", .meaning = "the results are rounded to A's format", .set = &task->c_as_a},
        {"--in-place", .meaning = "C takes the place of what it starts from", .set = &task->work.in_place},
        {"--shift", "N", "see below (default 0)", .text = &texts.shift},
        {"--pad", "N", "see below (default 0)", .text = &texts.pad},
        {"--latency", "N", "cycles from an address to its first beat, from a last beat to its answer (default 1)",
         .text = &texts.latency},
        {"--bandwidth", "BYTES", "a cycle, of reads and of writes (default: what the bus has)",
         .text = &texts.bandwidth},
        {"--stall", "P", "each channel does nothing in a cycle with this chance (0 <= P < 1)", .text = &texts.stall},
        {"--reorder", .meaning = "answers of different IDs overtake each other", .set = &task->settings.memory.reorder},
        {"--seed", "N", "of what is random (default 1)", .text = &texts.seed},
        {"--trace", "FILE", "the core's waves, in FST format", .text = &task->trace_path, .output = true},
        {"--no-check", .meaning = "do not compare", .set = &unchecked},
        {0},
    };
    char end[sizeof more + DAA_LINE_MAX + 1];
    snprintf(end, sizeof end, "%s%s\n", more, face_options);
    const struct daa_command command = {
        "daacore",
        "--a A.npy --b B.npy [--c C0.npy] -o C.npy [option]...",
        "Computes C = A B (+ C0) in the Verilated core, from memory to memory, and compares every bit with the golden "
        "model.",
        .more = end,
        .words = words,
    };
    daa_command_read(&command, argv);
    emitted_config(face_options, &task->config);
    task->compare = !unchecked;
    read_memory(task, &texts);
    read_layouts(task, &texts);
}

/* ---- matrices ---- */

/* The bits of a float file as float32. */
static bool load_float32(const char *path, struct daa_matrix *matrix, struct daa_error *error) {
    struct daa_npy npy;
    if (!daa_npy_read(path, &npy, error))
        return false;
    *matrix = (struct daa_matrix){.rows = npy.rows, .cols = npy.cols};
    const bool fits = npy.type == DAA_NPY_F2 || npy.type == DAA_NPY_F4;
    matrix->bits = fits ? malloc((npy.rows * npy.cols + 1) * sizeof *matrix->bits) : NULL;
    for (size_t i = 0; matrix->bits && i < npy.rows * npy.cols; i++) {
        const float value = (float)daa_npy_real(&npy, i / npy.cols, i % npy.cols);
        memcpy(&matrix->bits[i], &value, sizeof value);
    }
    daa_npy_free(&npy);
    if (!fits)
        return daa_fail(error, "%.200s: with --float32 it must be float16 or float32", path);
    return matrix->bits || daa_fail(error, "%.200s: out of memory", path);
}

static bool load_all(struct task *task, struct daa_error *error) {
    const struct daa_config *config = &task->config;
    const bool f = task->float32, specials = config->specials;
    return (f ? load_float32(task->a_path, &task->a, error)
              : daa_matrix_load(task->a_path, config->a_format, specials, &task->a, error)) &&
           (f ? load_float32(task->b_path, &task->b, error)
              : daa_matrix_load(task->b_path, config->b_format, specials, &task->b, error)) &&
           (!task->c0_path || daa_matrix_load(task->c0_path, task->c0_as_a ? config->a_format : config->acc_format,
                                              specials, &task->c0, error));
}

static bool fit(const struct task *task, struct daa_error *error) {
    const struct daa_matrix *a = &task->a, *b = &task->b, *c0 = &task->c0;
    const size_t batch = task->work.batch;
    if (a->rows % batch || b->rows % batch)
        return daa_fail(error, "A has %zu rows and B has %zu; with --batch %zu both must be multiples of it", a->rows,
                        b->rows, batch);
    if (b->rows != a->cols * batch)
        return daa_fail(error, "A is %zu x %zu and B is %zu x %zu; B must have %zu rows", a->rows, a->cols, b->rows,
                        b->cols, a->cols * batch);
    if (task->c0_path && (c0->rows != a->rows || c0->cols != b->cols))
        return daa_fail(error, "C0 is %zu x %zu; it must be %zu x %zu, as A B is", c0->rows, c0->cols, a->rows,
                        b->cols);
    return true;
}

static void load(struct task *task) {
    struct daa_error error;
    if (!load_all(task, &error) || !fit(task, &error))
        fail_job(&error);
    struct work *work = &task->work;
    work->m = task->a.rows / work->batch;
    work->n = task->b.cols;
    work->k = task->a.cols;
    work->a = task->a.bits;
    work->b = task->b.bits;
    work->c0 = task->c0.bits;
    task->results = task->a.rows * work->n;
    task->got = calloc(task->results + 1, sizeof *task->got);
    task->want = calloc(task->results + 1, sizeof *task->want);
    if (!task->got || !task->want)
        no_memory();
    if (!work_image_new(&task->image, &task->config, work, &error))
        fail_job(&error);
}

/* All of them before the work, so that a path that cannot be written costs none. */
static void open_outputs(struct task *task) {
    struct daa_error error;
    if (!daa_output_open(&task->c_file, task->c_path, &error) ||
        (task->stats_path && !daa_output_open(&task->stats_file, task->stats_path, &error)) ||
        (task->trace_path && !daa_output_open_plain(&task->trace_file, task->trace_path, &error)))
        fail_job(&error);
}

static void become_traced(struct task *task) {
    struct daa_error error;
    daa_output_abort(&task->c_file);
    daa_output_abort(&task->stats_file);
    daa_output_abort(&task->trace_file);
    traced_become(face_root, "core-trace", task->argv, &error);
    fail_job(&error);
}

/* ---- the run ---- */

static double processor_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Four times a second at most. */
static void show(uint64_t cycles) {
    static double last;
    const double now = processor_seconds();
    if (now - last < 0.25)
        return;
    last = now;
    fprintf(stderr, "\rdaacore: %.2f million cycles, %.0f thousand a second \033[K", 1e-6 * (double)cycles,
            1e-3 * (double)cycles / now);
}

/* A job's number, or its result where it cannot be. */
static bool submit(struct task *task, struct bus *bus, uint32_t *number, struct daa_error *error) {
    for (;;) {
        const enum daa_core_result result = daa_core_submit(&task->core, &task->image.job, number);
        if (result == DAA_CORE_OK)
            return !bus_error(bus) || daa_fail(error, "%s", bus_error(bus));
        if (result != DAA_CORE_BUSY || bus_error(bus))
            return daa_fail(error, "%s", bus_error(bus) ? bus_error(bus) : daa_core_text(result));
        if (!bus_until_interrupt(bus))
            return daa_fail(error, "%s", bus_error(bus));
        daa_core_acknowledge(&task->core);
    }
}

static bool wait_for(struct task *task, struct bus *bus, uint32_t number, struct daa_error *error) {
    enum daa_core_result result = DAA_CORE_OK;
    while (!daa_core_ended(&task->core, number, &result)) {
        if (!bus_until_interrupt(bus))
            return daa_fail(error, "%s", bus_error(bus));
        daa_core_acknowledge(&task->core);
    }
    if (bus_error(bus))
        return daa_fail(error, "%s", bus_error(bus));
    return result == DAA_CORE_OK || daa_fail(error, "the job ended in error: %s", daa_core_text(result));
}

static bool run_jobs(struct task *task, struct bus *bus, struct daa_error *error) {
    uint32_t number = 0;
    bus_reset(bus);
    if (!work_image_map(&task->image, bus_memory(bus)))
        return daa_fail(error, "no room for the matrices in the memory's map");
    if (daa_core_open(&task->core, bus_registers(bus)) != DAA_CORE_OK)
        return daa_fail(error, "%s", bus_error(bus) ? bus_error(bus) : daa_core_text(DAA_CORE_ABSENT));
    daa_core_interrupt(&task->core, true, true);
    for (unsigned i = 0; i < task->jobs; i++)
        if (!submit(task, bus, &number, error))
            return false;
    if (!wait_for(task, bus, number, error))
        return false;
    daa_core_counters(&task->core, &task->counters);
    if (!bus_run(bus, 100) || !bus_ended(bus))
        return daa_fail(error, "%s", bus_error(bus));
    return true;
}

/* More than a sound core goes without a transfer: a block of the array, and what a memory makes it wait. */
static uint64_t patience(const struct task *task) {
    const struct daa_config *config = &task->config;
    const struct memory_settings *memory = &task->settings.memory;
    const double block = (double)config->block_m * config->block_n * config->block_k /
                         ((double)config->rows * config->cols * config->streams);
    return (uint64_t)(8 * block + 64 * (memory->latency + 64 / (1 - memory->stall)) +
                      1024 * memory->bus_bytes / memory->bandwidth) +
           20000;
}

static _Noreturn void replay(const struct task *task) {
    fputs("  again:", stderr);
    for (char **word = task->argv; *word; word++)
        emitted_word(*word);
    fputc('\n', stderr);
    exit(EXIT_JOB);
}

static void simulate(struct task *task) {
    struct daa_error error, trace_error;
    const bool shown = isatty(STDERR_FILENO);
    task->settings.stop = caught;
    task->settings.patience = patience(task);
    task->settings.progress = shown ? show : NULL;
    struct bus *bus = bus_new(&task->settings, task->trace_file.beside);
    if (!bus)
        no_memory();
    const double start = processor_seconds();
    const bool ran = run_jobs(task, bus, &error);
    task->seconds = processor_seconds() - start;
    bus_free(bus);
    if (shown)
        fputs("\r\033[K", stderr);
    /* Waves are wanted most when the run fails. */
    if (task->trace_path && !*caught && !daa_output_commit(&task->trace_file, &trace_error))
        fail_job(&trace_error);
    if (ran)
        return;
    if (*caught)
        fail_job(&error);
    fprintf(stderr, "daacore: %s\n", error.text);
    replay(task);
}

/* ---- the comparison ---- */

static void print_number(const char *name, struct daa_format format, uint32_t bits) {
    fprintf(stderr, "%s 0x%0*" PRIx32 " (%.9g)", name, (daa_format_width(format) + 3) / 4, bits,
            daa_to_double(format, bits));
}

static void compare(struct task *task) {
    struct daa_error error;
    const struct daa_format format = work_format(&task->config, &task->work);
    const double start = processor_seconds();
    if (!work_golden(&task->config, &task->work, task->want, &task->counts, &error))
        fail_job(&error);
    task->check_seconds = processor_seconds() - start;
    if (!work_image_clean(&task->image)) {
        fputs("daacore: bytes between the results were written\n", stderr);
        replay(task);
    }
    size_t first = task->results, differing = 0;
    for (size_t i = task->results; i-- > 0;)
        if (task->got[i] != task->want[i]) {
            first = i;
            differing++;
        }
    if (differing == 0)
        return;
    const size_t n = task->work.n, m = task->work.m;
    fprintf(stderr, "daacore: mismatch in %zu of %zu elements; the first is C[%zu][%zu] of product %zu:", differing,
            task->results, first / n % m, first % n, first / n / m);
    print_number(" got", format, task->got[first]);
    print_number(", want", format, task->want[first]);
    fputc('\n', stderr);
    replay(task);
}

/* ---- reports ---- */

static double macs(const struct task *task) {
    const struct work *work = &task->work;
    return (double)task->jobs * (double)work->batch * (double)work->m * (double)work->n * (double)work->k;
}

static double macs_per_cycle(const struct task *task) {
    return task->counters.busy ? macs(task) / (double)task->counters.busy : 0;
}

static double utilization(const struct task *task) {
    return macs_per_cycle(task) / ((double)task->config.rows * task->config.cols * task->config.streams);
}

static void set(json_t *object, const char *name, uint64_t value) {
    json_object_set_new(object, name, json_integer((json_int_t)value));
}

static json_t *counters_json(const struct daa_core_counters *counters) {
    json_t *object = json_object();
    set(object, "cycles", counters->cycles);
    set(object, "busy", counters->busy);
    set(object, "wait_a", counters->wait_a);
    set(object, "wait_b", counters->wait_b);
    set(object, "wait_c", counters->wait_c);
    set(object, "macs", counters->macs);
    set(object, "steps", counters->steps);
    set(object, "read_bytes", counters->read_bytes);
    set(object, "write_bytes", counters->write_bytes);
    set(object, "read_bursts", counters->read_bursts);
    set(object, "write_bursts", counters->write_bursts);
    return object;
}

/* What the cycle model says of the same jobs. */
static uint64_t predicted(const struct task *task) {
    const struct daa_cycles_memory memory = {task->settings.memory.latency, task->settings.memory.bandwidth};
    const struct daa_cycles_job job = work_cycles(&task->image, &task->config);
    struct daa_cycles_model *model = daa_cycles_new(&task->config, memory);
    uint64_t cycles = 0;
    for (unsigned i = 0; model && i < task->jobs; i++)
        cycles += daa_cycles_run(model, &job).busy;
    daa_cycles_free(model);
    return cycles;
}

static json_t *stats_of(const struct task *task) {
    const struct work *work = &task->work;
    const struct memory_settings *memory = &task->settings.memory;
    json_t *stats = json_object();
    json_object_set_new(stats, "options", daa_stats_options(&task->config));
    set(stats, "m", work->m);
    set(stats, "n", work->n);
    set(stats, "k", work->k);
    set(stats, "batch", work->batch);
    set(stats, "jobs", task->jobs);
    set(stats, "latency", memory->latency);
    json_object_set_new(stats, "bandwidth", json_real(memory->bandwidth));
    json_object_set_new(stats, "stall", json_real(memory->stall));
    json_object_set_new(stats, "reorder", json_boolean(memory->reorder));
    set(stats, "seed", memory->seed);
    set(stats, "cycles", task->counters.busy);
    set(stats, "macs", task->jobs * work->batch * work->m * work->n * work->k);
    if (memory->stall == 0)
        set(stats, "predicted_cycles", predicted(task));
    json_object_set_new(stats, "macs_per_cycle", json_real(macs_per_cycle(task)));
    json_object_set_new(stats, "utilization", json_real(utilization(task)));
    json_object_set_new(stats, "counters", counters_json(&task->counters));
    if (task->compare)
        json_object_set_new(stats, "products", daa_stats_counts(&task->config, &task->counts));
    json_object_set_new(stats, "compared", json_boolean(task->compare));
    json_object_set_new(stats, "seconds", json_real(task->seconds));
    json_object_set_new(stats, "check_seconds", json_real(task->check_seconds));
    return stats;
}

static bool write_stats(struct task *task, struct daa_error *error) {
    json_t *stats = stats_of(task);
    const bool written = daa_stats_write(&task->stats_file, stats, error);
    json_decref(stats);
    return written;
}

static void summary(const struct task *task) {
    const struct work *work = &task->work;
    printf("daacore: %zu x %zu x %zu", work->m, work->n, work->k);
    if (work->batch > 1)
        printf(", %zu products", work->batch);
    if (task->jobs > 1)
        printf(", %u jobs", task->jobs);
    printf(": %" PRIu64 " cycles, %.2f MACs per cycle (%.1f%% of peak), %" PRIu64 " bytes read, %" PRIu64
           " written; %s\n",
           task->counters.busy, macs_per_cycle(task), 100 * utilization(task), task->counters.read_bytes,
           task->counters.write_bytes, task->compare ? "equal to the golden model" : "not compared");
}

/* All that can fail before the first file takes its place. */
static void save(struct task *task) {
    struct daa_error error;
    const struct daa_format format = work_format(&task->config, &task->work);
    bool good = daa_matrix_write(&task->c_file, task->a.rows, task->work.n, task->got, format, task->raw, &error) &&
                daa_output_finish(&task->c_file, &error) &&
                (!task->stats_path || (write_stats(task, &error) && daa_output_finish(&task->stats_file, &error)));
    if (good) {
        summary(task);
        daa_command_flush();
        good = !*caught && daa_output_commit(&task->c_file, &error) &&
               (!task->stats_path || daa_output_commit(&task->stats_file, &error));
    }
    if (!good)
        fail_job(&error);
}

int main(int argc, char **argv) {
    (void)argc;
    static struct task task;
    read_arguments(&task, argv);
    load(&task);
    open_outputs(&task);
    if (task.trace_path && !face_traces)
        become_traced(&task);
    caught = daa_output_note_signal();
    simulate(&task);
    work_image_results(&task.image, &task.config, &task.work, task.got);
    if (task.compare)
        compare(&task);
    save(&task);
    work_image_free(&task.image);
    daa_matrix_free(&task.a);
    daa_matrix_free(&task.b);
    daa_matrix_free(&task.c0);
    free(task.got);
    free(task.want);
    return EXIT_SUCCESS;
}

/* Products side by side: arguments checked, lanes and rows shared out among threads. */
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine_kernel.h"
#include "engine_threads.h"

enum { ROWS = 64, MOST_COLS = 64 };

struct job {
    const struct engine_beside *products;
    const struct engine_beside_kernel *kernel;
    size_t rows, lane_tasks, tasks, scratch_words; /* rows: of a task */
    uint32_t *scratch;
    atomic_size_t next_task, next_scratch;
};

static void work(void *argument) {
    struct job *job = argument;
    uint32_t *scratch = job->scratch + atomic_fetch_add(&job->next_scratch, 1) * job->scratch_words;
    for (size_t task; (task = atomic_fetch_add(&job->next_task, 1)) < job->tasks;) {
        const size_t first = task / job->lane_tasks * job->rows, left = job->products->m - first;
        job->kernel->run(job->products, task % job->lane_tasks * (size_t)job->kernel->lanes, first,
                         left < job->rows ? left : job->rows, scratch);
    }
}

/* From an empty accumulator on. A sum's last bit is no lower than its largest key less the window, if there are more
 * products than one, and the bits of a product; M's by the contract's A. */
static bool is_exact(const struct daa_config *config, const struct engine_plan *plan, size_t k) {
    const int below = (k > 1 ? plan->window : 0) + plan->frac_bits;
    return k <= (size_t)plan->streams && below + daa_sum_growth(config) + config->acc_step - 1 <= config->acc_bits - 3;
}

enum daa_status daa_beside_run(const struct daa_beside_args *args, struct daa_error *error) {
    struct daa_config narrowed;
    struct engine_plan plan;
    const struct engine_beside_kernel *kernel = daa_beside_kernel(args->config, &plan, &narrowed);
    if (!kernel || args->n > MOST_COLS || args->batch % BESIDE_MULTIPLE) {
        daa_fail(error, "no engine multiplies side by side with this configuration and size; use daa_gemm_run()");
        return DAA_NO_ENGINE;
    }
    if (!daa_in_range(&plan, kernel->scan(args->a, args->a_size), kernel->scan(args->b, args->b_size))) {
        daa_fail(error, "exponents are beyond what multiplies side by side; use daa_gemm_run()");
        return DAA_NO_ENGINE;
    }
    const struct engine_beside products = {
        &plan,        args->m,      args->n,      args->k,
        args->batch,  args->a,      args->b,      args->a_rows,
        args->a_cols, args->b_rows, args->b_cols, args->c_rows,
        args->c_cols, args->c,      args->sums,   is_exact(args->config, &plan, args->k)};
    struct job job = {.products = &products,
                      .kernel = kernel,
                      .rows = args->sums ? args->sums : ROWS,
                      .scratch_words = (kernel->words(&products) + 15) / 16 * 16};
    job.lane_tasks = (args->batch + (size_t)kernel->lanes - 1) / (size_t)kernel->lanes;
    job.tasks = (args->m + job.rows - 1) / job.rows * job.lane_tasks;
    const size_t threads = args->threads < 1                   ? 1
                           : (size_t)args->threads < job.tasks ? (size_t)args->threads
                                                               : job.tasks;
    job.scratch = malloc((threads ? threads : 1) * job.scratch_words * sizeof *job.scratch);
    if (!job.scratch) {
        daa_fail(error, "out of memory for the blocks of %zu threads; give fewer threads", threads);
        return DAA_NO_MEMORY;
    }
    daa_run_threads((int)threads, work, &job);
    free(job.scratch);
    return DAA_OK;
}

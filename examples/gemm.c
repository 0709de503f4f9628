/* C = A B through the arithmetic of a DAA with two streams, beside the exact result.
 *
 *   cc gemm.c $(pkg-config --cflags --libs daa) -o gemm
 */
#include <daa/engine.h>
#include <inttypes.h>
#include <stdio.h>

enum { M = 2, N = 3, K = 4 };

/* The named configuration "paper", with low values of 3 significant bits. */
static bool configure(struct daa_config *config, struct daa_error *error) {
    struct daa_options *options = daa_options_new();
    if (!options)
        return daa_fail(error, "out of memory");
    bool good = daa_options_load(options, "paper", error) && daa_options_set(options, "lo-bits", "3", error) &&
                daa_options_resolve(options, DAA_SOFTWARE, config, error);
    daa_options_free(options);
    return good;
}

int main(void) {
    const float a[M][K] = {{1.5F, 0.703125F, -0.25F, 4}, {2, 0, 0.8125F, -1}};
    const float b[N][K] = {{2, 0.5F, 1, 0.375F}, {-1, 3.25F, 0.125F, 1}, {0.5F, 1, -2, 2.875F}}; /* transposed */
    float c[M][N];
    struct daa_config config;
    struct daa_counts counts = {{0}, {0}, {0}, {0}, {0}};
    struct daa_gemm_report report;
    struct daa_error error;
    if (!configure(&config, &error)) {
        fprintf(stderr, "gemm: %s\n", error.text);
        return 1;
    }
    const struct daa_gemm_args args = {
        .config = &config,
        .m = M,
        .n = N,
        .k = K,
        .batch = 1,
        .a = {.data = a, .type = DAA_FLOAT32, .ld = K},
        .b = {.data = b, .type = DAA_FLOAT32, .transposed = true, .ld = K},
        .c = {.data = c, .type = DAA_FLOAT32, .ld = N},
        .engine = DAA_ENGINE_AUTO,
        .counts = &counts,
    };
    enum daa_status status = daa_gemm_run(&args, &report, &error);
    if (status != DAA_OK) {
        fprintf(stderr, "gemm: %s\n", error.text);
        return 1;
    }
    for (int i = 0; i < M; i++) {
        for (int j = 0; j < N; j++) {
            double exact = 0;
            for (int k = 0; k < K; k++)
                exact += (double)a[i][k] * (double)b[j][k];
            printf("C[%d][%d] = %g, exact %g\n", i, j, (double)c[i][j], exact);
        }
    }
    for (int s = 0; s < config.streams; s++)
        printf("stream %d: high %" PRIu64 ", low %" PRIu64 ", zero %" PRIu64 ", dropped %" PRIu64 "\n", s,
               counts.high[s], counts.low[s], counts.zero[s], counts.dropped[s]);
    printf("engine %s\n", daa_engine_name(report.engine));
    return 0;
}

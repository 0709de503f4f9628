/* daagen: options -> configuration -> plan -> files. */
#include <stdlib.h>

#include "../files/command.h"
#include "emit.h"
#include "files.h"
#include "plan.h"

int main(int argc, char **argv) {
    (void)argc;
    struct daa_config config;
    const char *directory = NULL;
    const struct daa_word words[] = {
        {"-o", "DIR", "new, empty, or an earlier output, which is replaced", .text = &directory, .needed = true},
        {0},
    };
    const struct daa_command command = {
        "daagen",
        "[--config NAME|FILE] [--OPTION VALUE]... -o DIR",
        "Emits the Verilog of one array, its manifest daa.json, a C header, constraints and a self-checking bench into "
        "DIR.",
        .words = words,
        .config = &config,
        .use = DAA_HARDWARE,
    };
    daa_command_read(&command, argv);

    struct plan *plan = plan_new(&config);
    static struct files files;
    emit(&config, plan, &files);
    files_write(&files, directory);
    files_free(&files);
    plan_free(plan);
    return EXIT_SUCCESS;
}

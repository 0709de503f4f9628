#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

json_t *daa_stats_options(const struct daa_config *config) {
    json_t *options = json_object();
    char buffer[64];
    for (size_t i = 0; i < daa_option_count(); i++) {
        const char *text = daa_option_value(config, i, buffer, sizeof buffer);
        if (text && daa_option_is_said(config, i))
            json_object_set_new(options, daa_option_info(i)->name,
                                daa_option_is_number(i) ? json_integer(atoi(text)) : json_string(text));
    }
    return options;
}

static json_t *per_stream(const struct daa_config *config, const uint64_t *counts) {
    json_t *array = json_array();
    for (int i = 0; i < config->streams; i++)
        json_array_append_new(array, json_integer((json_int_t)counts[i]));
    return array;
}

json_t *daa_stats_counts(const struct daa_config *config, const struct daa_counts *counts) {
    json_t *object = json_object();
    json_object_set_new(object, "high", per_stream(config, counts->high));
    json_object_set_new(object, "low", per_stream(config, counts->low));
    json_object_set_new(object, "zero", per_stream(config, counts->zero));
    json_object_set_new(object, "dropped", per_stream(config, counts->dropped));
    json_object_set_new(object, "special", per_stream(config, counts->special));
    return object;
}

json_t *daa_stats_matrix(const struct daa_matrix *matrix) {
    json_t *object = json_object();
    json_object_set_new(object, "overflow", json_integer((json_int_t)matrix->overflow));
    json_object_set_new(object, "underflow", json_integer((json_int_t)matrix->underflow));
    return object;
}

bool daa_stats_write(struct daa_output *output, const json_t *stats, struct daa_error *error) {
    if (json_dumpf(stats, output->file, JSON_INDENT(2)) == 0 && fputc('\n', output->file) != EOF)
        return true;
    return daa_fail(error, "%.200s: cannot be written (%s); give a path that can", output->path, strerror(errno));
}

#include "ports.h"

#include <stdio.h>
#include <string.h>

struct port {
    const char *name;          /* the last letter says the direction */
    const char *times, *width; /* a vector of TIMES numbers, each of the plan's WIDTH bits, S of them where STREAMS */
    bool streams;
    const char *note;
};

static const struct port ports[] = {
    {"clk_i", NULL, NULL, false, "everything happens on its rising edge"},
    {"rst_ni", NULL, NULL, false, "reset, active low, synchronous"},
    {"a_valid_i", NULL, NULL, false, "a step of A"},
    {"a_ready_o", NULL, NULL, false, "is taken"},
    {"a_data_i", "Rows", "a_width", true, "row r, stream s"},
    {"a_last_i", NULL, NULL, false, "the tile's last step"},
    {"a_c0_i", NULL, NULL, false, "on its first step: it starts from C0, else from +0"},
    {"b_valid_i", NULL, NULL, false, "a step of B"},
    {"b_ready_o", NULL, NULL, false, "is taken"},
    {"b_data_i", "Cols", "b_width", true, "column c, stream s"},
    {"b_last_i", NULL, NULL, false, "the tile's last step: as a_last_i"},
    {"c0_valid_i", NULL, NULL, false, "a row of C0"},
    {"c0_ready_o", NULL, NULL, false, "is taken"},
    {"c0_data_i", "Cols", "acc_width", false, "column c"},
    {"c0_last_i", NULL, NULL, false, "the tile's last row, row Rows-1"},
    {"c_valid_o", NULL, NULL, false, "a row of results"},
    {"c_ready_i", NULL, NULL, false, "is taken"},
    {"c_data_o", "Cols", "out_width", false, "column c"},
    {"c_last_o", NULL, NULL, false, "the tile's last row, row Rows-1"},
    {"error_o", NULL, NULL, false, "a last mark was not where it belongs; stays until reset"},
};
enum { PORTS = sizeof(ports) / sizeof(ports[0]) };

static bool is_input(const char *name) {
    return name[strlen(name) - 1] == 'i';
}

/* a_data_i -> a_data, rst_ni -> rst_n */
static void put_signal(struct plan *plan, const char *name) {
    char signal[32];
    size_t length = strlen(name) - 1;
    if (name[length - 1] == '_')
        length--;
    snprintf(signal, sizeof(signal), "%.*s", (int)length, name);
    plan_item(plan, "port_signals", signal);
}

static void put_range(struct plan *plan, const struct daa_config *config, const struct port *port) {
    char range[48] = "", note[96];
    char streams[16] = "";
    int width = port->times ? plan_find(plan, port->width)->number : 0;
    if (port->streams)
        snprintf(streams, sizeof(streams), "*%d", config->streams);
    if (port->times)
        snprintf(range, sizeof(range), "[%s%s*%d-1:0]", port->times, streams, width);
    plan_item(plan, "port_ranges", range);
    snprintf(note, sizeof(note), "%s", port->note);
    if (port->streams)
        snprintf(note, sizeof(note), "%s at (%c*%d + s)*%d", port->note, port->times[0] | 0x20, config->streams, width);
    else if (port->times)
        snprintf(note, sizeof(note), "%s at c*%d", port->note, width);
    plan_item(plan, "port_notes", note);
}

void ports_add(struct plan *plan, const struct daa_config *config) {
    static const char *const lists[] = {"port_names",  "port_signals", "port_kinds",  "port_regs",
                                        "port_ranges", "port_notes",   "port_inputs", "port_outputs"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        plan_list(plan, lists[i]);
    for (const struct port *port = ports; port < ports + PORTS; port++) {
        plan_item(plan, "port_names", port->name);
        put_signal(plan, port->name);
        plan_item(plan, "port_kinds", is_input(port->name) ? "input " : "output");
        plan_item(plan, "port_regs", is_input(port->name) ? "reg " : "wire");
        put_range(plan, config, port);
        if (port != ports)
            plan_item(plan, is_input(port->name) ? "port_inputs" : "port_outputs", port->name);
    }
}

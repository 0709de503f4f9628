#include "ports.h"

#include <stdio.h>
#include <string.h>

struct port {
    const char *name;          /* the last letter says the direction */
    const char *times, *width; /* a vector of TIMES numbers, each of the plan's WIDTH bits, S of them where STREAMS */
    bool streams;
    const char *note;
    bool core; /* only inside the core, which cuts K */
};

static const struct port ports[] = {
    {"clk_i", NULL, NULL, false, "everything happens on its rising edge", false},
    {"rst_ni", NULL, NULL, false, "reset, active low, synchronous", false},
    {"a_valid_i", NULL, NULL, false, "a step of A", false},
    {"a_ready_o", NULL, NULL, false, "is taken", false},
    {"a_data_i", "Rows", "a_width", true, "row r, stream s", false},
    {"a_last_i", NULL, NULL, false, "the tile's last step", false},
    {"a_c0_i", NULL, NULL, false, "on its first step: it starts from C0, else from +0", false},
    {"a_more_i", NULL, NULL, false, "on its last step: its rows leave as states that a tile goes on from", true},
    {"b_valid_i", NULL, NULL, false, "a step of B", false},
    {"b_ready_o", NULL, NULL, false, "is taken", false},
    {"b_data_i", "Cols", "b_width", true, "column c, stream s", false},
    {"b_last_i", NULL, NULL, false, "the tile's last step: as a_last_i", false},
    {"c0_valid_i", NULL, NULL, false, "a row of C0", false},
    {"c0_ready_o", NULL, NULL, false, "is taken", false},
    {"c0_data_i", "Cols", "acc_width", false, "column c", false},
    {"c0_last_i", NULL, NULL, false, "the tile's last row, row Rows-1", false},
    {"c0_partial_i", NULL, NULL, false, "this row is of states", true},
    {"c0_state_i", "Cols", "state_bits", false, "column c", true},
    {"c_valid_o", NULL, NULL, false, "a row of results", false},
    {"c_ready_i", NULL, NULL, false, "is taken", false},
    {"c_data_o", "Cols", "out_width", false, "column c", false},
    {"c_last_o", NULL, NULL, false, "the tile's last row, row Rows-1", false},
    {"c_partial_o", NULL, NULL, false, "this row is of states", true},
    {"c_state_o", "Cols", "state_bits", false, "column c", true},
    {"error_o", NULL, NULL, false, "a last mark was not where it belongs; stays until reset", false},
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
        if (port->core && !config->core)
            continue;
        plan_item(plan, "port_names", port->name);
        put_signal(plan, port->name);
        plan_item(plan, "port_kinds", is_input(port->name) ? "input " : "output");
        plan_item(plan, "port_regs", is_input(port->name) ? "reg " : "wire");
        put_range(plan, config, port);
        if (port != ports)
            plan_item(plan, is_input(port->name) ? "port_inputs" : "port_outputs", port->name);
    }
}

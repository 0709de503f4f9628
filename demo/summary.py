"""The main job's result as text for a terminal, without the area tables."""


def accuracy_lines(result):
    yield f"{'':24}{'correct':>12}{'accuracy':>12}"
    names = {"float64": "float64, numpy", "golden": "golden model", "rtl": "RTL, Verilator", "rival": "RTL, 1 stream"}
    for key, name in names.items():
        count = result["correct"][key]
        yield f"{name:24}{count:>12}{count / result['images']:>12.2%}"


def streams(figures):
    count = figures["streams"]
    return f"{count} stream{'s' if count > 1 else ''}"


def comparison_lines(result):
    """The 1-stream rival beside the array, and their ratio."""
    rival, array = result["rival"], result["array"]
    rows = (
        ("cycles", "cycles", "{:,}"),
        ("MACs per cycle", "macs_per_cycle", "{:.1f}"),
        ("  of the peak", "utilization", "{:.1%}"),
        ("PE, um2", "pe_um2", "{:,.0f}"),
        ("array, um2", "array_um2", "{:,.0f}"),
        ("MACs per cycle per mm2", "macs_per_cycle_per_mm2", "{:.1f}"),
        ("  at the peak", "peak_macs_per_cycle_per_mm2", "{:.1f}"),
    )
    yield f"{'':24}{streams(rival):>12}{streams(array):>12}{'ratio':>10}"
    for name, key, form in rows:
        old, new = rival[key], array[key]
        yield f"{name:24}{form.format(old):>12}{form.format(new):>12}{new / old:>9.2f}x"
    yield f"the same GEMM in {result['speedup']:.3f} times fewer cycles"


def lines(result):
    options, array = result["options"], result["array"]
    columns, classes = array["cols"], result["classes"]
    yield f"Fashion-MNIST by nearest class mean: {result['images']} images, {result['pixels']} pixels, {classes} classes"
    yield (f"array {result['config']}: {array['rows']} x {columns}, {streams(array)}, "
           f"{options['a-format']} x {options['b-format']} into {options['acc-format']}, policy {options['policy']}")
    yield ""
    yield from accuracy_lines(result)
    equal, elements = array["elements_equal"], array["elements"]
    yield f"golden model and RTL agree bit for bit in {equal} of {elements} elements"
    yield ""
    yield from comparison_lines(result)
    passes = -(-classes // columns)
    idle = passes * columns - classes
    if idle:
        yield (f"{classes} classes leave {idle} of {passes * columns} columns idle: at most "
               f"{classes / (passes * columns):.1%} of the peak can be reached here.")
    yield f"Areas: {result['library']}, cells only."

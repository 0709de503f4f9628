"""The main job's result as text for a terminal."""


def accuracy_lines(result):
    yield f"{'':24}{'correct':>12}{'accuracy':>12}"
    names = {"float64": "float64, numpy", "golden": "golden model", "rtl": "RTL, Verilator", "rival": "RTL, 1 stream"}
    for key, name in names.items():
        count = result["correct"][key]
        yield f"{name:24}{count:>12}{count / result['images']:>12.2%}"


def comparison_lines(result):
    """The 1-stream rival beside the array, and their ratio."""
    rival, array = result["rival"], result["array"]
    rows = (
        ("cycles", "cycles", "{:,}", True),
        ("MACs per cycle", "macs_per_cycle", "{:.1f}", False),
        ("  of the peak", "utilization", "{:.1%}", False),
        ("PE, um2", "pe_um2", "{:,.0f}", False),
        ("array, um2", "array_um2", "{:,.0f}", False),
        ("MACs per cycle per mm2", "macs_per_cycle_per_mm2", "{:.1f}", False),
        ("  at the peak", "peak_macs_per_cycle_per_mm2", "{:.1f}", False),
    )
    streams = f"{array['streams']} streams" if array["streams"] > 1 else "1 stream"
    yield f"{'':24}{'1 stream':>12}{streams:>12}{'ratio':>10}"
    for name, key, form, inverse in rows:
        old, new = rival[key], array[key]
        ratio = old / new if inverse else new / old
        yield f"{name:24}{form.format(old):>12}{form.format(new):>12}{ratio:>9.2f}x"


def area_lines(area):
    total = area["array_um2"]
    yield f"area of the array, {area['library']}"
    yield f"{'':24}{'count':>12}{'um2':>12}{'share':>10}"
    for name, block in area["blocks"].items():
        yield f"{name:24}{block['count']:>12,}{block['um2']:>12,.0f}{block['um2'] / total:>10.1%}"
    yield f"{'array':24}{'':>12}{total:>12,.0f}{1:>10.1%}"
    yield f"{'flip-flops':24}{area['flip_flops']:>12,}"


def lines(result):
    options, array = result["options"], result["array"]
    columns = array["cols"]
    # The last pass over the columns may be partly idle.
    used = result["classes"] / (-(-result["classes"] // columns) * columns)
    yield f"Fashion-MNIST by nearest class mean: {result['images']} images, {result['pixels']} pixels, {result['classes']} classes"
    yield (f"array {result['config']}: {array['rows']} x {columns}, {array['streams']} stream(s), "
           f"{options['a-format']} x {options['b-format']} into {options['acc-format']}, policy {options['policy']}")
    yield ""
    yield from accuracy_lines(result)
    equal, elements = array["elements_equal"], array["elements"]
    yield f"golden model and RTL agree bit for bit in {equal} of {elements} elements"
    yield ""
    yield from comparison_lines(result)
    if used < 1:
        yield (f"{result['classes']} classes leave columns of the {columns} idle: no more than {used:.1%} of the peak "
               "can be reached here.")
    yield ""
    yield from area_lines(result["area"])


def text(result):
    return "\n".join(lines(result))

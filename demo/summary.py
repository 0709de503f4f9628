"""The main job's result as text for a terminal: one screen."""


def streams(figures):
    count = figures["streams"]
    return f"{count} stream{'s' if count > 1 else ''}"


def comparison_lines(result):
    """The 1-stream rival beside the array, and their ratio."""
    rival, array, tested = result["rival"], result["array"], result["tested"]
    rows = (
        ("cycles a training step", "cycles_a_step", "{:,.0f}"),
        ("MACs per cycle", "macs_per_cycle", "{:.1f}"),
        ("  of the peak", "utilization", "{:.1%}"),
        ("element, um2", "pe_um2", "{:,.0f}"),
        ("array, um2", "array_um2", "{:,.0f}"),
        ("MACs per cycle and mm2", "macs_per_cycle_per_mm2", "{:.1f}"),
    )
    yield f"{'':24}{streams(rival):>12}{streams(array):>12}{'ratio':>10}"
    for name, key, form in rows:
        if key not in array:
            continue
        old, new = rival[key], array[key]
        yield f"{name:24}{form.format(old):>12}{form.format(new):>12}{new / old:>9.2f}x"
    right = {name: count / tested for name, count in result["correct"].items()}
    yield f"{'test accuracy':24}{right['rival']:>12.2%}{right['rtl']:>12.2%}   float32: {right['float32']:.2%}"


def lines(result):
    array, loss = result["array"], result["loss"]
    options = array["options"]
    yield (f"Fashion-MNIST, a {'-'.join(map(str, result['layers']))} network: {result['steps']} steps of {result['batch']} images "
           f"on the simulated array")
    yield (f"array {result['config']}: {array['rows']} x {array['cols']}, {streams(array)}, "
           f"{options['a-format']} x {options['b-format']} into {options['acc-format']}, policy {options['policy']}")
    yield (f"{array['products']:,} products of matrices, {array['macs'] / 1e9:.2f} billion MACs: all {array['results']:,} results "
           f"equal the golden model's, bit for bit")
    yield f"loss {loss['first']:.2f} to {loss['last']:.2f} (float32: {loss['last_float32']:.2f}); {result['tested']:,} test images"
    yield ""
    yield from comparison_lines(result)
    yield f"Areas: {result['library']}, cells only." if result["library"] else "Areas: none, without standard cells."

"""The main job's result as text for a terminal: one screen."""

# What the run itself measured; one training step is one pass over all three GEMMs.
MEASURED = (
    ("cycles a training step", "cycles_a_step", "{:,.0f}"),
    ("MACs per cycle", "macs_per_cycle", "{:.1f}"),
    ("  of the peak", "utilization", "{:.1%}"),
    ("array of fewest cells, mm2", "array_mm2", "{:.2f}"),
)
# What is quoted: of one element.
QUOTED = (
    ("element's clock, ns", lambda one: one["clock_ns"], "{:.2f}"),
    ("element at it, um2", lambda one: one["um2"], "{:,.0f}"),
    ("MACs a second and mm2, 1e9", lambda one: one["macs_per_cycle"] / one["clock_ns"] / one["um2"] * 1e6, "{:.2f}"),
    ("energy a MAC, pJ", lambda one: one["pj_per_mac"]["all"], "{:.0f}"),
)
NAMES = {"baseline": "conventional"}


def row(label, values, form, ratios=True):
    """A row's figures, and behind each but the first its ratio to the first: 80 columns for three arrays."""
    told = [form.format(value) if value is not None else "-" for value in values]
    text = f"{label:27}{told[0]:>13}"
    for value, word in zip(values[1:], told[1:]):
        ratio = f"({value / values[0]:.2f}x)" if ratios and value and values[0] else ""
        text += f"{word:>12}{ratio:>8}"
    return text.rstrip()


def comparison_lines(result):
    """The array last, those that it is held against before it."""
    columns = {NAMES.get(name, name): rival for name, rival in result["rivals"].items()}
    columns[result["config"]] = result["array"]
    figures = list(columns.values())
    yield row("", list(columns), "{}", ratios=False)
    for name, key, form in MEASURED:
        if key in figures[0]:
            yield row(name, [column[key] for column in figures], form)
    quoted = [column["quoted"] for column in figures]
    for name, figure, form in QUOTED:
        yield row(name, [one and figure(one) for one in quoted], form)
    correct = result["correct"]
    right = [*(correct[name] for name in result["rivals"]), correct["rtl"]]
    yield row("test accuracy", [count / result["tested"] for count in right], "{:.2%}", ratios=False)
    yield row("  in float32", [correct["float32"] / result["tested"]], "{:.2%}")


def lines(result):
    array, loss = result["array"], result["loss"]
    options = array["options"]
    count = array["streams"]
    yield (f"Fashion-MNIST, a {'-'.join(map(str, result['layers']))} network: {result['steps']} steps of {result['batch']} images "
           f"on the simulated array")
    yield (f"array {result['config']}: {array['rows']} x {array['cols']}, {count} stream{'s' if count > 1 else ''}, "
           f"{options['a-format']} x {options['b-format']} into {options['acc-format']}, {options['accumulator']}, policy {options['policy']}")
    yield (f"{array['products']:,} products of matrices, {array['macs'] / 1e9:.2f} billion MACs: all {array['results']:,} results "
           f"equal the golden model's, bit for bit")
    yield f"loss {loss['first']:.2f} to {loss['last']:.2f} (float32: {loss['last_float32']:.2f}); {result['tested']:,} test images"
    yield ""
    yield from comparison_lines(result)
    yield f"Array: {array['library']}, cells only." if "library" in array else "Array's area: none, without standard cells."
    yield f"Element, at its highest clock: quoted from {result['quoted_from']} (`make compare`)."

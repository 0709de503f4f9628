"""What the tables of a cell say: interpolation, axes in either order, units, averages, and what is refused."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "synth"))
import liberty  # noqa: E402
import tables  # noqa: E402
from job import LIBERTY as OSU  # noqa: E402

HEAD = """time_unit : "10ps"; voltage_unit : "100mV"; leakage_power_unit : "1pW"; capacitive_load_unit (2, ff); nom_voltage : 12;
  lu_table_template(by_load) { variable_1 : total_output_net_capacitance; variable_2 : input_net_transition;
    index_1 ("1, 3"); index_2 ("10, 20"); }
  lu_table_template(by_slew) { variable_1 : input_net_transition; variable_2 : total_output_net_capacitance; }
  power_lut_template(line) { variable_1 : input_transition_time; index_1 ("10, 20"); }
"""
CELLS = """
  cell(INV) { area : 1; cell_leakage_power : 5;
    pin(A) { direction : input; capacitance : 4;
      internal_power() { rise_power(line) { values ("1, 3"); } fall_power(line) { values ("5, 7"); } } }
    pin(Y) { direction : output; function : "A'";
      timing() { related_pin : "A";
        cell_rise(by_load) { values ("1, 2", "3, 6"); }
        cell_fall(by_slew) { index_1 ("10, 20"); index_2 ("1, 3"); values ("1, 3", "2, 6"); }
        rise_transition(scalar) { values ("8"); } fall_transition(scalar) { values ("9"); } }
      internal_power() { related_pin : "A"; power(line) { values ("10, 20"); } }
      internal_power() { related_pin : "A"; when : "x"; power(line) { values ("30, 40"); } } } }
  cell(ND) { area : 2; leakage_power() { value : 2; } leakage_power() { value : 4; }
    pin(A) { direction : input; } pin(B) { direction : input; } pin(Y) { direction : output; function : "(A B)'"; } }
  cell(DFF) { area : 8; ff(IQ, IQN) { clocked_on : "C"; next_state : "D"; }
    pin(C) { direction : input; clock : true; } pin(D) { direction : input; } pin(Q) { direction : output; function : "IQ"; } }
"""


def read(text=HEAD + CELLS):
    return tables.Tables(liberty.Library(f"library(mini) {{ {text} }}"))


def test_units_and_interpolation():
    found = read()
    inverter = found.model("INV")
    arc = inverter.outputs[0].arcs["A"]
    assert (found.voltage, inverter.leakage, inverter.capacitance["A"]) == pytest.approx((1.2, 5e-12, 0.008))
    # Slew 10 and 20 are 0.1 and 0.2 ns; load 1 and 3 are 0.002 and 0.006 pF; a delay of 1 is 0.01 ns.
    cases = [((0.1, 0.002), 1), ((0.2, 0.002), 2), ((0.1, 0.006), 3), ((0.2, 0.006), 6), ((0.15, 0.004), 3), ((0.05, 0.002), 1),
             ((0.9, 0.002), 2), ((0.1, 0.008), 4), ((0.1, 0), 0)]
    for (slew, load), want in cases:
        for edge in tables.EDGES:
            assert arc.delay[edge][0].at(slew, load) == pytest.approx(want * 0.01), (edge, slew, load)
    assert arc.slew["rise"][0].at(5, 5) == pytest.approx(0.08)
    # 2 fF at 0.1 V squared is 0.02 fJ.
    assert inverter.passive["A"]["fall"][0].at(0.15, 0) == pytest.approx(6 * 2e-5)
    assert tables.mean(arc.power["rise"], 0.2, 1) == pytest.approx(30 * 2e-5)
    assert found.model("ND").leakage == pytest.approx(3e-12)
    assert inverter.powered and not found.model("ND").powered


def test_flip_flop_and_truth():
    found = read()
    flop = found.model("DFF")
    assert (flop.states, flop.clocks, flop.latch) == (["IQ", "IQN"], {"C"}, False)
    assert flop.attribute("next_state").text == "D" and flop.attribute("clear") is None
    nand = found.model("ND").outputs[0].function
    assert tables.truth(nand, ["A", "B"]) == 0b0111
    assert tables.truth(liberty.Function("A B'"), ["A", "B"]) == 0b0010


def test_osu_at_a_point_of_its_table():
    arc = tables.Tables(liberty.load(OSU)).model("DFFPOSX1").outputs[0].arcs["CLK"]
    assert arc.delay["fall"][0].at(0.24, 0.025) == pytest.approx(0.201494)


@pytest.mark.parametrize("old, new, said", [
    ('"10ps"', '"10 parsec"', "the unit '10 parsec' cannot be read"),
    ("nom_voltage : 12;", "", "states no voltage"),
    ('values ("1, 2", "3, 6")', 'values ("1, 2, 3")', "table cell_rise has 3 values"),
    ('values ("1, 2", "3, 6")', 'values ("1, 2, 3, big")', "are not numbers"),
    ("capacitance : 4", "capacitance : much", "capacitance is 'much'"),
])
def test_broken_tables_are_refused(old, new, said):
    text = HEAD + CELLS
    assert old in text
    with pytest.raises(liberty.LibertyError, match=said):
        read(text.replace(old, new, 1)).model("INV")


def test_a_cell_that_is_not_there():
    with pytest.raises(liberty.LibertyError, match="it has no cell NOR9"):
        read().model("NOR9")

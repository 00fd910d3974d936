"""The comparison of attention methods: what is measured, where curves cross, and the page."""
import json
import math

import pytest

from benchmarks import crossover
from benchmarks.figures import crossing, mark

LINEAR, QUADRATIC = ({L: c * L**p for L in (8, 16, 32, 64)} for c, p in ((20.0, 1), (1.0, 2)))


def test_powers_cross_where_they_are_equal():
    """c L = L^2 at L = c, also between measured sizes, since logarithms of powers are lines."""
    assert crossing(QUADRATIC, LINEAR) == pytest.approx(20)
    ((size, value),) = mark(QUADRATIC, LINEAR)
    assert (size, value) == pytest.approx((20, 400))


def test_costs_that_do_not_cross_have_no_mark():
    lower = {L: value / 2 for L, value in QUADRATIC.items()}
    assert crossing(QUADRATIC, lower) == 0 and crossing(lower, QUADRATIC) == math.inf
    assert mark(QUADRATIC, lower) == mark(lower, QUADRATIC) == []


def test_the_last_crossing_counts_and_only_common_sizes_are_compared():
    wavy = {8: 1.0, 16: 1e9, 32: 640.0, 64: 1.0, 128: 1e9}
    assert 16 < crossing(QUADRATIC, wavy) < 32


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A file with the shortest lengths, as the command writes it."""
    pytest.importorskip("numba")
    file = tmp_path_factory.mktemp("measured") / "crossover.json"
    crossover.main(["--out", str(file), "--lengths", "32", "8", "16"])
    return file


@pytest.mark.slow
def test_the_command_measures_every_method_that_has_its_path(measured):
    found = crossover.read(measured)
    assert {"exact (formula)", "fused (numba)", "Performer (formula)"} <= found["curves"].keys()
    for curve in found["curves"].values():
        assert curve.lengths == [8, 16, 32]
        assert all(value > 0 for value in (*curve.seconds, *curve.peak_bytes))
    assert found["date"] and found["machine"]["processor"] and found["versions"]["numpy"]


@pytest.mark.slow
def test_memory_of_the_formula_is_that_of_all_pairs(measured):
    """The scores alone are 8 L^2 bytes."""
    exact = crossover.read(measured)["curves"]["exact (formula)"]
    assert exact.peak_bytes[-1] >= 8 * 32**2


def test_a_curve_ends_where_memory_that_grows_as_the_square_would_reach_the_limit():
    short = crossover.Curve([512], [1.0], [crossover.MOST // 4])
    assert crossover.fits(short, 1000) and not crossover.fits(short, 1024)
    assert crossover.fits(crossover.Curve([], [], []), 10**6)


def test_the_committed_file_is_drawn_and_its_page_names_machine_and_date(tmp_path):
    pytest.importorskip("matplotlib")
    found = crossover.read()
    crossover.draw(found["curves"], tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    text = crossover.page(found)
    assert found["date"] in text and found["machine"]["processor"] in text
    assert "Performer (formula) takes less time than exact (formula): from about L = " in text
    assert f"| {found['curves']['exact (formula)'].lengths[-1]} |" in text


def test_exponents_are_those_of_long_lengths():
    assert crossover.exponent({8: 1e9, 512: 3.0, 1024: 12.0}) == "2.00"
    assert crossover.exponent({8: 1.0, 512: 3.0}) == "-"


def test_only_methods_of_one_number_format_are_compared():
    curves = json.loads(crossover.FILE.read_text())["curves"]
    formats = {tuple(crossover.METHODS[label][2] for label in pair)
               for pair in crossover.pairs(curves)}
    assert formats and all(first == second for first, second in formats)

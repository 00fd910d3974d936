"""The growth of functions of known growth is found, and what cannot be measured is stated."""
import functools
import json
import re
import subprocess
import sys

import numpy as np
import pytest

from docs import pages
from hopref import attention
from hopref.check import scaling
from hopref.check.growth import measures
from hopref.check.growth.exponents import CLASSES, Exponent, class_of, fitted, slope
from hopref.check.growth.scaling import Measure, Scaling, judged
from hopref.cli import main
from hopref.errors import CallError, DomainError, PluginError, ResourceError
from tests.check import grown

ORDER = list(CLASSES)
SIZES = [256, 512, 1024, 2048]


def measured(function, **options):
    return scaling(function, **{"inputs": grown.heads, "sizes": SIZES, "seconds": 0.2, **options})


# ---- exponents ----------------------------------------------------------------------------------

def test_the_exponent_of_a_power_is_exact_and_its_interval_narrow():
    sizes = np.array([64, 128, 256, 512])
    value, low, high = fitted(sizes, 3.0 * sizes**1.5, exact=True)
    assert low <= value <= high and value == pytest.approx(1.5, abs=1e-12) and high - low < 1e-12
    assert slope(sizes, 7.0 * sizes) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("ratio", [2.0, 3.0, 4.0])
@pytest.mark.parametrize("powers", [(0, 1), (1, 2), (0, 2)])
def test_a_curve_that_still_bends_is_undecided_and_never_between(powers, ratio):
    """L^p + a L^q for every a; p is the answer where the second term is small at all sizes."""
    sizes, (p, q) = 64.0 * ratio ** np.arange(4), powers
    names = {0: "constant", 1: "linear", 2: "quadratic"}
    seen = []
    for share in np.geomspace(1e-4, 1e4, 400):
        costs = (sizes / sizes[-1]) ** p + share * (sizes / sizes[-1]) ** q
        seen.append(class_of(*fitted(sizes, costs, exact=True)[1:]))
        allowed = {"undecided", names[q], *([names[p]] if share < 0.2 else [])}
        assert seen[-1] in allowed, share
    assert (seen[0], seen[-1]) == (names[p], names[q]) and "undecided" in seen


def test_noise_widens_the_interval():
    sizes, noise = np.array([64, 128, 256, 512, 1024]), np.array([1.0, 1.4, 0.8, 1.3, 0.9])
    value, low, high = fitted(sizes, sizes * noise)
    assert high - low > 0.3 and low < 1 < high
    wider = fitted(sizes, sizes * noise, rounds=[sizes**2.0])
    assert wider.high == pytest.approx(2) and wider.low == low


@pytest.mark.parametrize("low, high, name", [
    (-0.1, 0.1, "constant"), (0.4, 0.6, "below linear"), (0.9, 1.1, "linear"),
    (1.1, 1.3, "undecided"), (1.4, 1.6, "between"), (1.9, 2.0, "quadratic"),
    (1.2, 1.8, "undecided"), (2.9, 3.1, "above quadratic")])
def test_the_class_contains_the_whole_interval(low, high, name):
    assert class_of(low, high) == name


def test_costs_of_zero_are_constant():
    assert fitted([1, 2, 4], [0, 0, 0]) == Exponent(0.0, 0.0, 0.0)


# ---- functions of known growth ------------------------------------------------------------------

@pytest.mark.parametrize("function", grown.EXPECTED, ids=lambda f: f.__name__)
def test_the_growth_of_memory_and_work_is_never_wrong(function):
    result = measured(function, sizes=[128, 256, 512, 1024])
    memory, work = grown.EXPECTED[function]
    assert result.measures["memory"].verdict in (memory, "undecided")
    assert result.measures["work"].verdict in (work, "undecided")
    assert result.verdict in (max(memory, work, key=ORDER.index), "undecided")


def test_a_hidden_array_of_all_pairs_is_found():
    result = measured(grown.hidden, sizes=[1024, 2048, 4096, 8192])
    assert result.verdict == result.measures["memory"].verdict == "quadratic"
    assert measured(grown.linear, sizes=[1024, 2048, 4096, 8192]).verdict == "linear"


def test_an_array_of_all_pairs_that_the_first_call_keeps_is_found():
    @functools.cache
    def mask(size):
        return np.tri(size, dtype=bool)

    def masked(Q, K, V):
        mask(len(Q))
        return Q + K
    result = measured(masked, sizes=[512, 1024, 2048, 4096])
    assert result.measures["memory"].verdict == result.verdict == "quadratic"


@pytest.mark.parametrize("function", [lambda Q, K, V: (row for row in Q), grown.later],
                         ids=["generator", "coroutine"])
def test_a_result_that_is_not_computed_is_refused(function):
    with pytest.raises(TypeError, match="must return its result; got a (generator|coroutine)"):
        measured(function)


def test_memory_of_the_process_is_that_of_a_filled_array():
    seen = measures.resident_peak(lambda: np.ones(2**23))
    if seen is None:
        pytest.skip("the resident peak of a call is unknown on this system")
    assert 0.9 * 2**26 < seen < 1.2 * 2**26


def test_the_traced_peak_is_that_of_the_call_inside_another_trace():
    import tracemalloc
    tracemalloc.start()
    try:
        held = np.ones(2**20)
        inside = measures.traced(lambda: np.ones(2**17))
    finally:
        tracemalloc.stop()
    assert held.size and 2**20 <= inside < 1.1 * 2**20


@pytest.mark.parametrize("over, like, arguments", [
    ("L", "attention.softmax_attention", [(8, 16), (8, 16), (8, 16)]),
    ("s", "attention.softmax_attention", [(16, 16), (8, 16), (8, 16)]),
    ("n", "modern.update", [(16,), (8, 16)]), ("d", "classical.update", [(8,), (8, 8), (8,)])])
def test_arguments_are_drawn_with_the_size_of_the_axes(over, like, arguments):
    from hopref.check.growth.inputs import like_operation
    from hopref.check.judgement import convention_of
    problem = like_operation(lambda *args, **kwargs: 0, like, over, convention_of(like, {}))
    assert [a.shape for a in problem.draw(8)[0]][:3] == arguments


def test_float32_and_the_convention_of_the_function_are_kept():
    shapes = []

    def reordered(K, Q, V, factor=1.0):
        shapes.append((K.shape, Q.dtype))
        return grown.linear(Q, K, V)
    result = scaling(reordered, like="attention.softmax_attention", sizes=SIZES, seconds=0.2,
                     dtype="float32", order=("K", "Q", "V"), layout={"K": "b s d"}, lead=1,
                     adapter=lambda f: lambda K, Q, V: f(K[0], Q[0], V[0]))
    assert ((256, 16), np.float32) in shapes and result.verdict == "linear"


def test_an_operation_of_hopref_is_counted():
    result = scaling(attention.linear_attention, like="attention.linear_attention", sizes=SIZES,
                     seconds=0.2)
    assert result.measures["work"].verdict == result.verdict == "linear"


def test_converted_arrays_are_not_intercepted_and_the_time_decides():
    asarray = np.asarray

    def converted(Q, K, V):
        return grown.linear(*map(asarray, (Q, K, V)))
    result = measured(converted)
    assert result.measures["work"].exponent is None
    assert "converted to plain" in result.measures["work"].remark
    assert any("work is judged by time" in reason for reason in result.reasons)


# ---- verdicts -----------------------------------------------------------------------------------

def result_of(**ends):
    found = {name: Measure("bytes") for name in ("memory", "resident", "work", "time")}
    for name, (low, high) in ends.items():
        unit = "seconds of the processor" if name == "time" else "bytes"
        found[name] = Measure(unit, [1, 2, 4], [1, 1, 2**30 if name == "resident" else 1],
                              Exponent(low, low, high), class_of(low, high))
    return found


@pytest.mark.parametrize("ends, numpy_only, verdict, reason", [
    (dict(memory=(1, 1), work=(2, 2), time=(1.9, 2.1)), True, "quadratic", ""),
    (dict(memory=(1, 1), work=(1, 1), time=(0.6, 2.1)), True, "linear", ""),
    (dict(memory=(1, 1), work=(1, 1), time=(1.9, 2.1)), True, "undecided", "grows faster"),
    (dict(memory=(1, 1), work=(1.1, 1.9), time=(1, 1)), True, "undecided", "interval of work"),
    (dict(memory=(2, 2), work=(1.1, 1.9), time=(1, 1)), True, "quadratic", ""),
    (dict(memory=(1, 1), time=(0.8, 1.4)), True, "linear", "judged by time"),
    (dict(memory=(1, 1), time=(0.8, 1.6)), True, "undecided", "at least linear"),
    (dict(memory=(0, 0), time=(1, 1)), False, "undecided", "memory is undecided: tracemalloc"),
    (dict(memory=(0, 0), resident=(2, 2), time=(1, 1)), False, "quadratic", "resident peak"),
    (dict(memory=(1, 1), resident=(2, 2), work=(1, 1), time=(1, 1)), True, "quadratic",
     "does not see all"),
])
def test_the_verdict_is_the_largest_class_or_undecided(ends, numpy_only, verdict, reason):
    found, reasons = judged(result_of(**ends), numpy_only)
    assert found == verdict and reason in "; ".join(reasons)


def test_a_result_survives_json():
    result = measured(grown.linear)
    again = Scaling.from_dict(json.loads(json.dumps(result.as_dict(), allow_nan=False)))
    assert again == result


# ---- wrong calls --------------------------------------------------------------------------------

def raises(Q, K, V):
    if len(Q) > 300:
        raise ZeroDivisionError("too long")
    return Q


@pytest.mark.parametrize("options, error, message", [
    (dict(inputs=None), CallError, "either like= or inputs="),
    (dict(like="modern.update"), CallError, "either like= or inputs="),
    (dict(inputs=3), CallError, "inputs must be callable"),
    (dict(inputs=None, like="modern.updat"), PluginError, "did you mean modern.update"),
    (dict(inputs=None, like="modern.update"), DomainError, "over must be an axis of modern.update"),
    (dict(sizes=[64, 128]), DomainError, "at least 3 ascending integers"),
    (dict(sizes=[64, 65, 66]), DomainError, "at least 4 times the smallest"),
    (dict(sizes=[256, 128, 1024]), DomainError, "ascending"),
    (dict(sizes=[0, 1, 8]), DomainError, ">= 1"),
    (dict(sizes=[1.5, 3, 8]), DomainError, "integers"),
    (dict(inputs=None, like="attention.softmax_attention", order=("Z",)), PluginError, "has no"),
])
def test_a_wrong_call_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        measured(grown.linear, **options)
    with pytest.raises(CallError, match="function must be callable; got int"):
        measured(3)


def test_an_exception_of_the_function_names_the_size():
    with pytest.raises(ZeroDivisionError, match="too long") as caught:
        measured(raises)
    assert caught.value.__notes__ == ["at L = 512"]


def test_a_function_that_lacks_an_argument_is_refused():
    with pytest.raises(PluginError, match="lacks 3 operands"):
        scaling(lambda Q: Q, like="attention.softmax_attention", sizes=SIZES)


def test_arguments_that_do_not_fit_are_refused():
    def huge(n):
        raise MemoryError
    with pytest.raises(ResourceError, match="arguments at L = 256 must fit"):
        measured(grown.linear, inputs=huge)


def test_sizes_end_where_memory_does():
    def limited(Q, K, V):
        if len(Q) > 200:
            raise MemoryError
        return Q + K
    assert measured(limited, sizes=None).measures["memory"].sizes == [32, 64, 128]
    with pytest.raises(MemoryError):
        measured(lambda Q, K, V: limited(np.ones(999), K, V), sizes=None)


def test_slow_calls_are_refused():
    import time
    with pytest.raises(ResourceError, match="must take less than .* give smaller sizes"):
        measured(lambda Q, K, V: time.sleep(0.05), sizes=None, seconds=0.02)


# ---- the command --------------------------------------------------------------------------------

TARGET = "tests.check.grown:linear"
QUICK = ["--seconds", "0.2", "--sizes", "256,512,1024,2048"]
HEADS = ["--inputs", "tests.check.grown:heads"]


def test_the_command_prints_a_verdict_and_draws_it(tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib", reason="drawing needs hopref[plot]")
    file = tmp_path / "a.png"
    assert main(["scaling", TARGET, *HEADS, *QUICK, "--plot", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{TARGET} over L: linear"
    assert [line.split()[0] for line in lines[1:6]] == ["measure", "memory", "resident", "work",
                                                        "time"]
    assert file.read_bytes().startswith(b"\x89PNG") and file.stat().st_size > 10_000


def test_the_command_prints_json_and_its_exit_code_is_that_of_the_verdict(capsys):
    argv = ["scaling", "tests.check.grown:hidden", "--like", "attention.softmax_attention",
            "--seconds", "0.2", "--sizes", "1024,2048,4096,8192", "--json"]
    assert main([*argv, "--at-most", "linear"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert content["schema"] == "hopref.scaling/1" and content["verdict"] == "quadratic"


@pytest.mark.parametrize("argv, message", [
    (["tests.check.grown", *HEADS], "a target must be written pkg.mod:function"),
    ([TARGET], "give --like OP"), ([TARGET, *HEADS, "--like", "modern.update"], "got both"),
    ([TARGET, *HEADS, "--map", "a=b"], "--map says how the arguments of an op are passed"),
    (["nowhere.none:f", *HEADS], "there is no module 'nowhere'"),
    (["tests.check.test_scaling:raises", *HEADS, *QUICK], "ZeroDivisionError: too long (at L = 5"),
    (["os:_exit", "--inputs", "tests.check.test_scaling:three", *QUICK], "ended with status 3"),
])
def test_a_wrong_command_is_one_line_and_exits_with_2(argv, message, capsys):
    assert main(["scaling", *argv]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("hopref: ") and message in err and err.count("\n") == 1 and out == ""


def three(size):
    return 3


def test_the_process_has_one_thread_for_linear_algebra():
    from hopref.check.growth.worker import THREADS
    from hopref.cli.scaling import _environment
    assert {_environment()[name] for name in THREADS} == {"1"}


def test_the_options_of_the_page_exist(capsys):
    page = (pages.HERE / "scaling.md").read_text()
    assert main(["scaling", "--help"]) == 0
    known = set(re.findall(r"--[a-z][\w-]*", capsys.readouterr().out))
    shown = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", page))
    assert {"--over", "--like", "--inputs", "--at-most"} <= shown <= known


def test_torch_is_measured_by_the_resident_peak_and_the_time():
    pytest.importorskip("torch", reason="NOT TRIED: torch is missing")
    run = subprocess.run(
        [sys.executable, "-m", "hopref", "scaling", "tests.check.torch_grown:naive", "--like",
         "attention.softmax_attention", "--array", "torch", "--json", "--seconds", "2",
         "--sizes", "512,1024,2048"], capture_output=True, text=True, check=True)
    content = json.loads(run.stdout)
    assert content["measures"]["resident"]["verdict"] == "quadratic"
    assert content["measures"]["work"]["verdict"] == "not measured"

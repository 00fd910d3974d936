"""Arrays of half precision in tiles and kernels: stored so, computed in float32, returned so."""
import numpy as np
import pytest

from hopref import attention, modern, parts, structured
from hopref.check.cases.generator import Case, cases
from hopref.check.tolerance.expected import expected
from hopref.check.tolerance.toleranced import Toleranced
from hopref.dispatch.operation import load
from hopref.fast.cupy import HALF, PATHS, _attend
from tests.doubles import cupy as double
from tests.fast.agreement import agrees_with
from tests.gpu import nvrtc
from tests.gpu.comparison import compared_in_half, draw, half_profile
from tests.gpu.mutants import OF_HALF

pytestmark = pytest.mark.usefixtures("small_blocks", "in_tiles")
OPS = load()
formats = pytest.mark.parametrize("name", ["float16", "bfloat16"])
of_few_queries = pytest.mark.parametrize("op, shapes, given", [pytest.param(
    *call, marks=nvrtc.required()) for call in (
        ("modern.update", [(2, 5), (140, 5)], ()),
        ("attention.softmax_attention", [(2, 3, 5), (2, 40, 5), (2, 40, 3)], ("mask", "bias")),
        ("attention.softmax_attention", [(3, 5), (40, 5), (40, 3)], ("causal",)))])


@pytest.fixture
def by_kernels(monkeypatch, request):
    """With parts of a few warps."""
    request.getfixturevalue("for_few")
    monkeypatch.setattr(_attend, "BLOCKS", 4)


def dtype_of(name):
    if name == "bfloat16":
        return pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed").bfloat16
    return np.dtype(name)


def stored(a, dtype):
    """A real array in half precision on the device; all else as it is there."""
    if not isinstance(a, np.ndarray):
        return a
    return double.asarray(a.astype(dtype) if a.dtype.kind == "f" else a)


@formats
@pytest.mark.parametrize("op", HALF)
def test_hard_cases_agree_within_the_tolerance_of_float32_and_one_rounding(op, name):
    dtype, tried = dtype_of(name), 0
    for case in list(cases(OPS[op], name))[::2]:
        synchronised = double.stats.synchronised
        compared_in_half(OPS[op], case, dtype, double.asarray, double.asnumpy)
        assert double.stats.synchronised == synchronised + 1, case.name     # that of the comparison
        tried += 1
    assert tried > 10


def call_in_half(shapes, given, dtype):
    """Drawn arrays and options whose numbers are of half precision."""
    rng, scores = np.random.default_rng(1), (*shapes[0][:-1], shapes[1][-2])
    options = {"mask": rng.random(scores) < 0.6, "causal": True,
               "bias": rng.standard_normal(scores).astype(dtype).astype(float)}
    return Case("few queries", [a.astype(dtype).astype(float) for a in draw(*shapes)],
                {k: options[k] for k in given})


@formats
@of_few_queries
def test_kernels_read_half_precision(op, shapes, given, name, by_kernels):
    """Launches convert the queries, a bias and the result, and no keys or values."""
    dtype = dtype_of(name)
    double.stats.reset()
    compared_in_half(OPS[op], call_in_half(shapes, given, dtype), dtype, double.asarray,
                     double.asnumpy)
    assert double.stats.launches == 4 + ("bias" in given)


@pytest.mark.parametrize("name, mutant", [
    pytest.param(name, mutant, id=mutant.name, marks=nvrtc.required())
    for name, mutant in zip(("bfloat16", "float16"), OF_HALF)])
def test_a_mutant_of_the_conversion_is_found(name, mutant, by_kernels, monkeypatch):
    wrong = mutant.applied(_attend.source())
    monkeypatch.setattr(_attend, "source", lambda kernel: wrong)
    _attend._kernels.cache_clear()
    with pytest.raises(AssertionError):
        compared_in_half(OPS["modern.update"], call_in_half([(2, 5), (40, 5)], (), dtype_of(name)),
                         dtype_of(name), double.asarray, double.asnumpy)
    _attend._kernels.cache_clear()


@formats
def test_patterns_are_converted_tile_by_tile(name):
    """The scores, keys and values of a tile of 32, sums and results of 20 states; the patterns in
    float32 would be 6400 x 64."""
    xi, X = (stored(a, dtype_of(name)) for a in draw((20, 64), (6400, 64)))
    double.stats.reset()
    modern.update(xi, X, beta=0.5, backend="cupy")
    assert double.stats.grown <= 4 * (2 * 32 * 64 + 20 * (32 + 4 * 64 + 6)) < X.nbytes / 10


def test_a_broadcast_bias_is_not_copied():
    Q, K, V, bias = (stored(a, np.float16)
                     for a in draw((4, 9, 8), (4, 640, 8), (4, 640, 8), (640,)))
    double.stats.reset()
    attention.softmax_attention(Q, K, V, bias=double.broadcast_to(bias, (4, 9, 640)),
                                backend="cupy")
    assert double.stats.grown <= 4 * 4 * 9 * 640


@formats
def test_parts_of_a_store_in_half_precision(name):
    """The copies are half as large, the sums are in float32, and the result is rounded once."""
    dtype = dtype_of(name)
    xi, X = (a.astype(dtype) for a in draw((3, 8), (95, 8)))
    states = double.asarray(xi)
    double.stats.reset()
    chunks = parts.upload(parts.chunks_of(X, 20))
    y = parts.stream(modern.update, states, chunks, beta=0.5, backend="cupy")
    assert y.dtype == dtype and double.stats.to_device == X.nbytes == 2 * X.size
    part = parts.from_chunk(modern.update, states, double.asarray(X), beta=0.5, backend="cupy")
    assert part.state.weighted.dtype == part.state.top.dtype == np.float32
    whole = [a.astype(np.float64) for a in (xi, X)]
    right = expected(modern.update, whole, {"beta": 0.5}, half_profile(name))
    agrees_with(y.get().astype(np.float32),
                Toleranced(right.value, 6 * right.radius, right.profile))     # five chunks, a merge


def test_other_operations_and_mixed_formats_are_computed_in_double_precision():
    half, single = (double.asarray(draw((20, 4))[0].astype(dtype)) for dtype in ("f2", "f4"))
    assert modern.energy(half, half, backend="cupy").dtype == np.float64
    assert modern.update(half, single, backend="cupy").dtype == np.float64
    assert structured.update(half, half).dtype == np.float64                    # the formula
    names = {f"{module}.{function}" for module, functions in PATHS.items()
             for function in functions}
    assert set(HALF) < names


def test_bfloat16_is_taken_by_the_formula_too():
    bfloat16 = dtype_of("bfloat16")
    xi, X = draw((2, 4), (5, 4))
    y = modern.update(*(stored(a, bfloat16) for a in (xi, X)))
    want = modern.update(*(stored(a.astype(bfloat16).astype(np.float64), np.float64)
                           for a in (xi, X)))
    assert y.dtype == np.float64 and np.array_equal(y.get(), want.get())

"""Gradients on CuPy arrays: tiles, blocks of positions, cancellation, and what a call costs."""
import numpy as np
import pytest

from hopref.dispatch.operation import load
from hopref.fast.cupy import _tiles
from tests.doubles import cupy as double
from tests.fast.agreement import near_the_formula
from tests.gpu.comparison import compared, draw

precisions = pytest.mark.parametrize("dtype", [
    "float32", pytest.param("float64", marks=pytest.mark.slow)])
pytestmark = pytest.mark.usefixtures("small_blocks")
OPS = load()


@precisions
@pytest.mark.parametrize("causal", [False, True])
def test_attention_over_several_tiles_with_masks_and_biases(dtype, causal):
    given = draw((2, 20, 3), (2, 20, 5), (2, 100, 5), (2, 100, 3), dtype=dtype)
    rng = np.random.default_rng(1)
    mask, bias = rng.random((2, 20, 100)) < 0.5, rng.standard_normal((2, 20, 100)).astype(dtype)
    mask[:, 3:9, :64], mask[:, 5], bias[:, 10:15, 32:] = False, False, -np.inf
    for options in {}, {"mask": mask}, {"bias": bias}, {"mask": mask, "bias": bias}:
        compared("gradients.attention.softmax_attention", given, dtype, causal=causal, **options)


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["rising", "falling"])
@pytest.mark.parametrize("beta", [0.3, 3.0, 30.0])
def test_one_key_with_nearly_all_the_weight_loses_no_digits(order, beta):
    """It is in the last of four tiles or in the first, and its cotangent is far from 0."""
    xi, X = draw((3, 4), (128, 4))
    X[:, 0] = np.linspace(-4, 4, 128)[order]
    xi[:, 0] = 3
    given = np.full_like(xi, 100), xi, X
    compared("gradients.modern.update", given, "float32", beta=beta)
    near_the_formula(OPS["gradients.modern.update"], given, {"beta": beta}, "cupy",
                     double.asarray, double.asnumpy)


@precisions
@pytest.mark.parametrize("l, r, v", [(37, 5, 3), (16, 3, 5), (50, 1, 1)])
def test_causal_sums_over_several_blocks_with_a_state(dtype, l, r, v):
    g, g_S, g_z, q, k, V, S, z = draw((l, v), (r, v), (r,), (l, r), (l, r), (l, v), (r, v), (r,),
                                      dtype=dtype)
    q, k, z = (np.abs(a) + a.dtype.type(0.1) for a in (q, k, z))
    compared("gradients.attention.causal_linear_attention", (g, g_S, g_z, q, k, V), dtype)
    compared("gradients.attention.causal_linear_attention", (g, g_S, g_z, q, k, V), dtype, S=S, z=z,
             eps=0.1)
    mask = np.random.default_rng(1).random(l) < 0.7
    k[~mask], V[~mask] = np.finfo(dtype).max / 4, np.finfo(dtype).max       # without an effect
    compared("gradients.attention.causal_linear_attention", (g, g_S, g_z, q, k, V), dtype, S=S,
             mask=mask)


@precisions
@pytest.mark.parametrize("N", [64, 640])
def test_gradients_of_retrieval_take_the_memory_of_the_results_and_two_tiles(dtype, N):
    """Beside the gradients with respect to the patterns as keys and as values, which are added."""
    arrays = [double.asarray(a) for a in draw((20, 6), (20, 6), (N, 6), dtype=dtype)]
    double.stats.reset()
    OPS["gradients.modern.update"](*arrays, beta=0.5, backend="cupy")
    assert double.stats.quiet
    item = np.dtype(dtype).itemsize
    assert double.stats.grown <= item * (2 * N * 6 + 20 * (2 * 32 + 3 * 6 + 12) + 32 * 6)


@precisions
def test_of_the_arrays_of_all_scores_only_the_gradient_of_the_bias_is_formed(dtype):
    arrays = [double.asarray(a) for a in draw((20, 3), (20, 5), (640, 5), (640, 3), dtype=dtype)]
    double.stats.reset()
    results = OPS["gradients.attention.softmax_attention"](*arrays, backend="cupy")
    item = np.dtype(dtype).itemsize
    assert double.stats.grown - sum(y.nbytes for y in results) <= item * (
        20 * (2 * 32 + 2 * 5 + 12) + 32 * 8)


@precisions
def test_causal_gradients_keep_a_number_for_each_position(dtype):
    """Beyond the results, and about a dozen arrays of a block of 16 positions and of a state."""
    r, v, beyond, item = 16, 64, [], np.dtype(dtype).itemsize
    for l in 128, 512:
        arrays = [double.asarray(a) for a in draw((l, v), (r, v), (r,), (l, r), (l, r), (l, v),
                                                  dtype=dtype)]
        for options in {}, {"mask": double.asarray(np.arange(l) % 3 > 0)}:
            double.stats.reset()
            results = OPS["gradients.attention.causal_linear_attention"](*arrays, **options,
                                                                         backend="cupy")
            assert double.stats.quiet
            beyond.append(double.stats.grown - sum(y.nbytes for y in results))
            del results
    assert [many - few for few, many in zip(beyond[:2], beyond[2:])] == 2 * [item * (512 - 128)]
    assert max(beyond) <= item * (512 + 12 * (16 * (r + v) + r * (1 + v)))


@precisions
@pytest.mark.parametrize("growth", [0.0, 1500.0, -1500.0], ids=["even", "growing", "shrinking"])
def test_running_scales_over_several_blocks_with_a_state(dtype, growth):
    """The logarithms of keys change by several hundred within a block; some are equal in several
    blocks, and no key of the first block is seen."""
    l, r, v = 37, 5, 3
    g, g_S, g_z, g_c, q, k, V, S, z, c = draw(
        (l, v), (r, v), (r,), (r,), (l, r), (l, r), (l, v), (r, v), (r,), (r,), dtype=dtype)
    k = np.round(k) + np.linspace(-growth, growth, l).astype(dtype)[:, None]
    mask, c[:2] = np.random.default_rng(1).random(l) < 0.8, -np.inf
    mask[:17] = False
    given = g, g_S, g_z, g_c, q, k, V
    compared("gradients.attention.log_causal_linear_attention", given, dtype, mask=mask)
    compared("gradients.attention.log_causal_linear_attention", given, dtype, S=S, z=np.abs(z), c=c)


def test_the_cotangent_of_an_empty_state_may_overflow():
    """In units of a scale far above the keys; the scale of nothing has no gradient from it."""
    given = draw((3, 2), (2, 2), (2,), (2,), (3, 2), (3, 2), (3, 2), dtype="float64")
    compared("gradients.attention.log_causal_linear_attention", given, "float64",
             S=np.zeros((2, 2)), z=np.zeros(2), c=np.full(2, 800.0))


running = pytest.mark.parametrize("name", ["attention.log_causal_linear_attention",
                                           "performer.causal_attention"])


def of_running_scale(name, l, r, v):
    """What the gradient takes beyond its results in bytes, and its launches."""
    features = [(l, r), (l, r), (l, v)] + [(r, r)] * name.startswith("performer")
    given = [double.asarray(a) for a in draw((l, v), (r, v), (r,), (r,), *features)]
    double.stats.reset()
    results = OPS[f"gradients.{name}"](*given, backend="cupy")
    assert double.stats.quiet
    return double.stats.grown - sum(y.nbytes for y in results), double.stats.launches


@running
def test_gradients_with_a_running_scale_form_the_features_of_a_block(name):
    """About twenty arrays of a block of 16 positions, and twice as many states and scales as the
    root of the number of blocks."""
    r, v = 16, 16
    for root in 2, 4:
        beyond, _ = of_running_scale(name, 16 * root**2, r, v)
        assert beyond <= 8 * (2 * root * r * (2 + v) + 21 * 16 * (r + v))


@running
def test_launches_with_a_running_scale_grow_with_the_logarithm_of_a_block(name, monkeypatch):
    """The formula takes 38 a position."""
    monkeypatch.setattr(_tiles, "SCORES", 2**24)
    few, many = (of_running_scale(name, l, 8, 8)[1] for l in (64, 1024))
    assert many - few <= 4 * 24 and many < 1024


@precisions
@pytest.mark.parametrize("features", ["positive", "hyperbolic", "trigonometric", "relu"])
def test_gradients_of_the_performer_over_several_blocks_with_a_mask(dtype, features):
    given = draw((2, 37, 3), (2, 37, 4), (2, 50, 4), (2, 50, 3), (5, 4), dtype=dtype)
    mask = np.random.default_rng(1).random((2, 50)) < 0.5
    mask[1] = False
    given[3][~mask] = np.finfo(dtype).max           # which has no effect, and no product with it
    compared("gradients.performer.attention", given, dtype, mask=mask, features=features)


@pytest.mark.parametrize("name, shapes", [
    ("gradients.performer.attention", [("n", 6), ("n", 8), ("n", 8), ("n", 6), (50, 8)]),
    ("gradients.performer.update", [(40, 8), (40, 8), ("n", 8), (50, 8)])])
def test_gradients_of_the_performer_form_no_features_of_all_positions(name, shapes):
    """Beyond the results, and a sum of two of them, memory does not depend on the positions."""
    beyond = []
    for n in (64, 640):
        arrays = [double.asarray(a) for a in draw(*[
            tuple(n if size == "n" else size for size in shape) for shape in shapes])]
        double.stats.reset()
        results = OPS[name](*arrays, backend="cupy")
        assert double.stats.quiet
        allowed = 2 if name.endswith("update") else 1
        beyond.append(double.stats.grown - allowed * sum(y.nbytes for y in results))
    assert beyond[1] <= beyond[0]

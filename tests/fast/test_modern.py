"""The fused kernel for all remainders of its tiles and lanes, and for cases of cancellation."""
import numpy as np
import pytest

from hopref import gradients, modern, retrieve
from tests.fast.agreement import agrees

pytest.importorskip("numba")

from hopref.fast.numba import _softmax_gradient as kernel  # noqa: E402

precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
both = pytest.mark.parametrize("op", [modern.update, modern.energy], ids=lambda op: op.name)


def draw(M, N, d, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((M, d)).astype(dtype), rng.standard_normal((N, d)).astype(dtype)


@both
@precisions
@pytest.mark.parametrize("M", [1, 15, 16, 17, 65])      # alone; lanes filled in part; two blocks
@pytest.mark.parametrize("N, d", [(1, 1), (127, 3), (128, 4), (129, 5), (260, 1), (90, 300)])
def test_every_remainder_of_lanes_tiles_and_registers(op, dtype, M, N, d):
    xi, X = draw(M, N, d, dtype)
    for beta in 2.0**-6, 4.0:
        agrees(op, (xi, X), {"beta": beta}, dtype)


@both
@precisions
@pytest.mark.parametrize("M", [3, 20])
def test_hard_inputs_on_many_tiles(op, dtype, M):
    xi, X = draw(M, 300, 8, dtype)
    rising = np.sort(X, axis=0)                                # every tile holds a higher score
    tiny, huge = {"float32": (2.0**-27, 2.0**27), "float64": (2.0**-40, 2.0**40)}[dtype]
    for patterns in X, rising, rising[::-1], np.repeat(X[:1], 300, 0):
        for beta in tiny, 1.0, 512.0, huge:
            agrees(op, (xi, patterns), {"beta": beta}, dtype)
    offset = np.dtype(dtype).type({"float32": 2.0**10, "float64": 2.0**20}[dtype])
    agrees(op, (xi, X + offset), {"beta": 1.0}, dtype)
    agrees(op, (X[:M], X), {"beta": 8.0}, dtype)            # at a pattern


@precisions
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("M", [1, 6, 15])
def test_gradients_of_few_states(monkeypatch, dtype, kept, M):
    """Remainders of lanes, tiles and sums; the patterns are keys and values, or the values alone;
    with weights that are kept, and with weights that are computed again."""
    monkeypatch.setattr(kernel, "KEPT", kernel.KEPT if kept else 0)
    for module in "modern", "sinks":            # no kernel leaves the range
        monkeypatch.delattr(f"hopref.fast.numba.gradients.{module}.by_formula")
    for N, d in (1, 1), (130, 5), (1100, 60):
        (xi, X), (g, _) = draw(M, N, d, dtype), draw(M, 1, d, dtype, seed=1)
        for beta in 2.0**-6, 1.0:
            agrees(gradients.modern.update, (g, xi, X), {"beta": beta}, dtype)
        agrees(gradients.modern.thresholded_update, (g, xi, X), {"theta": 0.5}, dtype)
        agrees(gradients.sinks.update, (g, xi, X), {"sink": 3.0}, dtype)


@pytest.mark.parametrize("op", [gradients.modern.update, gradients.modern.thresholded_update],
                         ids=lambda op: op.name)
def test_gradients_of_which_a_partial_sum_leaves_single_precision(op):
    """All states have the pattern, so that its gradient is the sum of the cotangents."""
    g, (xi, X) = np.float32([[3e38], [3e38], [-3e38]]), draw(3, 1, 1, "float32")
    dxi, dX, dbeta = op(g, xi, X, backend="numba")
    assert dX == g[0] and not dxi.any() and not dbeta


def test_the_energy_does_not_cancel_unlike_the_direct_form():
    """Within a few eps of the formula, where the direct form loses 500, 1e7, 1e11 or is NaN.

    8 eps: the terms are >= 0, each a product of at most four rounded factors, and they are added.
    """
    xi, X = draw(20, 300, 8, "float64")
    far = 1e150
    for states, patterns, beta in (X[:20], X, 25.0), (xi, X, 2.0**-26), (xi * far, X * far, 1.0):
        want = modern.energy(states.astype(np.longdouble), patterns, beta=beta)
        got = modern.energy(states, patterns, beta=beta, backend="numba")
        assert np.all(np.abs(got - want) <= 8 * np.finfo(float).eps * np.abs(want))


@pytest.mark.parametrize("M", [1, 20])
@pytest.mark.parametrize("op, factor, beta", [
    (modern.update, 1e19, 1.0), (modern.update, 1.0, 1e300), (modern.energy, 1.0, 1e300)])
def test_single_precision_is_accurate_if_its_scores_or_beta_overflow(op, factor, beta, M):
    """The computation is then in double precision, with one final rounding: 1 eps."""
    xi, X = (factor * a for a in draw(M, 140, 4, "float32"))
    got = op(xi.astype("float32"), X.astype("float32"), beta=beta, backend="numba")
    want = op(xi.astype("float32"), X.astype("float32"), beta=beta)
    assert got.dtype == "float32"
    assert np.all(np.abs(got - want) <= np.finfo("float32").eps * np.abs(want))


@precisions
def test_the_energies_of_a_retrieval_take_the_path_of_the_update(dtype):
    """In single precision the formula would give other numbers, and those in double precision."""
    xi, X = draw(5, 40, 6, dtype)
    run = retrieve(modern.update, xi, X, beta=0.5, max_steps=2, backend="numba")
    want = [modern.energy(x, X, beta=0.5, backend="numba") for x in (xi, run.states)]
    assert run.energies.dtype == dtype
    assert np.array_equal(run.energies[[0, -1]], want)

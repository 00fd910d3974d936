"""Signs of fields have the bits of the formula on integers, whatever the precision of the sums."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopref import classical, storage
from hopref.fast.numba import classical as kernel
from tests.fast.agreement import agrees

pytest.importorskip("numba")
precisions = pytest.mark.parametrize("dtype", ["float32", "float64"])
WEIGHTS = ["update", "asynchronous_update", "glauber_update"]
PATTERNS = ["low_rank_update", "low_rank_asynchronous_update"]
rules = pytest.mark.parametrize("name", WEIGHTS + PATTERNS)
visit = classical.low_rank_asynchronous_update


def stored(name, X):
    """What the rule takes for the patterns X: their weights, not symmetric, or themselves."""
    if name in PATTERNS:
        return X
    return np.triu(storage.hebbian(X, zero_diagonal=True)).astype(X.dtype) + X.T @ X


def options_of(name, rng, M, d, visits=70):
    """Options that the rule requires."""
    options = {"order": rng.integers(0, d, visits)} if "synchronous" in name or "glauber" in name \
        else {}
    if name == "glauber_update":
        options |= {"uniforms": rng.random((M, visits)).astype("float32"), "beta": 0.5}
    return options


@rules
@precisions
@given(data=st.data())
def test_integers_give_the_bits_of_the_formula(name, dtype, data):
    """One state and many, orders with repeats, ties of both kinds, both alphabets."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    d, N = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 9))
    M = data.draw(st.sampled_from([1, 7, 8, 17]))
    states = data.draw(st.sampled_from(["polar", "binary"]))
    low = {"polar": -1.0, "binary": 0.0}[states]
    reach = data.draw(st.sampled_from([1, 3]))
    X = rng.integers(-reach, reach + 1, (N, d)).astype(dtype)
    xi = np.where(rng.random((M, d)) < 0.5, low, 1.0).astype(dtype)
    b = rng.integers(-2, 3, d).astype(dtype)
    options = options_of(name, rng, M, d, data.draw(st.sampled_from([1, 31, 33, 80])))
    options["states"] = states
    if name != "glauber_update":
        options["ties"] = data.draw(st.sampled_from(["keep", "plus"]))
    if name in PATTERNS:
        options |= {"zero_diagonal": data.draw(st.booleans()),
                    "scale": data.draw(st.sampled_from([1.0, 0.1]))}
    op, given_ = getattr(classical, name), (xi, stored(name, X), b)
    got = op(*given_, **options, backend="numba")
    assert got.dtype == dtype and np.array_equal(got, op(*given_, **options))


@rules
@precisions
@pytest.mark.parametrize("M", [1, 15, 70])
def test_real_patterns_agree_within_the_tolerance_of_signs(name, dtype, M):
    rng = np.random.default_rng(0)
    X, xi = rng.standard_normal((11, 45)).astype(dtype), np.sign(rng.standard_normal((M, 45)))
    options = options_of(name, rng, M, 45) | ({"zero_diagonal": True} if name in PATTERNS else {})
    agrees(getattr(classical, name), (xi.astype(dtype), stored(name, X)), options, dtype)


@rules
@pytest.mark.parametrize("M", [1, 17, 140])
def test_every_remainder_of_rows_terms_and_panels(name, M):
    """Blocks of rows, terms and panels that are full and not, in every precision of sums."""
    rng = np.random.default_rng(1)
    X = np.sign(rng.standard_normal((53, 530))).astype("float32")
    xi = np.sign(rng.standard_normal((M, 530))).astype("float32")
    options, W = options_of(name, rng, M, 530, 40), stored(name, X)
    op = getattr(classical, name)
    want = op(xi, W, **options)
    assert np.array_equal(op(xi, W, **options, backend="numba"), want)
    assert np.array_equal(op(xi.astype(float), W.astype(float), **options, backend="numba"), want)


@pytest.mark.parametrize("name", ["update", "asynchronous_update"])
@pytest.mark.parametrize("M", [1, 20])
def test_fields_that_single_precision_rounds_are_decided_by_double_precision(name, M):
    """Integers below 2^24 whose sums are not, and fields of real weights that nearly cancel."""
    rng, d = np.random.default_rng(2), 41
    xi = np.where(np.arange(d) < 21, 1, -1)[None].repeat(M, axis=0).astype("float32")
    integers = np.full((d, d), 2.0**21, "float32")      # the sums rise beyond 2^24 before they fall
    integers[np.arange(d), np.arange(d)] = rng.choice([-1.0, 1.0], d)
    real = rng.standard_normal((d, d)).astype("float32")
    real[:, -1] -= (real @ xi[0].astype(float)) * xi[0, -1]
    op, orders = getattr(classical, name), [{"order": [site]} for site in range(d)]
    for W in integers, real:
        for options in orders if name == "asynchronous_update" else [{}]:
            assert np.array_equal(op(xi, W, **options, backend="numba"), op(xi, W, **options))


@pytest.mark.parametrize("name", ["update", "asynchronous_update"])
def test_weights_whose_sums_overflow_single_precision(name):
    W = np.full((20, 20), 3e38, "float32")
    W[:, ::2] *= -1
    xi = np.ones((18, 20), "float32")
    xi[:9, :3] = -1
    op, options = getattr(classical, name), options_of(name, np.random.default_rng(0), 18, 20)
    for states in xi, xi[0]:
        assert np.array_equal(op(states, W, **options, backend="numba"), op(states, W, **options))


def test_the_diagonal_is_removed_from_sums_of_any_size():
    """The field of the other sites is 1e-17 of that of the site itself."""
    X = np.array([[1e17, 1.0, 1.0], [1.0, -1e17, 1.0]])
    for xi in np.sign(np.random.default_rng(0).standard_normal((20, 3))), np.array([1.0, -1, 1]):
        given_ = {"zero_diagonal": True, "ties": "plus"}
        agrees(classical.low_rank_update, (xi, X * 0.3), given_, "float64")
        assert np.array_equal(classical.low_rank_update(xi, X * 0.3, **given_, backend="numba"),
                              classical.low_rank_update(xi, X * 0.3, **given_))


def test_the_precision_for_integers_represents_every_sum():
    """|X| <= x and |xi| <= s: no sum exceeds N d x x s, and float32 holds integers below 2^24."""
    def carrier(x, N, d):
        return kernel._carrier(np.ones((1, d)), np.full((N, d), x))

    assert carrier(1.0, 2, 4) is np.float32
    assert carrier(0.5, 2, 4) is np.float64                     # no integers
    assert carrier(2.0**11, 2, 1) is np.float32                 # 2^23
    assert carrier(2.0**11, 4, 1) is np.float64                 # 2^24
    assert carrier(np.nan, 2, 2) is np.float64 and carrier(np.inf, 2, 2) is np.float64


def test_sums_beyond_single_precision_are_exact():
    """The fields differ by 1 in 2^26, so that their signs would be wrong in float32."""
    X = np.array([[2.0**13, 2.0**13, 1.0], [2.0**13, -(2.0**13), 0.0], [2.0**13, 0.0, -1.0]])
    xi = np.array([[1.0, 1.0, -1.0], [1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]] * 6)
    for states in xi, xi[:1]:
        for op, options in (visit, {"order": [0, 1, 2, 2, 1, 0]}), (classical.low_rank_update, {}):
            got = op(states, X, zero_diagonal=True, **options, backend="numba")
            assert np.array_equal(got, op(states, X, zero_diagonal=True, **options))


@precisions
@pytest.mark.parametrize("d, e", [(1, 1), (63, 5), (64, 3), (130, 70), (0, 2)])
@pytest.mark.parametrize("M", [(), (1,), (5, 2)])
def test_a_unit_is_active_if_every_active_input_connects_to_it(dtype, d, e, M):
    """Also a missing connection in the first and in the last word, and no active input."""
    rng = np.random.default_rng(d)
    x, W = rng.random((*M, d)) < 0.05, rng.random((e, d)) < 0.95
    W[0] = True
    x[..., d - 1:] = True
    got = classical.willshaw_update(x.astype(dtype), W.astype(dtype), backend="numba")
    assert got.dtype == dtype
    assert np.array_equal(got, np.all(W | ~x[..., None, :], axis=-1))
    assert np.all(classical.willshaw_update(0.0 * x, 1.0 * W, backend="numba") == 1)


@pytest.mark.parametrize("place", ["x", "W"])
def test_nonfinite_cues_and_clipped_weights_are_propagated(place):
    given_ = {"x": np.ones((3, 70), "float32"), "W": np.ones((4, 70), "float32")}
    given_[place][1, 65] = np.nan
    got, want = (classical.willshaw_update(*given_.values(), nonfinite="propagate", backend=path)
                 for path in ("numba", "formula"))
    assert got.dtype == "float32" and np.array_equal(got, want, equal_nan=True)
    assert np.isnan(got).any() and not np.isnan(got).all()

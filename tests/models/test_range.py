"""Results over the whole range of floating point: right, or refused; never NaN.

Every operation of the registry that takes arrays is called with states, patterns, features and
values of sizes from 1e-300 to 1.7e308; the retrieval rules are compared with sixty digits.
"""
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopref import attention, certify, features, modern, performer, sinks, structured
from hopref.check.cases.strategies import calls
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected
from hopref.dispatch import operation as dispatch
from hopref.errors import DomainError, RangeError
from hopref.gradients import sinks as gradients
from tests import exact, rounding
from tests.groups import each

OPS = {name: op for name, op in dispatch.load().items() if op.arrays}
SIZES = [1e-300, 1e-200, 1e-155, 1e155, 1e200, 1e300, 1.7e308]
FREE = {"finite", "finite and >= 0"}


def scaled(op, given, size):
    """The call with every array of free numbers brought to this size."""
    free = [k for k, v in given.items() if np.ndim(v) and k in op.arrays
            and op.domains[k].description in FREE]
    return given | {k: size * (given[k] / max(1.0, np.abs(given[k]).max(initial=0.0)))
                    for k in free}


@each("name", OPS, share=3)
def test_finite_input_never_gives_nan_without_an_error(name):
    op = OPS[name]

    @settings(max_examples=6)
    @given(calls(op, every=True, empty=False), st.sampled_from(SIZES))
    def never_nan(call, size):
        args, kwargs = call
        given = scaled(op, dict(zip(op.signature.parameters, args, strict=False)) | kwargs, size)
        if "empty_row" in given:
            given["empty_row"] = "zeros"                    # "nan" asks for NaN
        kinds = {k: p.kind is p.POSITIONAL_ONLY for k, p in op.signature.parameters.items()}
        try:
            y = op(*(given[k] for k in kinds if kinds[k] and k in given),
                   **{k: v for k, v in given.items() if not kinds[k]})
        except (DomainError, RangeError):
            return
        for part in y if isinstance(y, tuple) else (y,):
            assert not np.isnan(part).any()

    never_nan()


def patterns(size):
    """Four patterns in the plane and a state near the first, of these sizes."""
    X = np.array([[1.0, 0.25], [-1.0, 0.5], [0.5, -1.0], [0.75, 0.75]])
    return size * np.array([0.875, 0.125]), size * X


@pytest.mark.parametrize("beta", [1e-300, 1e-100, 1.0, 1e100, 1e300])
@pytest.mark.parametrize("size", SIZES)
def test_retrieval_is_right_at_any_size(size, beta):
    """beta times a difference of scores is below 1e-9 or above 1e9: weights are near 1/4, or 0, 1.

    A weight errs by 2u for its exponential, as much and 3u for the sum, and u for the quotient; the
    expected one by u.  The product with the patterns adds 4u, and the expected result u.
    """
    xi, X = patterns(size)
    p = exact.weights([exact.dot(xi, x) for x in X], beta)
    want = [float(v) for v in exact.softmax_rule(xi, X, X, beta)]
    support = np.ones(4, bool)
    for got in (modern.weights(xi, X, beta=beta), structured.weights(xi, X, support, beta=beta),
                attention.softmax_weights(xi[None], X, scale=beta)[0],
                attention.softmax_weights(xi[None], X, scale=beta, bias=np.zeros((1, 4)))[0]):
        np.testing.assert_allclose(got, np.array(p, float), rtol=9 * rounding.u)
    rows = np.zeros(4, int), np.arange(4)
    allowed = 14 * rounding.u * (np.array(p, float) @ np.abs(X))
    for got in (modern.update(xi, X, beta=beta), structured.update(xi, X, beta=beta),
                structured.pair_update(xi, X, beta=beta),
                structured.top_k_update(xi, X, k=4, beta=beta),
                structured.window_update(xi[None], X, width=4, beta=beta)[0],
                structured.listed_update(xi[None], X, *rows, beta=beta)[0],
                attention.softmax_attention(xi[None], X, X, scale=beta)[0]):
        np.testing.assert_array_less(np.abs(got - np.array(want)), allowed)


@pytest.mark.parametrize("beta", [1e-300, 1.0, 1e300])
@pytest.mark.parametrize("size", SIZES)
def test_energies_are_right_or_refused_at_any_size(size, beta):
    """The sum as printed cancels all but beta times the scores: 1300 digits."""
    xi, X = patterns(size)
    for state in (xi, X[0]):
        with mpmath.workdps(1300):
            want = +exact.modern_energy(state, X, beta)
        for energy in (modern.energy, structured.energy):
            if want < 1e308:
                got = mpmath.mpf(float(energy(state, X, beta=beta)))
                assert abs(got - want) <= 1e-13 * want + 1e-320
            else:
                with pytest.raises(RangeError, match="1.8e308"):
                    energy(state, X, beta=beta)


def test_the_energy_at_the_longest_pattern_is_finite_where_its_squares_are_not():
    for size in (1e155, 1e200, 1.7e308):
        E = modern.energy([size], [[size], [-size]])
        assert E == structured.energy([size], [[size], [-size]]) == np.log(2)


@pytest.mark.parametrize("q, k, v", [(q, k, v) for q in SIZES for k in SIZES
                                     for v in (1e-300, 3.0, 1.7e308)])
def test_linear_attention_is_right_at_any_size(q, k, v):
    """All terms are positive: 4 roundings of the numerator, 3 of the denominator, the quotient, and
    3 of the expected result."""
    phi, keys, V = [[q, q / 4]], [[k / 2, k / 8], [k / 4, k / 2]], [[v], [v / 2]]
    a, b = 0.5 + 0.03125, 0.25 + 0.125
    want = v * ((a + b / 2) / (a + b))
    Z = attention.linear_attention(phi, keys, V)
    np.testing.assert_allclose(Z, [[want]], rtol=11 * rounding.u)
    np.testing.assert_allclose(attention.linear_weights(phi, keys), [[a / (a + b), b / (a + b)]],
                               rtol=11 * rounding.u)
    for backend in ("formula", "numba"):
        try:
            Z, S, z = attention.causal_linear_attention(phi * 2, keys, V, backend=backend)
        except RangeError:                                  # its state, k v, is no float
            assert k * v > 1e308
        else:
            np.testing.assert_allclose(Z, [[v], [want]], rtol=11 * rounding.u)


@pytest.mark.parametrize("kind", ["exponential", "elu", "relu", "quadratic", "identity"])
@pytest.mark.parametrize("x", [800.0, *SIZES])
def test_linear_retrieval_of_the_only_pattern_is_that_pattern(kind, x):
    """q (k x) / (q k): four roundings for each feature, and two sums of two features."""
    got = structured.linear_update([x], [[x]], features=kind)
    np.testing.assert_allclose(got, [x], rtol=6 * rounding.u)


@pytest.mark.parametrize("kind", ["exponential", "elu"])
def test_features_that_underflow_are_compared_by_their_logs(kind):
    """As above with two keys: two sums more, and one rounding of the expected result; weights err
    by a thousandth of this, times the distance 1 of the patterns."""
    got = structured.linear_update([-1000.0], [[-1000.0], [-1001.0]], features=kind)
    np.testing.assert_allclose(got, [-1000 - 1 / (1 + np.e)], rtol=8 * rounding.u)


def test_logs_add_up_without_overflow():
    assert attention.log_linear_attention([[1e308]], [[1e308]], [[3.0]]) == 3
    assert attention.log_causal_linear_attention([[1e308]], [[1e308]], [[3.0]])[0] == 3


@pytest.mark.parametrize("kind", ["positive", "hyperbolic"])
@pytest.mark.parametrize("size", [1e155, 1e200, 1e300, 1.7e308])
def test_random_features_retrieve_the_shortest_pattern_at_any_size(kind, size):
    """log phi(k) is -|k|^2/2 up to what is small beside it: of those seen the shortest wins.

    q (k x) / (q k) has four roundings for each feature, and two sums of up to four features.
    """
    X, omega = size * np.array([[1.0], [-0.5], [0.75]]), [[0.5], [-0.25]]
    for xi in (X[0], [1.0]):
        assert performer.weights(xi, X, omega, features=kind).tolist() == [0, 1, 0]
        for rule in (performer.update, structured.random_feature_update):
            np.testing.assert_allclose(rule(xi, X, omega, features=kind), X[1], rtol=8 * rounding.u)
    Z = performer.attention(X[:1], X, X, omega, features=kind, mask=[True, False, True])
    np.testing.assert_allclose(Z, X[2:], rtol=8 * rounding.u)
    assert features.positive(X[0], omega).tolist() == [0, 0]
    with pytest.raises(RangeError):
        features.log_positive(X[0], omega)


BELOW = {               # powers of two, below which sums of products stay in range
    "classical.update": {"xi": 40, "W": 960, "b": 960},
    "classical.low_rank_update": {"xi": 40, "X": 480, "b": 960},
    "bam.forward": {"x": 40, "W": 960}, "bam.backward": {"y": 40, "W": 960},
    "dense.update": {"X": 960}, "graded.update": {"xi": 500, "W": 500, "b": 500},
    "graded.flow": {"W": 500, "b": 500}, "lagrangian.update": {"v": 500, "X": 500},
    "lagrangian.flow": {"v": 500, "h": 500, "X": 500},
}


@pytest.mark.parametrize("name", BELOW)
def test_arrays_must_be_below_a_power_of_two(name):
    for k, power in BELOW[name].items():
        domain, limit = OPS[name].domains[k], 2.0**power
        assert domain.description == f"finite and below 2^{power} in size"
        inside = np.array([-np.nextafter(limit, 0), 0.0, np.nextafter(limit, 0)])
        assert domain.holds(np, inside).all()
        assert not domain.holds(np, np.array([limit, -limit, np.inf, np.nan])).any()
        assert domain.squares == 2.0 ** min(2 * power, 1023)


@pytest.mark.parametrize("sink", [-2.0**20, -500.0, 0.0, 700.0, 2.0**20])
@pytest.mark.parametrize("state", [-30.0, 30.0])
def test_an_energy_with_a_sink_is_right_where_its_exponentials_underflow(state, sink):
    """Beside a score of 0 that has nearly no weight, all others may be far below."""
    pytest.importorskip("flint", reason="exact values come from python-flint (hopref[certify])")
    xi, X = np.array([state, 1.0]), np.array([[30.0, 2.0], [29.0, 0.25]])
    found = certify("sinks.energy", xi, X, sink=sink)
    radius = expected("sinks.energy", (xi, X), {"sink": sink}, PROFILES["float64"]).radius
    rounding.close(sinks.energy(xi, X, sink=sink), found.value, radius + found.bound)
    *_, dbeta = gradients.energy(1.0, xi, X, sink=sink)[:3]
    assert np.all(np.isfinite(dbeta))

"""Softmax, its potential, and the loops beneath the formulas."""
import mpmath
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hopref import maps
from tests import exact, rounding
from tests.draw import arrays, betas, records
from tests.laws import law
from tests.rounding import close, g

scores = st.integers(1, 6).flatmap(lambda n: arrays(2, n))
rows_of = records(z=scores, beta=betas)


def room(z, beta):
    """The scores are given exactly."""
    return rounding.softmax_rule(z, np.zeros_like(z), np.eye(z.shape[-1]), beta)


@law("maps.softmax", id="MH-2", over=rows_of,
     kills=["softmax_without_beta", "softmax_unnormalised", "softmax_over_columns"])
def test_softmax_is_the_normalised_exponential(rules, z, beta):
    p = np.exp(beta * (z - z.max(-1, keepdims=True)))
    close(rules.maps.softmax(z, beta=beta), p / p.sum(-1, keepdims=True), 2 * room(z, beta))


@law("maps.softmax", id="MH-2", over=rows_of,
     kills=["softmax_naive"])
def test_softmax_does_not_see_a_shift_and_beta_may_be_anything(rules, z, beta):
    assert np.all(rules.maps.softmax(z + 2.0**40, beta=beta) == rules.maps.softmax(z, beta=beta))
    cold = rules.maps.softmax(z, beta=1e300)
    best = z == z.max(-1, keepdims=True)
    assert np.all(cold == best / best.sum(-1, keepdims=True))
    hot = rules.maps.softmax(z * 1e150, beta=1e-300)
    close(hot, 1 / z.shape[-1], g(z.shape[-1] + 4))


@law("maps.logsumexp", "maps.softmax", id="MH-1", over=rows_of,
     kills=["lse_without_1_over_beta", "lse_forgets_the_maximum", "softmax_without_beta"])
def test_softmax_is_what_log_sum_exp_grows_by(rules, z, beta):
    """max z <= lse <= max z + log(n)/beta, and lse(z) - lse(z') lies between p'.(z - z') and
    p.(z - z'): the gradient of a convex function."""
    lse, top, n = rules.maps.logsumexp(z, beta=beta), z.max(-1), z.shape[-1]
    slack = g(n + 8) * (np.abs(top) + (1 + np.log(n)) / beta)
    assert np.all((lse >= top - slack) & (lse <= top + np.log(n) / beta + slack))
    p, other = rules.maps.softmax(z, beta=beta), z[::-1]
    slack = (slack + slack[::-1] + ((room(z, beta) + g(n) * p) * np.abs(z - other)).sum(-1)) * 2
    assert np.all(lse - rules.maps.logsumexp(other, beta=beta) <= (p * (z - other)).sum(-1) + slack)


@law("maps.softmax", "maps.logsumexp", id="AT-1", over=rows_of,
     kills=["softmax_mask_after"])
def test_a_hidden_entry_is_a_deleted_one(rules, z, beta):
    seen = np.arange(z.shape[-1]) != 0
    p = rules.maps.softmax(z, beta=beta, where=np.broadcast_to(seen, z.shape))
    if not seen.any():
        assert np.all(p == 0) and np.all(rules.maps.logsumexp(z - np.inf, beta=beta) == -np.inf)
        return
    assert np.all(p[:, 0] == 0)
    close(p[:, 1:], rules.maps.softmax(z[:, 1:], beta=beta), 2 * room(z[:, 1:], beta))
    gone = np.where(seen, z, -np.inf)
    close(rules.maps.logsumexp(gone, beta=beta), rules.maps.logsumexp(z[:, 1:], beta=beta),
          2 * g(z.shape[-1] + 8) * (np.abs(z).max(-1) + (1 + np.log(z.shape[-1])) / beta))


@given(st.lists(st.one_of(st.floats(-50, 0), st.floats(-320, 0).map(lambda k: -(10.0**k))),
                max_size=8))
def test_log_mean_exp_keeps_its_digits_near_zero_and_far_from_it(gaps):
    """mean expm1 errs by g(n + 2) of a sum of one sign; log1p above -1/2 and log below 1/2 then
    amplify by at most 1/(2 log 2) < 1, resp. 1/log 2 < 2; each function rounds 4 u."""
    z = np.array([0.0, *gaps])
    terms = [mpmath.expm1(mpmath.mpf(v)) for v in z]
    want = mpmath.log1p(mpmath.fsum(terms) / len(z))
    got = maps.logmeanexp(z)
    assert abs(mpmath.mpf(float(got)) - want) <= 2 * g(len(z) + 10) * abs(want) + 4 * rounding.eta


def test_the_thresholds_keep_what_equals_them():
    x = np.array([-1.0, -0.5, 0.0, 0.5])
    assert maps.above(x, -0.5).tolist() == [-1.0, -0.5, 0.0, 0.0]
    assert maps.below(x, -0.5).tolist() == [0.0, -0.5, 0.0, 0.5]
    assert np.all(maps.above(maps.above(x, -0.5), -0.5) == maps.above(x, -0.5))


def test_exact_weights_agree_with_a_hand_computed_case():
    """The referee is refereed: softmax of (log 1, log 3) is (1/4, 3/4)."""
    p = exact.weights([mpmath.log(1), mpmath.log(3)], 1.0)
    assert abs(p[0] - mpmath.mpf(1) / 4) < mpmath.mpf(10) ** -55

"""What differences cannot see: digits, infinities, hidden keys, chunks, fixed points, limits.

Two ways to the same gradient are compared in long double, whose rounding is a 2048th of what the
tolerance of the op allows in float64.
"""
import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st

from hopref import attention, gradients, maps, modern
from hopref.check.engine.judge import parts
from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import tolerance, truth
from hopref.errors import DomainError
from tests import rounding
from tests.draw import arrays, betas, feature_heads, heads, problems, records
from tests.laws import law
from tests.rounding import close, g, u

seeds = st.integers(0, 2**32)


def wide(*things):
    return [np.asarray(x, np.longdouble) for x in things]


def radii(op, args, kwargs):
    """The float64 tolerance of every result."""
    return parts(tolerance(op, args, kwargs, truth(op, args, kwargs), PROFILES["float64"]))


def agree(one, other, op, args, kwargs, which=slice(None), left=0.0):
    """Two ways to the results ``which`` of op, in long double; ``left`` is what one leaves out."""
    for a, b, r in zip(one, other, radii(op, args, kwargs)[which], strict=True):
        close(a, b, r + left)


# -- digits -------------------------------------------------------------------------------------

@law("gradients.modern.update", id="GR-2",
     over=records(s=st.integers(1, 64).map(lambda k: k / 8), beta=st.sampled_from([0.5, 40.0])),
     kills=["modern_gradient_by_a_difference"])
def test_a_gradient_that_nearly_vanishes_keeps_its_digits(rules, s, beta):
    """Of two patterns +1 and -1: d xi = 4 beta p (1 - p), where 1 - p may be 1e-250; an error of
    the scores of tau is one of e^tau."""
    dxi, *_ = rules.gradients.modern.update(np.ones(1), np.array([s]), np.array([[1.0], [-1.0]]),
                                            beta=beta)
    e = np.exp(-2 * beta * s)
    close(dxi[0], 4 * beta * e / (1 + e) ** 2, 16 * u * (2 + 2 * beta * s) * 4 * beta * e)


def growing(steps, rng):
    """Features of keys that grow 2 % a step, queries, values."""
    phi_q, phi_k = rng.random((steps, 4)) + 0.1, rng.random((steps, 4)) + 0.1
    phi_k *= 1.02 ** np.arange(steps)[:, None]
    return phi_q, phi_k, rng.standard_normal((steps, 3))


@law("gradients.attention.causal_linear_attention", id="GR-5, PF-5",
     kills=["causal_gradient_by_reverse_subtraction"])
def test_keys_that_grow_cost_no_digits(rules):
    """Against the masked kernel, whose terms are the same: each is rounded less often than there
    are steps, thrice over."""
    steps, rng = 1200, np.random.default_rng(0)
    q, k, V = growing(steps, rng)
    cotangent = rng.standard_normal(V.shape)
    got = rules.gradients.attention.causal_linear_attention(
        cotangent, np.zeros((4, 3)), np.zeros(4), q, k, V)
    q, k, V, cotangent = wide(q, k, V, cotangent)
    seen = np.tril(np.ones((steps, steps), bool))
    A = np.where(seen, q @ k.T, 0)
    D = A.sum(-1, keepdims=True)
    Z = A @ V / D
    dA = np.where(seen, (cotangent @ V.T - (cotangent * Z).sum(-1, keepdims=True)) / D, 0)
    most = np.where(seen, (abs(cotangent) @ abs(V).T + (abs(cotangent) * (A @ abs(V) / D)).sum(
        -1, keepdims=True)) / D, 0)
    rounded = g(3 * steps + 40)
    close(got[0], dA @ k, rounded * (most @ k))
    close(got[1], dA.T @ q, rounded * (most.T @ q))
    close(got[2], (A / D).T @ cotangent, rounded * ((A / D).T @ abs(cotangent)))


@st.composite
def logs(draw, causal):
    """Log features of hundreds, in eighths; some are -inf, but no key or query altogether."""
    l, r, v = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    s = l if causal else draw(st.integers(1, 4))
    large = st.one_of(st.integers(-6400, 6400).map(lambda k: k / 8), st.just(-np.inf))
    log_q, log_k = draw(arrays(l, r, elements=large)), draw(arrays(s, r, elements=large))
    log_q[:, 0], log_k[:, 0] = (np.where(np.isinf(x[:, 0]), 0, x[:, 0]) for x in (log_q, log_k))
    return {"cotangent": draw(arrays(l, v)), "log_q": log_q, "log_k": log_k,
            "V": draw(arrays(s, v))}


@law("gradients.attention.log_linear_attention", id="GR-4", over=logs(causal=False),
     kills=["log_gradient_by_exponentials"])
def test_gradients_on_a_log_scale_know_no_scale(rules, cotangent, log_q, log_k, V):
    """All keys, or all queries, times e^1024: the same gradients, to the last bit."""
    f = rules.gradients.attention.log_linear_attention
    plain = f(cotangent, log_q, log_k, V)
    for q, k in ((log_q + 1024, log_k), (log_q, log_k - 1024)):
        for a, b in zip(plain, f(cotangent, q, k, V), strict=True):
            assert np.all(np.isfinite(a)) and np.all(a == b)


@law("gradients.attention.log_causal_linear_attention", id="GR-5", over=logs(causal=True),
     kills=["log_causal_gradient_by_exponentials"])
def test_causal_gradients_on_a_log_scale_know_no_scale(rules, cotangent, log_q, log_k, V):
    f = rules.gradients.attention.log_causal_linear_attention
    none = np.zeros((log_k.shape[1], V.shape[1])), *(np.zeros(log_k.shape[1]) for _ in range(2))
    plain = f(cotangent, *none, log_q, log_k, V)
    for q, k in ((log_q + 1024, log_k), (log_q, log_k - 1024)):
        for a, b in zip(plain, f(cotangent, *none, q, k, V), strict=True):
            assert np.all(np.isfinite(a)) and np.all(a == b)


@law("gradients.performer.attention", id="GR-6",
     over=records(Q=arrays(2, 3), V=arrays(2, 2), omega=arrays(3, 3), cotangent=arrays(2, 2)),
     kills=["performer_gradient_by_logarithms"])
def test_a_feature_that_is_nought_passes_its_slope_on(rules, Q, V, omega, cotangent):
    """At keys of 0 the sines are 0: with kernels cos(u_q - u_k) the slope is that of the sum.

    Z = sum_jr w_rj v_j / sum with w = h (cos u_q cos u_k + sin u_q sin u_k), so that dK_j holds
    sum_r sin(u_q)_r omega_r (g.(v_j - Z)) / D for every query: a few dozen roundings of its terms.
    """
    K, u_q = np.zeros((2, 3)), Q @ omega.T
    D = 2 * np.cos(u_q).sum(-1)
    assume(np.all(np.abs(D) > 0.25))
    dK = rules.gradients.performer.attention(cotangent, Q, K, V, omega, features="trigonometric",
                                             scale=1.0)[1]
    away = cotangent @ (V - V.mean(0)).T / D[:, None]
    want = np.einsum("lj,lr,rd->jd", away, np.sin(u_q), omega)
    size = np.einsum("lj,lr,rd->jd", (abs(cotangent) @ (abs(V) + abs(V).mean(0)).T
                                      / abs(D)[:, None]), 1 + 0 * u_q, abs(omega))
    reach = 64 * u * (1 + np.abs(Q).max() * np.abs(omega).max()) * (1 + 6 / np.abs(D).min()) ** 2
    close(dK, want, reach * size + 1e-300)


# -- what is hidden -----------------------------------------------------------------------------

@st.composite
def with_a_hidden_key(draw, cases):
    """Any case with a key that nobody sees, and a cotangent."""
    case = draw(cases)
    V = case["V"]
    rows = case.get("Q", case.get("phi_q"))
    hidden = draw(st.integers(0, len(V) - 1))
    return {**case, "cotangent": draw(arrays(len(rows), V.shape[1])), "hidden": hidden}


@law("gradients.attention.softmax_attention", id="GR-1",
     over=with_a_hidden_key(heads()).filter(lambda c: len(c["V"]) > 1),
     kills=["attention_gradient_masks_values_only"])
def test_a_key_that_nobody_sees_may_as_well_not_be_there(rules, Q, K, V, cotangent, hidden):
    f, op = rules.gradients.attention.softmax_attention, gradients.attention.softmax_attention
    mask = np.broadcast_to(np.arange(len(V)) != hidden, (len(Q), len(V)))
    cotangent, Q, K, V = wide(cotangent, Q, K, V)
    dQ, dK, dV, dbias, dscale = f(cotangent, Q, K, V, mask=mask)
    for d in (dK[hidden], dV[hidden], dbias[:, hidden]):
        assert not np.any(d)
    kept = mask[0]
    fewer = (cotangent, Q, K[kept], V[kept])
    agree((dQ, dK[kept], dV[kept], dbias[:, kept], dscale), op(*fewer), op, fewer, {})


@law("gradients.attention.linear_attention", id="GR-4",
     over=with_a_hidden_key(feature_heads()).filter(lambda c: len(c["V"]) > 1),
     kills=["linear_gradient_masks_values_only"])
def test_linear_attention_knows_nothing_of_a_hidden_key(rules, phi_q, phi_k, V, cotangent, hidden):
    f, op = rules.gradients.attention.linear_attention, gradients.attention.linear_attention
    kept = np.arange(len(V)) != hidden
    cotangent, phi_q, phi_k, V = wide(cotangent, phi_q, phi_k, V)
    dq, dk, dV, *_ = f(cotangent, phi_q, phi_k, V, mask=kept)
    assert not np.any(dk[hidden]) and not np.any(dV[hidden])
    fewer = (cotangent, phi_q, phi_k[kept], V[kept])
    agree((dq, dk[kept], dV[kept]), op(*fewer)[:3], op, fewer, {}, slice(3))


@law("gradients.attention.softmax_attention", id="GR-1",
     over=with_a_hidden_key(heads()), kills=["attention_gradient_of_an_empty_row"])
def test_a_query_that_sees_nothing_has_no_gradient_whatever_its_answer(rules, Q, K, V, cotangent,
                                                                       hidden):
    mask = np.arange(len(Q))[:, None] != hidden % len(Q) + np.zeros(len(V))
    for answer in ("zeros", "nan"):
        found = rules.gradients.attention.softmax_attention(cotangent, Q, K, V, mask=mask,
                                                            empty_row=answer)
        assert all(np.all(np.isfinite(d)) for d in found)
        assert not np.any(found[0][hidden % len(Q)]) and not np.any(found[3][hidden % len(Q)])


# -- chunks -------------------------------------------------------------------------------------

@st.composite
def chunked(draw):
    case = draw(feature_heads(square=True).filter(lambda c: len(c["V"]) > 1))
    V, r = case["V"], case["phi_k"].shape[1]
    return {**case, "cut": draw(st.integers(1, len(V) - 1)),
            "back": [draw(arrays(*shape)) for shape in (V.shape, (r, V.shape[1]), (r,))]}


@law("gradients.attention.causal_linear_attention", id="GR-5", over=chunked(),
     kills=["causal_gradient_forgets_the_state"])
def test_a_sequence_in_two_chunks_has_the_gradient_of_the_whole(rules, phi_q, phi_k, V, cut, back):
    """The second chunk's gradient of the state it was given is the first one's cotangent."""
    f, op = rules.gradients.attention.causal_linear_attention, attention.causal_linear_attention
    phi_q, phi_k, V, *back = wide(phi_q, phi_k, V, *back)
    a, b = slice(cut), slice(cut, None)
    _, S, z = op(phi_q[a], phi_k[a], V[a])
    late = f(back[0][b], back[1], back[2], phi_q[b], phi_k[b], V[b], S=S, z=z)
    early = f(back[0][a], late[3], late[4], phi_q[a], phi_k[a], V[a])
    whole = gradients.attention.causal_linear_attention
    args = (*back, phi_q, phi_k, V)
    joined = [np.concatenate(pair) for pair in zip(early[:3], late[:3], strict=True)]
    agree((*joined, early[3], early[4], early[5] + late[5]), whole(*args), whole, args, {})


@law("gradients.attention.log_causal_linear_attention", id="GR-5", over=chunked(),
     kills=["log_causal_gradient_forgets_the_state"])
def test_so_it_is_on_a_log_scale(rules, phi_q, phi_k, V, cut, back):
    f, op = rules.gradients.attention.log_causal_linear_attention, \
        attention.log_causal_linear_attention
    with np.errstate(divide="ignore"):
        log_q, log_k = wide(np.log(phi_q), np.log(phi_k))
    V, *back = wide(V, *back)
    a, b = slice(cut), slice(cut, None)
    _, S, z, c = op(log_q[a], log_k[a], V[a])
    none = np.zeros_like(z)
    late = f(back[0][b], back[1], back[2], none, log_q[b], log_k[b], V[b], S=S, z=z, c=c)
    early = f(back[0][a], *late[3:], log_q[a], log_k[a], V[a])
    whole = gradients.attention.log_causal_linear_attention
    args = (*back, none, log_q, log_k, V)
    joined = [np.concatenate(pair) for pair in zip(early[:3], late[:3], strict=True)]
    agree(joined, whole(*args)[:3], whole, args, {}, slice(3))


# -- fixed points and Jacobians -----------------------------------------------------------------

@law("gradients.modern.fixed_point", id="GR-3", over=records(case=problems(max_m=2), seed=seeds),
     kills=["fixed_point_by_one_step", "fixed_point_of_another_sign"])
def test_the_gradient_of_a_fixed_point_is_that_of_the_whole_iteration(rules, case, seed):
    """beta diam^2/4 <= 1/2 bounds the slope everywhere: 80 steps leave 2^-80 of anything."""
    xi, X = wide(case["xi"], case["X"])
    beta = 2 / max(2.0, float(((X[:, None] - X[None]) ** 2).sum(-1).max()))
    lam = wide(np.random.default_rng(seed).standard_normal(xi.shape))[0]
    states = [xi]
    for _ in range(80):
        states.append(modern.update(states[-1], X, beta=beta))
    cotangent, dX, dbeta = lam, np.zeros_like(X), np.longdouble(0)
    for x in states[-2::-1]:
        cotangent, more, number = gradients.modern.update(cotangent, x, X, beta=beta)
        dX, dbeta = dX + more, dbeta + number
    args = (lam, states[-1], X)
    found = rules.gradients.modern.fixed_point(*args, beta=beta)
    agree(found, (dX, dbeta), gradients.modern.fixed_point, args, {"beta": beta},
          left=2.0**-70 * (1 + np.abs(lam).max()) * (1 + np.abs(X).max()) ** 4)


def test_where_the_iteration_would_not_stay_there_is_no_such_gradient():
    saddle = ([1.0], [0.0], [[1.0], [-1.0]])        # J = beta there
    assert np.all(np.isfinite(gradients.modern.fixed_point(*saddle, beta=0.999)[0]))
    for beta in (1.0, 2.0):
        with pytest.raises(DomainError, match="every eigenvalue of the update's Jacobian is < 1"):
            gradients.modern.fixed_point(*saddle, beta=beta)


@law("gradients.modern.update", id="MH-6", over=problems(max_m=2),
     kills=["modern_gradient_without_beta", "modern_gradient_without_p_p"])
def test_the_gradient_of_the_update_is_its_jacobian_which_is_symmetric(rules, xi, X, beta):
    """J^T e_k for every k; the Jacobian's own tolerance is added to the gradient's."""
    m, d = xi.shape
    e = np.broadcast_to(np.eye(d), (m, d, d))
    states = np.broadcast_to(xi[:, None], (m, d, d))
    rows = rules.gradients.modern.update(e, states, X, beta=beta)[0]
    args, kwargs = (e, states, X), {"beta": beta}
    slack = radii(gradients.modern.update, args, kwargs)[0] \
        + radii(modern.jacobian, (xi, X), kwargs)[0]
    close(rows, modern.jacobian(xi, X, beta=beta), slack)
    close(rows, np.swapaxes(rows, -1, -2), slack + np.swapaxes(slack, -1, -2))


# -- sums and limits ----------------------------------------------------------------------------

SUMMING = {"softmax": {}, "sparsemax": {}, "entmax": {"alpha": 1.5}, "normmax": {"gamma": 2.0},
           "k_subsets": {"k": 1}, "top_k": {"k": 1}}


@law(*(f"gradients.maps.{name}" for name in SUMMING), id="GR-7",
     over=records(g=arrays(2, 4), z=arrays(2, 4), beta=betas),
     kills=["softmax_gradient_without_the_mean", "sparsemax_mean_over_everything"])
def test_scores_that_rise_together_change_nothing(rules, g, z, beta):
    """dz sums to 0: to the rounding of a sum of four; normmax takes a second mean off."""
    for name, options in SUMMING.items():
        dz = getattr(rules.gradients.maps, name)(g, z, beta=beta, **options)[0]
        p = getattr(maps, name)(z, beta=beta, **options)
        close(dz.sum(-1), 0.0, rounding.g(24) * beta * np.abs(g).max() * (1 + (p > 0).sum()))


@law("gradients.maps.entmax", id="FY-8", over=records(g=arrays(4), z=arrays(4)),
     kills=["entmax_alpha_by_its_quotient"])
def test_the_derivative_in_alpha_is_continuous_where_entmax_is_softmax(rules, g, z):
    """At 1 it is -sum p ln(p)^2/2 (g - p.g).  A further derivative has terms p |ln p|^3 |g|, fewer
    than 8 of each, so that alpha = 1 + 2^-30 is that near."""
    p = maps.softmax(z)
    away, logs = g - p @ g, np.log(p)
    limit = -(p * logs**2 / 2) @ away
    near = 2.0**-30 * 8 * np.sum(p * (1 - logs) ** 3) * np.abs(g).max()
    rounded = 256 * u * (1 + np.abs(logs).max()) ** 3 * np.abs(g).max()
    for alpha, allowed in ((1.0, 0.0), (1 + 2.0**-30, near)):
        close(rules.gradients.maps.entmax(g, z, alpha=alpha)[2], limit, allowed + rounded)


def test_large_betas_and_norms_give_no_nan():
    for beta, size in ((1e300, 1.0), (1e-300, 1.0), (1.0, 1e150), (1.0, 1e-160)):
        X = size * np.array([[1.0, 0.5], [1.0, 0.5], [-1.0, 2.0]])
        for f, cotangent in ((gradients.modern.update, np.ones(2)),
                             (gradients.modern.energy, 1.0)):
            found = f(cotangent, X[0] / 2, X, beta=beta)
            assert not any(np.any(np.isnan(d)) for d in found), (f.name, beta, size)



"""Laws of gradients that differences do not show: digits, infinities, hidden entries, chunks, fixed
points, limits.

Two ways to the same gradient agree within the tolerance of that which is judged.
"""
import numpy as np

from hopref import maps, modern, supports
from hopref.check.cases.draws import arrays, betas, constant, integers, records, sampled
from hopref.check.cases.gradients import (
    chunked,
    feature_heads_with_a_hidden_key,
    growing,
    heads_with_a_hidden_key,
    logs,
    normal,
    visible,
)
from hopref.check.cases.problems import problems
from hopref.check.laws import equal, holds, law, toleranced
from hopref.gradients import attention, features, structured
from hopref.gradients import modern as gradients

__all__ = []

TRIFLE = 2.0**-30


# -- digits ---------------------------------------------------------------------------------------

@law("gradients.attention.causal_linear_attention", id="GR-5, PF-5", over=growing(),
     kills=("state run backwards by subtraction",))
def growing_keys_cause_no_loss_of_accuracy(f, cotangent, phi_q, phi_k, V):
    """Gradients of causal attention are those of its masked kernel."""
    r, v = phi_k.shape[1], V.shape[1]
    got = f(cotangent, np.zeros((r, v)), np.zeros(r), phi_q, phi_k, V)
    A = np.tril(phi_q @ phi_k.T)
    D = np.sum(A, axis=-1, keepdims=True)
    through = np.sum(cotangent * (A @ V / D), axis=-1, keepdims=True)
    dA = np.tril((cotangent @ V.T - through) / D)
    for d, want in zip(got, (dA @ phi_k, dA.T @ phi_q, (A / D).T @ cotangent)):
        yield equal(d, want)


@law("gradients.attention.log_linear_attention", id="GR-4", over=logs(),
     kills=("features exponentiated",))
def gradients_of_log_features_are_independent_of_their_scale(f, cotangent, log_q, log_k, V):
    """All keys, or all queries, times e^1024: the same gradients."""
    plain = f(cotangent, log_q, log_k, V)
    for q, k in ((log_q + 1024, log_k), (log_q, log_k - 1024)):
        for a, b in zip(plain, f(cotangent, q, k, V)):
            yield holds(np.isfinite(a.value))
            yield equal(a, b)


@law("gradients.attention.log_causal_linear_attention", id="GR-5", over=logs(causal=True),
     kills=("features exponentiated",))
def causal_gradients_of_log_features_are_independent_of_their_scale(f, cotangent, log_q, log_k, V):
    """All keys, or all queries, times e^1024: the same gradients."""
    r, v = log_k.shape[1], V.shape[1]
    none = np.zeros((r, v)), np.zeros(r), np.zeros(r)
    plain = f(cotangent, *none, log_q, log_k, V)
    for q, k in ((log_q + 1024, log_k), (log_q, log_k - 1024)):
        for a, b in zip(plain[:3], f(cotangent, *none, q, k, V)):
            yield holds(np.isfinite(a.value))
            yield equal(a, b)


@law("gradients.performer.attention", id="GR-6",
     over=records(Q=arrays(2, 3), V=arrays(2, 2), omega=arrays(3, 3), cotangent=arrays(2, 2)),
     kills=("through log|sin| and log|cos|",))
def a_feature_of_zero_has_a_derivative(f, Q, V, omega, cotangent):
    """At keys of 0 the sines are 0: dK_j = sum_lr (g_l.(v_j - Z) / D_l) sin(u_q)_lr omega_r."""
    u = Q @ omega.T
    D = 2 * np.sum(np.cos(u), axis=-1, keepdims=True)
    if np.any(np.abs(D.value) <= 0.25):
        return
    _, dK, *_ = f(cotangent, Q, np.zeros((2, 3)), V, omega, features="trigonometric", scale=1.0)
    away = cotangent @ (V - np.sum(V, axis=0) / 2).T / D
    yield equal(dK, away.T @ (np.sin(u) @ omega))


# -- what is hidden -------------------------------------------------------------------------------

@law("gradients.attention.softmax_attention", id="GR-1", over=heads_with_a_hidden_key(),
     kills=("hidden keys in the denominator",))
def a_key_hidden_from_all_queries_has_no_effect(f, cotangent, Q, K, V, hidden):
    """Its own gradients are 0, the others those of attention without the key."""
    kept = np.arange(len(V)) != hidden
    dQ, dK, dV, dbias, dscale = f(cotangent, Q, K, V, mask=np.tile(kept, (len(Q), 1)))
    for d in (dK[hidden], dV[hidden], dbias[:, hidden]):
        yield equal(d, 0.0, "hidden")
    fewer = f.exact(attention.softmax_attention, cotangent, Q, K[kept], V[kept])
    for d, want in zip((dQ, dK[kept], dV[kept], dbias[:, kept], dscale), fewer):
        yield equal(d, want)


@law("gradients.attention.linear_attention", id="GR-4", over=feature_heads_with_a_hidden_key(),
     kills=("hidden keys in the denominator",))
def linear_attention_is_independent_of_a_hidden_key(f, cotangent, phi_q, phi_k, V, hidden):
    """Its own gradients are 0, the others those of attention without the key."""
    kept = np.arange(len(V)) != hidden
    dq, dk, dV, *_ = f(cotangent, phi_q, phi_k, V, mask=kept)
    for d in (dk[hidden], dV[hidden]):
        yield equal(d, 0.0, "hidden")
    fewer = f.exact(attention.linear_attention, cotangent, phi_q, phi_k[kept], V[kept])
    for d, want in zip((dq, dk[kept], dV[kept]), fewer):
        yield equal(d, want)


@law("gradients.attention.causal_linear_attention", id="GR-5", over=chunked(),
     kills=("hidden keys in the denominator",))
def causal_attention_is_independent_of_a_hidden_key(f, phi_q, phi_k, V, cut, g, g_S, g_z):
    """Its own gradients are 0, the others those without its position."""
    kept = np.arange(len(V)) != cut
    found = f(np.where(kept[:, None], g, 0.0), g_S, g_z, phi_q, phi_k, V, mask=kept)
    fewer = f.exact(attention.causal_linear_attention, g[kept], g_S, g_z, phi_q[kept],
                    phi_k[kept], V[kept])
    for d, want in zip(found[:3], fewer):
        yield equal(d[cut], 0.0, "hidden")
        yield equal(d[kept], want)
    for d, want in zip(found[3:], fewer[3:]):
        yield equal(d, want, "state")


@law("gradients.attention.softmax_attention", id="GR-1", over=heads_with_a_hidden_key(),
     kills=("0 times NaN in empty rows",))
def a_query_that_sees_no_key_has_gradient_zero(f, cotangent, Q, K, V, hidden):
    """Whatever its answer, zeros or NaN; all other gradients are finite."""
    row = hidden % len(Q)
    mask = np.tile(np.arange(len(Q))[:, None] != row, (1, len(V)))
    for answer in ("zeros", "nan"):
        found = f(cotangent, Q, K, V, mask=mask, empty_row=answer)
        for d in found:
            yield holds(np.isfinite(d.value), answer)
        yield equal(found[0][row], 0.0, answer)
        yield equal(found[3][row], 0.0, answer)


# -- chunks ---------------------------------------------------------------------------------------

@law("gradients.attention.causal_linear_attention", id="GR-5", over=chunked(),
     kills=("cotangent of the final state ignored",))
def a_sequence_in_two_chunks_has_the_gradient_of_the_whole(f, phi_q, phi_k, V, cut, g, g_S, g_z):
    """The second chunk's gradient of its first state is the cotangent of the first one's last."""
    a, b = slice(cut), slice(cut, None)
    _, S, z = f.attention.causal_linear_attention(phi_q[a], phi_k[a], V[a])
    late = f(g[b], g_S, g_z, phi_q[b], phi_k[b], V[b], S=S, z=z)
    early = f(g[a], late[3], late[4], phi_q[a], phi_k[a], V[a])
    joined = [np.concatenate(pair) for pair in zip(early[:3], late[:3])]
    whole = f.exact(attention.causal_linear_attention, g, g_S, g_z, phi_q, phi_k, V)
    for d, want in zip((*joined, early[3], early[4], early[5] + late[5]), whole):
        yield equal(d, want)


@law("gradients.attention.log_causal_linear_attention", id="GR-5", over=chunked(logarithms=True),
     kills=("cotangent of the final state ignored",))
def two_chunks_on_a_log_scale_have_the_gradient_of_the_whole(f, log_q, log_k, V, cut, g, g_S, g_z):
    """The second chunk's gradient of its first state is the cotangent of the first one's last."""
    a, b, none = slice(cut), slice(cut, None), np.zeros(log_k.shape[1])
    _, S, z, c = f.attention.log_causal_linear_attention(log_q[a], log_k[a], V[a])
    late = f(g[b], g_S, g_z, none, log_q[b], log_k[b], V[b], S=S, z=z, c=c)
    early = f(g[a], *late[3:], log_q[a], log_k[a], V[a])
    whole = f.exact(attention.log_causal_linear_attention, g, g_S, g_z, none, log_q, log_k, V)
    for first, second, want in zip(early[:3], late, whole):
        yield equal(np.concatenate([first, second]), want)


# -- fixed points and Jacobians -------------------------------------------------------------------

@law("gradients.modern.fixed_point", id="GR-3",
     over=records(case=problems(max_m=2, betas=constant(1.0)), lam=normal(2, 5)),
     kills=("last step only, the state before it a constant", "I + J in place of I - J"))
def the_gradient_of_a_fixed_point_is_that_of_the_whole_iteration(f, case, lam):
    """The sum over all steps of the gradients of each.

    beta diam^2/4 <= 1/2 bounds the slope, so that 80 steps leave 2^-80 of anything; each adds fewer
    than 64 roundings at 2^-64, and halves what came before.
    """
    xi, X = (np.asarray(case[k], np.longdouble) for k in ("xi", "X"))
    beta = 2 / max(2.0, float(np.max(np.sum((X[:, None] - X) ** 2, axis=-1))))
    lam, states = lam.value[:len(xi), :xi.shape[1]], [xi]
    for _ in range(80):
        states.append(modern.update.formula(states[-1], X, beta=beta))
    g, dX, dbeta = lam, np.zeros_like(X), np.longdouble(0)
    for x in states[-2::-1]:
        g, more, number = gradients.update.formula(g, x, X, beta=beta)
        dX, dbeta = dX + more, dbeta + number
    error = (2.0**-70 + 2.0**-57) * float((1 + np.max(np.abs(lam))) * (1 + np.max(np.abs(X))) ** 4)
    for d, want in zip(f(lam, states[-1], X, beta=beta), (dX, dbeta)):
        yield equal(d, toleranced(want, error))


@law("gradients.modern.update", id="MH-6", over=problems(max_m=2),
     kills=("no beta before the Jacobian", "X^T diag(p) X without - p p^T"))
def the_gradient_of_the_update_is_its_jacobian_which_is_symmetric(f, xi, X, beta):
    """J^T e_k is the k-th row of J, for every k."""
    m, d = xi.shape
    states = np.broadcast_to(xi[:, None], (m, d, d))
    rows, *_ = f(np.tile(np.eye(d), (m, 1, 1)), states, X, beta=beta)
    yield equal(rows, f.exact(modern.jacobian, xi, X, beta=beta))
    yield equal(rows, np.swapaxes(rows, -1, -2))


# -- sums and limits ------------------------------------------------------------------------------

SUMMING = {"softmax": {}, "sparsemax": {}, "entmax": {"alpha": 1.5}, "normmax": {"gamma": 2.0},
           "k_subsets": {"k": 1}, "top_k": {"k": 1}}


@law(*(f"gradients.maps.{name}" for name in SUMMING), id="GR-7",
     over=records(g=arrays(2, 4), z=arrays(2, 4), beta=betas),
     kills=("diag(p) without - p p^T", "mean over all entries, not over the support"))
def scores_that_rise_together_change_nothing(f, g, z, beta):
    """sum_i dz_i = 0."""
    dz, *_ = f(g, z, beta=beta, **SUMMING[f.subject.rpartition(".")[2]])
    yield equal(np.sum(dz, axis=-1), 0.0)


@law("gradients.maps.entmax", id="FY-8", over=records(g=arrays(4), z=arrays(4)),
     kills=("d/dalpha by a quotient that cancels near 1",))
def the_derivative_in_alpha_is_continuous_where_entmax_is_softmax(f, g, z):
    """At 1 it is -sum_i p_i ln(p_i)^2/2 (g_i - p.g).

    A further derivative has terms p |ln p|^3 |g|, fewer than 8 of each, so that alpha = 1 + 2^-30
    is that near.
    """
    p = f.exact(maps.softmax, z)
    limit = -np.sum(p * np.log(p) ** 2 / 2 * (g - np.sum(p * g)))
    third = 8 * np.sum(p.value * (1 - np.log(p.value)) ** 3) * np.max(np.abs(g.value))
    for alpha in (1.0, float(f.machine(1 + TRIFLE).value)):
        near = toleranced(0.0, (alpha - 1) * float(third))
        yield equal(f(g, z, alpha=alpha)[2], limit + near)


# -- supports and features ------------------------------------------------------------------------

@law("gradients.structured.update", "gradients.structured.energy", id="GR-2, NP-3", over=visible(),
     kills=("support ignored in the gradient", "longest of all patterns, not of the visible ones"))
def patterns_outside_the_support_have_no_effect(f, xi, X, support, g, beta):
    """Gradients of the modern network with the visible patterns alone, 0 of the others."""
    name = f.subject.rpartition(".")[2]
    g, few = g if name == "update" else g[..., 0], X[support]
    dxi, dX, dbeta = f(g, xi, X, np.tile(support, (len(xi), 1)), beta=beta)
    yield equal(dX[~support], 0.0, "hidden")
    if len(few):
        right = f.exact(getattr(gradients, name), g, xi, few, beta=beta)
        for d, want in zip((dxi, dX[support], dbeta), right):
            yield equal(d, want)
    else:
        yield equal(dxi, 0.0 if name == "update" else g[..., None] * xi)


@law("gradients.structured.top_k_update", "gradients.structured.top_k_weights", id="GR-2, NP-3",
     over=records(g=normal(3, 6), xi=normal(3, 4), X=normal(6, 4), k=integers(1, 5),
                  beta=sampled([0.25, 3.0])),
     kills=("gradient of the softmax of all scores",))
def the_k_largest_are_a_support(f, g, xi, X, k, beta):
    """The gradient of top-k retrieval, or of its weights, over the support of the k patterns."""
    name = f.subject.rpartition("top_k_")[2]
    g = g if name == "weights" else g[..., :4]
    chosen = supports.largest((xi @ X.T).value.astype(float), k=k)
    dxi, dX, *_, dbeta = f.exact(getattr(structured, name), g, xi, X, chosen, beta=beta)
    for d, want in zip(f(g, xi, X, k=k, beta=beta), (dxi, dX, dbeta)):
        yield equal(d, want)


@law("gradients.features.gerf", "gradients.features.log_gerf", id="GR-6, RF-7",
     over=records(g=normal(2, 5), x=normal(2, 3), omega=normal(5, 3),
                  A=sampled([0.0, 0.109375, -0.75]), beta=sampled([0.5, 2.0])),   # s = 1, 3/4, 2
     kills=("log det(I - 4 A) / 4 treated as a constant",))
def one_number_is_a_diagonal_of_equals(f, g, x, omega, A, beta):
    """GERF is DERF at a = A, B = s I with s^2 = 1 - 4 A: ds = -2 dA / s."""
    s, derf = np.sqrt(1 - 4 * A), features.log_derf if "log" in f.subject else features.derf
    dx, domega, da, dB, dbeta = f.exact(derf, g, x, omega, np.full(3, A), s * np.eye(3), beta=beta)
    dA = np.sum(da) - 2 / s * np.sum(np.diagonal(dB))
    for d, want in zip(f(g, x, omega, A=A, beta=beta), (dx, domega, dA, dbeta)):
        yield equal(d, want)

"""How far rounding can carry a rule from its exact value: worst-case bounds, evaluated in float64.

``u`` is the unit roundoff, ``g(n) = n u / (1 - n u)`` the error of n roundings on top of each
other.  A sum or dot product of n terms, in any order, fused or not, errs by at most ``g(n)`` times
the same sum of absolute values (Higham, Accuracy and Stability of Numerical Algorithms, 3.1).
``exp``, ``log``, ``tanh`` are charged ``4 u``.  Bounds are functions of the arguments alone.
"""
import numpy as np

from hopref.check.tolerance.arithmetic import PROFILES
from hopref.check.tolerance.expected import expected

u = 2.0**-53
eta = 2.0**-1074          # the smallest subnormal: an underflow loses at most half of it


def g(n):
    return n * u / (1 - n * u)


def close(got, want, allowed):
    """``|got - want| <= allowed`` everywhere; says where and by how much if not."""
    got, want, allowed = np.broadcast_arrays(got, want, allowed)
    off = np.abs(got - want)
    bad = ~(off <= allowed)                                    # NaN is bad
    if bad.any():
        where = np.unravel_index(np.argmax(bad), bad.shape)
        raise AssertionError(f"{got[where]!r} against {want[where]!r} at {tuple(map(int, where))}: "
                             f"off by {off[where]:.3g}, allowed {allowed[where]:.3g}")


def dot(A, B):
    """A @ B.T, rows against rows."""
    return g(A.shape[-1]) * (np.abs(A) @ np.swapaxes(np.abs(B), -1, -2))


def softmax_rule(z, dz, V, beta=1.0):
    """softmax(beta z) @ V, where each z is known up to dz (-inf: never seen).

    With e_i = exp(beta (z_i - max z)) known up to a factor in exp(+-tau_i), the exact identity
    y~ - y = sum p_i (v_i - y)(e^{delta_i} - 1) / sum p_j e^{delta_j} bounds the shift; no error
    leaves the hull by more than its width.  Both sums and the division round; e_i may underflow.
    """
    z, dz = np.where(np.isfinite(z), z, -np.inf), np.where(np.isfinite(z), dz, 0.0)
    gap = z - z.max(-1, keepdims=True)
    depth = np.where(np.isfinite(gap), -gap, 0.0)
    tau = np.minimum(beta * dz + 2 * u * beta * depth + 4 * u, 700.0)
    p = np.exp(beta * gap)
    p = p / p.sum(-1, keepdims=True)
    y, size = p @ V, p @ np.abs(V)
    far = np.abs(V[..., None, :, :] - y[..., :, None, :])
    moved = np.einsum("...i,...iv->...v", p * np.expm1(tau), far)
    moved = moved / (p * np.exp(-tau)).sum(-1)[..., None]
    lost = eta * (far.sum(-2) + np.abs(V).sum(-2)[..., None, :] + 1)
    return np.minimum(moved, far.max(-2)) + (g(V.shape[-2]) + 5 * u) * (size + np.abs(y)) + lost


def modern_update(xi, X, beta=1.0):
    return softmax_rule(xi @ X.T, dot(xi, X), X, beta)


def modern_energy(xi, X, beta=1.0):
    """Both halves of |xi - x_t|^2 + (M^2 - |x_t|^2), the gaps z_i - z_t, log mean exp and the sum.

    A gap errs by two dot products; log mean exp has slope <= 1 in the gaps and rounds n + 8 times.
    """
    (n, d), size = X.shape, np.abs(X)
    reach = (np.abs(xi) @ size.T).max(-1)
    z = xi @ X.T
    norms = (X * X).sum(-1)
    away = ((np.abs(xi)[..., None, :] + size) ** 2).sum(-1)
    t = np.argmax(z, -1)
    away = np.take_along_axis(away, t[..., None], -1)[..., 0]
    spread = (z.max(-1) - z.min(-1))
    return (2 * g(d + 2) * reach + g(d + 6) * (away / 2 + norms.max())
            + 4 * u * spread + g(n + 8) * np.minimum(spread + 1 / beta, (1 + np.log(n)) / beta))


def log_features(x, omega, beta=1.0):
    """sqrt(beta) omega.x - beta |x|^2 / 2 - log(m) / 2: two dots, the scales, the sum."""
    m, d = omega.shape
    half = beta * (x * x).sum(-1)[..., None] / 2
    return g(d + 5) * (np.sqrt(beta) * (np.abs(x) @ np.abs(omega).T) + half + np.log(2 * m) / 2)


def performer(log_q, log_k, dq, dk, V, where=True):
    """sum w_j v_j / sum w_j with w_j = sum_r exp(log_q_r + log_k_jr), logs known up to dq, dk."""
    logs = log_q[..., :, None, :] + log_k[..., None, :, :]
    logs = np.where(np.broadcast_to(where, logs.shape[:-1])[..., None], logs, -np.inf)
    top = logs.max((-1, -2), keepdims=True)
    w = np.exp(logs - top)
    depth = np.where(w > 0, top - logs, 0.0)
    tau = dq[..., :, None, :] + dk[..., None, :, :] + 4 * u * (depth + 2)
    tau, w = (w * tau).sum(-1) / np.maximum(w.sum(-1), 1e-300), w.sum(-1)
    p = w / w.sum(-1, keepdims=True)
    y = p @ V
    far = np.abs(V[..., None, :, :] - y[..., :, None, :])
    moved = np.einsum("...i,...iv->...v", p * np.expm1(np.minimum(2 * tau, 700.0)), far)
    n = log_q.shape[-1] + V.shape[-2] + 6
    lost = eta * (far.sum(-2) + np.abs(V).sum(-2)[..., None, :] + 1)
    return np.minimum(moved, far.max(-2)) + g(n) * (p @ np.abs(V) + np.abs(y)) + lost


def of(op, *args, **kwargs):
    """The value of an operation here, and the tolerance that `hopref.check` derives for it."""
    right = expected(op, args, kwargs, PROFILES["float64"])
    return right.value.astype(float), right.radius


def within(got, op, *args, **kwargs):
    """Compare the results of an operation with the tolerance that `hopref.check` derives."""
    right = expected(op, args, kwargs, PROFILES["float64"])
    right, got = (y if isinstance(y, tuple) else (y,) for y in (right, got))
    for y, it in zip(got, right, strict=True):
        close(y, it.value, it.radius)

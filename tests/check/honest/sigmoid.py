"""Sigmoid attention and its memory."""
import numpy as np

from tests.check.honest import T, honest, on_rows
from tests.check.honest.attention import scores


def quotient(r, z):
    """1 / (1 + e^-z), the exponent at most 0."""
    e = r(np.exp(-np.abs(z)))
    return r(np.where(z >= 0, r(1), e) / r(1 + e))


@honest("sigmoid.attention")
def quotients(r):
    def attention(Q, K, V, *, offset=0.0, scale=None, mask=True, bias=0.0):
        Q, K, V = map(r.given, (Q, K, V))
        z = scores(r, Q, K, scale)
        z = r(z + r.given(bias)) if np.ndim(bias) else z
        return r.mul(np.where(mask, quotient(r, r(z + r(offset))), 0), V)
    return attention


@honest("sigmoid.attention")
def hidden_scores_far_below(r):
    def attention(Q, K, V, *, offset=0.0, scale=None, mask=True):
        Q, K, V = map(r.given, (Q, K, V))
        z = np.where(mask, r(scores(r, Q, K, scale) + r(offset)), r(-np.inf))
        return r.mul(quotient(r, z), V)
    return attention


@honest("sigmoid.update")
def separate_patterns(r):
    def update(xi, X, beta=1.0, offset=0.0):
        X = r.given(X)
        z = r(r(r.mul(on_rows(r, xi), T(X)) * r(beta)) + r(offset))
        return r.mul(quotient(r, z), X)[..., 0, :]
    return update


@honest("sigmoid.energy")
def logarithms_of_one_plus(r):
    def energy(xi, X, beta=1.0, offset=0.0):
        xi, X = on_rows(r, xi), r.given(X)
        z = r(r(r.mul(xi, T(X)) * r(beta)) + r(offset))
        soft = r(np.maximum(z, 0) + r(np.log(r(1 + r(np.exp(-np.abs(z)))))))
        return r(r(r.add(r(xi * xi)) / 2) - r(r.add(soft) / r(beta)))[..., 0, 0]
    return energy

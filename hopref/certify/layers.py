"""The operations of a Hopfield layer in ball arithmetic.

References: Ramsauer et al. 2021, eqs. (3), (10); Ba et al. 2016; ml-jku/hopfield-layers.
"""
import numpy as np

from hopref.certify.attention import scale_of
from hopref.certify.balls import answer_of, columns, each, ratio, sqrt, total, vanishes
from hopref.certify.maps import exponentials

__all__ = ["layer_norm", "project", "associations", "read_out", "associate"]


def layer_norm(x, *, gain=1, shift=0, eps=0):
    d = max(1, x.shape[-1])
    away = x - total(x) / d
    return gain * ratio(away, sqrt(total(away * away) / d + eps)) + shift


def project(x, W, *, b=0):
    return x[..., None, :, :] @ columns(W) + (b[..., None, :] if np.ndim(b) else b)


def associations(Q, K, *, beta=None, per_head=1, steps=1, mask=True, bias=0, empty_row="zeros"):
    e = associated(Q, K, beta, per_head, steps, mask, bias)
    return ratio(e, total(e), empty_row)


def associated(Q, K, beta, per_head, steps, mask, bias):
    """exp(beta_h Q K^T + B) at the last step; a state without a visible pattern becomes 0."""
    beta = scale_of(beta, K) * (per_head[..., None, None] if np.ndim(per_head) else per_head)
    seen = mask if mask is True else mask[..., None, :, :]
    for _ in range(steps - 1):
        e = exponentials(Q @ columns(K), beta, bias, seen)
        Q = ratio(e @ K, total(e))
    return exponentials(Q @ columns(K), beta, bias, seen)


def read_out(A, V, W, *, b=0):
    return np.sum(A @ V @ columns(W), axis=-3) + b


def associate(R, Y, P, W_q, W_k, W_v, W_o, *, b_q=0, b_k=0, b_v=0, b_o=0, beta=None, per_head=1,
              steps=1, mask=True, bias=0, empty_row="zeros"):
    e = associated(project(R, W_q, b=b_q), project(Y, W_k, b=b_k), beta, per_head, steps, mask,
                   bias)
    y = ratio(e @ project(P, W_v, b=b_v), total(e))
    empty = np.any(each(vanishes)(total(e)), axis=-3)
    answer = answer_of(empty_row)
    z = np.sum(y @ columns(W_o), axis=-3) + b_o
    return np.where(empty, answer, z) if answer else z

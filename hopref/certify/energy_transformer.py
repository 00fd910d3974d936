"""The Energy Transformer in ball arithmetic.  Reference: Hoover et al. 2023."""
import numpy as np

from hopref.certify.balls import clipped_below, columns, dot, each, sqrt
from hopref.certify.lagrangian import normalised
from hopref.certify.maps import logsumexp, softmax

__all__ = ["energy", "flow"]


rectified = each(clipped_below)       # whose balls may contain 0


def tokens(x, gain, eps):
    return normalised(x - np.sum(x, axis=-1, keepdims=True) / x.shape[-1], gain, eps, True)[1]


def scale_of(beta, W):
    return 1 / sqrt(W.shape[-2]) if beta is None else beta


def attending(z, mask):
    """The rows of scores in which something is visible, and what is."""
    mask = np.broadcast_to(mask, z.shape)
    return [(row, mask[row]) for row in np.ndindex(z.shape[:-1]) if mask[row].any()]


def energy(x, W_q, W_k, X, *, beta=None, gain=1, eps=0, mask=True):
    y, scale = tokens(x, gain, eps), scale_of(beta, W_k)
    hidden = rectified(y @ X.T)
    found = np.asarray(-np.sum(dot(hidden, hidden), axis=-1) / 2)       # one state too is indexed
    for q, k in zip(W_q, W_k, strict=True):
        z = (y @ q.T) @ columns(y @ k.T)
        for row, seen in attending(z, mask):
            found[row[:-1]] = found[row[:-1]] - logsumexp(z[row][seen], beta=scale)
    return found


def flow(x, W_q, W_k, X, *, beta=None, gain=1, eps=0, mask=True):
    y, scale = tokens(x, gain, eps), scale_of(beta, W_k)
    found = rectified(y @ X.T) @ X
    for q, k in zip(W_q, W_k, strict=True):
        Q, K = y @ q.T, y @ k.T
        A = softmax(Q @ columns(K), beta=scale, where=mask)
        found = found + (A @ K) @ q + (columns(A) @ Q) @ k
    return found

"""`hopref.models.structured`: retrieval over a support, by the kernels of softmax attention.

A window is processed in blocks of states, for which the patterns of all their windows are the keys.
With a dilation, the positions of each residue class form a sequence with a window of neighbours.  A
listed support is sorted by states; the patterns of a state are gathered, unless they follow each
other.
"""
import math
from functools import partial

import numpy as np

from hopref import maps
from hopref.fast.numba._heads import attended
from hopref.fast.numba._jit import njit
from hopref.fast.numba._products import aligned
from hopref.fast.numba._random_features import of_states
from hopref.fast.numba._softmax import (
    FEW,
    NO_BEST,
    TOP,
    TOTAL,
    absent,
    attend,
    by_lines,
    in_range,
)
from hopref.fast.numba._supports import updates
from hopref.fast.numba.attention import linear_attention
from hopref.fast.numba.features import deterministic as kernels
from hopref.features import deterministic
from hopref.models import structured

__all__ = ["update", "pair_update", "top_k_update", "window_update", "listed_update",
           "linear_update", "random_feature_update"]

BLOCK = 512             # states whose windows are visible together
MASK = 2**20            # bytes of their mask, unless they are few
REACH = {4: 40.0, 8: 300.0}             # by bytes: of components whose exponentials are features
FEATURES = {deterministic.elu: kernels.elu, deterministic.exponential: kernels.exponential}


def update(xi, X, support=True, /, *, beta=1.0, empty_row="zeros"):
    return _retrieved(xi, X, X, support, beta, empty_row)


def _retrieved(xi, keys, X, support, beta, empty_row):
    """Means of the patterns over a support, weighted by the keys."""
    states, few = _states(xi)
    mask = absent(np.bool_) if support is True else support.reshape(len(states), len(X))
    return attended(states[None], keys[None], X[None], beta, few, mask[None],
                    absent(X.dtype)[None], len(X), empty_row).reshape(xi.shape)


def _keys(X, delta):
    """X + delta, in double precision unless delta is absent."""
    return X if np.ndim(delta) == 0 else X.astype(np.float64) + delta


def _states(xi):
    """The states as rows, and whether they are few."""
    rows = math.prod(xi.shape[:-1]), xi.shape[-1]
    return xi.reshape(rows), xi.ndim == 1 or xi.shape[-2] < FEW


def pair_update(xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True,
                empty_row="zeros"):
    keys = _keys(X, delta)
    if support is True or renormalise:
        return _retrieved(xi, keys, X, support, beta, empty_row)
    (states, few), mask = _states(xi), support.reshape(-1, len(X))

    def attended_to(q, k, values, seen):
        out, sums = np.empty((len(q), values.shape[1]), q.dtype), np.empty((len(q), 3), q.dtype)
        attend(q, k, values, beta, few, seen, absent(q.dtype), len(k), out, sums, NO_BEST)
        return out, sums.astype(np.float64)

    def by_kernel(real):
        q, k, values = (a.astype(real, copy=False) for a in (states, keys, X))
        means, some = attended_to(q, k, values, mask)
        _, every = attended_to(q, k, values[:, :0].copy(), absent(np.bool_))
        share = np.exp(beta * (some[:, TOP] - every[:, TOP])) * some[:, TOTAL] / every[:, TOTAL]
        return np.where(empty[:, None], 0.0, share[:, None] * means)

    def by_formula(lost):
        return structured.pair_update.formula(states[lost], X, mask[lost], delta=delta, beta=beta,
                                              renormalise=False)
    empty = ~mask.any(axis=1)
    Z = in_range(xi.dtype, len(states), beta, by_kernel, by_formula)
    Z[empty] = empty_row
    return Z.reshape(xi.shape)


def top_k_update(xi, X, /, *, k, beta=1.0):
    return updates(structured.top_k_update, maps.top_k, xi, X, beta, k=k)


def linear_update(xi, X, /, *, delta=0.0, features="elu", empty_row="zeros"):
    (states, _), keys, phi = _states(xi), _keys(X, delta), FEATURES.get(features)
    largest = max(np.max(np.abs(a), initial=0.0) for a in (states, keys))
    if phi is not None and largest <= REACH[X.itemsize]:
        q, k, values = phi(states), phi(keys.astype(X.dtype, copy=False)), X
    else:
        states, keys, values = (a.astype(np.float64, copy=False) for a in (states, keys, X))
        q, k = deterministic.paired(features, states, keys)
    new = linear_attention(q, k, values, empty_row=empty_row)
    return new.astype(xi.dtype, copy=False).reshape(xi.shape)


def random_feature_update(xi, X, omega, /, *, delta=0.0, beta=1.0, features="positive",
                          empty_row="zeros"):
    rule = partial(structured.random_feature_update.formula, delta=delta)
    keys = _keys(X, delta).astype(X.dtype, copy=False)
    return of_states(rule, xi, xi, keys, X, omega, beta, features=features, empty_row=empty_row)


# -- windows --------------------------------------------------------------------------------------

def window_update(xi, X, /, *, width, dilation=1, causal=False, align="end", beta=1.0,
                  empty_row="zeros"):
    l, n = len(xi), len(X)
    offset, width = align(l, n), min(width, (l + n) // dilation + 1)
    reach = width if causal else 2 * width
    block = min(BLOCK, l, max(FEW, MASK // (reach + BLOCK)))
    after = np.arange(block + reach) - np.arange(block)[:, None]
    mask, new = (after >= 0) & (after <= reach), np.empty_like(xi)
    for first in range(min(dilation, l)):
        key = (first + offset) % dilation
        states, patterns = (np.ascontiguousarray(a[i::dilation])
                            for a, i in ((xi, first), (X, key)))
        before = width - (first + offset - key) // dilation
        new[first::dilation] = _in_windows(states, patterns, before, mask, l < FEW, beta, empty_row)
    return new


def _in_windows(xi, X, before, mask, few, beta, empty_row):
    """Means over windows of neighbours, of which that of state i begins at pattern i - before.

    ``mask`` hides the patterns outside of the windows of a block of states.
    """
    new, (block, size) = np.empty_like(xi), mask.shape
    for i in range(0, len(xi), block):
        q, first = xi[i:i + block], i - before
        low, high = max(0, first), min(len(X), first + len(q) + size - block)
        keys = X[low:max(low, high)]
        seen = np.ascontiguousarray(mask[:len(q), low - first:low - first + len(keys)])
        new[i:i + block] = attended(
            q[None], keys[None], keys[None], beta, few, seen[None], absent(X.dtype)[None],
            len(keys), empty_row)[0]
    return new


# -- lists of pairs -------------------------------------------------------------------------------

def listed_update(xi, X, rows, columns, /, *, beta=1.0, empty_row="zeros"):
    l, n = len(xi), len(X)
    pairs = np.sort(rows * n + columns)
    pairs = pairs[np.append(True, pairs[1:] > pairs[:-1])[:len(pairs)]]
    columns, start = pairs % n, np.searchsorted(pairs, np.arange(l + 1) * n)

    def by_kernel(real):
        states, patterns = (a.astype(real, copy=False) for a in (xi, X))
        out, most = np.zeros_like(states), np.max(np.diff(start), initial=0)
        _retrieve_listed(states, patterns, columns, start, most, real.type(beta), out)
        return out

    def by_formula(lost):
        found = np.zeros((np.count_nonzero(lost), X.shape[1]))
        for k, i in enumerate(np.flatnonzero(lost)):
            near = X[columns[start[i]:start[i + 1]]]
            if len(near):
                found[k] = structured.update.formula(xi[i], near, beta=beta)
        return found
    Z = in_range(xi.dtype, l, beta, by_kernel, by_formula)
    Z[start[:-1] == start[1:]] = empty_row
    return Z


@njit
def _retrieve_listed(xi, X, columns, start, most, beta, out):
    """Fill the rows of ``out`` for which patterns are listed: for row i those from start[i] on.

    ``most`` is the largest number of patterns of a row.
    """
    d, mask, bias = X.shape[1], np.empty((0, 0), np.uint8), np.empty((0, 0), X.dtype)
    near, sums, best = aligned(most * d, X), np.empty((1, 3), X.dtype), np.empty(0, np.int64)
    uncapped = X.dtype.type(0)
    for i in range(len(xi)):
        first, count = start[i], start[i + 1] - start[i]
        if count == 0:
            continue
        low = columns[first]
        keys = X[low:low + count]
        if columns[first + count - 1] - low >= count:
            keys = near[:count * d].reshape(count, d)
            for k in range(count):
                keys[k] = X[columns[first + k]]
        by_lines(xi[i:i + 1], keys, keys, beta, uncapped, mask, bias, count, out[i:i + 1], sums,
                 best)

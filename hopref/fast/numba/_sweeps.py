"""Updates of one site at a time, with the states of a batch in the lanes of panels.

Sites are visited in blocks.  The fields of a block are products of matrices, in which flips inside
the block are taken into account as follows.

Weights: the products leave out the sites of the block, whose current values are added at each
visit.  No sum is corrected, so that fields are as accurate as those of the formula.  In single
precision they are decided anew where they do not exceed their error bound, as in `_signs`.

Patterns, where W is not formed: the overlaps ``m = X xi`` are stored, and each flip corrects the
fields of later visits by a product of two columns of X.  As in the formula, flips update overlaps.

Few states are processed one at a time.
"""
import math

import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._products import aligned, copy, dot
from hopref.fast.numba._signs import (
    SINGLE,
    TERMS,
    are_integers,
    bounds_of,
    empty_panels,
    fill_panels,
    is_open,
    measure,
    panels_of,
    precise_dot,
    sign,
)
from hopref.fast.numba._tiles import accumulate, lanes, multiply, transpose

__all__ = ["SIGN", "DRAW", "TANH", "SIGMOID", "IDENTITY", "swept", "sweep_patterns",
           "visited_alone"]

FEW = 8         # fewer states are visited one at a time
BLOCK = 32      # visits that are processed together: a multiple of `lanes`

# Functions of a field, and of a gain, that give the new value of a site.
SIGN, DRAW, TANH, SIGMOID, IDENTITY = range(5)


# -- weights --------------------------------------------------------------------------------------

def visited_alone(x):
    return x.ndim == 1 or x.shape[-2] < FEW


def swept(xi, W, b, order, uniforms, kind, gain, plus, low):
    """The states (..., d) after updates of the sites in ``order``.

    Parameters
    ----------
    uniforms : (M, k) array of random numbers for `DRAW`, one for each visit, or (M, 0)
    kind : the function of the field
    gain : factor of the field, if the function is not its sign
    """
    new, d = xi.copy(), xi.shape[-1]
    visit = _visit_weights_of_few if visited_alone(xi) else _visit_weights
    visit(new.reshape(math.prod(xi.shape[:-1]), d), W, np.zeros(d) + b, order, uniforms, kind,
          float(gain), plus, float(low))
    return new


@njit
def _visit_weights_of_few(x, W, b, order, uniforms, kind, gain, plus, low):
    for t in range(len(order)):
        site = order[t]
        for m in range(len(x)):
            h = precise_dot(W[site], x[m], 0, 1) - b[site]
            u = np.float64(uniforms[m, t]) if kind == DRAW else 0.0
            x[m, site] = _value(h, np.float64(x[m, site]), u, kind, gain, plus, low)


@njit
def _visit_weights(x, W, b, order, uniforms, kind, gain, plus, low):
    (M, d), L, terms = x.shape, lanes(W), TERMS + x.shape[1] // TERMS + BLOCK
    most, xs, draws = panels_of(M, L), x.reshape(-1), aligned(BLOCK * L, W)
    states, fields = aligned(most * d * L, W), aligned(most * BLOCK * L, W)
    rows, part, own = aligned(BLOCK * TERMS, W), aligned(BLOCK * L, W), aligned(most * BLOCK * L, W)
    near, sites, places = aligned(BLOCK * BLOCK, W), np.empty(BLOCK, np.int64), np.full(d, -1)
    sizes, whole = measure(x)
    sizes = np.maximum(sizes, 1.0)              # of new values too
    for first in range(0, M, most * L):
        panels = min(most, -(-(M - first) // L))
        fill_panels(states, xs, first, M, d, panels)
        for t in range(0, len(order), BLOCK):
            visits, several = order[t:t + BLOCK], 0
            for site in visits:
                if places[site] < 0:
                    places[site], sites[several] = several, site
                    several += 1
            _fill_fields(fields, part, rows, W, visits, sites[:several], states, panels, own)
            for i in range(len(visits)):
                for s in range(several):
                    near[i * BLOCK + s] = W[visits[i], sites[s]]
            for p in range(panels):
                q = first + p * L
                here = slice(q, min(M, q + L))
                if kind == DRAW:
                    transpose(uniforms.reshape(-1), q * len(order) + t, here.stop - q, len(order),
                              draws, 0, len(visits), L)
                for i in range(len(visits)):
                    site, o = visits[i], p * BLOCK * L
                    multiply(1, near, i * BLOCK, BLOCK, 1, own, o, part, 0, several)
                    for j in range(L):
                        part[j] += fields[o + i * L + j]
                    _turn(part, states, p * d * L, W[site], site, b[site], draws[i * L:],
                          sizes[here], whole[here], terms, kind, gain, plus, low)
                    copy(own, o + places[site] * L, states, (p * d + site) * L, L)
            for site in visits:
                places[site] = -1
        empty_panels(states, xs, first, M, d, panels)


@njit
def _fill_fields(fields, part, rows, W, visits, sites, states, panels, own):
    """Fields of the visits by the sites outside of the block; ``own`` are the states of these."""
    (_, d), L, k, ws = W.shape, lanes(W), len(visits), W.reshape(-1)
    for p in range(panels):
        for s in range(len(sites)):
            place = (p * d + sites[s]) * L
            copy(own, (p * BLOCK + s) * L, states, place, L)
            states[place:place + L] = 0
    even = _consecutive(visits)
    for c in range(0, d, TERMS):
        terms = min(TERMS, d - c)
        for i in range(0 if even else k):
            copy(rows, i * terms, ws, visits[i] * d + c, terms)
        for p in range(panels):
            if even:
                multiply(k, ws, visits[0] * d + c, d, 1, states, (p * d + c) * L, part, 0, terms)
            else:
                multiply(k, rows, 0, terms, 1, states, (p * d + c) * L, part, 0, terms)
            f = p * BLOCK * L
            for j in range(k * L):
                fields[f + j] = part[j] if c == 0 else fields[f + j] + part[j]
    for p in range(panels):
        for s in range(len(sites)):
            copy(states, (p * d + sites[s]) * L, own, (p * BLOCK + s) * L, L)


@njit
def _consecutive(visits):
    """Whether the sites follow each other."""
    for i in range(len(visits)):
        if visits[i] != visits[0] + i:
            return False
    return True


@njit
def _turn(fields, states, s, w, site, b, draws, sizes, whole, terms, kind, gain, plus, low):
    """Update one site of the states of a panel, whose fields by all sites are given."""
    L, bounds, integers = lanes(fields), bounds_of(w, b, terms), -1
    for j in range(len(sizes)):
        h, old = np.float64(fields[j]) - b, np.float64(states[s + site * L + j])
        u = np.float64(draws[j]) if kind == DRAW else 0.0
        if _is_open(h, u, kind, gain, sizes[j], bounds):
            integers = np.int64(are_integers(w)) if integers < 0 else integers
            if integers == 0 or not whole[j] or bounds[2] * sizes[j] >= SINGLE:
                h = precise_dot(w, states, s + j, L) - b
        states[s + site * L + j] = _value(h, old, u, kind, gain, plus, low)


@njit
def _is_open(h, u, kind, gain, size, bounds):
    """Whether the error bound of a field may change the new value; the sigmoid has slope 1/4."""
    if bounds[0] < 0:
        return False
    if kind == SIGN:
        return is_open(h, size, bounds)
    bound = gain / 4 * (bounds[0] * size + bounds[1]) + 2.0**-50
    return not abs(h) < np.inf or kind == DRAW and not abs(_sigmoid(gain * h) - u) > bound


@njit
def _value(h, old, u, kind, gain, plus, low):
    """The new value of a site; see `hopref.models.classical` and `hopref.models.graded`."""
    if kind == SIGN:
        return sign(h, old, plus, low)
    if kind == DRAW:
        return sign(_sigmoid(gain * h) - u, low, False, low)
    u = gain * h
    return math.tanh(u) if kind == TANH else _sigmoid(u) if kind == SIGMOID else u


@njit
def _sigmoid(u):
    e = math.exp(-abs(u))
    return (1.0 if u >= 0 else e) / (1 + e)


# -- patterns -------------------------------------------------------------------------------------

def sweep_patterns(x, X, order, rule, few, plus, low):
    """Update the sites in ``order`` of all states x (M, d) in place, for patterns X (N, d).

    ``rule`` is the scale, the diagonal that is removed, and b, two (d) arrays in double precision.
    All sums are exact, or in double precision.
    """
    visit = _visit_patterns_of_few if few else _visit_patterns
    visit(x, X, order, *rule, plus, low)


@njit
def _visit_patterns_of_few(x, X, order, scale, diagonal, b, plus, low):
    (N, d), entries = X.shape, X.reshape(-1)
    turned, sums = aligned(d * N, X), aligned(N, X)
    transpose(entries, 0, N, d, turned, 0, d, N)
    for m in range(len(x)):
        for n in range(N):
            sums[n] = dot(X[n], x[m])
        for site in order:
            column, old = turned[site * N:site * N + N], np.float64(x[m, site])
            h = scale * (np.float64(dot(column, sums)) - diagonal[site] * old) - b[site]
            new = sign(h, old, plus, low)
            if new != old:
                x[m, site] = new
                change = X.dtype.type(new - old)
                for n in range(N):
                    sums[n] += change * column[n]


@njit
def _visit_patterns(x, X, order, scale, diagonal, b, plus, low):
    (M, d), N, L = x.shape, len(X), lanes(X)
    most, xs, entries = panels_of(M, L), x.reshape(-1), X.reshape(-1)
    states, sums = aligned(most * d * L, X), aligned(most * N * L, X)
    fields, changes = aligned(BLOCK * L, X), aligned(BLOCK * L, X)
    columns, products = aligned(BLOCK * N, X), aligned(BLOCK * BLOCK, X)
    for first in range(0, M, most * L):
        panels = min(most, -(-(M - first) // L))
        fill_panels(states, xs, first, M, d, panels)
        sums[:] = 0
        for p in range(panels):
            for c in range(0, d, TERMS):
                accumulate(N, entries, c, d, 1, states, (p * d + c) * L, L, sums, p * N * L, L,
                           min(TERMS, d - c))
        for t in range(0, len(order), BLOCK):
            visits = order[t:t + BLOCK]
            k = len(visits)
            _gather(columns, X, visits)
            products[:] = 0
            for c in range(0, k, L):
                accumulate(k, columns, 0, 1, BLOCK, columns, c, BLOCK, products, c, BLOCK, N)
            for p in range(panels):
                multiply(k, columns, 0, 1, BLOCK, sums, p * N * L, fields, 0, N)
                flipped = False
                for i in range(k):
                    site, c = visits[i], i * L
                    s, count = (p * d + site) * L, min(L, M - first - p * L)
                    if _flip(states[s:s + count], changes[c:c + L], fields[c:c + count], scale,
                             diagonal[site], b[site], plus, low):
                        flipped = True
                        accumulate(k - i - 1, products, i * BLOCK + i + 1, 1, 1, changes, c, L,
                                   fields, c + L, L, 1)
                if flipped:
                    accumulate(N, columns, 0, BLOCK, 1, changes, 0, L, sums, p * N * L, L, k)
        empty_panels(states, xs, first, M, d, panels)


@njit
def _gather(columns, X, visits):
    """Copy the columns of X at the visits; unused columns are 0."""
    (N, d), k, first, entries = X.shape, len(visits), visits[0], X.reshape(-1)
    if k == BLOCK and _consecutive(visits):
        for n in range(N):
            for i in range(BLOCK):
                columns[n * BLOCK + i] = entries[n * d + first + i]
        return
    columns[:] = 0
    for n in range(N):
        for i in range(k):
            columns[n * BLOCK + i] = entries[n * d + visits[i]]


@njit
def _flip(states, changes, fields, scale, diagonal, b, plus, low):
    """Update one site of the states of a panel; return whether any state flipped."""
    changes[:] = 0
    flips = False
    for j in range(states.size):
        old = np.float64(states[j])
        new = sign(scale * (np.float64(fields[j]) - diagonal * old) - b, old, plus, low)
        changes[j] = new - old
        states[j] = new
        flips |= new != old
    return flips

"""Signs of fields ``W x``, many states at a time, as of exact sums where those are integers.

Fields are summed in the precision of the arrays, in blocks of TERMS.  In single precision a field
that is not larger than its error bound is decided anew: if all terms are integers that single
precision adds exactly, its sign is certain; otherwise it is summed in double precision.

Many states are the lanes of panels, which share a block of rows of W; few states are lines, for
which every row of W is read once.
"""
import numpy as np

from hopref.fast.numba._bits import differing, packed
from hopref.fast.numba._jit import REORDER, njit
from hopref.fast.numba._products import aligned
from hopref.fast.numba._tiles import draw, lanes, multiply, score, transpose

__all__ = ["SINGLE", "TERMS", "few_states", "signs_of_weights", "signs_of_patterns", "sign",
           "largest_integer", "are_polar", "are_integers", "measure", "bounds_of", "is_open",
           "precise_dot", "ROWS", "panels_of", "fill_panels", "empty_panels"]

FEW = 16
PANELS = 4              # that share a block of W
ROWS, TERMS = 48, 512   # of a block of W
LINE = 2**17            # bytes of a block of rows that is read once

SINGLE = 2.0**24        # bounds of the integers that the formats add exactly
ROUND = 1.5 * 2.0**23   # adding and subtracting it rounds single numbers below 2^22 to integers


# -- the rule -------------------------------------------------------------------------------------

@njit(inline="always")
def sign(h, old, plus, low):
    """`maps.plus` or `maps.keep` of a field in double precision; NaN is propagated."""
    new = 1.0 if h > 0 else low
    tie = 1.0 if plus else old
    new = tie if h == 0 else new
    return new if h == h else h


def largest_integer(x):
    """The largest |x|, or infinity if an entry is not an integer that `are_integers` recognises."""
    entries = x.reshape(-1)
    bits = entries.view(f"i{x.itemsize}")
    largest = np.array(_largest_bits(bits), bits.dtype).view(x.dtype)
    return float(largest) if are_integers(entries) else np.inf


def are_polar(*arrays):
    """Whether all entries are 1 or -1."""
    return all(largest_integer(a) == 1 and np.count_nonzero(a) == a.size for a in arrays)


@njit
def _largest_bits(bits):
    """The largest of the bits of numbers without their sign, which are ordered as their sizes."""
    largest, mask = bits.dtype.type(0), np.iinfo(bits.dtype).max
    for c in range(bits.size):
        size = bits[c] & mask
        largest = size if size > largest else largest
    return largest


@njit(fastmath=REORDER)
def _total(x):
    """The sum of |x|."""
    total = x.dtype.type(0)
    for c in range(x.size):
        total += abs(x[c])
    return np.float64(total)


@njit
def are_integers(x):
    """Whether all entries are integers below 2^22 in size; 2^51 in double precision."""
    unit, wrong = x.dtype.type(ROUND if x.itemsize == 4 else ROUND * 2.0**29), False
    for c in range(x.size):
        wrong |= (x[c] + unit) - unit != x[c]
    return not wrong


@njit(fastmath=REORDER)
def precise_dot(x, y, at, along):
    """``sum_c x[c] y[at + c along]`` in double precision."""
    total = 0.0
    if along == 1:
        for c in range(x.size):
            total += np.float64(x[c]) * np.float64(y[at + c])
    else:
        for c in range(x.size):
            total += np.float64(x[c]) * np.float64(y[at + c * along])
    return total


def few_states(x):
    """Whether states are processed in lines, so that a batch of one has the bits of its state."""
    return x.ndim == 1 or x.shape[-2] < FEW


# -- weights --------------------------------------------------------------------------------------

def signs_of_weights(x, W, b, new, few, plus, low):
    """Fill ``new`` with the signs of W x - b, for x (M, d) and b (d), in double precision."""
    for some in _blocks(len(x), few):
        rule = _by_lines if few else _by_panels
        rule(x[some], W, b, new[some], plus, low)


def _blocks(count, few):
    """Slices of states that are processed together."""
    return [slice(q, q + FEW) for q in range(0, count, FEW)] if few else [slice(0, count)]


@njit
def measure(x):
    """The largest |x| of each row, and whether all of its entries are integers."""
    sizes, whole = np.zeros(len(x)), np.empty(len(x), np.bool_)
    for m in range(len(x)):
        for c in range(x.shape[1]):
            size = np.float64(abs(x[m, c]))
            sizes[m] = size if size > sizes[m] else sizes[m]
        whole[m] = are_integers(x[m])
    return sizes, whole


@njit
def bounds_of(w, b, terms):
    """Three numbers: the error of a field in single precision for states of size 1, that of
    subtracting its threshold, and the sum of |w|.

    A sum of ``terms`` rounded products has a relative error of that many eps; products may be
    subnormal.  In double precision no field is decided anew.
    """
    if w.itemsize > 4:
        return -1.0, 0.0, 0.0
    total = _total(w)
    return (terms + 4) * 2.0**-23 * total + w.size * 2.0**-149, 2.0**-40 * abs(b), total


@njit(inline="always")
def is_open(h, size, bounds):
    """Whether the error bound of a field exceeds it."""
    h = abs(h)
    return (h <= bounds[0] * size + bounds[1]) | (h == np.inf) | (h != h)


@njit
def _by_panels(x, W, b, new, plus, low):
    (M, d), L = x.shape, lanes(W)
    (sizes, whole), most, terms = measure(x), panels_of(M, L), TERMS + d // TERMS
    xs, ws, news = x.reshape(-1), W.reshape(-1), new.reshape(-1)
    states, fields = aligned(most * d * L, W), aligned(most * ROWS * L, W)
    part, values = aligned(ROWS * L, W), aligned(ROWS * L, W)
    for first in range(0, M, most * L):
        panels = min(most, -(-(M - first) // L))
        fill_panels(states, xs, first, M, d, panels)
        for i in range(0, d, ROWS):
            rows = min(ROWS, d - i)
            _fill_fields(fields, 0, ROWS * L, part, ws, i * d, d, rows, states, panels)
            for p in range(panels):
                q = first + p * L
                here = slice(q, min(M, q + L))
                for r in range(rows):
                    _decide(fields[(p * ROWS + r) * L:], states, p * d * L, W[i + r], i + r,
                            b[i + r], values[r * L:], sizes[here], whole[here], terms, plus, low)
                transpose(values, 0, rows, L, news, q * d + i, here.stop - q, d)


@njit
def panels_of(M, L):
    """The number of panels that share a block of W."""
    return max(1, min(PANELS, -(-M // L)))


@njit
def fill_panels(states, x, first, M, d, panels):
    """Copy states to panels, from the state ``first`` on; further lanes are 0."""
    L = lanes(states)
    states[:] = 0
    for p in range(panels):
        q = first + p * L
        transpose(x, q * d, min(L, M - q), d, states, p * d * L, d, L)


@njit
def empty_panels(states, x, first, M, d, panels):
    """Copy panels back to the states."""
    L = lanes(states)
    for p in range(panels):
        q = first + p * L
        transpose(states, p * d * L, d, L, x, q * d, min(L, M - q), d)


@njit
def _fill_fields(fields, f, apart, part, W, w, d, rows, states, panels):
    """Products of some rows of W, the first of which is at w, with all states."""
    L = lanes(part)
    for k in range(0, max(d, 1), TERMS):
        terms = min(TERMS, d - k)
        for p in range(panels):
            if k == 0:
                multiply(rows, W, w, d, 1, states, p * d * L, fields, f + p * apart, terms)
                continue
            multiply(rows, W, w + k, d, 1, states, (p * d + k) * L, part, 0, terms)
            for j in range(rows * L):
                fields[f + p * apart + j] += part[j]


@njit
def _decide(fields, states, s, w, site, b, values, sizes, whole, terms, plus, low):
    """Fill ``values`` with the new values of one site in the states of a panel, at s."""
    L, bounds, some = lanes(w), bounds_of(w, b, terms), False
    old = states[s + site * L:s + site * L + sizes.size]
    for j in range(sizes.size):
        h = np.float64(fields[j]) - b
        some |= is_open(h, sizes[j], bounds)
        values[j] = sign(h, np.float64(old[j]), plus, low)
    if some:
        integers = are_integers(w)
        for j in range(sizes.size):
            exact = integers and whole[j] and bounds[2] * sizes[j] < SINGLE
            if not exact and is_open(np.float64(fields[j]) - b, sizes[j], bounds):
                h = precise_dot(w, states, s + j, L) - b
                values[j] = sign(h, np.float64(old[j]), plus, low)


@njit
def _by_lines(x, W, b, new, plus, low):
    M, d = x.shape
    (sizes, whole), tile = measure(x), max(4, LINE // (max(d, 1) * W.itemsize))
    xs, ws, fields = x.reshape(-1), W.reshape(-1), aligned(M * tile, W)
    for i in range(0, d, tile):
        rows = min(tile, d - i)
        score(M, xs, 0, ws, i * d, d, rows, fields, 0, tile)
        for r in range(rows):
            w, threshold = W[i + r], b[i + r]
            bounds = bounds_of(w, threshold, d // 4 + 8)
            for m in range(M):
                h = np.float64(fields[m * tile + r]) - threshold
                if is_open(h, sizes[m], bounds) and not (
                        whole[m] and bounds[2] * sizes[m] < SINGLE and are_integers(w)):
                    h = precise_dot(w, xs, m * d, 1) - threshold
                new[m, i + r] = sign(h, np.float64(x[m, i + r]), plus, low)


# -- patterns -------------------------------------------------------------------------------------

def signs_of_patterns(x, X, b, diagonal, reach, scale, new, left, few, polar, plus, low):
    """Fill ``new`` (M, d) with the signs of s (X' X x - diagonal x) - b, for x (M, d) and X (N, d).

    Parameters
    ----------
    b, diagonal : (d) arrays in double precision
    reach : (d) array, bounds on the errors of fields without scale for states of size 1
    left : (M) array of bool, set where a field is not larger than its bound; (0) if no bounds are
        needed
    polar : whether x and X hold 1 and -1 alone, so that their products are numbers of bits
    """
    sizes = np.abs(x).max(axis=1, initial=1.0) if left.size else np.empty(0)
    sizes = sizes.astype(np.float64)
    for some in _blocks(len(x), few):
        rest = x[some], X, b, diagonal, reach, scale, new[some], left[some], sizes[some], plus, low
        if few:
            _patterns_by_lines(*rest)
        else:
            _patterns_by_panels(*(packed(a if polar else a[:, :0])[0] for a in (x, X)), *rest)


@njit
def _patterns_by_panels(x_bits, X_bits, x, X, b, diagonal, reach, scale, new, left, sizes, plus,
                        low):
    (M, d), N, L = x.shape, len(X), lanes(X)
    most, xs, ws, news = panels_of(M, L), x.reshape(-1), X.reshape(-1), new.reshape(-1)
    states, sums = aligned(most * d * L, X), aligned(most * N * L, X)
    fields, part = aligned(ROWS * L, X), aligned(ROWS * L, X)
    for first in range(0, M, most * L):
        panels = min(most, -(-(M - first) // L))
        fill_panels(states, xs, first, M, d, panels)
        if X_bits.size:
            _count_bits(sums, x_bits, X_bits, first, M, d)
        else:
            for n in range(0, N, ROWS):
                _fill_fields(sums, n * L, N * L, part, ws, n * d, d, min(ROWS, N - n), states,
                             panels)
        for i in range(0, d, ROWS):
            rows = min(ROWS, d - i)
            for p in range(panels):
                q = first + p * L
                count = min(L, M - q)
                multiply(rows, ws, i, 1, d, sums, p * N * L, fields, 0, N)
                for r in range(rows):
                    f, o = fields[r * L:r * L + count], (p * d + i + r) * L
                    h = scale, diagonal[i + r], b[i + r]
                    if left.size:
                        _leave(f, states[o:o + count], h, left[q:q + count], sizes[q:q + count],
                               reach[i + r])
                    _replace(f, states[o:o + count], h, plus, low)
                transpose(fields, 0, rows, L, news, q * d + i, count, d)


@njit
def _count_bits(sums, x, X, first, M, d):
    """Products of states, from the state ``first`` on, and patterns, as numbers of bits."""
    (N, words), L = X.shape, lanes(sums)
    states, patterns = x.reshape(-1), X.reshape(-1)
    for m in range(first, min(M, first + sums.size // N)):
        s = (m - first) // L * N * L + (m - first) % L
        for n in range(N):
            sums[s + n * L] = d - 2 * differing(states, m * words, patterns, n * words, words)


@njit
def _replace(fields, old, rule, plus, low):
    """Replace the fields of one site by its new values."""
    scale, diagonal, b = rule
    for j in range(fields.size):
        x = np.float64(old[j])
        fields[j] = sign(scale * (np.float64(fields[j]) - diagonal * x) - b, x, plus, low)


@njit
def _leave(fields, old, rule, left, sizes, reach):
    """Mark the states whose field of one site does not exceed its error bound."""
    scale, diagonal, b = rule
    for j in range(fields.size):
        h = scale * (np.float64(fields[j]) - diagonal * np.float64(old[j])) - b
        left[j] |= not abs(h) > scale * reach * sizes[j] + 2.0**-50 * abs(b)


@njit
def _patterns_by_lines(x, X, b, diagonal, reach, scale, new, left, sizes, plus, low):
    (M, d), N = x.shape, len(X)
    xs, ws, tile = x.reshape(-1), X.reshape(-1), max(4, LINE // (max(d, 1) * X.itemsize))
    sums, part, fields = aligned(M * tile, X), aligned(M * d, X), np.zeros(M * d, X.dtype)
    for n in range(0, N, tile):
        rows = min(tile, N - n)
        score(M, xs, 0, ws, n * d, d, rows, sums, 0, tile)
        draw(M, sums, 0, tile, ws, n * d, d, rows, part, 0)
        for c in range(M * d):
            fields[c] += part[c]
    for m in range(M):
        for i in range(d):
            f, h = fields[m * d + i:m * d + i + 1], (scale, diagonal[i], b[i])
            if left.size:
                _leave(f, x[m, i:i + 1], h, left[m:m + 1], sizes[m:m + 1], reach[i])
            _replace(f, x[m, i:i + 1], h, plus, low)
            new[m, i] = f[0]

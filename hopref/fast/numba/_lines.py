"""Lines of scores and of whole lanes, rows of panels, and sums of rows with weights."""
import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._panels import soften
from hopref.fast.numba._products import aligned, copy
from hopref.fast.numba._tiles import accumulate, gather, lanes, transpose

__all__ = ["mask_line", "turned", "fill_panel", "padded", "stacked", "columns", "fill_columns",
           "widened", "trim", "collect", "gather_columns"]


@njit
def mask_line(lines, z, rows, mask, bias, beta, cap, m, n, visible):
    """Cap the scores of keys n, n + 1..., add the bias, and hide those that query m does not see.
    """
    line, L = lines[z:z + rows], lanes(lines)
    if cap > 0:
        soften(lines, z, -(-rows // L), beta, cap)
        beta = lines.dtype.type(1)
    if bias.size:
        for i in range(rows):
            line[i] = beta * line[i] + bias[m, n + i]
    if mask.size:
        for i in range(rows):
            line[i] = line[i] if mask[m, n + i] else -np.inf
    for i in range(max(0, visible), rows):
        line[i] = -np.inf


@njit
def turned(X):
    """X as panels of queries, 0 in the lanes beyond the last."""
    (M, d), L = X.shape, lanes(X)
    panels = np.zeros(-(-M // L) * d * L, X.dtype)
    for q in range(0, M, L):
        transpose(X.reshape(-1), q * d, min(L, M - q), d, panels, q * d, d, L)
    return panels


@njit
def fill_panel(panels, p, X, q):
    """Fill a panel with the queries q, q + 1..., and 0 in the lanes beyond the last."""
    (M, d), L = X.shape, lanes(X)
    for i in range(p, p + d * L if M - q < L else p):
        panels[i] = 0
    transpose(X.reshape(-1), q * d, min(L, M - q), d, panels, p, d, L)


@njit
def padded(X, factor):
    """``factor X``, with rows of a multiple of the number of lanes."""
    L = lanes(X)
    wide = np.zeros((len(X), -(-X.shape[1] // L) * L), X.dtype)
    for i in range(len(X)):
        for j in range(X.shape[1]):
            wide[i, j] = factor * X[i, j]
    return wide


@njit
def stacked(X, Y):
    """The rows of X, followed by those of Y."""
    both = np.empty((len(X) + len(Y), X.shape[1]), X.dtype)
    copy(both.reshape(-1), 0, X.reshape(-1), 0, X.size)
    copy(both.reshape(-1), X.size, Y.reshape(-1), 0, Y.size)
    return both


@njit
def columns(rows, d, like):
    """An array for `fill_columns`: as many columns as fill the lanes, one after the other."""
    L = lanes(like)
    return aligned(-(-d // L) * L * rows, like).reshape(rows, -(-d // L) * L)


@njit
def fill_columns(lines, X, q, factor):
    """Fill parts of ``lines``, each of L columns, with ``factor X`` from row q on.

    Entries beyond the last row and column are 0.
    """
    (M, d), (rows, width), L, flat = X.shape, lines.shape, lanes(X), lines.reshape(-1)
    for c in range(0, width, L):
        for i in range(rows):
            place, last = (c * rows + i * L), min(L, d - c) if q + i < M else 0
            for j in range(last):
                flat[place + j] = factor * X[q + i, c + j]
            for j in range(last, L):
                flat[place + j] = 0


@njit
def widened(sums, lines):
    """``sums``, or zeros in their place if their rows are shorter than those of the lines."""
    if sums.shape[1] == lines.shape[1]:
        return sums
    return np.zeros((len(sums), lines.shape[1]), sums.dtype)


@njit
def trim(sums, wide):
    """Copy the columns of `widened`, if it is not ``sums`` itself."""
    if wide.shape[1] != sums.shape[1]:
        for n in range(len(sums)):
            sums[n] = wide[n, :sums.shape[1]]


@njit
def collect(sums, n, many, weights, down, along, lines, q, count):
    """Add the lines of the queries with their weights to the sums of the keys."""
    L, width = lanes(lines), lines.shape[1]
    for c in range(0, width, L):
        accumulate(many, weights, 0, down, along, lines.reshape(-1), q * width + c, width,
                   sums.reshape(-1), n * width + c, width, count)


@njit
def gather_columns(sums, n, end, weights, w, size, panels, lines):
    """Add the lines of `fill_columns` with the weights of panels to the sums of the keys n to end.

    A panel begins ``size`` after the last.
    """
    (rows, width), L = lines.shape, lanes(lines)
    for c in range(0, width, L):
        gather(end - n, weights, w, size, panels, lines.reshape(-1), c * rows, sums.reshape(-1),
               n * width + c, width)

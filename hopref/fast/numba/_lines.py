"""Lines of scores and of whole lanes, rows of panels, and sums of rows with weights."""
import numpy as np

from hopref.fast.numba._jit import njit
from hopref.fast.numba._panels import soften
from hopref.fast.numba._tiles import accumulate, lanes, transpose

__all__ = ["mask_line", "turned", "padded", "widened", "trim", "collect"]


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
def padded(X, factor):
    """``factor X``, with rows of a multiple of the number of lanes."""
    L = lanes(X)
    wide = np.zeros((len(X), -(-X.shape[1] // L) * L), X.dtype)
    for i in range(len(X)):
        for j in range(X.shape[1]):
            wide[i, j] = factor * X[i, j]
    return wide


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

"""Windows and lists of pairs, wrong."""
import numpy as np

from tests.mutants import mutant
from tests.mutants.structured import hidden

# -- windows ------------------------------------------------------------------------------------

def windowed(xi, X, beta, near):
    """Retrieval where ``near`` of (j - i - shift) says who is seen."""
    gap = np.arange(len(X)) - np.arange(len(xi))[:, None]
    return hidden(xi, X, near(gap, len(X) - len(xi)), beta) @ X


def steps(gap, width, dilation, causal):
    near = (gap % dilation == 0) & (np.abs(gap) <= width * dilation)
    return near & (~np.bool_(causal) | (gap <= 0))


@mutant("structured.window_update")
def window_one_too_wide(xi, X, /, *, width, dilation=1, causal=False, align="end", beta=1.0,
                        empty_row="zeros"):
    """one step too many to each side"""
    return windowed(xi, X, beta, lambda gap, n: steps(
        gap - n * (align == "end"), width + 1, dilation, causal))


@mutant("structured.window_update")
def window_counts_steps_as_distance(xi, X, /, *, width, dilation=1, causal=False, align="end",
                                    beta=1.0, empty_row="zeros"):
    """width as a distance, whatever the dilation"""
    return windowed(xi, X, beta, lambda gap, n: steps(
        gap - n * (align == "end"), width // dilation, dilation, causal))


@mutant("structured.window_update")
def window_sees_ahead(xi, X, /, *, width, dilation=1, causal=False, align="end", beta=1.0,
                      empty_row="zeros"):
    """causal without effect"""
    return windowed(xi, X, beta, lambda gap, n: steps(
        gap - n * (align == "end"), width, dilation, False))


@mutant("structured.window_update")
def window_aligned_at_the_start(xi, X, /, *, width, dilation=1, causal=False, align="end",
                                beta=1.0, empty_row="zeros"):
    """align without effect"""
    return windowed(xi, X, beta, lambda gap, n: steps(gap, width, dilation, causal))


@mutant("structured.window_update")
def window_wraps_around(xi, X, /, *, width, dilation=1, causal=False, align="end", beta=1.0,
                        empty_row="zeros"):
    """the band rolled: the first sees the last"""
    l, n, o = len(xi), len(X), np.arange(-width, 1 if causal else width + 1)
    mask = np.zeros((l, n), bool)
    at = np.arange(l)[:, None] + (n - l) * (align == "end") + dilation * o
    mask[np.arange(l)[:, None], at % n] = True
    return hidden(xi, X, mask, beta) @ X


# -- lists --------------------------------------------------------------------------------------

def by_lists(xi, X, rows, columns, beta, same_top=False, once=True):
    """Row after row, as loops over edges go."""
    y = np.zeros((len(xi), X.shape[1]))
    tops = np.array([(xi[i] @ X[j]) for i, j in zip(rows, columns, strict=True)] or [0.0])
    for i in range(len(xi)):
        j = columns[rows == i]
        j = np.unique(j) if once else j
        if len(j):
            z = X[j] @ xi[i]
            e = np.exp(beta * (z - (tops.max() if same_top else z.max())))
            with np.errstate(invalid="ignore"):
                y[i] = e @ X[j] / e.sum()
    return y


@mutant("structured.listed_update")
def listed_pairs_count_twice(xi, X, rows, columns, /, *, beta=1.0, empty_row="zeros"):
    """a repeated pair has twice the weight"""
    return by_lists(xi, X, rows, columns, beta, once=False)


@mutant("structured.listed_update")
def listed_rows_share_their_maximum(xi, X, rows, columns, /, *, beta=1.0, empty_row="zeros"):
    """one maximum for all rows: small ones underflow to 0/0"""
    return by_lists(xi, X, rows, columns, beta, same_top=True)


@mutant("structured.listed_update")
def listed_order_is_trusted(xi, X, rows, columns, /, *, beta=1.0, empty_row="zeros"):
    """rows taken for sorted: columns meet the wrong states"""
    return by_lists(xi, X, np.sort(rows), columns, beta)


@mutant("structured.listed_update")
def listed_transposed(xi, X, rows, columns, /, *, beta=1.0, empty_row="zeros"):
    """rows and columns exchanged"""
    return by_lists(xi, X, columns % len(xi), rows % len(X), beta)


@mutant("structured.csr_update")
def csr_stored_false_is_seen(xi, X, support, /, *, beta=1.0, empty_row="zeros"):
    """the stored places, not the stored values"""
    coo = support.tocoo()
    return by_lists(xi, X, coo.row, coo.col, beta)


@mutant("structured.csr_update")
def csr_pairs_count_twice(xi, X, support, /, *, beta=1.0, empty_row="zeros"):
    """what is stored twice has twice the weight"""
    coo = support.tocoo()
    return by_lists(xi, X, coo.row[coo.data], coo.col[coo.data], beta, once=False)


@mutant("structured.csr_update")
def csr_read_as_csc(xi, X, support, /, *, beta=1.0, empty_row="zeros"):
    """the compressed axis of the other format"""
    coo = support.T.tocoo()
    rows, columns = coo.row[coo.data] % len(xi), coo.col[coo.data] % len(X)
    return by_lists(xi, X, rows, columns, beta)

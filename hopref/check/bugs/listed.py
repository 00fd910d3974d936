"""Bugs of windows and of supports that are lists of pairs or sparse matrices."""
import numpy as np

from hopref import maps
from hopref.check.bugs import bug, run, wrong_argument, wrong_call
from hopref.models import structured

__all__ = []


# -- windows --------------------------------------------------------------------------------------

@wrong_call("window one step too wide", "structured.window_update", "supports.window")
def one_step_too_wide(op, given):
    return run(op, given | {"width": given["width"] + 1})


def gaps(l, n, align):
    """The number of positions by which a pattern is ahead of a state."""
    return np.arange(n) - np.arange(l)[:, None] - (n - l) * (align == "end")


def within_distance(l, n, width, dilation, causal, align):
    gap = gaps(l, n, align)
    return (gap % dilation == 0) & (np.abs(gap) <= width) & ((gap <= 0) | (not causal))


WINDOW = ("width", "dilation", "causal", "align")


@wrong_call("width as a distance, whatever the dilation", "structured.window_update",
            "supports.window")
def width_as_a_distance(op, given):
    how = {k: given[k] for k in WINDOW}
    if op.name == "supports.window":
        return within_distance(given["l"], given["n"], **how)
    xi, X = given["xi"], given["X"]
    support = within_distance(len(xi), len(X), **how)
    return structured.update.formula(xi, X, support, beta=given["beta"])


@wrong_call("window wraps around", "structured.window_update")
def wraps_around(op, given):
    xi, X = given["xi"], given["X"]
    l, n, width = len(xi), len(X), given["width"]
    o, support = np.arange(-width, 1 if given["causal"] else width + 1), np.zeros((l, n), bool)
    at = np.arange(l)[:, None] + (n - l) * (given["align"] == "end") + given["dilation"] * o
    support[np.arange(l)[:, None], at % n] = True
    return structured.update.formula(xi, X, support, beta=given["beta"])


# -- lists ----------------------------------------------------------------------------------------

def by_rows(xi, X, rows, columns, beta):
    """Retrieval row by row, from the pairs as they are listed."""
    y = np.zeros_like(xi)
    for i in set(rows.tolist()):
        near = X[columns[rows == i]]
        y[i] = maps.softmax.formula(near @ xi[i], beta=beta) @ near
    return y


def once(rows, columns):
    """Each pair once."""
    pairs = sorted(set(zip(rows.tolist(), columns.tolist(), strict=True)))
    return np.array(pairs, dtype=int).reshape(-1, 2).T


@bug("a repeated pair counts twice", "structured.listed_update")
def counted_twice(xi, X, rows, columns, /, *, beta=1.0, empty_row="zeros"):
    return by_rows(xi, X, rows, columns, beta)


@bug("rows taken for sorted", "structured.listed_update")
def taken_for_sorted(xi, X, rows, columns, /, *, beta=1.0, empty_row="zeros"):
    return by_rows(xi, X, *once(np.sort(rows), columns), beta)


@bug("rows and columns exchanged", "structured.listed_update")
def exchanged(xi, X, rows, columns, /, *, beta=1.0, empty_row="zeros"):
    return by_rows(xi, X, *once(columns % len(xi), rows % len(X)), beta)


@bug("one maximum for all rows", "structured.listed_update")
def one_maximum(xi, X, rows, columns, /, *, beta=1.0, empty_row="zeros"):
    i, j = once(rows, columns)
    z, y = np.sum(xi[i] * X[j], axis=-1).astype(float), np.zeros_like(xi)
    e = np.exp(beta * (z - np.max(z, initial=-np.inf)))
    for row in set(i.tolist()):
        y[row] = e[i == row] @ X[j[i == row]] / np.sum(e[i == row])
    return y


# -- sparse matrices ------------------------------------------------------------------------------

@bug("a stored False taken for a pair", "structured.csr_update")
def stored_false_is_a_pair(xi, X, support, /, *, beta=1.0, empty_row="zeros"):
    pairs = support.tocoo()
    return by_rows(xi, X, *once(pairs.row, pairs.col), beta)


@bug("what is stored twice counts twice", "structured.csr_update")
def stored_twice_counts_twice(xi, X, support, /, *, beta=1.0, empty_row="zeros"):
    pairs = support.tocoo()
    return by_rows(xi, X, pairs.row[pairs.data], pairs.col[pairs.data], beta)


@bug("read as the other compressed format", "structured.csr_update")
def read_as_columns(xi, X, support, /, *, beta=1.0, empty_row="zeros"):
    pairs = support.tocoo()
    rows, columns = pairs.col[pairs.data] % len(xi), pairs.row[pairs.data] % len(X)
    return by_rows(xi, X, *once(rows, columns), beta)


REGISTERED = [
    wrong_argument("causal ignored", "structured.window_update", "supports.window", causal=False),
    wrong_argument("align ignored", "structured.window_update", "supports.window",
                   "supports.causal", "supports.global_tokens", "supports.big_bird", align="start"),
]

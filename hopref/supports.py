r"""Supports: which patterns each state looks at.  True may be seen.

A support is a boolean mask (l, n), of l states in order and n patterns; masks are joined by ``|``
and cut by ``&``.  A state l stands at position i + n - l of the patterns (``align="end"``) or at i
("start"), as in attention.  They are exported by `hopref.structured`.  Large ones are stored as
scipy.sparse instead; `listed` reads these.

References: Hu et al. 2025, *Nonparametric Modern Hopfield Models*; Beltagy et al. 2020,
*Longformer*; Zaheer et al. 2020, *Big Bird*.
"""
import numpy as np

from hopref.dispatch.domains import choice, count, flag, scores, seed
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import k_of_n
from hopref.errors import DomainError, DTypeError, ShapeError, naming
from hopref.maps import among_largest, band, end, start

__all__ = ["window", "causal", "random", "global_tokens", "big_bird", "largest", "listed"]

align = choice(end=end, start=start)


def at_most_n(*names):
    """No more of these than there are patterns."""
    def demand(xp, given):
        for name in names:
            if given[name] > given["n"]:
                return f"{name} must be at most n = {given['n']}; got {name}={given[name]}"
        return None
    return demand


@op("->(l,n)", l=count, n=count, width=count, dilation=count, causal=flag, align=align,
    scratch="(l,n)")
def window(l, n, /, *, width, dilation=1, causal=False, align="end"):
    r"""A window around each state's own position: so many steps of ``dilation`` to both sides.

    Source: Hu et al. 2025, sparse-structured supports; Beltagy et al. 2020 [NP-3].

    .. math:: \mathcal M(i) = \{i + a o : |o| \le w\}

    With ``causal`` to the left only.  Up to 2 w + 1 patterns a state.

    >>> from hopref import structured
    >>> structured.window(3, 3, width=1).astype(int)
    array([[1, 1, 0],
           [1, 1, 1],
           [0, 1, 1]])
    """
    mask = np.zeros((l, n), dtype=bool)
    columns, exist = band(l, mask[0], width, dilation, causal, align)
    rows = np.broadcast_to(np.arange(l)[:, None], columns.shape)
    mask[rows[exist], columns[exist]] = True
    return mask


@op("->(l,n)", l=count, n=count, align=align, scratch="(l,n)")
def causal(l, n, /, *, align="end"):
    r"""The past and the present.  Source: Choromanski et al. 2021, eq. (11) [AT-3, NP-3].

    .. math:: \mathcal M(i) = \{j : j \le i\}

    >>> from hopref import structured
    >>> structured.causal(2, 3).astype(int)
    array([[1, 1, 0],
           [1, 1, 1]])
    """
    return np.tril(np.ones((l, n), dtype=bool), k=align(l, n))


@op("->(l,n)", l=count, n=count, k=count, rng=seed, precondition=at_most_n("k"), scratch="(l,n)")
def random(l, n, /, *, k, rng):
    r"""For each state k different patterns, every set of k as likely as any other.

    Source: Hu et al. 2025, random masked models [NP-3, NP-5].

    .. math:: \mathcal M(i) \sim U\{M \subseteq \{1, \ldots, n\} : |M| = k\}

    Parameters
    ----------
    rng : seed or numpy Generator

    Notes
    -----
    Drawn once it is a fixed support, with an energy; drawn anew at every step it has none.

    >>> from hopref import structured
    >>> structured.random(3, 5, k=2, rng=0).sum(axis=-1)
    array([2, 2, 2])
    """
    order = np.argsort(rng.random((l, n)), axis=-1)
    mask = np.zeros((l, n), dtype=bool)
    np.put_along_axis(mask, order[:, :k], True, axis=-1)
    return mask


@op("->(l,n)", l=count, n=count, tokens=count, align=align, precondition=at_most_n("tokens"),
    scratch="(l,n)")
def global_tokens(l, n, /, *, tokens, align="end"):
    r"""The first patterns are seen by all, and a state at their position sees all.

    Source: Zaheer et al. 2020, global attention; Hu et al. 2025 [NP-3].

    .. math:: j \in \mathcal M(i) \iff i < g \text{ or } j < g

    >>> from hopref import structured
    >>> structured.global_tokens(3, 3, tokens=1).astype(int)
    array([[1, 1, 1],
           [1, 0, 0],
           [1, 0, 0]])
    """
    position = np.arange(l)[:, None] + align(l, n)
    return (position < tokens) | (np.arange(n) < tokens)


@op("->(l,n)", l=count, n=count, width=count, tokens=count, k=count, rng=seed, align=align,
    precondition=at_most_n("k", "tokens"), scratch="(l,n)")
def big_bird(l, n, /, *, width, tokens, k, rng, align="end"):
    r"""Window, global tokens and random patterns together.

    Source: Zaheer et al. 2020 [NP-3].

    .. math:: \mathcal M = \mathcal M_{window} \cup \mathcal M_{global} \cup \mathcal M_{random}

    >>> from hopref import structured
    >>> structured.big_bird(9, 9, width=1, tokens=1, k=1, rng=0)[0].all()
    np.True_
    """
    return (window(l, n, width=width, align=align) | global_tokens(l, n, tokens=tokens, align=align)
            | random(l, n, k=k, rng=rng))


@op("(...,n)->(...,n)", z=scores(), k=count, shape_rule=k_of_n)
def largest(z, /, *, k):
    r"""The k patterns of largest score; of equal scores those of lowest index, as `maps.top_k`.

    Source: Hu et al. 2025, top-K models [NP-3].

    .. math:: \mathcal M = \mathrm{top}_k(z)

    >>> from hopref import structured
    >>> structured.largest([0.0, 1.0, 1.0, 1.0], k=2)
    array([False,  True,  True, False])
    """
    return among_largest(z, k)


def inhabited(xp, given):
    """With empty_row="raise", every state must look at something."""
    support = given["support"]
    if given["empty_row"] != "raise" or support is True or bool(xp.all(xp.any(support, axis=-1))):
        return None
    return EMPTY


def inhabited_list(xp, given):
    """The same of pairs in lists."""
    rows = xp.sort(given["rows"])
    every = xp.arange(given["xi"].shape[0], dtype=rows.dtype)
    start, stop = (xp.searchsorted(rows, every, side=side) for side in ("left", "right"))
    empty = given["empty_row"] == "raise" and not bool(xp.all(start < stop))
    return EMPTY if empty else None


EMPTY = "every state must look at a pattern; got an empty row in the support"


def listed(support, xi, X, /):
    r"""The pairs of a scipy.sparse support: index arrays of its rows and its columns.

    Source: the storage formats of scipy.sparse [NP-3].

    .. math:: (i, j) \text{ is listed} \iff S_{ij} = \text{True}

    Parameters
    ----------
    support : boolean, in CSR, CSC or COO format, never written to.  Indices may come in any order;
        a pair stored twice is one pair; a stored False is no pair.
    xi, X : (l, ...) states and (n, ...) patterns, as many as the support has rows and columns

    Notes
    -----
    O(nnz + l) time and memory.

    >>> import scipy.sparse
    >>> from hopref import supports
    >>> S = scipy.sparse.csr_array([[False, True], [True, True]])
    >>> supports.listed(S, [[0.5], [0.5]], [[1.0], [3.0]])
    (array([0, 1, 1]), array([1, 0, 1]))
    """
    with naming("hopref.supports.listed"):
        return _listed(support, np.shape(xi)[:1] + np.shape(X)[:1])


def _listed(support, shape):
    from scipy import sparse

    form = getattr(support, "format", None) if sparse.issparse(support) else None
    if form not in ("csr", "csc", "coo"):
        raise DTypeError("support must be a scipy.sparse matrix or array in CSR, CSC or COO "
                         f"format; got {type(support).__name__}")
    if support.dtype != bool:
        raise DTypeError("support must be boolean; got "
                         f"{type(support).__name__} of {support.dtype}")
    if support.shape != shape:
        raise ShapeError(f"support must have shape {shape}, states by patterns; "
                         f"got {support.shape}")
    if form == "coo":
        inner, outer, held = support.row, support.col, support.data
    else:
        inner, outer, held = _unpacked(support, shape[form == "csc"])
    pairs = [np.asarray(a)[held].astype(np.int64) for a in (inner, outer)]
    return tuple(pairs[::-1] if form == "csc" else pairs)


def _unpacked(support, many):
    """The compressed axis written out; scipy does not check pointers by itself."""
    pointers, stored = support.indptr, min(support.indices.size, support.data.size)
    lengths = np.diff(pointers)
    if pointers.shape != (many + 1,) or pointers[0] != 0 or np.any(lengths < 0) \
            or pointers[-1] > stored:
        raise DomainError(f"support must have row pointers that rise from 0 to at most {stored}; "
                          f"got {pointers.size} pointers up to {pointers.max(initial=0)}")
    used = pointers[-1]
    return np.repeat(np.arange(many), lengths), support.indices[:used], support.data[:used]

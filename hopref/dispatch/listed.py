"""Supports in scipy.sparse storage, validated and converted to lists of pairs."""
from typing import Any

import numpy as np

from hopref.errors import DomainError, DTypeError, ShapeError, naming

__all__ = ["listed"]


def listed(support: Any, xi: Any, X: Any, /) -> tuple[Any, Any]:
    r"""Pairs of a scipy.sparse support, as index arrays of its rows and its columns.

    Source: the storage formats of scipy.sparse [NP-3].

    .. math:: (i, j) \text{ is listed} \iff S_{ij} = \text{True}

    Parameters
    ----------
    support : (l, n) boolean scipy.sparse array in CSR, CSC or COO format, which is not modified
    xi : (l, ...) array, the states
    X : (n, ...) array, the patterns

    Returns
    -------
    rows, columns : (e,) integer arrays, the indices of the states and of the patterns

    Raises
    ------
    DTypeError : the support is not boolean, or not in one of the three formats
    ShapeError : the shape of the support is not (l, n)
    DomainError : the row pointers are not valid

    Notes
    -----
    The indices may have any order.  A stored False is not a pair; a pair that is stored twice is
    returned twice.  The function takes O(nnz + l) time and memory.

    >>> import scipy.sparse
    >>> from hopref import supports
    >>> S = scipy.sparse.csr_array([[False, True], [True, True]])
    >>> supports.listed(S, [[0.5], [0.5]], [[1.0], [3.0]])
    (array([0, 1, 1]), array([1, 0, 1]))
    """
    with naming("hopref.supports.listed"):
        return _listed(support, np.shape(xi)[:1] + np.shape(X)[:1])


def _listed(support: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
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


def _unpacked(support: Any, many: Any) -> Any:
    """The pairs with the compressed axis expanded; scipy does not validate the row pointers."""
    pointers, stored = support.indptr, min(support.indices.size, support.data.size)
    lengths = np.diff(pointers)
    if pointers.shape != (many + 1,) or pointers[0] != 0 or np.any(lengths < 0) \
            or pointers[-1] > stored:
        raise DomainError(f"support must have row pointers that rise from 0 to at most {stored}; "
                          f"got {pointers.size} pointers up to {pointers.max(initial=0)}")
    used = pointers[-1]
    return np.repeat(np.arange(many), lengths), support.indices[:used], support.data[:used]

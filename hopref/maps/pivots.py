"""Linear systems with a symmetric positive definite matrix, in any namespace and precision."""
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import unchecked


def solved(A, b):
    """x with A x = b, and the pivots: A (..., d, d), b (..., d).

    Elimination without exchanges, which is stable for positive definite matrices; those are the
    ones with pivots > 0.
    """
    xp, d = namespace(A), A.shape[-1]
    A, pivots = xp.concat([A, b[..., None]], axis=-1), []
    for i in range(d):
        row = A[..., i, :] / xp.where(A[..., i, i] == 0, 1.0, A[..., i, i])[..., None]
        pivots.append(A[..., i, i])
        others = xp.arange(d) != i
        column = xp.where(others, A[..., :, i], 0.0)
        A = xp.where(others[:, None], A - column[..., :, None] * row[..., None, :],
                     row[..., None, :])
    return A[..., d], xp.stack(pivots, axis=-1) if d else b


def definite(matrix, said):
    """A demand: the matrix made of what is given is positive definite."""
    def demand(xp, given):
        with unchecked():
            A = matrix(given)
            pivots = solved(A, A[..., 0])[1] if A.shape[-1] else A
        lost = (pivots <= 0) & xp.isfinite(pivots)      # what is to propagate is no refusal
        return f"{said}; got one that is not" if bool(xp.any(lost)) else None
    return demand

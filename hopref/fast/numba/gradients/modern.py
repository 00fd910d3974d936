"""`hopref.gradients.modern` by tiles of patterns, without an array of M x N scores."""
from hopref.fast.numba._softmax_gradient import gradient_of_states
from hopref.fast.numba.gradients import by_formula
from hopref.gradients import modern

__all__ = ["update", "thresholded_update"]


def update(g, xi, X, /, *, beta=1.0):
    found = gradient_of_states(g, xi, X, X, beta)
    if found is None:
        return by_formula(modern.update.formula, g, xi, X, beta=beta)
    dxi, dX, _, dbeta, _ = found
    return dxi, dX, dbeta


def thresholded_update(g, xi, X, /, *, beta=1.0, theta=-0.5, side="above"):
    S, kept = side
    found = gradient_of_states(g, *(S(a, xi.dtype.type(theta)) for a in (xi, X)), X, beta)
    if found is None:
        return by_formula(modern.thresholded_update.formula, g, xi, X, beta=beta, theta=theta,
                           side=side)
    dxi, dkeys, dX, dbeta, _ = found
    return kept(dxi, xi, theta), dX + kept(dkeys, X, theta), dbeta

"""Preconditions that relate several arguments of gradients."""
from hopref.dispatch.operation import unchecked
from hopref.maps import solved
from hopref.models import modern

__all__ = ["at_a_strict_minimum", "features_of_each_function", "features_of_each_pair",
           "features_up_to_pairs", "slopes_are_known"]


def at_a_strict_minimum(xp, given):
    """The Hessian of the modern energy, I - J, must be positive definite."""
    with unchecked():
        J = modern.jacobian(given["xi"], given["X"], beta=given["beta"])
        A = xp.eye(J.shape[-1], dtype=J.dtype) - J
        pivots = solved(A, A[..., 0])[1] if A.shape[-1] else A
    indefinite = (pivots <= 0) & xp.isfinite(pivots)    # NaN and inf may be asked to propagate
    return "xi must be where every eigenvalue of the update's Jacobian is < 1; got one that is " \
        "not" if bool(xp.any(indefinite)) else None


def features_of_each_function(given):
    """There must be one cotangent for each feature, m for every function."""
    wanted = len(given["functions"]) * given["omega"].shape[0]
    got = given["g"].shape[-1]
    return None if got == wanted else f"lm must be {wanted}, one for each feature; got {got}"


def features_of_each_pair(given):
    """There must be one cotangent for each product of two components."""
    d, got = given["x"].shape[-1], given["g"].shape[-1]
    return None if got == d * d else f"dd must be {d * d}, one for each pair; got {got}"


def features_up_to_pairs(given):
    """There must be one cotangent for 1, each component and each product of two components."""
    d, got = given["x"].shape[-1], given["g"].shape[-1]
    wanted = d * d + d + 1
    return None if got == wanted else f"dd+d+1 must be {wanted}, one a feature; got {got}"


def slopes_are_known(xp, given):
    """A user-defined Feature or Height must define its derivative."""
    records = [r for r in (given["h"], *given["functions"]) if not isinstance(r, str)]
    return None if all(r.slope is not None for r in records) else \
        "h and functions must name their slopes; got a record without one"

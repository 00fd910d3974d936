"""What arguments of gradients must satisfy together, beyond what each must by itself."""
from hopref.dispatch.operation import open_door
from hopref.maps import solved
from hopref.models import modern

__all__ = ["at_a_strict_minimum"]


def at_a_strict_minimum(xp, given):
    """The Hessian of the modern energy, I - J, must be positive definite."""
    with open_door(nonfinite="propagate"):
        J = modern.jacobian(given["xi"], given["X"], beta=given["beta"])
        A = xp.eye(J.shape[-1], dtype=J.dtype) - J
        pivots = solved(A, A[..., 0])[1] if A.shape[-1] else A
    lost = (pivots <= 0) & xp.isfinite(pivots)      # what is to propagate is not refused
    return "xi must be where every eigenvalue of the update's Jacobian is < 1; got one that is " \
        "not" if bool(xp.any(lost)) else None

"""The law of vector-Jacobian products: each is the adjoint of the derivative of its rule."""
import numpy as np

from hopref.check.bugs import bugs_of
from hopref.check.cases.points import points
from hopref.check.laws import equal, law, toleranced
from hopref.check.tolerance.differences import (
    ROOT,
    STEP,
    arguments_by_kind,
    cotangents,
    derivative,
    differentiated,
)
from hopref.dispatch.operation import gradient_of, load

__all__ = ["ADJOINTS"]

SHARP = 2.0**-10        # of a gradient that an honest candidate knows no better, nothing is claimed

# Bugs that are right in exact arithmetic, or away from the points that their own laws draw.
ELSEWHERE = {
    "p (a - p.a) for the entry of most weight too", "state run backwards by subtraction",
    "features exponentiated", "0 times NaN in empty rows", "through log|sin| and log|cos|",
    "d/dalpha by a quotient that cancels near 1"}


def adjoint(rule):
    """Declare the law of the gradient of one rule."""
    gradient, order = gradient_of(rule), differentiated(rule)

    def claims(f, given, direction):
        """<J^T g, v> is the derivative of <g, rule(arguments + t v)> at t = 0.

        Numbers are moved too; a rule takes roots of them in float64, which changes its value by
        2^-52 of <d/dx, x>, and the quotient by 4 times that over the smallest step.
        """
        given = {k: at_machine(f, x) for k, x in given.items()}
        want = derivative(rule, given, direction)
        if want is None:
            return
        args, kwargs = arguments_by_kind(gradient, given)
        answer = f(*args, **kwargs)
        pulled = dict(zip(order, answer if isinstance(answer, tuple) else (answer,), strict=False))
        if len(pulled) < len(order):
            return
        got = sum(np.sum(pulled[k] * v) for k, v in direction.items()) + toleranced(0.0, 0.0)
        numbers = [k for k in direction if isinstance(given[k], float)]
        rooted = sum(float(abs(pulled[k].value * given[k])) for k in numbers)
        scale = abs(want.value) + sum(np.sum(np.abs(given[k])) for k in cotangents(rule))
        if got.radius <= SHARP * scale:
            yield equal(got, want + toleranced(0.0, 4 * ROOT / (STEP / 4) * rooted))
    claims.__name__ = f"the gradient of {rule.name} is the adjoint of its derivative"
    kills = [it.name for it in bugs_of(gradient.name)
             if not it.benign and it.name not in ELSEWHERE]
    ids = [i for i in gradient.ids if i.startswith("GR")]
    return law(gradient.name, id=(ids or gradient.ids)[0], over=points(rule), kills=kills)(claims)


def at_machine(f, x):
    """Real arrays and numbers rounded to the candidate's number format."""
    real = isinstance(x, float) or isinstance(x, np.ndarray) and x.dtype.kind == "f"
    if not real:
        return x
    stored = f.machine(x).value
    return float(stored) if isinstance(x, float) else stored


ADJOINTS = [adjoint(rule) for rule in load().values() if gradient_of(rule)]

"""A candidate as laws see it: every answer is a ball, its numbers and the honest error."""
import numpy as np

from hopref.check.arithmetic import round_to
from hopref.check.balls import Ball, about, exactly
from hopref.check.derived import running, widened
from hopref.check.tolerance import EXACT, tolerance, truth

__all__ = ["Measured"]


class Measured:
    """``f(...)`` calls the candidate; ``f.exact(op, ...)`` another op's formula, in long double."""
    def __init__(self, op, call, profile):
        self.op, self.call, self.profile = op, call, profile

    def __call__(self, *args, **kwargs):
        stored, moved = self.rounded(args), False
        named = dict(zip(kwargs, self.rounded(kwargs.values())))
        given = [a for a in (*args, *kwargs.values()) if isinstance(a, Ball)]
        kept = [s for a, s in zip((*args, *kwargs.values()), (*stored, *named.values()))
                if isinstance(a, Ball)]
        moved = any(np.any(a.radius > 0) or np.any(a.value != s) for a, s in zip(given, kept))
        answer = self.call(*stored, **named)
        honest = truth(self.op, stored, named)
        bounds = tolerance(self.op, stored, named, honest, self.profile)
        aimed = running(self.op, args, kwargs, EXACT) if moved else None
        if not isinstance(honest, tuple):
            return self.ball(answer, honest, bounds, aimed)
        answer = answer if isinstance(answer, tuple) else (answer,)
        return tuple(self.ball(*four) for four in
                     zip(answer, honest, bounds, aimed or len(honest) * (None,)))

    def ball(self, answer, honest, bound, aimed):
        """The answer, its tolerance, and how far rounding its inputs moved the truth."""
        if aimed is not None:
            aimed = exactly(aimed, EXACT)
            bound = bound + aimed.radius + np.abs(aimed.value - honest).astype(float)
        return about(np.asarray(answer, dtype=np.longdouble), bound, EXACT)

    def rounded(self, things):
        return [self.machine(a).value if isinstance(a, Ball) else a for a in things]

    def machine(self, x):
        """``x`` rounded to the candidate's number format."""
        if not isinstance(x, Ball):
            x = exactly(np.asarray(x), EXACT)
        if x.value.dtype.kind != "f":
            return x
        return exactly(round_to(x.value, self.profile.dtype).astype(np.longdouble), EXACT)

    def exact(self, op, *args, **kwargs):
        """The formula of ``op`` in long double, its rounding in the radius."""
        return running(op, args, kwargs, EXACT, regrouped=1.0)

    def given(self, args, kwargs):
        """A case's arguments as balls of radius 0."""
        args, kwargs = widened(self.op, args, kwargs)
        return [ball(a) for a in args], {k: ball(v) for k, v in kwargs.items()}


def ball(a):
    return exactly(a, EXACT) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a

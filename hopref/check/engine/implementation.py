"""An implementation as laws use it: its results with the tolerances of an honest one."""
import inspect
from functools import partial

import numpy as np

from hopref.check.engine.subjects import own_function
from hopref.check.laws import OutOfRange
from hopref.check.tolerance.arithmetic import holds_numbers, round_to
from hopref.check.tolerance.derivation import running
from hopref.check.tolerance.expected import EXACT, evaluated
from hopref.check.tolerance.toleranced import Toleranced, exactly, toleranced
from hopref.dispatch.operation import load

__all__ = ["Implementation", "WrongShape"]


class WrongShape(Exception):
    """The candidate returned an array of another shape."""


class Implementation:
    """The callable that laws receive: ``f(...)`` calls the candidate.

    ``f.modern.update`` is the candidate if it implements this operation, otherwise the exact
    formula.  ``subject`` is the name of the operation or function of hopref that ``call``
    implements.
    """
    def __init__(self, subject, call, profile):
        self.subject, self.call, self.profile = subject, call, profile
        self.op = load().get(subject)
        self.remarks = []           # what laws report without failing the candidate

    def remark(self, text):
        """Report a property of the candidate that breaks no law."""
        if text not in self.remarks:
            self.remarks.append(text)

    def __call__(self, *args, **kwargs):
        if self.op is None or not self.op.arrays:
            return self.call(*args, **kwargs)
        args, kwargs = [self.array(a) for a in args], {k: self.array(v) for k, v in kwargs.items()}
        if not holds_numbers(kwargs.values(), self.profile.dtype):
            raise OutOfRange(f"numbers that {self.profile.dtype} does not hold")
        stored = [self.stored(a) for a in args]
        named = {k: self.stored(v) for k, v in kwargs.items()}
        answer = self.call(*stored, **named)
        honest, bounds = evaluated(self.op, stored, named, self.profile)
        pairs = zip((*args, *kwargs.values()), (*stored, *named.values()))
        moved = any(np.any(a.radius > 0) or np.any(a.value != s)
                    for a, s in pairs if isinstance(a, Toleranced))
        aimed = running(self.op, args, kwargs, EXACT) if moved else None
        if not isinstance(honest, tuple):
            return result(answer, honest, bounds, aimed)
        answer = answer if isinstance(answer, tuple) else (answer,)
        return tuple(result(*four) for four in
                     zip(answer, honest, bounds, aimed or len(honest) * (None,)))

    def __getattr__(self, name):
        """The candidate, an exact formula or a function of hopref, by its dotted name."""
        if name.startswith("__"):
            raise AttributeError(name)
        return Path(self, name)

    def stored(self, a):
        """An argument in the candidate's number format."""
        return self.machine(a).value if isinstance(a, Toleranced) else a

    def machine(self, x):
        """``x`` rounded to the candidate's number format."""
        x = exactly(x if isinstance(x, Toleranced) else np.asarray(x), EXACT)
        if x.value.dtype.kind != "f":
            return x
        stored = round_to(x.value, self.profile.dtype)
        if np.any(np.isinf(stored) & np.isfinite(x.value)):
            raise OutOfRange(f"numbers that {self.profile.dtype} does not hold")
        return exactly(stored.astype(np.longdouble), EXACT)

    def exact(self, op, *args, **kwargs):
        """The formula of ``op`` in long double, with its rounding error as the radius."""
        if not op.arrays:               # sizes and seeds have no rounding error
            return op(*args, **kwargs)
        return running(op, args, kwargs, EXACT, regrouped=1.0)

    def drawn(self, arguments):
        """Drawn arguments, with real arrays as exact values if the subject takes arrays."""
        if self.op is None or not self.op.arrays:
            return arguments
        if isinstance(arguments, dict):
            return {k: self.array(v) for k, v in arguments.items()}
        return [self.array(a) for a in arguments]

    @staticmethod
    def array(a):
        """A real array as an exact value; other objects are unchanged."""
        if isinstance(a, np.ndarray) and a.dtype.kind == "f":
            return exactly(a.astype(np.longdouble), EXACT)
        return a


class Path:
    """A dotted name below an implementation."""
    def __init__(self, implementation, name):
        self._implementation, self._name = implementation, name

    def __getattr__(self, name):
        f, full = self._implementation, f"{self._name}.{name}"
        if full == f.subject:
            return f
        if full in load() and load()[full].arrays:
            return partial(f.exact, load()[full])
        if f.subject.startswith(f"{full}."):
            return Path(f, full)
        found = own_function(full)
        return Path(f, full) if inspect.ismodule(found) else found


def result(answer, honest, bound, aimed):
    """The result with its tolerance, enlarged by the effect of rounding its arguments."""
    if aimed is not None:
        aimed = exactly(aimed, EXACT)
        bound = bound + aimed.radius + np.abs(aimed.value - honest).astype(float)
    if np.shape(answer) != np.shape(honest):
        raise WrongShape(f"shape {np.shape(answer)} in place of {np.shape(honest)}")
    return toleranced(np.asarray(answer, dtype=np.longdouble), bound, EXACT)

"""Certified values: the value of an operation, and a proved bound on its error.

The operations are evaluated by a second derivation, which shares no arithmetic with the formulas:
each equation in its direct form in ball arithmetic (`flint.arb`, extra ``certify``), at the
precision that the requested bound needs; exactly where the rule allows; large softmax and linear
attention in double-double arithmetic with an a-posteriori bound.

>>> import hopref
>>> found = hopref.certify("modern.update", [2.0], [[1.0], [-1.0]], beta=0.5)
>>> found.value, bool(found.bound[0] < 1e-16), found.method
(array([0.76159416]), True, 'balls')
"""
import sys
from types import ModuleType
from typing import Any, Literal

from hopref.certify.forms import FORMS, Certified

__all__ = ["Certified", "FORMS", "certify"]

Method = Literal["balls", "double-double", "float64-bound"]

def certify(op: Any, /, *arrays: Any, max_ulp: float = 0.51, method: Method | None = None,
            **params: Any) -> Certified:
    """Evaluate an operation with a proved bound on the error.

    Parameters
    ----------
    op : operation, or its name such as "modern.update"
    *arrays : operands of the operation, NumPy arrays or sequences of numbers
    max_ulp : float >= 0.5, the largest bound that is accepted, in units in the last place of each
        entry of the value
    method : {None, "balls", "double-double", "float64-bound"}; None chooses by size
    **params : modifiers of the operation

    Returns
    -------
    Certified

    Raises
    ------
    CertificationError : no bound as tight as ``max_ulp`` could be proved; ``best_bound`` holds the
        tightest one
    DomainError : the operation has no certified form
    ImportError : the operation needs the extra ``certify``

    Notes
    -----
    Errors of the arguments are those of the operation itself.  Options without an argument have the
    exact value that the equation gives them: the default scale of attention is 1/sqrt(d), not its
    rounded value.  With "float64-bound", and without python-flint where double-double arithmetic
    does not reach ``max_ulp``, the bound is that of the float64 evaluation, whatever ``max_ulp``.

    >>> from hopref.certify import certify
    >>> certify("classical.update", [1.0, -1.0], [[0.0, 1.0], [1.0, 0.0]])
    Certified(value=array([-1.,  1.]), bound=array([0., 0.]), method='exact')
    """
    from hopref.certify.evaluation import evaluated
    return evaluated(op, arrays, params, max_ulp, method)


class _Callable(ModuleType):
    """The module, which may be called as its function."""

    def __call__(self, op: Any, /, *arrays: Any, **params: Any) -> Certified:
        return certify(op, *arrays, **params)


sys.modules[__name__].__class__ = _Callable

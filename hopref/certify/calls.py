"""Calls of forms: arguments as balls, and vector-Jacobian products by differentiation."""
import numpy as np

from hopref.certify.balls import ball, sqrt
from hopref.certify.derivatives import Variable, gradient, variables
from hopref.dispatch.domains import Array, Scalar
from hopref.dispatch.operation import load

__all__ = ["called"]

CONSTANTS = {"theta", "sign_q", "sign_k"}       # parameters without a derivative


def called(op, form, given):
    """The results of a form, or the derivatives of the form of a gradient."""
    balls = {k: _as_balls(op, k, v) for k, v in given.items()}
    if op.name.startswith("gradients."):
        return _pulled_back(op, form, balls)
    return _applied(op, form, balls)


def _as_balls(op, k, v):
    domain = op.domains[k]
    real = isinstance(domain, Array) and domain.kind == "real" \
        or isinstance(domain, Scalar) and domain.kind is float
    return ball(v) if real and v is not None else v


def _applied(op, form, given):
    named = {k: v for k, v in given.items() if v is not None and k not in op.operands}
    return form(*[given[k] for k in op.operands], **named)


def _pulled_back(op, form, given):
    """The derivatives of the sum of the products of cotangents and results."""
    rule = load()[op.name.removeprefix("gradients.")]
    own = [k for k in op.operands if k not in rule.operands]
    cotangents = [given.pop(k) for k in own]
    names = _differentiated(rule, given, len(op.outputs))
    sizes = _sizes(op, given, dict(zip(own, cotangents, strict=True)))
    for k, dims in zip(names, op.outputs, strict=True):
        given[k] = variables(_complete(rule, given, k, dims, sizes))
    if "empty_row" in given:                    # empty rows have no derivative
        given["empty_row"] = "zeros"
    results = _applied(rule, form, dict(given))
    results = results if isinstance(results, tuple) else (results,)
    flat = [(y, g) for part, cotangent in zip(results, cotangents, strict=False)
            for y, g in zip(np.ravel(np.asarray(part, object)), np.ravel(cotangent), strict=True)]
    along = gradient(*([pair[i] for pair in flat] for i in (0, 1)))
    found = tuple(_along(given[k], along) for k in names)
    return found if len(found) > 1 else found[0]


def _differentiated(rule, given, count):
    """The parameters that have a derivative, in the order of the gradient's results."""
    def real(k):
        return isinstance(d := rule.domains[k], Array) and d.kind == "real" and k not in CONSTANTS
    arrays = [k for k in rule.signature.parameters if k in rule.arrays and real(k)]
    numbers = [k for k in rule.signature.parameters if k not in CONSTANTS
               and isinstance(d := rule.domains[k], Scalar) and d.kind is float]
    return [*arrays, *numbers][:count]


def _sizes(op, given, cotangents):
    """The sizes of the axes, and the leading axes as "..."."""
    sizes = {"...": ()}
    for k, dims in op.arrays.items():
        v = given.get(k, cotangents.get(k))
        if isinstance(v, np.ndarray):
            names = dims[dims[:1] == ("...",):]
            core = v.shape[v.ndim - len(names):]
            sizes |= dict(zip(names, core, strict=True))
            if len(names) < len(dims):
                sizes["..."] = v.shape[:v.ndim - len(names)]
    return sizes


def _complete(rule, given, k, dims, sizes):
    """The value of a parameter in full: absent arrays and default scales too."""
    v = given[k]
    if v is None:                               # the default scale of attention
        d = sizes["a"] if "a" in sizes else given[rule.operands[1]].shape[-1]
        return 1 / sqrt(max(1, d))
    if dims and not isinstance(v, np.ndarray):
        shape = [n for d in dims for n in (sizes[d] if d == "..." else (sizes[d],))]
        return np.full(shape, v, object)
    return v


def _along(x, along):
    """The derivatives by the variables of an array, 0 for those without influence."""
    take = np.frompyfunc(lambda v: along.get(v.index, 0) if isinstance(v, Variable) else 0, 1, 1)
    return take(x)

"""Calls of operations as Python text that can be pasted, and such text as a case.

>>> import numpy as np
>>> from hopref.check.cases.literals import as_call
>>> from hopref.dispatch.operation import load
>>> as_call(load()["modern.update"], {"xi": np.ones(1), "X": np.zeros((2, 1)), "beta": 2.0})
'modern.update(np.array([1.0]), np.array([[0.0], [0.0]]), beta=2.0)'
"""
import ast

import numpy as np

from hopref.check.cases.generator import Case, accepts
from hopref.check.tolerance.arithmetic import round_to
from hopref.errors import PluginError

__all__ = ["as_call", "case_from"]

CONSTANTS = {"inf": np.inf, "nan": np.nan, "float16": np.float16, "float32": np.float32}
FUNCTIONS = {"array": np.array, "zeros": np.zeros}


def as_call(op, given):
    """The call of an operation with arguments by name."""
    words = []
    for k, v in given.items():
        parameter = op.signature.parameters[k]
        named = parameter.kind is not parameter.POSITIONAL_ONLY
        words.append(f"{k}={literal(v)}" if named else literal(v))
    return f"{op.name}({', '.join(words)})"


def literal(v):
    """An argument as Python text."""
    if not isinstance(v, np.ndarray):
        return listed(v)
    dtype = f", np.{v.dtype}" if v.dtype in (np.float16, np.float32) else ""
    if not v.size:
        return f"np.zeros({v.shape}{dtype})"
    return f"np.array({listed(v.tolist())}{dtype})"


def listed(v):
    if isinstance(v, list):
        return f"[{', '.join(map(listed, v))}]"
    if isinstance(v, float) and not np.isfinite(v):
        return {"inf": "np.inf", "-inf": "-np.inf"}.get(str(v), "np.nan")
    return repr(v)


def case_from(op, text, dtype):
    """The case that a call describes, with real arrays in the number format ``dtype``.

    Raises
    ------
    PluginError : the text is no call of the operation with literal arguments that it accepts
    """
    refused = f"--input must be a call such as {op.name}(np.array([1.0]), ...)"
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or ast.unparse(call.func) != op.name:
            raise ValueError(f"no call of {op.name}")
        args = tuple(evaluated(a, dtype) for a in call.args)
        kwargs = {str(k.arg): evaluated(k.value, dtype) for k in call.keywords}
        op.signature.bind(*args, **kwargs)
    except (SyntaxError, TypeError, ValueError) as error:
        raise PluginError(f"{refused}: {error}; got {text!r:.200}") from None
    case = Case("input", args, kwargs)
    if not accepts(op, case):
        raise PluginError(f"--input: {op.name} does not accept {text!r:.200}")
    return case


def evaluated(node, dtype):
    """A literal, with real arrays in the number format ``dtype``."""
    v = value_of(node)
    if isinstance(v, np.ndarray) and v.dtype.kind == "f":
        return round_to(v, dtype)
    return v


def value_of(node):
    """The value of a syntax tree of constants, lists and calls of ``np.array`` and ``np.zeros``."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        found = [value_of(part) for part in node.elts]
        return found if isinstance(node, ast.List) else tuple(found)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -value_of(node.operand)
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "np" \
            and node.attr in CONSTANTS:
        return CONSTANTS[node.attr]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.keywords \
            and ast.unparse(node.func.value) == "np" and node.func.attr in FUNCTIONS:
        return FUNCTIONS[node.func.attr](*map(value_of, node.args))
    raise ValueError(f"{ast.unparse(node)} is no literal")

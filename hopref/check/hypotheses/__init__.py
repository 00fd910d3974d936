"""Wrong on purpose: what an op answers if it has a bug that has a name.

A hypothesis is given the op and its arguments by name (real arrays in long double), and returns the
answer of the buggy implementation, or None where the bug would not show.  The same functions serve
the tests as candidates to condemn.  They stand in ``hopref/check/hypotheses/<model>.py``.
"""
import importlib
import pkgutil

__all__ = ["HYPOTHESES", "hypothesis", "hypotheses_of", "load", "answer", "run", "named"]

HYPOTHESES = {}     # name -> {op: function}


def hypothesis(name, *ops):
    """Declare the bug of this name, of these ops."""
    def declare(function):
        HYPOTHESES.setdefault(name, {}).update(dict.fromkeys(ops, function))
        return function
    return declare


def load():
    """Import every room of hypotheses, and return `HYPOTHESES`."""
    for room in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{room.name}")
    return HYPOTHESES


def hypotheses_of(op):
    """The names of the bugs that this op is known to have."""
    return [name for name, functions in load().items() if op in functions]


def answer(name, op, args, kwargs):
    """What the buggy implementation answers to this call."""
    bound = op.signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return load()[name][op.name](op, dict(bound.arguments))


def run(op, it):
    """The op's formula on arguments by name."""
    bound = op.signature.bind_partial()
    bound.arguments.update(it)
    return op.formula(*bound.args, **bound.kwargs)


def named(op, k, it):
    """What the option named in ``it[k]`` stands for."""
    return op.domains[k].resolve(it[k])

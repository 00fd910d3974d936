"""Formulas run on balls, with sharper functions in the place of some that they call."""
from dis import get_instructions
from functools import partial
from inspect import isfunction
from types import FunctionType, ModuleType

from hopref.check.balls import Ball

__all__ = ["Replacing"]


class Replacing:
    """Makes of an op a formula that takes balls.

    ``replaced`` maps functions to what takes their place where there is a ball to take; formulas
    that are called are those of modules whose names start with ``formulas``.
    """
    def __init__(self, replaced, formulas):
        self.replaced, self.formulas = replaced, formulas

    def __call__(self, thing):
        """A formula, or a room of formulas, that names the replacements; anything else as it is."""
        if isinstance(thing, ModuleType) and thing.__name__.startswith("hopref."):
            return Room(thing, self)
        if not isfunction(thing):
            return thing
        if thing in self.replaced:
            return partial(self.either, thing)
        if not thing.__module__.startswith(self.formulas):
            return thing
        it = getattr(thing, "__wrapped__", thing)
        names = {i.argval for i in get_instructions(it) if i.opname == "LOAD_GLOBAL"}
        known = {n: self(it.__globals__[n]) for n in names if n in it.__globals__}
        known["__builtins__"] = __builtins__
        new = FunctionType(it.__code__, known, it.__name__, it.__defaults__, it.__closure__)
        new.__kwdefaults__ = it.__kwdefaults__
        return new if it is thing else resolving(thing, new)

    def either(self, function, *args, **kwargs):
        """The replacement where there is a ball to take."""
        balls = any(isinstance(a, Ball) for a in args)
        return (self.replaced[function] if balls else function)(*args, **kwargs)


class Room:
    """A module whose formulas name the replacements."""
    def __init__(self, module, replacing):
        self.module, self.replacing = module, replacing

    def __getattr__(self, name):
        return self.replacing(getattr(self.module, name))


def resolving(op, formula):
    """An op's formula, which is given what the names of options stand for."""
    options = {k: d for k, d in op.domains.items() if hasattr(d, "resolve")}

    def call(*args, **kwargs):
        for k, domain in options.items():
            kwargs[k] = domain.resolve(kwargs.get(k, op.signature.parameters[k].default))
        return formula(*args, **kwargs)
    return call

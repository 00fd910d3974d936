"""Formulas on balls, with maps in them that know more of themselves than their text.

``REPLACED`` holds, for a function of `hopref`, one that takes and gives balls.  A formula is run
with these in the place of those that it names, and so are the formulas that it calls.
"""
from dis import get_instructions
from functools import partial
from inspect import isfunction
from types import FunctionType, ModuleType

from hopref.check.balls import Ball
from hopref.op import open_door

__all__ = ["REPLACED", "with_replacements"]

REPLACED = {}       # function -> the same on balls
FORMULAS = ("hopref.models.", "hopref.gradients.", "hopref.maps.potentials")


def with_replacements(op):
    """The op's formula, which takes and gives balls."""
    return open_door()(on_balls(op))


def on_balls(thing):
    """A formula, or a room of formulas, that names the replacements; anything else as it is."""
    if isinstance(thing, ModuleType) and thing.__name__.startswith("hopref."):
        return Room(thing)
    if not isfunction(thing):
        return thing
    if thing in REPLACED:
        return partial(either, thing)
    if not thing.__module__.startswith(FORMULAS):
        return thing
    it = getattr(thing, "__wrapped__", thing)
    names = {i.argval for i in get_instructions(it) if i.opname == "LOAD_GLOBAL"}
    known = {n: on_balls(it.__globals__[n]) for n in names if n in it.__globals__}
    new = FunctionType(it.__code__, known, it.__name__, it.__defaults__, it.__closure__)
    new.__kwdefaults__ = it.__kwdefaults__
    return new if it is thing else resolving(thing, new)


def either(function, *args, **kwargs):
    """The replacement where there is a ball to take."""
    balls = any(isinstance(a, Ball) for a in args)
    return (REPLACED[function] if balls else function)(*args, **kwargs)


class Room:
    """A module whose formulas name the replacements."""
    def __init__(self, module):
        self.module = module

    def __getattr__(self, name):
        return on_balls(getattr(self.module, name))


def resolving(op, formula):
    """An op's formula, which is given what the names of options stand for."""
    options = {k: d for k, d in op.domains.items() if hasattr(d, "resolve")}

    def call(*args, **kwargs):
        for k, domain in options.items():
            kwargs[k] = domain.resolve(kwargs.get(k, op.signature.parameters[k].default))
        return formula(*args, **kwargs)
    return call

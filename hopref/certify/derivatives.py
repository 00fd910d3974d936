"""Derivatives of formulas in ball arithmetic, by reverse accumulation over scalars.

A `Variable` holds a ball and the partial derivatives by the variables that it was computed from.
Formulas that are written for balls are thereby differentiated without a further text.
"""
import itertools

import numpy as np
from flint import arb

__all__ = ["Variable", "variables", "detached", "implicit", "gradient"]

_count = itertools.count()


class Variable:
    """A number that remembers how it was computed.

    Attributes
    ----------
    value : the ball
    parents : the variables that it depends on, with the partial derivatives
    """
    __slots__ = ("value", "parents", "index")

    def __init__(self, value, parents=()):
        self.value, self.parents, self.index = value, parents, next(_count)

    def __neg__(self):
        return Variable(-self.value, ((self, -1),))

    def __add__(self, other):
        if isinstance(other, np.ndarray):
            return NotImplemented
        return _joined(self, other, self.value + detached(other), 1, 1)

    def __sub__(self, other):
        if isinstance(other, np.ndarray):
            return NotImplemented
        return _joined(self, other, self.value - detached(other), 1, -1)

    def __rsub__(self, other):
        return _joined(self, other, other - self.value, -1, 1)

    def __mul__(self, other):
        if isinstance(other, np.ndarray):
            return NotImplemented
        return _joined(self, other, self.value * detached(other), detached(other), self.value)

    def __truediv__(self, other):
        if isinstance(other, np.ndarray):
            return NotImplemented
        v = detached(other)
        y = self.value / v
        return _joined(self, other, y, arb(1) / v, -y / v)

    def __rtruediv__(self, other):
        y = other / self.value
        return Variable(y, ((self, -y / self.value),))

    __radd__, __rmul__ = __add__, __mul__

    def exp(self):
        y = self.value.exp()
        return Variable(y, ((self, y),))

    def log(self):
        return Variable(self.value.log(), ((self, 1 / self.value),))

    def sqrt(self):
        """The root; a root of exactly 0 is a constant."""
        if self.value.is_zero():
            return self.value
        y = self.value.sqrt()
        return Variable(y, ((self, 1 / (2 * y)),))

    def tanh(self):
        y = self.value.tanh()
        return Variable(y, ((self, 1 - y * y),))

    def sin(self):
        return Variable(self.value.sin(), ((self, self.value.cos()),))

    def cos(self):
        return Variable(self.value.cos(), ((self, -self.value.sin()),))


def _joined(a, b, value, by_a, by_b):
    """The result of an operation on a variable and another number."""
    parents = ((a, by_a), (b, by_b)) if isinstance(b, Variable) else ((a, by_a),)
    return Variable(value, parents)


def variables(x):
    """Every number of an array as a variable; -inf stays a float."""
    make = np.frompyfunc(lambda v: v if isinstance(v, float) else Variable(v), 1, 1)
    return make(x) if isinstance(x, np.ndarray) else Variable(x)


def detached(v):
    """The ball of a variable; other numbers unchanged."""
    return v.value if isinstance(v, Variable) else v


def implicit(root, residual, slope):
    """The root of an equation as a variable.

    Parameters
    ----------
    root : the ball of the root
    residual : the left side at the root, a variable by the parameters of the equation alone
    slope : its derivative by the unknown
    """
    if not isinstance(residual, Variable):
        return root
    return Variable(root, ((residual, -1 / slope),))


def gradient(results, cotangents):
    """{index of a variable: the derivative} of the sum of the products of both lists."""
    found, nodes, stack = {}, {}, []
    for y, g in zip(results, cotangents, strict=True):
        if isinstance(y, Variable):
            found[y.index] = found.get(y.index, arb(0)) + g
            stack.append(y)
    while stack:
        node = stack.pop()
        if node.index not in nodes:
            nodes[node.index] = node
            stack += [parent for parent, _ in node.parents]
    for index in sorted(nodes, reverse=True):
        along = found.get(index)
        if along is not None:
            for parent, partial in nodes[index].parents:
                found[parent.index] = found.get(parent.index, arb(0)) + partial * along
    return found

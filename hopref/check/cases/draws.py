"""Random draws of the arguments of laws: combinators over a NumPy generator.

A `Draw` computes a value from a generator.  The argument ``over=`` of `hopref.check.laws.law` is a
draw, for a law whose arguments must satisfy more than the declaration of the operation, such as a
symmetric matrix with a diagonal >= 0.  Numbers are mostly small multiples of 1/8: sums, differences
and products of a few of them are exact in every format, so that the arithmetic of a law adds no
error.

    @composed
    def problems(draw, max_n=6):
        n, d = draw(integers(1, max_n)), draw(integers(1, 5))
        return {"xi": draw(arrays(d)), "X": draw(arrays(n, d)), "beta": draw(betas)}
"""
import functools
from collections.abc import Callable

import numpy as np

__all__ = ["Draw", "composed", "integers", "sampled", "floats", "booleans", "constant", "arrays",
           "masks", "records", "lists", "seeds", "eighths", "betas", "small", "polar"]


class Draw:
    """A random variable: a function of a NumPy generator."""
    def __init__(self, make: Callable[[np.random.Generator], object]):
        self.make = make

    def __call__(self, rng):
        return self.make(rng)

    def map(self, function):
        """The draw of ``function`` applied to the values of this draw."""
        return Draw(lambda rng: function(self(rng)))

    def __or__(self, other):
        """The draw of either of the two, with equal probabilities."""
        return Draw(lambda rng: (self if rng.random() < 0.5 else other)(rng))


def composed(function):
    """Decorate a function whose first argument, ``draw``, returns the values of other draws."""
    @functools.wraps(function)
    def declared(*args, **kwargs):
        return Draw(lambda rng: function(lambda one: one(rng), *args, **kwargs))
    return declared


def integers(low, high):
    """Integers from ``low`` to ``high``, both included."""
    return Draw(lambda rng: int(rng.integers(low, high, endpoint=True)))


def floats(low, high):
    """Numbers from ``low`` to ``high``, the ends sometimes; logarithmic where low > 0."""
    def make(rng):
        if rng.random() < 0.125:
            return float((low, high)[int(rng.integers(2))])
        if low > 0:
            return float(np.clip(low * (high / low) ** rng.random(), low, high))
        return float(rng.uniform(low, high))
    return Draw(make)


def sampled(values):
    """One of the values."""
    values = list(values)
    return Draw(lambda rng: values[int(rng.integers(len(values)))])


def constant(value):
    """The draw of a constant."""
    return Draw(lambda rng: value)


def booleans():
    """True or False."""
    return sampled([False, True])


def seeds():
    """Seeds of further generators."""
    return integers(0, 2**32 - 1)


def lists(elements, least=0, most=8):
    """Lists of ``least`` to ``most`` elements."""
    return Draw(lambda rng: [elements(rng) for _ in range(int(rng.integers(least, most + 1)))])


eighths = integers(-32, 32).map(lambda k: k / 8)
small = integers(-3, 3).map(float)
polar = sampled([-1.0, 1.0])
betas = sampled([2.0**-10, 0.25, 1.0, 3.0, 64.0])


def arrays(*shape, elements=eighths):
    """Arrays of independent elements; sometimes all elements or two rows are equal, for ties.
    """
    def make(rng):
        x = np.array([elements(rng) for _ in range(int(np.prod(shape)))]).reshape(shape)
        if x.size and (chance := rng.random()) < 0.3:
            x[-1 if chance < 0.15 else slice(None)] = x.flat[0] if chance > 0.25 else x[0]
        return x
    return Draw(make)


def masks(*shape, seen=0.5, some=False):
    """Boolean arrays; with ``some`` every row contains True."""
    def make(rng):
        mask = rng.random(shape) < seen
        if some and shape[-1]:
            mask |= np.arange(shape[-1]) == rng.integers(shape[-1], size=(*shape[:-1], 1))
        return mask
    return Draw(make)


def records(**draws):
    """Dictionaries with a drawn value for each name."""
    return Draw(lambda rng: {name: draw(rng) for name, draw in draws.items()})

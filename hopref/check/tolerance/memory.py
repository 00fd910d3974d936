"""Memory of evaluations in long double, which laws and bugs ask for again with equal arguments.

`remembered` keeps the results of a function.  Arguments are identified by their contents, in long
double, so that a float32 and a float64 array of equal entries share one result.  The contents of an
array are read once for a call and all calls within it.  The results are read-only.  Calls with
other objects, such as generators, are evaluated each time.
"""
import functools
import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import contextmanager

import numpy as np

from hopref.check.tolerance.toleranced import Toleranced, Uncertain

__all__ = ["MEMORY", "remembered"]

MOST_BYTES = 2**26                  # of the results that are kept; the oldest go first
LONG = np.dtype(np.longdouble)
SIGNIFICANT = 10 if np.finfo(LONG).nmant == 63 else LONG.itemsize   # bytes; the rest is padding


class Unidentified(Exception):
    """An argument is no number, array, name or operation."""


class Memory:
    """Results by their keys, in the order of their last use.

    ``read`` holds the arrays whose contents were read during the current evaluation, and these.
    """
    def __init__(self):
        self.results, self.bytes = OrderedDict(), 0
        self.evaluations, self.read = 0, {}

    def find(self, key):
        self.results.move_to_end(key)
        return self.results[key]

    def keep(self, key, result):
        self.results[key] = result
        self.bytes += size_of(result)
        while self.bytes > MOST_BYTES:
            self.bytes -= size_of(self.results.popitem(last=False)[1])

    @contextmanager
    def evaluation(self):
        """The extent of a call, in which no array changes."""
        self.evaluations += 1
        try:
            yield
        finally:
            self.evaluations -= 1
            if self.evaluations == 0:
                self.read.clear()

    def digest(self, array):
        """A hash of the contents of an array."""
        if id(array) not in self.read:
            digest = hashlib.blake2b(contents(array), digest_size=16).digest()
            self.read[id(array)] = array, digest
        return self.read[id(array)][1]


MEMORY = Memory()


def remembered(function):
    """Decorate a function that depends on nothing but its arguments."""
    @functools.wraps(function)
    def kept(*args, **kwargs):
        with MEMORY.evaluation():
            try:
                key = function, identity((args, kwargs))
            except Unidentified:
                return function(*args, **kwargs)
            if key not in MEMORY.results:
                MEMORY.keep(key, protected(function(*args, **kwargs)))
            return MEMORY.find(key)
    return kept


def identity(x):
    """A hashable value that is equal for equal arguments only."""
    if isinstance(x, (list, tuple)):
        return tuple(map(identity, x))
    if isinstance(x, dict):
        return tuple((k, identity(v)) for k, v in sorted(x.items()))
    if isinstance(x, Toleranced):
        return "toleranced", identity(x.value), identity(x.radius), x.profile
    if isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "fiub":
        return x.dtype.kind, x.shape, MEMORY.digest(x)
    if isinstance(x, Hashable) and not hasattr(x, "__next__") and not hasattr(x, "bit_generator"):
        return type(x), x
    raise Unidentified


def contents(x):
    """The bytes of the entries."""
    if x.dtype.kind != "f":
        return np.ascontiguousarray(x).astype("i8").tobytes()
    entries = np.ascontiguousarray(x, LONG).reshape(-1, 1).view(np.uint8)
    return entries[:, :SIGNIFICANT].tobytes()


def arrays_of(result):
    """The arrays that a result consists of."""
    if isinstance(result, tuple):
        return [a for part in result for a in arrays_of(part)]
    if isinstance(result, Toleranced):
        return [result.value, result.radius]
    if isinstance(result, Uncertain):
        return [result.value, result.uncertain]
    return [result] if isinstance(result, np.ndarray) else []


def size_of(result):
    return 256 + sum(a.nbytes for a in arrays_of(result))


def protected(result):
    for a in arrays_of(result):
        a.flags.writeable = False
    return result

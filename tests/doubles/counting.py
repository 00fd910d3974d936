"""An array-API namespace over NumPy that counts what its arrays cost to make.

Arrays carry their `Count` as their namespace, so a formula that takes ``xp`` from its arguments is
counted without knowing.  A product of matrices costs its multiply-adds; any other new array one
operation an entry of itself or of its largest argument, whichever is more; picking entries costs
the entries picked; a view costs nothing.  The counts depend on shapes alone: they repeat exactly.

Only NumPy and the standard library are imported here: the benchmarks load this file by its path.
"""
import math
import operator

import numpy as np

__all__ = ["Count", "Counted", "count"]

PICKS = {"take", "take_along_axis", "getitem"}
PRODUCTS = {"matmul"}
UNCOUNTED = {"dot", "einsum", "inner", "kron", "linalg", "outer", "tensordot", "vecdot"}


def count(function, *args, **kwargs):
    """The `Count` of one call, NumPy arrays among its arguments replaced by counting ones."""
    tally = Count()
    function(*map(tally.array, args), **{k: tally.array(v) for k, v in kwargs.items()})
    return tally


class Count:
    """The namespace; ``work`` in operations, ``formed`` in bytes, ``largest`` array in bytes."""

    def __init__(self):
        self.work = self.formed = self.largest = 0

    def array(self, value):
        return Counted(value, self) if isinstance(value, (np.ndarray, np.generic)) else value

    def __getattr__(self, name):
        if name in UNCOUNTED:
            raise AttributeError(f"what {name} costs is not known here")
        attribute = getattr(np, name)
        if not callable(attribute) or isinstance(attribute, type):
            return attribute
        return lambda *args, **kwargs: self.call(name, attribute, *args, **kwargs)

    def call(self, name, function, *args, **kwargs):
        """``function`` of the bare arrays; its result counts."""
        bare_args, bare_kwargs = bare(args), {k: bare(v) for k, v in kwargs.items()}
        result = function(*bare_args, **bare_kwargs)
        given = [a for a in leaves((bare_args, bare_kwargs)) if isinstance(a, np.ndarray)]
        several = type(result) is tuple
        for y in result if several else [result]:
            if isinstance(y, np.ndarray) and not any(np.may_share_memory(y, a) for a in given):
                self.add(name, y, given)
        return tuple(map(self.array, result)) if several else self.array(result)

    def add(self, name, y, given):
        """What ``y`` cost."""
        if name in PRODUCTS:
            self.work += math.prod(y.shape) * given[0].shape[-1]
        else:
            self.work += max([y.size] + [a.size for a in given if name not in PICKS])
        self.formed += y.nbytes
        self.largest = max(self.largest, y.nbytes)


class Counted:
    """An array whose operations are counted."""
    __array_ufunc__ = None      # NumPy operands on the left leave the operation to this class

    def __init__(self, value, tally):
        self.value, self.tally = np.asarray(value), tally

    def __array_namespace__(self, api_version=None):
        return self.tally

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    device = property(lambda self: "cpu")
    T = property(lambda self: Counted(self.value.T, self.tally))
    mT = property(lambda self: Counted(self.value.mT, self.tally))

    def __dlpack_device__(self):
        return 1, 0                                     # ordinary memory

    def __bool__(self):
        return bool(self.value)

    def __float__(self):
        return float(self.value)

    def __int__(self):
        return int(self.value)

    def __index__(self):
        return operator.index(self.value[()])

    def __getitem__(self, key):
        return self.tally.call("getitem", operator.getitem, self, key)


def bare(x):
    """``x`` with NumPy arrays in place of counting ones, inside tuples and lists too."""
    if isinstance(x, Counted):
        return x.value
    return type(x)(map(bare, x)) if type(x) in (tuple, list) else x


def leaves(x):
    """Everything inside tuples, lists and dictionaries."""
    if isinstance(x, dict):
        x = list(x.values())
    return [leaf for part in x for leaf in leaves(part)] if isinstance(x, (tuple, list)) else [x]


def _operator(name):
    function = getattr(operator, f"__{name}__")

    def forward(self, *others):
        return self.tally.call(name, function, self, *others)

    def backward(self, other):
        return self.tally.call(name, function, other, self)
    return forward, backward


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or",
              "xor"):
    _forward, _backward = _operator(_name)
    setattr(Counted, f"__{_name}__", _forward)
    setattr(Counted, f"__r{_name}__", _backward)
for _name in ("lt", "le", "eq", "ne", "gt", "ge", "neg", "pos", "abs", "invert"):
    setattr(Counted, f"__{_name}__", _operator(_name)[0])

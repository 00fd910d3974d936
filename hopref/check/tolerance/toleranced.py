"""Arrays with bounds on the error of an honest candidate.

A `Toleranced` is a value and a radius; `profile` is the arithmetic of the candidate to which the
radius applies.  The radius is derived, not proved: a sum of n terms is charged
min(n u, 4 sqrt(n) u), so that the interval is no enclosure.  A comparison that the radii do not
determine is `Uncertain`.

`TolerancedNamespace` is the array-API namespace of these arrays, so that a formula called with them
computes the truth and its tolerance at once, for any operation.  The effect of a function on a
radius is a rule in `RULES` (see `hopref.check.tolerance.running_error`); functions of hopref that
have a sharper rule than the operations of their text are declared with `implements`, and other
honest algorithms for a function with `alternative`.
"""
import math

import numpy as np

from hopref.check.tolerance.arithmetic import Profile

__all__ = ["ALTERNATIVES", "COMPARISONS", "RULES", "Toleranced", "TolerancedNamespace", "Uncertain",
           "alternative", "at_most", "declare", "exactly", "implements", "some", "toleranced",
           "value_and_uncertainty", "value_of"]

FINE = Profile("exact", 2.0**-63)       # an arithmetic of negligible error
LARGEST = float(np.finfo(np.float64).max)
RULES = {}                  # name of an array function -> its rule, called with a profile first
IMPLEMENTATIONS = {}        # function of hopref -> the same with toleranced arguments
ALTERNATIVES = {}           # function of hopref -> other honest algorithms for it
OF_RESULTS = set()          # those that begin with the results of the function


def declare(rules):
    """Add rules of array functions, by the names of these."""
    RULES.update(rules)
    return rules


def implements(function):
    """Decorate the implementation of ``function`` for toleranced arguments."""
    def declare(own):
        IMPLEMENTATIONS[function] = own
        return own
    return declare


def alternative(*functions, of_results=False):
    """Decorate another algorithm for ``functions``, which an honest candidate may use.

    It is written like a formula and takes the arguments of the function, whose tolerance is then
    the largest, entry by entry, of the running errors of all of its algorithms.  With
    ``of_results`` the first argument holds the results of the function.
    """
    def declare(own):
        for function in functions:
            ALTERNATIVES.setdefault(function, []).append(own)
        if of_results:
            OF_RESULTS.add(own)
        return own
    return declare


def widest(function):
    """The function with the largest radii of its algorithms; an infinite one excuses nothing."""
    first = IMPLEMENTATIONS.get(function, getattr(function, "formula", function.__wrapped__))

    def call(*args, **kwargs):
        found = results = first(*args, **kwargs)
        for algorithm in ALTERNATIVES[function]:
            given = (results, *args) if algorithm in OF_RESULTS else args
            found = widened_by(algorithm(*given, **kwargs), found)
        return found
    return call


def widened_by(other, found):
    """The values found, with the larger of both radii where the other is finite."""
    if isinstance(found, tuple):
        return tuple(map(widened_by, other, found))
    if not isinstance(other, Toleranced):
        return found
    found = exactly(found, other.profile)
    known = np.where(other.radius < np.inf, other.radius, 0.0)
    return Toleranced(found.value, np.maximum(found.radius, known), found.profile)


class Toleranced:
    """Numbers known to within ``radius``; `profile` is the arithmetic that works on them.

    ``ordinary`` is true only if all numbers and radii are finite and none exceeds the format, and
    ``inexact`` only if all radii are positive.  ``sizes`` are the magnitudes in float64.
    """
    __slots__ = ("value", "radius", "profile", "ordinary", "inexact", "known_sizes")
    __array_priority__ = 1000

    def __init__(self, value, radius, profile, inexact=False):
        self.value, self.profile, self.inexact = np.asarray(value), profile, inexact
        radius = np.asarray(radius, float)
        if radius.shape != self.value.shape:
            radius = radius + np.zeros(self.value.shape)        # faster than numpy.broadcast_to
        self.known_sizes = None
        self.ordinary = at_most(np.abs(self.value), profile.most) and at_most(radius)
        if not self.ordinary:
            self.inexact = False
            finite = np.isfinite(self.value)
            radius = np.where(~finite & (radius != np.inf), 0.0, radius)    # an inf or NaN stays
            if profile.most < np.inf:   # beyond the format's range an honest candidate has inf
                radius = np.where(finite & (np.abs(self.value) > profile.most), np.inf, radius)
            radius = np.where(np.isnan(radius), np.inf, radius)
        self.radius = radius

    @classmethod
    def examined(cls, value, radius, profile, ordinary=True, inexact=False, sizes=None):
        """Numbers and radii of one shape that the constructor would leave as they are."""
        self = cls.__new__(cls)
        self.value, self.radius, self.profile = np.asarray(value), np.asarray(radius), profile
        self.ordinary, self.inexact, self.known_sizes = ordinary, inexact, sizes
        return self

    @property
    def sizes(self):
        if self.known_sizes is None:
            self.known_sizes = np.abs(self.value).astype(float)
        return self.known_sizes

    def __repr__(self):
        return f"Toleranced({self.value!r}, radius={self.radius!r})"

    @staticmethod
    def __hopref_function__(function):
        return widest(function) if function in ALTERNATIVES else IMPLEMENTATIONS.get(function)

    def __array_namespace__(self, *, api_version=None):
        return TolerancedNamespace(self.profile)

    def __array_ufunc__(self, ufunc, method, *args, **kwargs):
        if method != "__call__" or kwargs.get("out"):
            return NotImplemented
        return getattr(TolerancedNamespace(self.profile), ufunc.__name__)(*args, **kwargs)

    def __array_function__(self, function, types, args, kwargs):
        return getattr(TolerancedNamespace(self.profile), function.__name__)(*args, **kwargs)

    def __dlpack_device__(self):
        return 1, 0                                     # ordinary memory

    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    dtype = property(lambda self: self.value.dtype)
    device = property(lambda self: "cpu")
    T = property(lambda self: self.rearranged(lambda a: a.T))
    mT = property(lambda self: self.rearranged(lambda a: np.swapaxes(a, -1, -2)))

    def rearranged(self, move):
        """Value and radius rearranged by ``move``."""
        return Toleranced.examined(move(self.value), move(self.radius), self.profile, self.ordinary,
                                   self.inexact)

    def __getitem__(self, key):
        return self.rearranged(lambda a: a[key])

    def __len__(self):
        return len(self.value)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __neg__(self):
        return self.with_value(-self.value)

    def __pos__(self):
        return self

    def __abs__(self):
        return self.with_value(abs(self.value))

    def with_value(self, value):
        """Other numbers, as far from 0 as these."""
        return Toleranced.examined(value, self.radius, self.profile, self.ordinary, self.inexact,
                                   self.known_sizes)


def at_most(sizes, most=math.inf):
    """Whether none of the sizes, which are not negative, is infinite, NaN or larger than ``most``.
    """
    within = sizes < math.inf if most == math.inf else sizes <= most
    return np.count_nonzero(within) == within.size


def some(truth):
    """`numpy.any` of all entries, at a sixth of the cost of its call for small arrays."""
    return np.count_nonzero(truth) > 0


def binary(name):
    def forward(self, other):
        return RULES[name](self.profile, self, other)

    def backward(self, other):
        return RULES[name](self.profile, other, self)
    return forward, backward


for operator, name in [("add", "add"), ("sub", "subtract"), ("mul", "multiply"),
                       ("matmul", "matmul"), ("truediv", "divide"), ("pow", "pow")]:
    forward, backward = binary(name)
    setattr(Toleranced, f"__{operator}__", forward)
    setattr(Toleranced, f"__r{operator}__", backward)
COMPARISONS = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
               "eq": "equal", "ne": "not_equal"}
for operator, name in COMPARISONS.items():
    setattr(Toleranced, f"__{operator}__", binary(name)[0])


class Uncertain:
    """Truth values, and the mask of those that rounding could reverse."""
    __slots__ = ("value", "uncertain")
    __array_ufunc__ = None

    def __init__(self, value, uncertain):
        self.value, self.uncertain = value, uncertain

    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)

    def __getitem__(self, key):
        return Uncertain(self.value[key], self.uncertain[key])

    def __invert__(self):
        return Uncertain(~self.value, self.uncertain)

    def __and__(self, other):
        value, uncertain = value_and_uncertainty(other)
        return Uncertain(self.value & value, (self.uncertain | uncertain)
                         & (self.value | self.uncertain) & (value | uncertain))

    def __or__(self, other):
        return ~(~self & ~(other if isinstance(other, Uncertain) else np.asarray(other)))

    __rand__, __ror__ = __and__, __or__


def value_and_uncertainty(truth):
    """Truth values, and which of them are uncertain."""
    if isinstance(truth, Uncertain):
        return truth.value, truth.uncertain
    return np.asarray(truth), np.zeros(np.shape(truth), bool)


def exactly(x, profile):
    """``x`` with radius zero."""
    return x if isinstance(x, Toleranced) else Toleranced(x, 0.0, profile)


def toleranced(value, radius, profile=FINE):
    """``value`` within ``radius``."""
    return Toleranced(value, radius, profile)


def has_toleranced(things):
    return any(isinstance(t, (Toleranced, Uncertain))
               or isinstance(t, (list, tuple)) and has_toleranced(t) for t in things)


REARRANGEMENTS = {
    "reshape", "permute_dims", "transpose", "matrix_transpose", "swapaxes", "moveaxis", "flip",
    "roll", "expand_dims", "squeeze", "broadcast_to", "tril", "triu", "repeat", "tile", "take",
    "take_along_axis", "concat", "concatenate", "stack", "atleast_1d", "ravel", "copy", "diagonal",
    "linalg_diagonal"}
QUERIES = {
    "isfinite", "isnan", "isinf", "signbit", "argsort", "nonzero", "any", "all", "zeros_like",
    "ones_like", "full_like", "empty_like", "result_type", "isdtype", "count_nonzero", "shape",
    "ndim", "size",
    "log2"}             # from which formulas compute units, powers of two


class TolerancedNamespace:
    """The array-API namespace of toleranced arrays; calls without one go to NumPy."""
    def __init__(self, profile):
        self.profile = profile

    def __eq__(self, other):
        return isinstance(other, TolerancedNamespace)

    def __hash__(self):
        return hash(TolerancedNamespace)

    def __getattr__(self, name):
        rule, plain = RULES.get(name), getattr(np, name, None)
        if rule is None and not callable(plain) or isinstance(plain, type):
            return plain if plain is not None else missing(name)

        def function(*args, **kwargs):
            if not has_toleranced((*args, *kwargs.values())):
                return plain(*args, **kwargs)
            if name in REARRANGEMENTS:
                return rearranged(self.profile, plain, args, kwargs)
            if name in QUERIES:
                return plain(*map(value_of, args),
                             **{k: value_of(v) for k, v in kwargs.items()})
            return (rule or missing(name))(self.profile, *args, **kwargs)
        return function


def missing(name):
    raise TypeError(f"running error analysis has no rule for xp.{name}")


def value_of(x):
    if isinstance(x, (list, tuple)):
        return type(x)(map(value_of, x))
    return x.value if isinstance(x, (Toleranced, Uncertain)) else x


def radius_of(x):
    """The radius of a toleranced array, 0 for plain arrays; of truth values the uncertain ones."""
    if isinstance(x, (list, tuple)) and has_toleranced(x):
        return type(x)(map(radius_of, x))
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        return np.zeros(x.shape)
    return getattr(x, "radius", getattr(x, "uncertain", x))


def rearranged(profile, plain, args, kwargs):
    """Rearranging entries preserves radii."""
    value = plain(*map(value_of, args), **{k: value_of(v) for k, v in kwargs.items()})
    radius = plain(*map(radius_of, args), **{k: radius_of(v) for k, v in kwargs.items()})
    return Uncertain(value, radius) if value.dtype == bool else Toleranced(value, radius, profile)

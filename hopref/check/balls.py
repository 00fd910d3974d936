"""Balls: arrays that carry a bound on how far an honest candidate may be off.

A `Ball` is a value and a radius; `profile` is the arithmetic of the candidate that the radius
speaks of.  A comparison that the radii leave open is a `Doubt`.  `Space` is the array-API namespace
of balls, so ``op.formula(balls...)`` computes the truth and its tolerance at once, for any op; what
each function does to a radius stands in `hopref.check.running_error`.
"""
import numpy as np

from hopref.check.arithmetic import Profile

__all__ = ["Ball", "Doubt", "Space", "exactly", "about", "opened", "COMPARISONS"]
FINE = Profile("exact", 2.0**-63)       # arithmetic whose own error is next to nothing


class Ball:
    """Numbers known to within ``radius``; `profile` is the arithmetic that works on them."""
    __slots__ = ("value", "radius", "profile")
    __array_priority__ = 1000

    def __init__(self, value, radius, profile):
        self.value = np.asarray(value)
        radius = np.broadcast_to(np.asarray(radius, float), self.value.shape)
        exact = ~np.isfinite(self.value) & (radius != np.inf)       # an inf or NaN stays one
        radius = np.where(exact, 0.0, radius)
        self.radius = np.where(np.isnan(radius), np.inf, radius)
        self.profile = profile

    def __repr__(self):
        return f"Ball({self.value!r}, radius={self.radius!r})"

    def __array_namespace__(self, *, api_version=None):
        return Space(self.profile)

    def __array_ufunc__(self, ufunc, method, *args, **kwargs):
        if method != "__call__" or kwargs.get("out"):
            return NotImplemented
        return getattr(Space(self.profile), ufunc.__name__)(*args, **kwargs)

    def __array_function__(self, function, types, args, kwargs):
        return getattr(Space(self.profile), function.__name__)(*args, **kwargs)

    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    dtype = property(lambda self: self.value.dtype)
    device = property(lambda self: "cpu")
    T = property(lambda self: self.through(lambda a: a.T))
    mT = property(lambda self: self.through(lambda a: np.swapaxes(a, -1, -2)))

    def __dlpack_device__(self):
        return 1, 0                                     # ordinary memory

    def through(self, move):
        """The same numbers elsewhere."""
        return Ball(move(self.value), move(self.radius), self.profile)

    def __getitem__(self, key):
        return self.through(lambda a: a[key])

    def __len__(self):
        return len(self.value)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __neg__(self):
        return Ball(-self.value, self.radius, self.profile)

    def __pos__(self):
        return self

    def __abs__(self):
        return Ball(abs(self.value), self.radius, self.profile)


def binary(name):
    def forward(self, other):
        return getattr(Space(self.profile), name)(self, other)

    def backward(self, other):
        return getattr(Space(self.profile), name)(other, self)
    return forward, backward


for sign, name in [("add", "add"), ("sub", "subtract"), ("mul", "multiply"), ("matmul", "matmul"),
                   ("truediv", "divide"), ("pow", "pow")]:
    there, back = binary(name)
    setattr(Ball, f"__{sign}__", there)
    setattr(Ball, f"__r{sign}__", back)
COMPARISONS = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
               "eq": "equal", "ne": "not_equal"}
for sign, name in COMPARISONS.items():
    setattr(Ball, f"__{sign}__", binary(name)[0])


class Doubt:
    """Truth values, some of which an honest candidate may see the other way."""
    __slots__ = ("value", "doubt")
    __array_ufunc__ = None

    def __init__(self, value, doubt):
        self.value, self.doubt = value, doubt

    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)

    def __getitem__(self, key):
        return Doubt(self.value[key], self.doubt[key])

    def __invert__(self):
        return Doubt(~self.value, self.doubt)

    def __and__(self, other):
        value, doubt = opened(other)
        return Doubt(self.value & value, (self.doubt | doubt) & (self.value | self.doubt) &
                     (value | doubt))

    def __or__(self, other):
        return ~(~self & ~(other if isinstance(other, Doubt) else np.asarray(other)))

    __rand__, __ror__ = __and__, __or__


def opened(truth):
    """The value and the doubt of truth values."""
    if isinstance(truth, Doubt):
        return truth.value, truth.doubt
    return np.asarray(truth), np.zeros(np.shape(truth), bool)


def exactly(x, profile):
    """``x`` as a ball of radius zero."""
    return x if isinstance(x, Ball) else Ball(x, 0.0, profile)


def about(value, radius, profile=FINE):
    """``value`` give or take ``radius``."""
    return Ball(value, radius, profile)


def has_ball(things):
    return any(isinstance(t, (Ball, Doubt)) or isinstance(t, (list, tuple)) and has_ball(t)
               for t in things)


MOVES = {"reshape", "permute_dims", "transpose", "matrix_transpose", "swapaxes", "moveaxis", "flip",
         "roll", "expand_dims", "squeeze", "broadcast_to", "tril", "triu", "repeat", "tile", "take",
         "take_along_axis", "concat", "concatenate", "stack", "atleast_1d", "ravel", "copy",
         "diagonal", "linalg_diagonal"}
QUESTIONS = {"isfinite", "isnan", "isinf", "signbit", "argsort", "nonzero",
             "any", "all", "zeros_like", "ones_like", "full_like", "empty_like", "result_type",
             "isdtype", "count_nonzero", "shape", "ndim", "size"}


class Space:
    """The array-API namespace of balls; what holds no ball goes to NumPy."""
    def __init__(self, profile):
        self.profile = profile

    def __eq__(self, other):
        return isinstance(other, Space)

    def __hash__(self):
        return hash(Space)

    def __getattr__(self, name):
        from hopref.check.running_error import RULES
        rule, plain = RULES.get(name), getattr(np, name, None)
        if rule is None and not callable(plain) or isinstance(plain, type):
            return plain if plain is not None else missing(name)

        def function(*args, **kwargs):
            with np.errstate(all="ignore"):
                if not has_ball((*args, *kwargs.values())):
                    return plain(*args, **kwargs)
                if name in MOVES:
                    return move(self.profile, plain, args, kwargs)
                if name in QUESTIONS:
                    return plain(*map(value_of, args),
                                 **{k: value_of(v) for k, v in kwargs.items()})
                return (rule or missing(name))(self.profile, *args, **kwargs)
        return function


def missing(name):
    raise TypeError(f"running error analysis has no rule for xp.{name}")


def value_of(x):
    if isinstance(x, (list, tuple)):
        return type(x)(map(value_of, x))
    return x.value if isinstance(x, (Ball, Doubt)) else x


def radius_of(x):
    """The radius of a ball, the doubt of a truth value, nought for the plain arrays beside them."""
    if isinstance(x, (list, tuple)) and has_ball(x):
        return type(x)(map(radius_of, x))
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        return np.zeros(x.shape)
    return x.radius if isinstance(x, Ball) else x.doubt if isinstance(x, Doubt) else x


def move(profile, plain, args, kwargs):
    """Numbers that only change place keep their radius."""
    value = plain(*map(value_of, args), **{k: value_of(v) for k, v in kwargs.items()})
    radius = plain(*map(radius_of, args), **{k: radius_of(v) for k, v in kwargs.items()})
    return Doubt(value, radius) if value.dtype == bool else Ball(value, radius, profile)

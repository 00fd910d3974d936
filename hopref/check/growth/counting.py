"""Arrays that count what it costs to make them, for the array API and for functions of NumPy.

Arrays carry their `Count` as their namespace, so a formula that takes ``xp`` from its arguments is
counted without knowing.  Functions and operators of NumPy are counted by its two protocols for
other arrays (``__array_ufunc__`` and ``__array_function__``).  The costs depend on shapes alone:
they repeat exactly.

* A product of matrices or a covariance costs its multiply-adds, ``einsum`` those of its
  contractions.
* A sort of n entries costs n log2(n), a factorisation of (m, n) m n min(m, n).
* Any other new array costs one operation an entry of itself or of its largest argument, whichever
  is more; picking entries costs the entries picked; a view costs nothing.

A function whose cost is not known, and a conversion to a plain array, after which operations would
not be counted, raise `NotCounted`.  Only NumPy and the standard library are imported here: the
benchmarks load this file by its path.
"""
import contextlib
import math
import operator
from unittest import mock

import numpy as np

__all__ = ["Count", "Counted", "NotCounted", "count", "intercepted"]

PICKS = {"take", "take_along_axis", "getitem", "setitem", "diagonal", "compress", "extract"}
PRODUCTS = {"matmul", "dot", "inner", "vdot", "vecdot", "matvec", "vecmat", "tensordot"}
GRIDS = {"convolve", "correlate"}
SORTS = {"sort", "argsort", "unique", "unique_values", "unique_counts", "unique_inverse", "lexsort",
         "searchsorted", "digitize", "fft", "ifft", "rfft", "irfft", "fft2", "ifft2", "fftn",
         "ifftn"}
FACTORISATIONS = {"cholesky", "det", "eig", "eigh", "eigvals", "eigvalsh", "inv", "lstsq",
                  "matrix_rank", "pinv", "qr", "slogdet", "solve", "svd", "svdvals"}
COVARIANCES = {"cov", "corrcoef"}
NORMS = {"norm", "matrix_norm"}
SPECTRAL = (2, -2, "nuc")               # orders of norms of matrices that need singular values
BY_ENTRY = set("""
    abs add all allclose amax amin any append argmax argmin argpartition argwhere around
    array_equal array_split asarray asanyarray ascontiguousarray asfortranarray array astype
    atleast_1d atleast_2d atleast_3d average bincount broadcast_arrays broadcast_to choose clip
    column_stack concat concatenate conj conjugate copy copyto count_nonzero cross cumprod cumsum
    cumulative_prod cumulative_sum delete diag diagflat diff dsplit dstack empty empty_like
    expand_dims eye fill fill_diagonal flatnonzero flatten flip fliplr flipud full full_like
    gradient histogram hsplit hstack identity imag indices insert interp
    isclose isin iscomplexobj isneginf isposinf isrealobj kron linspace logspace geomspace arange
    matrix_transpose max mean median meshgrid min moveaxis nan_to_num nanargmax nanargmin nancumsum
    nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar ndim nonzero norm vector_norm
    matrix_norm ones ones_like outer pad partition percentile permute_dims place prod ptp put
    put_along_axis putmask quantile ravel real repeat reshape resize roll rollaxis rot90 round
    row_stack select shape sinc size split squeeze stack std sum swapaxes take tile trace
    transpose trapezoid tri tril triu unstack unwrap vander var view vsplit vstack where zeros
    zeros_like sliding_window_view result_type can_cast may_share_memory shares_memory
    isdtype finfo iinfo real_if_close nanquantile nanpercentile logical_and logical_or
""".split())
OPERATORS = {"add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor",
             "lshift", "rshift"}
UNARY = {"lt", "le", "eq", "ne", "gt", "ge", "neg", "pos", "abs", "invert"}
DRAWS = """
    choice normal permutation rand randint randn random random_sample standard_normal uniform
""".split()
_asarray = np.asarray                   # that of NumPy, also inside `intercepted`
METHODS = """
    all any argmax argmin argpartition argsort astype choose clip compress conj conjugate copy
    cumprod cumsum diagonal dot fill flatten max mean min nonzero partition prod put ravel repeat
    reshape round searchsorted sort squeeze std sum swapaxes take trace transpose var view
""".split()
MAKERS = """
    arange array asanyarray asarray ascontiguousarray asfortranarray empty eye full geomspace
    identity indices linspace logspace ones tri zeros
""".split()                             # functions of NumPy that ignore its two protocols


class NotCounted(TypeError):
    """The cost of a call is not known."""


def count(function, *args, **kwargs):
    """The `Count` of one call, NumPy arrays among its arguments replaced by counting ones."""
    tally = Count()
    function(*map(tally.array, args), **{k: tally.array(v) for k, v in kwargs.items()})
    return tally


@contextlib.contextmanager
def intercepted(tally):
    """Context in which NumPy's functions that make or draw arrays make arrays that are counted.

    The functions are replaced in the module ``numpy``, for all threads; names that other modules
    took from it before keep the original, and arrays that these make are not counted.
    """
    with contextlib.ExitStack() as stack:
        for name in MAKERS:
            stack.enter_context(mock.patch.object(np, name, _maker(tally, getattr(np, name), name)))
        for name in DRAWS:
            draw = _maker(tally, getattr(np.random, name), "full")
            stack.enter_context(mock.patch.object(np.random, name, draw))
        stack.enter_context(mock.patch.object(
            np.random, "default_rng", _generator_of(tally, np.random.default_rng)))
        yield


class Count:
    """The namespace; ``work`` in operations, ``formed`` in bytes, ``largest`` array in bytes.

    ``lost`` is the reason for which operations were not counted, "" without one.
    """

    def __init__(self):
        self.work = self.formed = self.largest = 0
        self.lost, self.inside = "", False

    def array(self, value):
        return Counted(value, self) if isinstance(value, (np.ndarray, np.generic)) else value

    def __getattr__(self, name):
        attribute = getattr(np, name)
        if not callable(attribute) or isinstance(attribute, type):
            if name == "linalg":
                raise AttributeError(f"what {name} costs is not known here")
            return attribute
        if not (isinstance(attribute, np.ufunc) or known(name)):
            raise AttributeError(f"what {name} costs is not known here")
        return lambda *args, **kwargs: self.call(name, attribute, *args, **kwargs)

    def call(self, name, function, *args, **kwargs):
        """``function`` of the bare arrays; its result counts."""
        bare_args, bare_kwargs = bare(args), {k: bare(v) for k, v in kwargs.items()}
        with self.uncounted():
            result = function(*bare_args, **bare_kwargs)
        given = [a for a in leaves((bare_args, bare_kwargs)) if isinstance(a, np.ndarray)]
        written = [a for a in leaves(bare_kwargs.get("out")) if isinstance(a, np.ndarray)]
        for y in result if isinstance(result, (tuple, list)) else [result]:
            old = any(np.may_share_memory(y, a) for a in given) if isinstance(y, np.ndarray) \
                else not isinstance(y, np.generic)
            if not old or any(y is a for a in written):
                self.add(name, _asarray(y), given, bare_args, bare_kwargs)
        return self.wrapped(result)

    @contextlib.contextmanager
    def uncounted(self):
        """Context of the code of a function whose cost is known as a whole."""
        before, self.inside = self.inside, True
        try:
            yield
        finally:
            self.inside = before

    def wrapped(self, result):
        """The result with counting arrays, in tuples and lists too."""
        if type(result) in (tuple, list):
            return type(result)(map(self.array, result))
        if isinstance(result, tuple) and hasattr(result, "_fields"):
            return type(result)(*map(self.array, result))
        return self.array(result)

    def add(self, name, y, given, args=(), kwargs=None):
        """What ``y`` cost."""
        self.work += cost(name, y, given, args, kwargs or {})
        self.formed += y.nbytes
        self.largest = max(self.largest, y.nbytes)

    def lose(self, why):
        """Record, and raise, that operations are not counted."""
        self.lost = self.lost or why
        raise NotCounted(why)


class Counted:
    """An array whose operations are counted."""

    def __init__(self, value, tally):
        self.value, self.tally = _asarray(value), tally

    def __array_namespace__(self, api_version=None):
        return self.tally

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        name = ufunc.__name__
        if ufunc.signature is not None and name not in PRODUCTS:
            self.tally.lose(f"what {name} costs is not known")
        if method == "at":
            ufunc.at(*bare(inputs))
            self.tally.work += np.size(bare(inputs[1]))
            return None
        return self.tally.call(name, getattr(ufunc, method), *inputs, **kwargs)

    def __array_function__(self, function, types, args, kwargs):
        name = function.__name__
        if not known(name):
            self.tally.lose(f"what numpy.{name} costs is not known")
        return self.tally.call(name, function, *args, **kwargs)

    def __array__(self, *args, **kwargs):
        return self.tally.lose("the arrays are converted to plain ones")

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    itemsize = property(lambda self: self.value.itemsize)
    nbytes = property(lambda self: self.value.nbytes)
    strides = property(lambda self: self.value.strides)
    flags = property(lambda self: self.value.flags)
    device = property(lambda self: "cpu")
    T = property(lambda self: Counted(self.value.T, self.tally))
    mT = property(lambda self: Counted(self.value.mT, self.tally))
    real = property(lambda self: Counted(self.value.real, self.tally))
    imag = property(lambda self: Counted(self.value.imag, self.tally))

    def __dlpack_device__(self):
        return 1, 0                                     # ordinary memory

    def __len__(self):
        return len(self.value)

    def __iter__(self):
        return (self[i] for i in range(len(self.value)))

    def __contains__(self, item):
        return bool((self == item).any())

    def __bool__(self):
        return bool(self.value)

    def __float__(self):
        return float(self.value)

    def __int__(self):
        return int(self.value)

    def __index__(self):
        return operator.index(self.value[()])

    def item(self, *at):
        return self.value.item(*at)

    def __getitem__(self, key):
        return self.tally.call("getitem", operator.getitem, self, key)

    def __setitem__(self, key, value):
        self.value[bare(key)] = bare(value)
        self.tally.work += self.value[bare(key)].size



def known(name):
    """Whether the cost of this function is known."""
    return name in BY_ENTRY | PICKS | PRODUCTS | GRIDS | SORTS | FACTORISATIONS | COVARIANCES | \
        {"einsum"}


def cost(name, y, given, args=(), kwargs=None):
    """Operations of a function that made ``y`` of the arrays ``given``."""
    entries = [a.size for a in given] or [0]
    if name in PICKS:
        return y.size
    if name in PRODUCTS and len(given) > 1:
        batch = 1 if name in ("dot", "inner", "tensordot", "vdot") else None
        return _multiply_adds(y, given, batch)
    if name == "einsum":
        return _contractions(args, (kwargs or {}).get("optimize", False))
    if name in GRIDS:
        return math.prod(entries[:2])
    if name in SORTS:
        most = max(y.size, *entries)
        return most * max(1, math.ceil(math.log2(max(2, most))))
    if name in COVARIANCES:                 # of v variables: a product (v, n) by (n, v)
        return y.size * sum(entries) // max(1, math.isqrt(y.size))
    matrices = [a for a in given if a.ndim > 1]
    if matrices and (name in FACTORISATIONS or name in NORMS and _order(args, kwargs) in SPECTRAL):
        least = min(max(matrices, key=np.size).shape[-2:])
        return max(y.size * least, *(a.size * min(a.shape[-2:]) for a in matrices))
    return max(y.size, *entries)


def _order(args, kwargs):
    """The order of a norm."""
    return (kwargs or {}).get("ord", args[1] if len(args) > 1 else None)


def _multiply_adds(y, given, batch):
    """Multiply-adds of a product: entries of the result by the length of the sums."""
    a, b = given[:2]
    if 0 in (a.ndim, b.ndim):
        return y.size
    if batch is None:
        return y.size * a.shape[-1]
    return y.size * math.isqrt(a.size * b.size // max(1, y.size))


def _contractions(args, optimize):
    """Multiply-adds of einsum: all operands together, or by the pairs that ``optimize`` chooses."""
    if not isinstance(args[0], str):
        raise NotCounted("what numpy.einsum with lists of axes costs is not known")
    inputs, _, output = args[0].replace(" ", "").partition("->")
    terms, sizes = inputs.split(","), {}
    for term, a in zip(terms, args[1:]):
        before, dots, after = term.partition("...")
        shape = np.shape(a)
        sizes |= dict(zip(before, shape)) | dict(zip(after[::-1], shape[::-1]))
        inside = math.prod(shape[len(before):len(shape) - len(after)]) if dots else 1
        sizes["."] = max(sizes.get(".", 1), inside)
    terms, work = [set(term) for term in terms], 0
    path = np.einsum_path(*args, optimize=optimize)[0][1:] if optimize else [range(len(terms))]
    for chosen in path:
        joined = set().union(*(terms[i] for i in chosen))
        terms = [term for i, term in enumerate(terms) if i not in chosen]
        work += math.prod(sizes[axis] for axis in joined)
        terms.append(joined & set(output).union(*terms))
    return work


def bare(x):
    """``x`` with NumPy arrays in place of counting ones, inside tuples, lists, slices too."""
    if isinstance(x, Counted):
        return x.value
    if type(x) is slice:
        return slice(bare(x.start), bare(x.stop), bare(x.step))
    return type(x)(map(bare, x)) if type(x) in (tuple, list) else x


def leaves(x):
    """Everything inside tuples, lists and dictionaries."""
    if isinstance(x, dict):
        x = list(x.values())
    return [leaf for part in x for leaf in leaves(part)] if isinstance(x, (tuple, list)) else [x]


def _generator_of(tally, original):
    """The function ``default_rng``, whose generators draw arrays that are counted."""
    def make(*seed):
        with tally.uncounted():
            return _Drawn(original(*bare(seed)), tally)
    return make


class _Drawn:
    """A generator whose draws are counted."""

    def __init__(self, rng, tally):
        self.rng, self.tally = rng, tally

    def __getattr__(self, name):
        value = getattr(self.rng, name)
        return _maker(self.tally, value, "full") if callable(value) else value


def _maker(tally, original, name):
    """A function that makes arrays, at the cost of the function of this name."""
    def make(*args, **kwargs):
        if tally.inside:
            return original(*args, **kwargs)
        return tally.call(name, original, *args, **kwargs)
    return make


def _operator(name):
    function = getattr(operator, f"__{name}__")

    def forward(self, *others):
        return self.tally.call(name, function, self, *others)

    def backward(self, other):
        return self.tally.call(name, function, other, self)
    return forward, backward


def _in_place(name):
    function = getattr(operator, f"__i{name}__")

    def update(self, other):
        function(self.value, bare(other))
        self.tally.add(name, self.value, [self.value, _asarray(bare(other))])
        return self
    return update


def _method(name):
    def forward(self, *args, **kwargs):
        return self.tally.call(name, getattr(np.ndarray, name), self, *args, **kwargs)
    return forward


for _name in sorted(OPERATORS):
    _forward, _backward = _operator(_name)
    setattr(Counted, f"__{_name}__", _forward)
    setattr(Counted, f"__r{_name}__", _backward)
    setattr(Counted, f"__i{_name}__", _in_place(_name))
for _name in sorted(UNARY):
    setattr(Counted, f"__{_name}__", _operator(_name)[0])
for _name in METHODS:
    setattr(Counted, _name, _method(_name))

"""The CuPy names a formula may use, with the parameters CuPy gives them.

The formulas, the maps and dispatch run on CuPy arrays too, so each name they take from ``xp`` has
to be here. The table is compared with the wheel wherever that can be imported (without a driver).
"""

# Elementwise: operands by position; of the keywords only these (there is no ``where=``).
UFUNC_KEYWORDS = {"out", "dtype", "casting"}
UFUNCS = """
    abs add asin asinh atan atan2 atanh bitwise_and bitwise_invert bitwise_or bitwise_xor ceil
    copysign cos cosh divide equal exp expm1 floor floor_divide fmax fmin greater greater_equal
    hypot isfinite isinf isnan less less_equal log log10 log1p log2 logaddexp logical_and
    logical_not logical_or logical_xor maximum minimum multiply negative not_equal positive pow
    reciprocal remainder rint sign signbit sin sinh sqrt square subtract tan tanh trunc
""".split()

FUNCTIONS = {
    "all": "a, axis=None, out=None, keepdims=False",
    "any": "a, axis=None, out=None, keepdims=False",
    "arange": "start, stop=None, step=1, dtype=None",
    "argmax": "a, axis=None, dtype=None, out=None, keepdims=False",
    "argmin": "a, axis=None, dtype=None, out=None, keepdims=False",
    "argsort": "a, axis=-1, kind=None",
    "asarray": "a, dtype=None, order=None, *, copy=None, blocking=False",
    "astype": "x, dtype, /, *, copy=True",
    "broadcast_to": "array, shape",
    "clip": "a, a_min, a_max, out=None",
    "concat": "tup, axis=0, out=None, *, dtype=None, casting='same_kind'",
    "cumulative_sum": "x, /, *, axis=None, dtype=None, out=None, include_initial=False",
    "empty": "shape, dtype=float, order='C'",
    "expand_dims": "a, axis",
    "eye": "N, M=None, k=0, dtype=float, order='C'",
    "finfo": None,
    "flip": "a, axis=None",
    "full": "shape, fill_value, dtype=None, order='C'",
    "full_like": "a, fill_value, dtype=None, order='K', subok=None, shape=None",
    "isdtype": "dtype, kind",
    "matmul": None,
    "matrix_transpose": "x, /",
    "max": "a, axis=None, out=None, keepdims=False",
    "mean": "a, axis=None, dtype=None, out=None, keepdims=False",
    "min": "a, axis=None, out=None, keepdims=False",
    "moveaxis": "a, source, destination",
    "nonzero": "a",
    "ones": "shape, dtype=float, order='C'",
    "ones_like": "a, dtype=None, order='K', subok=None, shape=None",
    "outer": "a, b, out=None",
    "permute_dims": "a, axes=None",
    "prod": "a, axis=None, dtype=None, out=None, keepdims=False",
    "repeat": "a, repeats, axis=None",
    "reshape": "a, newshape, order='C', *, copy=None",
    "result_type": "*arrays_and_dtypes",
    "roll": "a, shift, axis=None",
    "searchsorted": "a, v, side='left', sorter=None",
    "sort": "a, axis=-1, kind=None",
    "squeeze": "a, axis=None",
    "stack": "tup, axis=0, out=None, *, dtype=None, casting='same_kind'",
    "sum": "a, axis=None, dtype=None, out=None, keepdims=False",
    "take": "a, indices, axis=None, out=None",
    "take_along_axis": "a, indices, axis",
    "tensordot": "a, b, axes=2",
    "tril": "m, k=0",
    "triu": "m, k=0",
    "var": "a, axis=None, dtype=None, out=None, ddof=0, keepdims=False",
    "where": "condition, x=None, y=None",
    "zeros": "shape, dtype=float, order='C'",
    "zeros_like": "a, dtype=None, order='K', subok=None, shape=None",
}

CONSTANTS = "bool e float32 float64 inf int32 int64 nan newaxis pi uint8 uint64".split()

# These look at the values: on a device they stop the queue.
SYNCHRONISE = {"nonzero"}

# What an array may be asked without leaving the device.
ATTRIBUTES = "T device dtype itemsize mT nbytes ndim shape size strides".split()

LACKING = "block errstate insert longdouble unstack vecdot".split()

# What only the paths of hopref.fast.cupy use.
UFUNCS_OF_PATHS = "frexp ldexp".split()
OF_PATHS = {
    "ascontiguousarray": "a, dtype=None",
    "copyto": "dst, src, casting='same_kind', where=None",
    "RawModule": None,
}

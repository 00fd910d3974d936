"""A substitute for CuPy without a GPU: the interface of CuPy, implemented with NumPy.

It refuses what CuPy refuses (implicit host copies, NumPy operands, names and keywords that CuPy
lacks) and, more strictly than CuPy, every ``np.*`` call on a device array. Reductions give 0-d
device arrays, and ``stats`` counts synchronisations, bytes copied between host and device,
launches, and peak bytes on the device. `RawModule` runs compiled kernels in an interpreter, and the
numbers of an array made by `empty` are NaN. Within ``installed()`` it is the module ``cupy``.
"""
import contextlib
import functools
import sys
import time
import types

import numpy as np

from tests.doubles import cupy_names as names
from tests.doubles import launches, streams
from tests.doubles.stats import Stats

NO_COPY = (
    "Implicit conversion to a NumPy array is not allowed. "
    "Please use `.get()` to construct a NumPy array explicitly."
)


ON_HOST = (np.ndarray, list, tuple)
NUMBERS = (np.ndarray, np.generic)


stats = Stats()


class Event(streams.Event):
    """An event of the queue; here the time is that of the host."""

    def record(self, stream=None):
        super().record(stream)
        self.time = time.perf_counter()

    def synchronize(self):
        super().synchronize()
        stats.synchronised += 1


cuda = types.SimpleNamespace(
    Event=Event, Device=streams.Device, Stream=streams.Stream,
    get_current_stream=streams.current_stream,
    get_elapsed_time=lambda start, end: 1e3 * (end.time - start.time),
    runtime=types.SimpleNamespace(getDeviceCount=streams.count,
                                  getDeviceProperties=lambda number: {"name": b"substitute"}))
extra = types.SimpleNamespace(empty_pinned=streams.empty_pinned)       # the module cupyx


class ndarray:
    """An array on the simulated device."""

    __module__ = "cupy"
    __slots__ = ("_host", "__weakref__")
    __array_priority__ = 100
    __hash__ = None

    def __init__(self, host):
        self._host = host
        if host.base is None and host.nbytes:
            stats.hold(host)
            streams.placed(host)

    def __array__(self, *args, **kwargs):
        raise TypeError(NO_COPY)

    def __array_ufunc__(self, ufunc, method, *args, **kwargs):
        if method == "__call__" and any(isinstance(a, np.generic) for a in args) and not kwargs:
            return wrap(ufunc(*map(unwrap, args)))  # a NumPy scalar beside a device array is fine
        raise TypeError(f"np.{ufunc.__name__} called on a device array: use xp.{ufunc.__name__}")

    def __array_function__(self, function, *args, **kwargs):
        name = function.__name__
        raise TypeError(f"np.{name} called on a device array: use xp.{name}")

    def __getattr__(self, name):
        if name not in names.ATTRIBUTES:
            raise AttributeError(f"a formula may not ask a device array for {name!r}")
        if name == "device":
            return streams.Device(streams.device_of(self._host))
        return wrap(getattr(self._host, name))

    @property
    def data(self):
        """Where the memory begins, of a view too."""
        whole = self._host
        while isinstance(whole.base, np.ndarray):
            whole = whole.base
        memory = types.SimpleNamespace(ptr=whole.ctypes.data)
        return types.SimpleNamespace(ptr=self._host.ctypes.data, mem=memory)

    def get(self):
        stats.to_host += self._host.nbytes
        stats.synchronised += 1
        streams.follow("a copy to the host", [self._host])
        streams.current_stream().record().synchronize()
        return self._host.copy()

    def set(self, arr, stream=None):
        """A copy of host memory; it is asynchronous if that is pinned."""
        if not isinstance(arr, np.ndarray) or arr.dtype != self._host.dtype:
            raise TypeError(f"{type(arr)} cannot be set")
        if arr.shape != self._host.shape:
            raise ValueError("Shape mismatch")
        if not self._host.flags.c_contiguous:
            raise RuntimeError("Cannot set to non-contiguous array")
        pinned = isinstance(arr, streams.Pinned)
        streams.follow("a copy to the device", [arr] if pinned else [], [self._host], stream)
        stats.to_device += arr.nbytes
        stats.synchronised += not pinned
        self._host[...] = arr

    def copy(self, order="C"):
        """A copy on the current device, of an array of any device."""
        streams.follow("a copy", [self._host])
        new = np.array(self._host, order=order)
        streams.follow("a copy", writes=[new])
        stats.launches += 1
        return ndarray(new)

    def item(self):
        return self.get().item()

    def __bool__(self):
        return bool(self.get())

    def __float__(self):
        return float(self.get())

    def __int__(self):
        return int(self.get())

    def __index__(self):
        return self.get().__index__()

    def __contains__(self, value):
        return value in self.get()

    def __len__(self):
        return len(self._host)

    def __iter__(self):
        return (wrap(np.asarray(row)) for row in self._host)

    def __repr__(self):
        return f"device {self._host!r}"

    def __dlpack_device__(self):
        return 2, 0  # CUDA, the first device

    def __reduce__(self):
        return asarray, (self.get(),)

    def __getitem__(self, key):
        found = self._host[index(key)]
        if isinstance(found, np.ndarray) and found.base is None:
            launches.note(stats, "indexing", [self._host], [found])
        return wrap(found)

    def __setitem__(self, key, value):
        self._host[index(key)] = unwrap(value)
        part = self._host[index(key)]
        launches.note(stats, "an assignment", [unwrap(value)],
                      [part if getattr(part, "base", None) is not None else self._host])
        stats.launches += 1


def unwrap(value):
    """The memory behind an operand; NumPy arrays and sequences are no operands."""
    if isinstance(value, ndarray):
        return value._host
    if isinstance(value, ON_HOST):
        raise TypeError(f"Unsupported type {type(value)}")
    return value


def wrap(value):
    """Arrays of numbers, including 0-d results, as device arrays."""
    if isinstance(value, NUMBERS):
        return ndarray(np.asarray(value))
    if isinstance(value, tuple) and any(isinstance(v, np.ndarray) for v in value):
        return tuple(map(wrap, value))
    return value


def index(key):
    if isinstance(key, tuple):
        return tuple(map(index, key))
    if isinstance(key, ndarray) and key.dtype == np.bool_:
        stats.synchronised += 1  # how many are True decides the shape
    if isinstance(key, slice) or key is None or key is Ellipsis:
        return key
    return unwrap(key)


@np.errstate(all="ignore")
def _silently(function, *args, **keywords):
    """Suppress warnings about infinities and NaN, which a device does not give."""
    result = function(*args, **keywords)
    first = result[0] if isinstance(result, tuple) else result
    views = not isinstance(first, NUMBERS) or first.base is not None or function is _poisoned
    if streams.following() or stats.work is not None:
        launches.note_call(stats, function, args, keywords, result)
    stats.launches += not (views or "out" in keywords or any(result is a for a in args))
    return wrap(result)


def _operator(name):
    def apply(self, other):
        if isinstance(other, ON_HOST):
            raise TypeError(f"Unsupported type {type(other)}")
        return _silently(getattr(np.ndarray, name), self._host, unwrap(other))

    return apply


def _in_place(name):
    def apply(self, other):
        with np.errstate(all="ignore"):
            getattr(self._host, name)(unwrap(other))
        launches.note(stats, name, [self._host, unwrap(other)], [self._host])
        stats.launches += 1
        return self

    return apply


def _unary(name):
    return lambda self: _silently(getattr(np.ndarray, name), self._host)


for _name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split():
    setattr(ndarray, f"__{_name}__", _operator(f"__{_name}__"))
    setattr(ndarray, f"__r{_name}__", _operator(f"__r{_name}__"))
    setattr(ndarray, f"__i{_name}__", _in_place(f"__i{_name}__"))
for _name in "lt le eq ne gt ge".split():
    setattr(ndarray, f"__{_name}__", _operator(f"__{_name}__"))
for _name in "neg pos abs invert".split():
    setattr(ndarray, f"__{_name}__", _unary(f"__{_name}__"))


def asarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    if isinstance(a, ndarray):
        kept = copy is not True and (dtype is None or np.dtype(dtype) == a._host.dtype)
        return a if kept else ndarray(np.array(a._host, dtype=dtype))
    host = np.array(a, dtype=dtype)
    stats.to_device += host.nbytes
    streams.follow("asarray", writes=[host])
    return ndarray(host)


def ascontiguousarray(a, dtype=None):
    if _on_device("ascontiguousarray", a).flags.c_contiguous and dtype in (None, a._host.dtype):
        return a
    return _silently(np.ascontiguousarray, a._host, dtype)


def asnumpy(a):
    return a.get() if isinstance(a, ndarray) else np.asarray(a)


def _elementwise(name):
    def call(*operands, **keywords):
        for keyword in keywords:
            if keyword not in names.UFUNC_KEYWORDS:
                raise TypeError(f"cupy.{name} has no keyword {keyword!r}")
        return _run(getattr(np, name), list(map(unwrap, operands)), keywords)

    return call


# Functions whose first argument is no array; every other one asks its first argument for a method.
_CREATE = {"arange", "empty", "eye", "full", "ones", "zeros", "isdtype", "finfo", "result_type"}


def _function(name, parameters):
    bind = eval(f"lambda {parameters}: None") if parameters else None

    def call(*args, **keywords):
        if bind is not None:
            bind(*args, **keywords)  # TypeError for what CuPy's function does not take
        operands = list(args)
        if name in {"concat", "stack"}:
            operands[0] = [_on_device(name, a) for a in operands[0]]
        elif name not in _CREATE:
            first = next(iter(keywords)) if not operands else None
            _on_device(name, keywords[first] if first else operands[0])
        if name in names.SYNCHRONISE or (name == "where" and len(args) == 1):
            stats.synchronised += 1
        return _run(getattr(np, name), [_operand(a) for a in operands], keywords)

    return call


def _on_device(name, a):
    if not isinstance(a, ndarray):
        raise TypeError(f"cupy.{name} takes device arrays; got {type(a).__name__}")
    return a._host


def _operand(a):
    return a if isinstance(a, list | tuple) else unwrap(a)  # shapes and axes pass


def _run(function, operands, keywords):
    out = keywords.get("out")
    if function is np.empty:
        function = _poisoned
    result = _silently(function, *operands, **{k: _operand(v) for k, v in keywords.items()})
    stats.launches += isinstance(out, ndarray) or function is np.copyto     # no array is made
    return out if isinstance(out, ndarray) else result


def _poisoned(*args, **keywords):
    """An array whose numbers are NaN until they are written."""
    array = np.empty(*args, **keywords)
    if array.dtype.kind == "f":
        array.fill(np.nan)
    return array


@functools.cache
def __getattr__(name):
    if name == "RawModule":
        from tests.gpu.raw import RawModule
        return RawModule
    if name in names.UFUNCS or name in names.UFUNCS_OF_PATHS:
        return _elementwise(name)
    if name in names.CONSTANTS:
        return getattr(np, name)
    if name in {"result_type", "isdtype", "finfo"}:
        return _about_types(getattr(np, name))
    if name in names.FUNCTIONS or name in names.OF_PATHS:
        return _function(name, (names.FUNCTIONS | names.OF_PATHS)[name])
    raise AttributeError(f"{name!r} is not on the list of CuPy names a formula may use")


def _about_types(function):
    def call(*args):
        return function(*(a._host if isinstance(a, ndarray) else a for a in args))

    return call


_this = sys.modules[__name__]
__name__ = "cupy"


@contextlib.contextmanager
def installed(devices=1):
    """Install this module as ``cupy``, with a number of devices, and reset the counts."""
    real = {name: sys.modules.get(name) for name in ("cupy", "cupyx")}
    sys.modules |= {"cupy": _this, "cupyx": extra}
    stats.reset()
    streams.reset(devices)
    try:
        yield _this
    finally:
        for name, module in real.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module

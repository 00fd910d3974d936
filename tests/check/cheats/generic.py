"""Cheats that need no knowledge of the operation: changes of its right result, and memories."""
import math

import numpy as np

from hopref.dispatch.operation import load as load_ops
from tests.check.cheats import Cheat, run, with_signature

OPS = ("modern.update", "modern.energy", "maps.softmax", "maps.sparsemax",
       "attention.softmax_attention", "attention.linear_attention", "performer.attention",
       "features.positive", "classical.field", "graded.update", "sparse.update", "storage.hebbian")
BATCHED = tuple(op for op in OPS if op != "storage.hebbian")
PATTERNS = {op: "s" if "attention" in op else "d" if op == "features.positive" else "n"
            for op in OPS if op not in ("classical.field", "graded.update")}


def numbers(shape, phase):
    """cos 1, cos 2, ...: numbers in [-1, 1] without a pattern, the same on every machine."""
    return np.cos(phase + np.arange(1.0, math.prod(shape) + 1)).reshape(shape)


def plain(name, *, phase=0.0, states=(2,), size=5, **sizes):
    """A call with the required operands; every axis is ``size`` long, or as given."""
    op, args = load_ops()[name], []
    for k, dims in op.arrays.items():
        if k not in op.optional:
            shape = tuple(n for dim in dims for n in
                          (states if dim == "..." else (sizes.get(dim, size),)))
            x = numbers(shape, phase + len(args))
            args.append(np.abs(x) if k.startswith("phi") else x)
    return tuple(args), {}


def once(**sizes):
    return lambda op: (plain(op, **sizes),)


PLAIN = once()


def twice(op):
    return plain(op), plain(op, phase=0.5)


def changed_result(name, calls=PLAIN, ops=OPS):
    """Declare a change of the right result: a function of it and of the arguments."""
    def declare(change):
        def make(op):
            def candidate(*args, **kwargs):
                return np.asarray(change(np.array(run(op, args, kwargs)), op, args, kwargs))
            return with_signature(candidate, op)
        for op in ops:
            Cheat(name, op, lambda op=op: make(op), calls(op))
        return change
    return declare


def remembering(name, calls=twice, ops=OPS):
    """Declare a candidate with a memory: a function of (right, memory, arguments, options)."""
    def declare(answer):
        def make(op):
            memory = {}

            def candidate(*args, **kwargs):
                return answer(lambda: np.array(run(op, args, kwargs)), memory, args, kwargs)
            return with_signature(candidate, op)
        for op in ops:
            Cheat(name, op, lambda op=op: make(op), calls(op))
        return answer
    return declare


# ---- answers without a computation --------------------------------------------------------------

@changed_result("zeros")
def zeros(y, op, args, kwargs):
    return 0 * y


@changed_result("one half everywhere")
def constant(y, op, args, kwargs):
    return np.full_like(y, 0.5)


@changed_result("the mean of the right result")
def mean(y, op, args, kwargs):
    return np.full_like(y, np.mean(y)) if y.size else y


@changed_result("the first operand")
def first_operand(y, op, args, kwargs):
    return np.resize(np.array(args[0], y.dtype), y.shape)


@changed_result("the first member of a batch for all", ops=BATCHED)
def first_member(y, op, args, kwargs):
    return np.broadcast_to(y[:1], y.shape).copy() if y.ndim else y


@changed_result("two equal leading axes swapped", once(states=(2, 2)), BATCHED)
def swapped_batch(y, op, args, kwargs):
    lead = np.shape(args[0])[:2]
    batched = np.ndim(args[0]) == 2 + len(load_ops()[op].arrays[next(iter(
        load_ops()[op].arrays))]) - 1
    return np.swapaxes(y, 0, 1).copy() if batched and lead[0] == lead[1] else y


# ---- right for small inputs only ----------------------------------------------------------------

def longest_axis(args):
    return max((n for a in args for n in np.shape(a)), default=0)


@changed_result("a thousandth more above a length of 8", once(size=9))
def above_8(y, op, args, kwargs):
    return y * (1.001 if longest_axis(args) > 8 else 1)


@changed_result("zeros above a length of 16", once(size=17))
def above_16(y, op, args, kwargs):
    return y * (longest_axis(args) <= 16)


@changed_result("zeros above a length of 64", once(size=65))
def above_64(y, op, args, kwargs):
    return y * (longest_axis(args) <= 64)


@changed_result("zeros above a length of 4096",
                lambda op: (plain(op, size=2, **{PATTERNS[op]: 4097}),), tuple(PATTERNS))
def above_4096(y, op, args, kwargs):
    return y * (longest_axis(args) <= 4096)


@changed_result("single precision above a length of 64", once(size=65))
def single_above_64(y, op, args, kwargs):
    return y.astype(np.float32).astype(float) if longest_axis(args) > 64 else y


@changed_result("entry 777 one hundredth too large", lambda op: (plain(
    op, states=(400,), size=30 if op == "storage.hebbian" else 3)
    if op != "modern.energy" else plain(op, states=(800,), size=3),))
def entry_777(y, op, args, kwargs):
    y = y.reshape(-1)
    y[777:778] *= 1.01
    return y.reshape(np.shape(run(op, args, kwargs)))


# ---- a little wrong everywhere ------------------------------------------------------------------

@changed_result("the last entry one hundredth too large", once(size=2))
def last_entry(y, op, args, kwargs):
    y = np.array(y).reshape(-1)
    y[-1:] *= 1.01
    return y.reshape(np.shape(run(op, args, kwargs)))


@changed_result("rounded to six decimals")
def six_decimals(y, op, args, kwargs):
    return np.round(y, 6)


@changed_result("an unseeded error of 1e-9")
def noise(y, op, args, kwargs):
    return y * (1 + 1e-9 * np.random.default_rng(7).standard_normal(y.shape))


@changed_result("beta off by 1e-6")
def beta_off(y, op, args, kwargs):
    known, wrong = load_ops()[op].domains, 1 + 1e-6
    k = next((k for k in ("beta", "scale") if k in known), "")
    if not k:
        return wrong * y
    beta = kwargs.get(k, 1.0 if k == "beta" or op == "storage.hebbian" else None)
    beta = np.shape(args[1])[-1] ** -0.5 if beta is None else beta
    return run(op, args, kwargs | {k: wrong * beta})


@changed_result("single precision inside")
def single(y, op, args, kwargs):
    def narrow(a):
        return a.astype(np.float32) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
    named = {k: narrow(v) for k, v in kwargs.items()}
    return np.asarray(run(op, [narrow(a) for a in args], named)).astype(float)


@changed_result("memory read in the order in which it is stored",
                lambda op: (tuple([[np.asfortranarray(a) for a in args], kwargs]
                                  for args, kwargs in (plain(op),))))
def stored_order(y, op, args, kwargs):
    return run(op, [a.ravel(order="K").reshape(a.shape) for a in args], kwargs)


# ---- memories -----------------------------------------------------------------------------------

def shapes(args, kwargs):
    return tuple(map(np.shape, (*args, *kwargs.values())))


@remembering("zeros for a shape not met before", once())
def unseen_shape(right, memory, args, kwargs):
    y, known = right(), memory.setdefault(shapes(args, kwargs), [])
    known.append(1)
    return y * (len(known) > 1)


@remembering("the first answer for a shape")
def cached_by_shape(right, memory, args, kwargs):
    return memory.setdefault(shapes(args, kwargs), right()).copy()


@remembering("the first answer for an address")
def cached_by_address(right, memory, args, kwargs):
    y = right()
    known = memory.setdefault((*map(id, args), y.shape), y)
    return known.copy()


@remembering("right at the first call only")
def first_call(right, memory, args, kwargs):
    memory["calls"] = memory.get("calls", 0) + 1
    return right() * (memory["calls"] == 1)


@remembering("every third call one hundredth too large", lambda op: 3 * (plain(op),))
def third_call(right, memory, args, kwargs):
    memory["calls"] = memory.get("calls", 0) + 1
    return right() * (1.01 if memory["calls"] % 3 == 0 else 1)

"""Calls of candidates with the arguments of an op, in the convention of the candidate.

`conventions` lists the differences that options express.  An adapter can express any other: it is a
function that takes the candidate and returns a callable with the signature of the op. ::

    # my_adapter.py, used as --adapter my_adapter.py:heads_second
    def heads_second(candidate):
        def attention(Q, K, V, *, causal=False):
            return candidate(Q.swapaxes(1, 2), K.swapaxes(1, 2), V.swapaxes(1, 2), is_causal=causal)
        return attention

Cases with an option that the callable lacks, or for which it raises `NotOffered`, are not judged.
"""
import re

import numpy as np

from hopref.check.engine.candidate import Misuse, NotOffered, as_numpy, unfinished
from hopref.check.peers import foreign
from hopref.check.peers.conventions import PLAIN, output_names
from hopref.check.peers.layouts import Layout
from hopref.check.peers.parameters import (
    Parameters,
    leading,
    merged,
    passed,
    real_format,
    shown,
)
from hopref.check.peers.passed import Passed
from hopref.check.peers.targets import adapter_in, instantiated, signature_of
from hopref.dispatch.operation import load

__all__ = ["bound"]

FOREIGN = re.compile(r"ndarray|[Tt]ensor|axes don't match")


def bound(candidate, like, convention=PLAIN, adapter=""):
    """The candidate as a callable with the signature of the op."""
    op = load().get(like)
    if adapter:
        candidate = adapter_in(adapter)(candidate)
    if op is None:
        return candidate                # without an op, laws call the candidate directly
    if op.signature.parameters:
        candidate = instantiated(candidate, convention.init, convention.dtype)
    return Adapted(candidate, op, convention)


class Adapted:
    """A candidate with the signature of the op.

    ``side_effects`` are those of the last call on tensors and on global settings of their library.
    """
    def __init__(self, candidate, op, convention):
        self.candidate, self.op, self.convention = candidate, op, convention
        self.parameters = Parameters(signature_of(candidate), op, convention)
        self.passed = Passed(candidate, self.parameters.found, convention.ignored)
        self.parameters.check()
        self.side_effects, self.worked = [], False

    def __call__(self, *args, **kwargs):
        self.side_effects = []
        given = {**dict(zip(self.op.signature.parameters, args)), **kwargs}
        for k, only in self.convention.case_options.items():
            v = given.get(k, self.op.defaults.get(k))
            if isinstance(v, np.ndarray) or v != only:
                raise NotOffered(f"{k}={shown(v)}")
        lead = leading(self.op, given)
        excess = lead[:max(0, len(lead) - self.required(lead))]
        if not excess:
            return self.once(given, lead)
        if 0 in excess:
            raise NotOffered("an empty batch")
        rows = [self.once(row(self.op, given, lead, at), lead[len(excess):])
                for at in np.ndindex(excess)]
        return self.stacked(rows, excess)

    def required(self, lead):
        """The number of leading axes of a call of the candidate."""
        return len(lead) if self.convention.lead is None else self.convention.lead

    def once(self, given, lead):
        """One call, with at most the leading axes that the candidate takes."""
        for pair in self.convention.exclusive:
            if all(passed(self.op, k, given) for k in pair):
                raise NotOffered(" with ".join(pair))
        if self.packed() and 0 in lead:
            raise NotOffered("an empty batch")
        given = merged(self.parameters.complete(given, lead), self.convention.names)
        layout, real = Layout(self.convention.layout, packed=self.packed()), real_format(given)
        given = {k: self.outward(k, v, lead, layout, real) for k, v in given.items()}
        places, named = self.parameters.arranged(given)
        fixed = {k: self.value(v, layout) for k, v in self.convention.fixed.items()}
        answer = self.observed(places, {**fixed, **named})
        if self.convention.array == "numpy" and narrowed(answer, real):
            raise Misuse("it returns float32 arrays of jax where float64 went in: --array jax?")
        return self.received(answer, lead, layout)

    def packed(self):
        """The axes of which offsets are passed."""
        return tuple(v.partition(":")[2] for v in self.convention.fixed.values()
                     if isinstance(v, str) and v.startswith("offsets:"))

    def value(self, v, layout):
        """A fixed argument; offsets and sizes of an axis are those of this call."""
        kind, _, axis = v.partition(":") if isinstance(v, str) else ("", "", "")
        if kind == "offsets":
            return foreign.converted(layout.offsets(axis), self.convention.array, "")
        return int(layout.sizes[axis]) if kind == "size" else v

    def outward(self, k, v, lead, layout, real):
        """One argument in the convention of the candidate."""
        op, convention = self.op, self.convention
        if k not in op.arrays or not isinstance(v, np.ndarray):
            return v
        if v.dtype.kind == "b" and convention.mask != "visible":
            v = ~v if convention.mask == "hidden" else np.where(v, 0.0, -np.inf).astype(real)
        if op.arrays[k][:1] == ("...",) and len(lead) < self.required(lead):
            ones = (1,) * (self.required(lead) - len(lead))
            axes = (*lead, *ones) if 0 in lead else (*ones, *lead)      # no batch without heads
            v = v.reshape(*axes, *v.shape[len(lead):])
        return foreign.converted(layout.outward(k, v, op.arrays[k]), convention.array,
                                 convention.dtype)

    def observed(self, places, named):
        """The answer of the candidate; side effects on tensors and global settings are recorded."""
        tensors = {f"argument {i}": v for i, v in enumerate(places)} | named
        before, settings = foreign.snapshot(tensors), foreign.global_state()
        self.passed.note(places, named)
        try:
            answer = self.candidate(*places, **named)
        except Exception as error:
            self.explain(error)
            raise
        finally:
            self.side_effects += foreign.restored(settings)
        self.worked = True
        results = answer if isinstance(answer, (tuple, list)) else (answer,)
        self.side_effects += foreign.touched(tensors, before, results)
        return answer

    def explain(self, error):
        """Raise `Misuse` if code of torch, jax or CuPy received NumPy arrays and cannot take them.
        """
        found = FOREIGN.search(f"{type(error).__name__}: {error}")
        if self.worked or self.convention.array != "numpy" or not found:
            return
        for library in ("torch", "jax", "cupy"):
            if foreign.uses(self.candidate, library):
                raise Misuse(f"code of {library} received NumPy arrays: --array {library}?  "
                             f"({type(error).__name__}: {str(error)[:200]})") from error

    def received(self, answer, lead, layout):
        """The results that are judged, in the layout of the op."""
        if unfinished(answer):
            return answer
        if self.nested(answer):
            answer = np.asarray(answer)
            if not answer.size:
                raise NotOffered("an empty list, which has no shape")
        if self.convention.returns:
            several = answer if isinstance(answer, (tuple, list)) else (answer,)
            kept = [y for y, name in zip(several, self.convention.returns) if name != "-"]
            answer = kept[0] if len(kept) == 1 else tuple(kept)
        if not isinstance(answer, (tuple, list)):
            return self.inward(answer, 0, lead, layout)
        parts = [np.asarray(y) if isinstance(y, list) and leaves_are_numbers(y) else y
                 for y in answer]
        if any(isinstance(y, list) and not z.size for y, z in zip(answer, parts)):
            raise NotOffered("an empty list, which has no shape")
        return tuple(self.inward(y, i, lead, layout) for i, y in enumerate(parts))

    def nested(self, answer):
        """Whether a list is one array, as ``.tolist()`` returns it."""
        several = len(self.op.outputs) > 1 or self.convention.returns
        if not isinstance(answer, list) or several and any(isinstance(y, list) for y in answer):
            return False
        return leaves_are_numbers(answer)

    def inward(self, y, i, lead, layout):
        """One result in the layout of the op; unchanged if its shape fits no result."""
        dims = self.dims(i)
        if dims is None or not self.convention.layout and self.convention.lead is None:
            return y
        try:
            y = as_numpy(y)
        except (TypeError, ValueError, RuntimeError):
            return y                    # `candidate.received` reports the type
        number = self.required(lead)
        ndim = len(dims) - 1 + number if dims[:1] == ("...",) else len(dims)
        if i == 0:
            y = layout.inward(y, dims, ndim)
        if dims[:1] == ("...",) and y.ndim == ndim and np.prod(y.shape[:number]) == np.prod(lead):
            y = y.reshape((*lead, *y.shape[number:]))
        return y

    def dims(self, i):
        """The axes of the i-th result of the candidate, or None if there is no such result."""
        named = [k for k in self.convention.returns if k != "-"]
        if named:
            names = output_names(self.op)
            i = names.index(named[i]) % len(self.op.outputs) if i < len(named) else -1
        return self.op.outputs[i] if 0 <= i < len(self.op.outputs) else None

    def stacked(self, rows, excess):
        """The results of all calls; gradients of shared arguments are sums over the calls."""
        if not isinstance(rows[0], tuple):
            return self.stacked([(y,) for y in rows], excess)[0]
        found = []
        for i, parts in enumerate(zip(*rows)):
            y, dims = np.stack([as_numpy(part) for part in parts]), self.dims(i)
            if dims is not None and dims[:1] != ("...",):
                if not self.op.name.startswith("gradients."):
                    raise NotOffered(f"{len(excess)} leading axes")
                found.append(np.sum(y, axis=0))
            else:
                found.append(y.reshape(*excess, *y.shape[1:]))
        return tuple(found)


def row(op, given, lead, at):
    """The arguments of one element of the leading axes."""
    def batched(k, v):
        dims = op.arrays.get(k, ())
        return dims[:1] == ("...",) and isinstance(v, np.ndarray) \
            and v.ndim == len(dims) - 1 + len(lead)
    return {k: v[at] if batched(k, v) else v for k, v in given.items()}


def narrowed(answer, real):
    """Whether jax returned float32 for float64, which it does unless x64 is enabled."""
    return type(answer).__module__.partition(".")[0] in ("jax", "jaxlib") \
        and real == np.float64 and str(answer.dtype) == "float32"


def leaves_are_numbers(a):
    """Whether a nested list holds Python numbers only."""
    if isinstance(a, list):
        return all(map(leaves_are_numbers, a)) and len({np.shape(x) for x in a}) <= 1
    return isinstance(a, (bool, int, float))

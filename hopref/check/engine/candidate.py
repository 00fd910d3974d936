"""One call of a candidate, with its result and its side effects."""
import contextlib
import ctypes
import dataclasses
import importlib
import inspect
import io
import os
import random
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from hopref.errors import PluginError

__all__ = ["REUSED", "InProcess", "Misuse", "NotOffered", "Outcome", "Record", "observe", "relaid",
           "unfinished"]

REUSED = "the arrays of another call"   # a layout: contents change, the array objects do not
LONGEST = 5000          # characters of the message of an exception
MOST_PLACES = 4         # lines of a traceback
MERSENNE_TWISTER = 4 * 624 + 4          # bytes of its state: the numbers, and the place of the next
OWN = Path(__file__).parents[1]
_KEPT = {}              # the arrays that are reused, by place, shape and dtype


class NotOffered(Exception):
    """Raised by an adapter if the candidate lacks an option; the case is then not judged."""


class Misuse(PluginError):
    """A call of the kit that cannot be judged as it was asked for, and what would be right."""


class Record(SimpleNamespace):
    """A result with named fields, which unpacks like a tuple."""
    def __iter__(self):
        return iter(vars(self).values())


class Printed(io.StringIO):
    """What a candidate prints; it is still read if the candidate closes its standard output."""
    def close(self):
        pass


@dataclass
class Outcome:
    """The result of a call.

    Attributes
    ----------
    values : tuple of arrays, the results
    many : bool, whether the candidate returned a tuple or a list
    failure : "", or one of "not offered", "misuse", "raised", "crash", "timeout", "resource",
        "protocol" and "wrong type"
    message : description of the failure
    trace : lines with file, line and text of the places in the candidate where it failed
    fields : names of the values of a record
    absent : names of the fields of a record that are None
    returned : the returned object, if the candidate ran in this process
    side_effects : pairs of the name of a forbidden side effect and its observation
    """
    values: tuple = ()
    many: bool = False
    failure: str = ""
    message: str = ""
    trace: list = field(default_factory=list)
    fields: tuple = ()
    absent: tuple = ()
    returned: object = None
    side_effects: list = field(default_factory=list)

    @property
    def answer(self):
        """The result as it was returned; one with named fields, not a tuple, as a `Record`."""
        if self.returned is not None and (isinstance(self.returned, tuple) or not self.fields):
            return self.returned
        if self.fields:
            return Record(**dict(zip(self.fields, self.values)), **dict.fromkeys(self.absent))
        return self.values if self.many else self.values[0]


def observe(call, args, kwargs, layout="C", known=None):
    """Call the candidate; return its results and side effects.

    ``known`` is a list of the states of the global generators at the end of the last call, or an
    empty one where something may have drawn since; it is replaced by those at the end of this call,
    which are then read as `bits_of_generators`.
    """
    given = [relaid(a, layout, i) for i, a in enumerate(args)]
    named = {k: relaid(v, layout, k) for k, v in kwargs.items()}
    inputs = {**{f"argument {i}": a for i, a in enumerate(given)}, **named}
    before = {k: v.tobytes() for k, v in inputs.items() if isinstance(v, np.ndarray)}
    states_now = generator_states if known is None else bits_of_generators
    printed, errors, folder = Printed(), np.geterr(), os.getcwd()
    states = known.pop() if known else states_now()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
            warnings.simplefilter("ignore")
            answer = call(*given, **named)
            outcome = received(answer, inputs)
    except NotOffered as absent:
        return Outcome(failure="not offered", message=str(absent))
    except Misuse as misuse:
        return Outcome(failure="misuse", message=str(misuse))
    except MemoryError as error:
        outcome = Outcome(failure="resource", message=f"MemoryError: {error}")
    except SystemExit as error:
        outcome = Outcome(failure="crash", message=f"called exit (SystemExit: {error})")
    except Exception as error:
        outcome = Outcome(failure="raised", message=f"{type(error).__name__}: {error}"[:LONGEST],
                          trace=places(error))
    outcome.side_effects += forbidden(inputs, before, errors, folder, printed.getvalue())
    after = states_now()
    if known is not None:
        known.append(after)
    if after != states:
        outcome.side_effects.append(("draws from a global generator",
                                     "the global random state changed"))
    outcome.side_effects += getattr(call, "side_effects", ())
    return outcome


def places(error):
    """The places in the candidate that led to an error, the innermost last."""
    hidden = (OWN / "engine", OWN / "peers", Path(importlib.__file__).parent)
    frames = [f for f in traceback.extract_tb(error.__traceback__)
              if not f.filename.startswith("<frozen") and Path(f.filename).parent not in hidden]
    lines = [f"{shown(f.filename)}:{f.lineno}, in {f.name}: {f.line}" for f in frames]
    if isinstance(error, SyntaxError) and error.filename:
        lines.append(f"{shown(error.filename)}:{error.lineno}: {(error.text or '').strip()}")
    return lines if len(lines) <= MOST_PLACES else [lines[0], *lines[1 - MOST_PLACES:]]


def shown(file):
    """The path of a file, from this folder if it is in it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def received(answer, inputs):
    """The result as an `Outcome` of NumPy arrays."""
    if unfinished(answer):
        getattr(answer, "close", lambda: None)()            # or Python warns of what is not awaited
        return Outcome(failure="wrong type", message=f"returned a {type(answer).__name__}")
    record = fields_of(answer)
    many = isinstance(answer, (tuple, list)) or bool(record)
    present = {k: v for k, v in record.items() if v is not None}
    fields, absent = tuple(present), tuple(k for k in record if k not in present)
    try:
        found = present.values() if record else answer if many else (answer,)
        values = tuple(as_numpy(a) for a in found)
    except (TypeError, ValueError, RuntimeError) as error:
        return Outcome(failure="wrong type", message=f"returned a {type(answer).__name__}: {error}",
                       returned=answer)
    side_effects = [("returns a view of its input", f"the result shares memory with {k}")
                    for k, v in inputs.items() if isinstance(v, np.ndarray)
                    if any(np.may_share_memory(v, y) for y in values)]
    tuples = isinstance(answer, tuple) or not record      # what an array operation may return
    return Outcome(values=tuple(np.array(y) for y in values), many=many, fields=fields,
                   failure="" if tuples else "wrong type", absent=absent, returned=answer,
                   message="" if tuples else f"returned a {type(answer).__name__}",
                   side_effects=side_effects)


def unfinished(answer):
    """Whether a result is an iterator, as of a generator, or awaitable, as of an async function."""
    return hasattr(answer, "__next__") or inspect.isawaitable(answer)


def fields_of(answer):
    """The values of a record by name: a named tuple, namespace, dataclass or dictionary."""
    if hasattr(answer, "_asdict"):
        return answer._asdict()
    if isinstance(answer, SimpleNamespace):
        return vars(answer)
    if dataclasses.is_dataclass(answer) and not isinstance(answer, type):
        return {k.name: getattr(answer, k.name) for k in dataclasses.fields(answer)}
    return answer if isinstance(answer, dict) and all(isinstance(k, str) for k in answer) else {}


def of_cupy(a):
    """Whether this is an array of CuPy, which is copied to the host only on request."""
    return type(a).__module__.partition(".")[0] == "cupy" and hasattr(a, "get")


def as_numpy(a):
    """An array of any library as a NumPy array; bfloat16 becomes float32."""
    if hasattr(a, "detach"):
        a = a.detach().cpu()
        a = (a.float() if str(a.dtype) == "torch.bfloat16" else a).numpy()
    if of_cupy(a):
        a = a.get()
    if hasattr(a, "__dlpack__") and not hasattr(a, "__array__"):
        a = np.from_dlpack(a)
    if isinstance(a, (str, bytes)):
        raise TypeError("not numbers")
    a = np.asarray(a)
    if a.dtype.name == "bfloat16":
        a = a.astype(np.float32)
    if a.dtype == object:
        raise TypeError("its entries are Python objects")
    return a


def generator_states():
    """The states of the global random generators of NumPy and Python, to be compared."""
    kind, keys, *rest = np.random.get_state()
    return (kind, keys.tobytes(), *rest), random.getstate()


def bits_of_generators():
    """The same without the second number of a pair of normal ones, which NumPy keeps elsewhere.

    Its usual generator is read in memory, at a hundredth of the cost of `numpy.random.get_state`.
    """
    bits = np.random.get_bit_generator()
    if isinstance(bits, np.random.MT19937):
        return ctypes.string_at(bits.ctypes.state_address, MERSENNE_TWISTER), random.getstate()
    return generator_states()


def forbidden(inputs, before, errors, folder, printed):
    """The forbidden side effects of a call; NumPy's error state and the folder are restored."""
    after = np.geterr()
    np.seterr(**errors)
    found = [("writes into its input", f"{k} was changed") for k, bytes_ in before.items()
                if inputs[k].tobytes() != bytes_]
    if after != errors:
        found.append(("changes np.seterr", f"now {after}"))
    if os.getcwd() != folder:
        found.append(("changes the current folder", f"now {os.getcwd()}"))
        os.chdir(folder)
    if printed:
        found.append(("prints", repr(printed[:60])))
    return found


def relaid(a, layout, place=0):
    """The same numbers in another memory layout; ``place`` of an argument, to reuse its array."""
    if not isinstance(a, np.ndarray) or layout == "C" or a.ndim == 0:
        return np.array(a) if isinstance(a, np.ndarray) else a
    if layout == REUSED:
        array = _KEPT.setdefault((place, a.shape, a.dtype), np.empty_like(a))
        array[...] = a
        return array
    if layout == "Fortran order":
        return np.asfortranarray(a)
    if layout == "reversed strides":
        return np.ascontiguousarray(a[::-1])[::-1]
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    wide[..., ::2] = a
    return wide[..., ::2]


class InProcess:
    """A candidate in the current process, without limits, for trusted code and for tests."""
    def __init__(self, function, name=""):
        self.function, self.name = function, name or getattr(function, "__name__", "candidate")
        self.states = []        # of the global generators at the end of the last call

    def take_baseline(self):
        """Forget what was observed before a judgement."""
        self.states.clear()

    def call(self, args, kwargs, layout="C"):
        return observe(self.function, args, kwargs, layout, self.states)

    @property
    def never_passed(self):
        """The parameters of the candidate to which no call passed an argument."""
        return getattr(getattr(self.function, "passed", None), "never", [])

    def close(self):
        pass

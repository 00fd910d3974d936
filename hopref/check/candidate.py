"""One call of a candidate, and everything it did that an operation must not do."""
import contextlib
import inspect
import io
import random
import warnings
from dataclasses import dataclass, field

import numpy as np

__all__ = ["InProcess", "NotOffered", "Outcome", "observe", "relaid"]


class NotOffered(Exception):
    """Raised by an adapter where the candidate has no such option: the case is left out."""


@dataclass
class Outcome:
    """What came of a call.

    ``failure`` is "" or one of: not offered, raised, crash, timeout, resource, protocol.
    ``faults`` pairs the name of each breach of manners with what was seen.
    """
    values: tuple = ()
    many: bool = False
    failure: str = ""
    words: str = ""
    faults: list = field(default_factory=list)


def observe(call, args, kwargs, layout="C"):
    """Call the candidate; report what it returned and what else it did."""
    given = [relaid(a, layout) for a in args]
    named = {k: relaid(v, layout) for k, v in kwargs.items()}
    inputs = {**{f"argument {i}": a for i, a in enumerate(given)}, **named}
    before = {k: v.tobytes() for k, v in inputs.items() if isinstance(v, np.ndarray)}
    world, heard = state_of_the_world(), io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(heard):
            warnings.simplefilter("ignore")
            answer = call(*given, **named)
            outcome = received(answer, inputs)
    except NotOffered as absent:
        return Outcome(failure="not offered", words=str(absent))
    except MemoryError as error:
        outcome = Outcome(failure="resource", words=f"MemoryError: {error}")
    except (SystemExit, KeyboardInterrupt) as error:
        outcome = Outcome(failure="crash", words=f"called exit ({type(error).__name__}: {error})")
    except Exception as error:
        outcome = Outcome(failure="raised", words=f"{type(error).__name__}: {error}"[:500])
    outcome.faults += manners(inputs, before, world, heard.getvalue())
    return outcome


def received(answer, inputs):
    """The answer as NumPy arrays."""
    if inspect.isgenerator(answer) or hasattr(answer, "__next__"):
        return Outcome(failure="wrong type", words=f"returned a {type(answer).__name__}")
    many = isinstance(answer, (tuple, list))
    try:
        values = tuple(as_numpy(a) for a in (answer if many else (answer,)))
    except (TypeError, ValueError, RuntimeError) as error:
        return Outcome(failure="wrong type", words=f"returned a {type(answer).__name__}: {error}")
    faults = [("returns a view of its input", f"the result shares memory with {k}")
              for k, v in inputs.items() if isinstance(v, np.ndarray)
              if any(np.may_share_memory(v, y) for y in values)]
    return Outcome(values=tuple(np.array(y) for y in values), many=many, faults=faults)


def as_numpy(a):
    """A foreign array as a NumPy array, explicitly; bfloat16 in float32."""
    if hasattr(a, "detach"):
        a = a.detach().cpu()
        a = (a.float() if str(a.dtype) == "torch.bfloat16" else a).numpy()
    if hasattr(a, "__dlpack__") and not hasattr(a, "__array__"):
        a = np.from_dlpack(a)
    a = np.asarray(a)
    if a.dtype.name == "bfloat16":
        a = a.astype(np.float32)
    if a.dtype == object:
        raise TypeError("its entries are Python objects")
    return a


def state_of_the_world():
    kind, keys, *rest = np.random.get_state()
    return np.geterr(), (kind, keys.tobytes(), *rest), random.getstate()


def manners(inputs, before, world, said):
    """The breaches of manners; NumPy's error state is put back."""
    after = state_of_the_world()
    np.seterr(**world[0])
    breaches = [("writes into its input", f"{k} is not what it was") for k, bytes_ in before.items()
                if inputs[k].tobytes() != bytes_]
    if after[0] != world[0]:
        breaches.append(("changes np.seterr", f"now {after[0]}"))
    if after[1:] != world[1:]:
        breaches.append(("draws from a global generator", "the global random state moved"))
    if said:
        breaches.append(("prints", repr(said[:60])))
    return breaches


def relaid(a, layout):
    """The same numbers in another memory layout."""
    if not isinstance(a, np.ndarray) or layout == "C" or a.ndim == 0:
        return np.array(a) if isinstance(a, np.ndarray) else a
    if layout == "Fortran order":
        return np.asfortranarray(a)
    if layout == "reversed strides":
        return np.ascontiguousarray(a[::-1])[::-1]
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    wide[..., ::2] = a
    return wide[..., ::2]


class InProcess:
    """A candidate called here: no limits, for trusted code and for tests."""
    def __init__(self, function, name=""):
        self.function, self.name = function, name or getattr(function, "__name__", "candidate")

    def call(self, args, kwargs, layout="C"):
        return observe(self.function, args, kwargs, layout)

    def close(self):
        pass

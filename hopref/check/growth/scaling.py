"""How memory, counted work and time of a callable grow with a size.

Sizes are doubled until a call takes too long or too much memory, and the exponents are those of the
largest five.  A verdict is that of the class which contains the whole interval of an exponent, and
is "undecided" otherwise.
"""
import gc
import math
import time
from dataclasses import dataclass, field

import numpy as np

from hopref.check.growth.counting import Count, intercepted
from hopref.check.growth.exponents import CLASSES, Exponent, class_of, fitted
from hopref.check.growth.measures import finished, kept, resident_peak, seconds, traced
from hopref.errors import DomainError, ResourceError

__all__ = ["Measure", "Scaling", "measured"]

FIRST, LAST, KEPT = 32, 2**16, 5    # sizes without --sizes: the first, the largest, how many count
FEWEST, LEAST_RATIO = 3, 4          # sizes that are required, and the largest over the smallest
ROUNDS = 6                          # readings of the clock for each size
VISIBLE = 2**20                     # bytes of resident memory; less is noise
CACHE = 2**16                       # bytes that a first call keeps; less is bookkeeping
# Of time: caches and other programs bend it, so that it tells 1 from 2, but not 1 from 1.3.
OF_TIME = {"constant": 0.5, "linear": 1.5, "quadratic": 2.5, "above quadratic": math.inf}
ORDER = list(CLASSES)


@dataclass
class Measure:
    """One cost at each size.

    Attributes
    ----------
    unit : of the costs
    sizes, costs : the sizes, and the cost at each
    exponent : `Exponent`; None if the cost was not measured
    verdict : the class of the growth, "undecided", or "not measured"
    remark : why it was not measured, or what limits it
    """
    unit: str
    sizes: list = field(default_factory=list)
    costs: list = field(default_factory=list)
    exponent: Exponent | None = None
    verdict: str = "not measured"
    remark: str = ""


@dataclass
class Scaling:
    """The growth of the costs of a callable.

    Attributes
    ----------
    target : name of the callable
    over : name of the size
    measures : `Measure` for "memory", "resident", "work" and "time"
    verdict : the largest class of memory and work, or "undecided"
    reasons : sentences on what the verdict rests on
    """
    target: str
    over: str
    measures: dict = field(default_factory=dict)
    verdict: str = "undecided"
    reasons: list = field(default_factory=list)

    def as_dict(self):
        """The result as numbers, lists and texts, for JSON."""
        return {"target": self.target, "over": self.over, "verdict": self.verdict,
                "reasons": self.reasons,
                "measures": {name: {**vars(m), "exponent": m.exponent and m.exponent._asdict()}
                             for name, m in self.measures.items()}}

    @classmethod
    def from_dict(cls, content):
        """The result of `as_dict`."""
        found = {name: Measure(**{**m, "exponent": m["exponent"] and Exponent(**m["exponent"])})
                 for name, m in content["measures"].items()}
        return cls(**{**content, "measures": found})


def measured(problem, target, *, sizes=None, budget=20.0, memory=2**30, step=lambda *_: None):
    """The growth of the costs of a `hopref.check.growth.inputs.Problem`.

    Parameters
    ----------
    problem : the callable with its arguments
    target : its name
    sizes : at least three ascending sizes; None to choose them
    budget : seconds that the measurement may take, about
    memory : bytes that a call may take where the sizes are chosen
    step : function that is called with each measure and size before it is taken

    Returns
    -------
    Scaling
    """
    calls = _given(problem, _validated(sizes), step) if sizes is not None \
        else _chosen(problem, budget / 40, memory, step)
    result = Scaling(target, problem.over)
    result.measures = {"memory": _memory(calls), "resident": _resident(calls, step),
                       "work": _work(problem, calls, step), "time": _time(calls, budget, step)}
    result.verdict, result.reasons = judged(result.measures, _of_numpy(calls))
    return result


@dataclass
class _Call:
    """A call at a size: ``run()`` returns the finished result, ``memory`` is its traced peak."""
    size: int
    args: tuple
    kwargs: dict
    run: object
    memory: int = 0


def _call(problem, size):
    try:
        args, kwargs = problem.draw(size)
    except MemoryError:
        raise ResourceError(f"the arguments at {problem.over} = {size} must fit in memory; "
                            "got MemoryError") from None

    def run():
        try:
            return finished(problem.function(*args, **kwargs))
        except Exception as error:
            error.add_note(f"at {problem.over} = {size}")
            raise
    return _Call(size, args, kwargs, run)


def _validated(sizes):
    sizes = list(sizes)
    whole = all(isinstance(n, (int, np.integer)) and n >= 1 for n in sizes)
    if not whole or len(sizes) < FEWEST or sizes != sorted(set(sizes)) \
            or sizes[-1] < LEAST_RATIO * sizes[0]:
        raise DomainError(f"sizes must be at least {FEWEST} ascending integers >= 1, the largest "
                          f"at least {LEAST_RATIO} times the smallest; got {sizes}")
    return [int(n) for n in sizes]


def _given(problem, sizes, step):
    """Calls at these sizes, after one that compiles the function."""
    calls = [_call(problem, size) for size in sizes]
    try:
        _call(problem, max(1, sizes[0] // 2)).run()     # another size: caches for these are empty
    except Exception:
        calls[0].run()
    for call in calls:
        step("memory", call.size)
        _try(call)
    return calls


def _chosen(problem, most_seconds, most_bytes, step):
    """Calls at sizes that double until the next could take too long or too much memory."""
    calls, size = [], FIRST
    while size <= LAST:
        step("sizes", size)
        call = _call(problem, size)
        try:
            took = _try(call)
        except MemoryError:
            if len(calls) < FEWEST:
                raise
            break
        calls.append(call)
        if len(calls) >= FEWEST and (4 * took > most_seconds or 4 * call.memory > most_bytes):
            break
        if took > 40 * most_seconds:
            raise ResourceError(f"a call must take less than {40 * most_seconds:.3g} s at "
                                f"{problem.over} = {size}; got {took:.3g} s: give smaller sizes")
        size *= 2
    return calls[-KEPT:]


def _try(call):
    """Measure the memory of a call, what a first one keeps included; return its seconds."""
    began = time.perf_counter()
    held = kept(call.run)
    first, began = time.perf_counter() - began, time.perf_counter()
    call.memory = traced(call.run) + (held if held > CACHE else 0)
    return min(first, time.perf_counter() - began)


def _memory(calls):
    sizes, costs = [call.size for call in calls], [call.memory for call in calls]
    exponent = fitted(sizes, costs, exact=True)
    return Measure("bytes", sizes, costs, exponent, class_of(*exponent[1:]))


def _resident(calls, step):
    gc.collect()
    sizes, costs = [call.size for call in calls], []
    for call in calls:
        step("resident", call.size)
        costs.append(resident_peak(call.run))
    if None in costs:
        return Measure("bytes", remark="it is unknown on this system")
    found = Measure("bytes", sizes, costs)
    seen = [(n, cost) for n, cost in zip(sizes, costs) if cost >= VISIBLE]
    if len(seen) < FEWEST:
        found.remark = "fewer than three calls add 1 MiB to the process"
        return found
    found.exponent = fitted(*zip(*seen))
    found.verdict = class_of(*found.exponent[1:])
    return found


def _work(problem, calls, step):
    """Counted operations, where all of them are operations of NumPy on arrays that can be counted.
    """
    found = Measure("operations")
    for call in calls:
        step("work", call.size)
        tally = Count()
        args = tuple(_counted(a, tally) for a in call.args)
        kwargs = {k: _counted(v, tally) for k, v in call.kwargs.items()}
        try:
            with intercepted(tally):
                problem.function(*args, **kwargs)
        except Exception as error:
            first = str(error).partition("\n")[0][:100]
            tally.lost = tally.lost or f"{type(error).__name__}: {first}"
        if tally.lost or not tally.work:
            why = tally.lost or "no operation of NumPy on the arguments was seen"
            return Measure("operations", remark=f"not intercepted: {why}")
        found.sizes.append(call.size)
        found.costs.append(int(tally.work))
    found.exponent = fitted(found.sizes, found.costs, exact=True)
    found.verdict = class_of(*found.exponent[1:])
    return found


def _counted(value, tally):
    if type(value) in (tuple, list):
        return type(value)(_counted(v, tally) for v in value)
    return tally.array(value.copy() if isinstance(value, np.ndarray) else value)


def _time(calls, budget, step):
    """The shortest of several readings, taken in turn for all sizes."""
    rounds, began = [], time.perf_counter()
    while len(rounds) < ROUNDS and (len(rounds) < 2 or time.perf_counter() - began < budget / 3):
        step("time", len(rounds))
        rounds.append([seconds(call.run) for call in calls])
    sizes = [c.size for c in calls]
    halves = [np.min(rounds[i::2], axis=0) for i in (0, 1)]
    shortest = np.min(rounds, axis=0)
    exponent = fitted(sizes, shortest, halves)
    return Measure("seconds of the processor", sizes, shortest.tolist(), exponent,
                   class_of(*exponent[1:], OF_TIME))


def _of_numpy(calls):
    """Whether all arrays that are passed and returned are those of NumPy."""
    leaves = [*calls[0].args, *calls[0].kwargs.values()]
    result = calls[0].run()
    leaves += result if isinstance(result, (tuple, list)) else [result]
    return not any(hasattr(a, "shape") and not isinstance(a, (np.ndarray, np.generic))
                   for a in leaves)


def judged(measures, numpy_only):
    """The verdict, and the sentences on what it rests on."""
    memory, resident, work, time_ = (measures[k] for k in ("memory", "resident", "work", "time"))
    reasons, space, effort = [], memory, work
    unseen = bool(resident.costs) and resident.costs[-1] > 1.5 * memory.costs[-1] + 16 * VISIBLE
    if unseen or not numpy_only:
        space = resident
        reasons.append(
            "memory is judged by the resident peak, since tracemalloc does not see all of it"
            if resident.exponent else "memory is undecided: tracemalloc does not see all of it; "
            f"resident peak: {resident.remark}")
    if work.exponent is None:
        effort = time_
        reasons.append(f"work is judged by time: it is {work.remark}")
    ends = [_ends(space), _ends(effort)]
    low, high = (ORDER[max(ORDER.index(e[i]) for e in ends)] for i in (0, 1))
    if effort is work and time_.exponent.low >= OF_TIME["linear"] \
            and ORDER.index(high) <= ORDER.index("linear"):
        reasons.append("time grows faster than the counted operations: some may not be counted")
        return "undecided", reasons
    if low != high:
        wide = [name for name, m in measures.items()
                if m in (space, effort) and m.verdict in ("undecided", "not measured")]
        reasons += [f"the interval of {name} does not lie in one class" for name in wide
                    if measures[name].exponent]
        reasons += [f"the growth is at least {low}"] * (low != ORDER[0])
        return "undecided", reasons
    return low, reasons


def _ends(measure):
    """The classes of both ends of the interval of a measure."""
    if measure.exponent is None:
        return ORDER[0], ORDER[-1]
    table = OF_TIME if measure.unit.startswith("seconds") else CLASSES
    return tuple(class_of(end, end, table) for end in measure.exponent[1:])

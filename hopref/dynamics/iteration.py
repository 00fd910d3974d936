"""Retrieval and traces: repeated updates with a stopping test for each state."""
import hashlib
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from hopref.dispatch.domains import count, nonnegative
from hopref.dispatch.operation import Operation, unchecked
from hopref.errors import BackendError, CallError, DTypeError, ShapeError, naming
from hopref.progress import progress

__all__ = ["Retrieval", "Trace", "retrieve", "trace", "traced", "validated", "iterate",
           "batches_of_one"]


Step = Callable[[np.ndarray], np.ndarray]      # of states (M, 1, d)


class Retrieval(NamedTuple):
    """Final states, and the reason for which each state stopped.

    Attributes
    ----------
    states : (..., d) final states
    energies : (T+1, ...) energies before the first and after every update; a state that has
        stopped keeps its last energy.  None if the rule has no energy.
    steps : (...) number of updates, including the one that confirms a fixed point
    reason : (...) "fixed_point", "tolerance", "cycle", "max_steps" or "nonfinite"
    converged : (...) whether the reason is "fixed_point" or "tolerance"
    period : (...) period of the cycle; 1 if the state converged, else 0
    """
    states: np.ndarray
    energies: np.ndarray | None
    steps: np.ndarray
    reason: np.ndarray
    converged: np.ndarray
    period: np.ndarray


class Trace(NamedTuple):
    """States of every time, with their energies.

    Attributes
    ----------
    states : (T+1, ..., d) the initial state and the state after each step
    energies : (T+1, ...) their energies; None if the rule has no energy
    """
    states: np.ndarray
    energies: np.ndarray | None


def retrieve(update: Operation, xi: Any, /, *memory: Any, tol: float = 1e-12,
             max_steps: int = 1000, clamp: Any = False, backend: str | None = None,
             **params: Any) -> Retrieval:
    """Update every state until it converges, cycles, or reaches ``max_steps``.

    Source: blog, below eq. (2), and Ramsauer et al. 2021, eq. (3) [MH-7, CB-6].

    Parameters
    ----------
    update : an operation that maps states to states, such as ``modern.update``
    xi : (..., d) states
    memory : the other operands of the operation, such as the patterns X
    tol : a state stops with reason "tolerance" when max|change| <= tol * max|state|; 0 disables
        this test
    max_steps : maximum number of updates
    clamp : (d,) or (..., d) bool, components that keep their initial value; an energy that is
        lowered by the update of all components may then rise, unless it is that of a rule whose
        update minimises a sum over the components, such as ``modern.update``
    backend : path of the operation, see `hopref.dispatch`
    params : options of the operation, such as ``beta=25.0``

    Returns
    -------
    Retrieval

    Notes
    -----
    A cycle is detected if an earlier state recurs exactly.  The states must be NumPy arrays.

    >>> from hopref import classical, retrieve
    >>> run = retrieve(classical.update, [1.0, 1.0], [[0.0, -1.0], [-1.0, 0.0]])
    >>> str(run.reason), int(run.period)
    ('cycle', 2)
    """
    step, energy, start = validated("retrieve", update, xi, memory, backend, params)
    with naming("hopref.retrieve"):
        tol, max_steps = nonnegative.validate("tol", tol), count.validate("max_steps", max_steps)
        clamped = _clamped(clamp, start)
    return iterate(lambda active, t: step(active), energy, start, tol=tol, max_steps=max_steps,
                   clamped=clamped)


def trace(update: Operation, xi: Any, /, *memory: Any, steps: int, clamp: Any = False,
          backend: str | None = None, **params: Any) -> Trace:
    """States and energies of ``steps`` updates.

    Source: blog eq. (2) and Ramsauer et al. 2021, eq. (3) [MH-7].

    Parameters
    ----------
    update : an operation that maps states to states, such as ``modern.update``
    xi : (..., d) states
    memory : the other operands of the operation, such as the patterns X
    steps : number of updates
    clamp : (d,) or (..., d) bool, components that keep their initial value
    backend : path of the operation, see `hopref.dispatch`
    params : options of the operation, such as ``beta=25.0``

    Returns
    -------
    Trace

    >>> from hopref import modern
    >>> from hopref.dynamics import trace
    >>> trace(modern.update, [2.0], [[1.0], [-1.0]], beta=50.0, steps=2).states[:, 0]
    array([2., 1., 1.])
    """
    step, energy, start = validated("trace", update, xi, memory, backend, params)
    with naming("hopref.trace"):
        steps, clamped = count.validate("steps", steps), _clamped(clamp, start)
    states = [batches_of_one(start)]
    for _ in progress(range(steps), label="trace"):
        states.append(np.where(clamped, states[0], step(states[-1])))
    return traced(states, energy, start)


def traced(states: list[np.ndarray], energy: Step | None, start: np.ndarray) -> Trace:
    """The trace of states (M, 1, d), one array for each time."""
    energies = energy and reshaped(np.stack([energy(s)[:, 0] for s in states]), start)
    return Trace(np.stack([s.reshape(start.shape) for s in states]), energies)


def validated(caller: str, update: Operation, xi: Any, memory: tuple[Any, ...],
              backend: str | None, params: dict[str, Any]) -> tuple[Step, Step | None, np.ndarray]:
    """Validate the arguments once; return the step, the energy or None, and the states."""
    with naming(f"hopref.{caller}"):
        if not hasattr(update, "prepare"):
            raise CallError(f"update must be an operation of hopref; got {update!r}")
        first = next(iter(update.arrays.values()), None)
        if first is None or update.outputs != (first,) or first[:1] != ("...",):
            raise CallError(f"update must map states to states; got {update.name}: {update.shapes}")
    call = update.prepare(xi, *memory, backend=backend, **params)
    start = call.args[0]
    with naming(f"hopref.{caller}"):
        if not isinstance(start, np.ndarray):
            raise BackendError(f"xi must be a NumPy array; got {type(start).__module__}")
        given = dict(zip(update.signature.parameters, call.args, strict=False)) | call.kwargs
        for k, dims in list(update.arrays.items())[1:]:
            if dims[0] == "..." and np.ndim(given[k]) >= len(dims):
                raise CallError(f"{k} must be the same for all states; "
                                f"got an array of {np.ndim(given[k])} dimensions")

    def step(states: np.ndarray) -> np.ndarray:
        with unchecked():
            return call.path(states, *call.args[1:], **call.kwargs)

    return step, _energy_of(update, start, memory, backend, params), start


def _energy_of(update: Operation, start: np.ndarray, memory: tuple[Any, ...],
               backend: str | None, params: dict[str, Any]) -> Step | None:
    """The energy that ``update`` declares, with validated arguments; None if it has none.

    It takes the path of the update if it has that.
    """
    if update.lowers is None:
        return None
    op = update.lowers[0]
    known = {k: v for k, v in params.items() if k in op.signature.parameters}
    asymmetric = {"check": False} if op.structural else {}
    call = op.prepare(np.zeros_like(start), *memory, **asymmetric, **known,
                      backend=backend if backend in op.paths else None)

    def energy(states: np.ndarray) -> np.ndarray:
        with unchecked():
            return call.path(states, *call.args[1:], **call.kwargs)
    return energy


def _clamped(clamp: Any, start: np.ndarray) -> np.ndarray:
    """The mask of the clamped components of states (M, 1, d)."""
    mask = np.asarray(clamp)
    if mask.dtype != bool:
        raise DTypeError(f"clamp must be an array of bool; got {mask.dtype}")
    if mask.ndim > start.ndim or any(n not in (1, m) for n, m in
                                     zip(mask.shape[::-1], start.shape[::-1], strict=False)):
        raise ShapeError(f"clamp must have a shape that broadcasts to {start.shape}, that of xi; "
                         f"got {mask.shape}")
    return batches_of_one(np.broadcast_to(mask, start.shape))


def batches_of_one(start: np.ndarray) -> np.ndarray:
    """A copy of the states (..., d) with shape (M, 1, d)."""
    return start.reshape(math.prod(start.shape[:-1]), 1, start.shape[-1]).copy()


def reshaped(values: np.ndarray, start: np.ndarray) -> Any:
    """Values (..., M), one for each state, in the leading shape of the states."""
    return values.reshape((*values.shape[:-1], *start.shape[:-1]))[()]


def iterate(advance: Callable[[np.ndarray, int], np.ndarray], energy: Step | None,
            start: np.ndarray, *, tol: float, max_steps: int, stable: Step | None = None,
            deterministic: bool = True, clamped: np.ndarray | None = None) -> Retrieval:
    """Advance the states until each has stopped; every state has its own stopping test."""
    states = batches_of_one(start)
    clamped = np.zeros(states.shape, bool) if clamped is None else clamped
    energies = [energy(states)[:, 0]] if energy else []
    steps, period = np.zeros((2, len(states)), dtype=int)
    reason = np.full(len(states), "max_steps", dtype="<U11")
    seen = [{_digest(s): 0} for s in states]
    active = np.arange(len(states))
    for t in progress(range(1, max_steps + 1), label="retrieve"):
        if not active.size:
            break
        old = states[active]
        new = np.where(clamped[active], old, advance(old, t))
        states[active], steps[active] = new, t
        if energy:
            energies.append(energies[-1].copy())
            energies[-1][active] = energy(new)[:, 0]
        fixed = np.all(new == old, axis=(1, 2)) if stable is None else stable(new)
        for i, stop in zip(active, _stopping_reasons(old, new, fixed, tol), strict=True):
            first = seen[i].setdefault(_digest(states[i]), t)
            if not stop and deterministic and first < t:
                stop = "cycle"
                period[i] = t - first
            reason[i] = stop or reason[i]
        active = active[reason[active] == "max_steps"]
    converged = (reason == "fixed_point") | (reason == "tolerance")
    period[converged] = 1
    return Retrieval(states.reshape(start.shape),
                     reshaped(np.stack(energies), start) if energy else None,
                     *(reshaped(a, start) for a in (steps, reason, converged, period)))


def _stopping_reasons(old: np.ndarray, new: np.ndarray, fixed: np.ndarray,
                      tol: float) -> np.ndarray:
    """The reason for which each state stops at this update, or an empty string."""
    with np.errstate(invalid="ignore"):
        change = np.max(np.abs(new - old), axis=(1, 2), initial=0.0)
    close = change <= tol * np.max(np.abs(new), axis=(1, 2), initial=0.0)
    nonfinite = ~np.all(np.isfinite(new), axis=(1, 2))
    return np.select([nonfinite, fixed, close & (tol > 0)],
                     ["nonfinite", "fixed_point", "tolerance"], "")


def _digest(state: np.ndarray) -> bytes:
    """A hash of 16 bytes of a state, equal for -0 and 0."""
    return hashlib.blake2b((state + 0.0).tobytes(), digest_size=16).digest()

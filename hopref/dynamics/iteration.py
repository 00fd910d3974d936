"""Run an operation through time: retrieval, traces, asynchronous sweeps, the 1984 flow.

Every state runs as a batch of one, so its answer does not depend, bit for bit, on its companions
(one machine, BLAS and thread count).  Not to converge is an answer, never an exception.
"""
import hashlib
import math
from typing import NamedTuple

import numpy as np

from hopref.dispatch.domains import Choice, Scalar, count, nonnegative, positive, seed
from hopref.dispatch.operation import unchecked
from hopref.errors import BackendError, CallError, naming
from hopref.models import classical, graded
from hopref.progress import progress

__all__ = ["Retrieval", "Trace", "Flow", "retrieve", "trace", "sweep", "glauber", "solve_flow"]

class Retrieval(NamedTuple):
    """How each state ended.

    states (..., d); energies (T+1, ...) along the way, a stopped state keeping its last (None if
    the rule has no energy); steps (...) updates run, the confirming one included; reason (...) one
    of "fixed_point", "tolerance", "cycle", "max_steps", "nonfinite"; converged (...) whether the
    reason is one of the first two; period (...) of the cycle, 1 if converged, else 0.
    """
    states: np.ndarray
    energies: np.ndarray | None
    steps: np.ndarray
    reason: np.ndarray
    converged: np.ndarray
    period: np.ndarray


class Trace(NamedTuple):
    """Every state (T+1, ..., d), and its energy (T+1, ...) or None."""
    states: np.ndarray
    energies: np.ndarray | None


class Flow(NamedTuple):
    """The solution: times (T,), internal u (T, ..., d), states f(beta u), energies (T, ...)."""
    times: np.ndarray
    internal: np.ndarray
    states: np.ndarray
    energies: np.ndarray


def retrieve(update, xi, /, *memory, tol=1e-12, max_steps=1000, backend=None, **params):
    """Update every state until it stands still, cycles, or has run ``max_steps``.

    Source: blog, below eq. (2), and Ramsauer et al. 2021, eq. (3) [MH-7, CB-6].

    Parameters
    ----------
    update : an operation that maps states to states, such as ``modern.update``
    xi : (..., d) states
    memory : the operation's other operands, such as the patterns X
    tol : stop with reason "tolerance" once max|change| <= tol * max|state|; 0 for never
    params : the operation's options, such as ``beta=25.0``

    Returns
    -------
    Retrieval

    Notes
    -----
    A cycle is the exact return of an earlier state.  NumPy arrays only.

    >>> from hopref import classical, retrieve
    >>> run = retrieve(classical.update, [1.0, 1.0], [[0.0, -1.0], [-1.0, 0.0]])
    >>> str(run.reason), int(run.period)
    ('cycle', 2)
    """
    step, energy, start = _admitted("retrieve", update, xi, memory, backend, params)
    with naming("hopref.retrieve"):
        tol, max_steps = nonnegative.validate("tol", tol), count.validate("max_steps", max_steps)
    return _run(lambda active, t: step(active), energy, start, tol=tol, max_steps=max_steps)


def trace(update, xi, /, *memory, steps, backend=None, **params):
    """Every state along ``steps`` updates, and its energy.

    Source: blog eq. (2) and Ramsauer et al. 2021, eq. (3) [MH-7].

    >>> from hopref import modern
    >>> from hopref.dynamics import trace
    >>> trace(modern.update, [2.0], [[1.0], [-1.0]], beta=50.0, steps=2).states[:, 0]
    array([2., 1., 1.])
    """
    step, energy, start = _admitted("trace", update, xi, memory, backend, params)
    with naming("hopref.trace"):
        steps = count.validate("steps", steps)
    states = [_alone(start)]
    for _ in progress(range(steps), label="trace"):
        states.append(step(states[-1]))
    energies = energy and _like(np.stack([energy(s)[:, 0] for s in states]), start)
    return Trace(np.stack([s.reshape(start.shape) for s in states]), energies)


def sweep(xi, W, b=0.0, /, *, order="cyclic", rng=None, ties="keep", states="polar",
          max_sweeps=1000):
    """Asynchronous updates of a classical network until no site wants to flip.

    Source: Hopfield 1982; blog, below eq. (2) [CB-4].

    Parameters
    ----------
    order : "cyclic", "permutation" (a new one each sweep), "random" (d sites with replacement) or
        "greedy" (one flip a sweep, of the unstable site with the largest field)
    rng : seed or Generator, needed by "permutation" and "random"; all states see the same draws

    Returns
    -------
    Retrieval : steps counts sweeps.  "fixed_point" means that every site is stable.

    Notes
    -----
    Ends in a fixed point if W = W.T and w_ii >= 0; otherwise it may cycle.

    >>> from hopref.dynamics import sweep
    >>> run = sweep([1.0, 1.0], [[0.0, -1.0], [-1.0, 0.0]])
    >>> run.states, str(run.reason)
    (array([-1.,  1.]), 'fixed_point')
    """
    with naming("hopref.sweep"):
        max_sweeps = count.validate("max_sweeps", max_sweeps)
        draw = ORDERS.validate("order", order)
        rng = seed.validate("rng", rng) if order in ("permutation", "random") else None
    params = {"ties": ties, "states": states}
    stable, energy, start = _admitted("sweep", classical.update, xi, (W, b), None, params)
    d = start.shape[-1]
    if order == "greedy":
        call = classical.greedy_update.prepare(xi, W, b, **params)
    else:
        call = classical.asynchronous_update.prepare(xi, W, b, order=range(d), **params)

    def advance(active, t):
        visits = {"order": draw(d, rng)} if draw else {}
        with unchecked():
            return call.path(active, *call.args[1:], **{**call.kwargs, **visits})

    return _run(advance, energy, start, tol=0.0, max_steps=max_sweeps,
                stable=lambda s: np.all(stable(s) == s, axis=(1, 2)), repeats=rng is None)


def glauber(xi, W, b=0.0, /, *, beta=1.0, sweeps, rng, order="cyclic", states="polar"):
    """A network at temperature 1/beta: sweep after sweep of `classical.glauber_update`.

    Source: Glauber 1963 [CB-4].

    Parameters
    ----------
    beta : inverse temperature > 0
    rng : seed or Generator; every state draws numbers of its own, whatever its companions
    order : "cyclic", "permutation" (a new one each sweep) or "random" (d sites with replacement),
        the same for all states

    Returns
    -------
    Trace : the state before the first and after every sweep, with its energy

    Notes
    -----
    With W = W.T and w_ii = 0 the states are in the end distributed as exp(-beta E)/Z.  It never
    ends by itself: temperature keeps every state moving.

    >>> from hopref.dynamics import glauber
    >>> run = glauber([1.0, -1.0], [[0.0, 1.0], [1.0, 0.0]], beta=40.0, sweeps=3, rng=0)
    >>> run.states[-1], run.energies.tolist()
    (array([-1., -1.]), [1.0, -1.0, -1.0, -1.0])
    """
    with naming("hopref.glauber"):
        sweeps, rng = count.validate("sweeps", sweeps), seed.validate("rng", rng)
        draw = WARM_ORDERS.validate("order", order)
    how = {"states": states, "ties": "plus"}
    _, energy, start = _admitted("glauber", classical.update, xi, (W, b), None, how)
    d, now = start.shape[-1], _alone(start)
    call = classical.glauber_update.prepare(
        start, W, b, order=range(d), uniforms=np.zeros(start.shape), beta=beta, states=states)
    orders, *chains = rng.spawn(1) + rng.spawn(len(now))
    way = [now]
    for _ in progress(range(sweeps), label="glauber"):
        uniforms = np.reshape([chain.random(d) for chain in chains], now.shape)
        visits = {"order": draw(d, orders), "uniforms": uniforms}
        with unchecked():
            way.append(call.path(way[-1], *call.args[1:], **{**call.kwargs, **visits}))
    energies = np.stack([energy(s)[:, 0] for s in way])
    return Trace(np.stack([s.reshape(start.shape) for s in way]), _like(energies, start))


def _cyclic(d, rng):
    return np.arange(d)


def _permutation(d, rng):
    return rng.permutation(d)


def _with_replacement(d, rng):
    return rng.integers(d, size=d)


WARM_ORDERS = Choice({"cyclic": _cyclic, "permutation": _permutation, "random": _with_replacement})
ORDERS = Choice({**WARM_ORDERS.names, "greedy": None})


def solve_flow(u, W, b=0.0, /, *, until, points=101, activation="tanh", beta=1.0, tau=1.0,
               rtol=1e-9, atol=1e-12):
    """Solve the ODE of the continuous network with scipy's `solve_ivp` (DOP853).

    Source: Hopfield 1984 [CC-5].

    .. math:: \\tau \\dot u = -u + W \\xi - b, \\quad \\xi = f(\\beta u)

    Parameters
    ----------
    u : (..., d) internal state at time 0
    until : last time, > 0, in the units of tau
    points : number of equally spaced times returned, from 0 to ``until``; NaN after a time at which
        the solution leaves the floating-point numbers
    rtol, atol : each step keeps its local error below atol + rtol |u|: by default nine digits, and
        none of what lies below 1e-12

    Returns
    -------
    Flow : for symmetric W its energies never rise, beyond the solver's error; each state is solved
        alone, with steps of its own

    >>> from hopref.dynamics import solve_flow
    >>> flow = solve_flow([1.0], [[0.0]], until=1.0, points=2)
    >>> round(float(flow.internal[-1, 0]), 6)          # exp(-1)
    0.367879
    """
    from scipy.integrate import solve_ivp
    with naming("hopref.solve_flow"):
        until, points = positive.validate("until", until), AT_LEAST_TWO.validate("points", points)
        rtol, atol = positive.validate("rtol", rtol), positive.validate("atol", atol)
    call = graded.flow.prepare(u, W, b, activation=activation, beta=beta, tau=tau)
    start, rest = call.args[0], call.args[1:]

    def velocity(_, u):
        return call.path(u, *rest, **call.kwargs)

    times = np.linspace(0.0, until, points)
    alone = _alone(start)[:, 0, :]
    internal = np.full((points, *alone.shape), np.nan)
    with unchecked():
        for i, u_0 in enumerate(alone if start.size else ()):
            y = solve_ivp(velocity, (0.0, until), u_0, method="DOP853", t_eval=times,
                          rtol=rtol, atol=atol).y
            internal[:y.shape[1], i] = y.T
        internal = internal.reshape(points, *start.shape)
        states = call.kwargs["activation"].f(call.kwargs["beta"] * internal)
    energies = graded.energy(states, W, b, activation=activation, beta=beta,
                             nonfinite="propagate", check=False)
    return Flow(times, internal, states, energies)


AT_LEAST_TWO = Scalar("an integer >= 2", lambda v: v >= 2, int)


def _admitted(who, update, xi, memory, backend, params):
    """Validate once: the step, its energy or None, and the validated states."""
    with naming(f"hopref.{who}"):
        if not hasattr(update, "prepare"):
            raise CallError(f"update must be an operation of hopref; got {update!r}")
        first = next(iter(update.arrays.values()), None)
        if update.outputs != (first,) or first[:1] != ("...",):
            raise CallError(f"update must map states to states; got {update.name}: {update.shapes}")
    call = update.prepare(xi, *memory, backend=backend, **params)
    start = call.args[0]
    with naming(f"hopref.{who}"):
        if not isinstance(start, np.ndarray):
            raise BackendError(f"xi must be a NumPy array; got {type(start).__module__}")
        given = dict(zip(update.signature.parameters, call.args, strict=False)) | call.kwargs
        for k, dims in list(update.arrays.items())[1:]:
            if dims[0] == "..." and np.ndim(given[k]) >= len(dims):
                raise CallError(f"{k} must be the same for all states; got it with leading axes")

    def step(states):
        with unchecked():
            return call.path(states, *call.args[1:], **call.kwargs)

    return step, _energy_of(update, start, memory, params), start


def _energy_of(update, start, memory, params):
    """The energy that ``update`` declares, admitted once; None if it has none."""
    if update.lowers is None:
        return None
    op = update.lowers[0]
    known = {k: v for k, v in params.items() if k in op.signature.parameters}
    asymmetric = {"check": False} if op.structural else {}
    call = op.prepare(np.zeros_like(start), *memory, **asymmetric, **known)

    def energy(states):
        with unchecked():
            return op.formula(states, *call.args[1:], **call.kwargs)
    return energy


def _alone(start):
    """Every state as a batch of one: (..., d) -> (M, 1, d), a copy."""
    return start.reshape(math.prod(start.shape[:-1]), 1, start.shape[-1]).copy()


def _like(values, start):
    """One value a state, back in the states' leading shape."""
    return values.reshape((*values.shape[:-1], *start.shape[:-1]))[()]


def _run(advance, energy, start, *, tol, max_steps, stable=None, repeats=True):
    """Advance all states that are not stopped yet; each stops by itself."""
    states = _alone(start)
    energies = energy and [energy(states)[:, 0]]
    steps, period = np.zeros((2, len(states)), dtype=int)
    reason = np.full(len(states), "max_steps", dtype="<U11")
    seen = [{_digest(s): 0} for s in states]
    active = np.arange(len(states))
    for t in progress(range(1, max_steps + 1), label="retrieve"):
        if not active.size:
            break
        old, new = states[active], advance(states[active], t)
        states[active], steps[active] = new, t
        if energy:
            energies.append(energies[-1].copy())
            energies[-1][active] = energy(new)[:, 0]
        still = np.all(new == old, axis=(1, 2)) if stable is None else stable(new)
        ends = _ends(old, new, still, tol)
        for i, end in zip(active, ends, strict=True):
            first = seen[i].setdefault(_digest(states[i]), t)
            if not end and repeats and first < t:
                end = "cycle"
                period[i] = t - first
            reason[i] = end or reason[i]
        active = active[reason[active] == "max_steps"]
    converged = (reason == "fixed_point") | (reason == "tolerance")
    period[converged] = 1
    return Retrieval(states.reshape(start.shape), energies and _like(np.stack(energies), start),
                     *(_like(a, start) for a in (steps, reason, converged, period)))


def _ends(old, new, still, tol):
    """The reason for which each state stops here, or an empty string."""
    with np.errstate(invalid="ignore"):
        change = np.max(np.abs(new - old), axis=(1, 2), initial=0.0)
    close = change <= tol * np.max(np.abs(new), axis=(1, 2), initial=0.0)
    lost = ~np.all(np.isfinite(new), axis=(1, 2))
    return np.select([lost, still, close & (tol > 0)],
                     ["nonfinite", "fixed_point", "tolerance"], "")


def _digest(state):
    """16 bytes that stand for a state; -0 and 0 are one state."""
    return hashlib.blake2b((state + 0.0).tobytes(), digest_size=16).digest()

"""Asynchronous sweeps of classical networks, at temperature 0 and above."""
from typing import Any

import numpy as np

from hopref.dispatch.domains import Choice, count, seed
from hopref.dispatch.operation import unchecked
from hopref.dynamics.iteration import (
    Retrieval,
    Trace,
    batches_of_one,
    iterate,
    traced,
    validated,
)
from hopref.errors import CallError, DTypeError, ShapeError, naming
from hopref.models import classical
from hopref.progress import progress

__all__ = ["sweep", "visits", "glauber"]


def sweep(xi: Any, W: Any, b: Any = 0.0, /, *, order: Any = "cyclic", rng: Any = None,
          ties: str = "keep", states: str = "polar", max_sweeps: int = 1000,
          clamp: Any = False) -> Retrieval:
    """Asynchronous updates of a classical network until every site is stable.

    Source: Hopfield 1982; blog, below eq. (2) [CB-4].

    Parameters
    ----------
    xi : (..., d) states
    W : (d, d) weights
    b : (d,) thresholds, or one number
    order : "cyclic", "permutation" (a new one in each sweep), "random" (d sites with replacement),
        "greedy" (each sweep flips one site, the unstable one with the largest field), or the sites
        of each sweep; sites that are not among these keep their states
    rng : seed or Generator, required by "permutation" and "random"; the order is the same for all
        states
    ties : state of a site with zero field: "keep" or "plus"
    states : "polar" or "binary"
    max_sweeps : maximum number of sweeps
    clamp : (d,) bool, sites that keep their initial state, and are not visited; not with "greedy"

    Returns
    -------
    Retrieval : ``steps`` counts sweeps; "fixed_point" means that every site of the order is stable

    Notes
    -----
    The sweeps converge to a fixed point if W = W.T and w_ii >= 0; otherwise they may cycle.

    >>> from hopref.dynamics import sweep
    >>> run = sweep([1.0, 1.0], [[0.0, -1.0], [-1.0, 0.0]])
    >>> run.states, str(run.reason)
    (array([-1.,  1.]), 'fixed_point')
    """
    with naming("hopref.sweep"):
        max_sweeps = count.validate("max_sweeps", max_sweeps)
        given = not isinstance(order, str)
        draw = None if given else ORDERS.validate("order", order)
        drawn = not given and order in ("permutation", "random")
        rng = seed.validate("rng", rng) if drawn else None
    params = {"ties": ties, "states": states}
    stable, energy, start = validated("sweep", classical.update, xi, (W, b), None, params)
    d = start.shape[-1]
    with naming("hopref.sweep"):
        free = _free(clamp, start)
        if not (given or draw or free.all()):
            raise CallError("clamp must be left out with order='greedy'; got clamped sites")
    if given or draw:
        call = classical.asynchronous_update.prepare(xi, W, b, order=order if given else range(d),
                                                     **params)
    else:
        call = classical.greedy_update.prepare(xi, W, b, **params)
    visited = free & np.isin(np.arange(d), call.kwargs["order"]) if given else free

    def advance(active: np.ndarray, t: int) -> np.ndarray:
        if not visited.any():
            return active
        sites = draw(d, rng) if draw else call.kwargs.get("order")
        drawn = {} if sites is None else {"order": sites[free[sites]]}
        with unchecked():
            return call.path(active, *call.args[1:], **{**call.kwargs, **drawn})

    return iterate(advance, energy, start, tol=0.0, max_steps=max_sweeps, deterministic=rng is None,
                   stable=lambda s: np.all((stable(s) == s) | ~visited, axis=(1, 2)))


def visits(xi: Any, W: Any, b: Any = 0.0, /, *, order: Any, ties: str = "keep",
           states: str = "polar") -> Trace:
    """States and energies after the visit of each single site, in the given order.

    Source: Hopfield 1982; blog, below eq. (2) [CB-4].

    Parameters
    ----------
    xi : (..., d) states
    W : (d, d) weights
    b : (d,) thresholds, or one number
    order : (T,) sites in the order of their visits; a site may occur more than once
    ties : state of a site with zero field: "keep" or "plus"
    states : "polar" or "binary"

    Returns
    -------
    Trace : the state before the first and after every visit, with its energy

    Notes
    -----
    If W = W.T and w_ii >= 0, no visit raises the energy.

    >>> from hopref.dynamics import visits
    >>> visits([1.0, 1.0], [[0.0, -1.0], [-1.0, 0.0]], order=[0, 1]).energies.tolist()
    [1.0, -1.0, -1.0]
    """
    params = {"ties": ties, "states": states}
    _, energy, start = validated("visits", classical.update, xi, (W, b), None, params)
    call = classical.asynchronous_update.prepare(start, W, b, order=order, **params)
    trajectory = [batches_of_one(start)]
    for site in np.asarray(call.kwargs["order"]):
        with unchecked():
            trajectory.append(call.path(trajectory[-1], *call.args[1:],
                                        **{**call.kwargs, "order": np.array([site])}))
    return traced(trajectory, energy, start)


def glauber(xi: Any, W: Any, b: Any = 0.0, /, *, beta: float = 1.0, sweeps: int, rng: Any,
            order: str = "cyclic", states: str = "polar", clamp: Any = False) -> Trace:
    """Glauber dynamics at temperature 1/beta: sweeps of `classical.glauber_update`.

    Source: Glauber 1963 [CB-4].

    Parameters
    ----------
    xi : (..., d) states
    W : (d, d) weights
    b : (d,) thresholds, or one number
    beta : inverse temperature > 0
    sweeps : number of sweeps
    rng : seed or Generator; each state has its own stream of random numbers, which does not depend
        on the other states
    order : "cyclic", "permutation" (a new one in each sweep) or "random" (d sites with
        replacement), the same for all states
    states : "polar" or "binary"
    clamp : (d,) bool, sites that keep their initial state

    Returns
    -------
    Trace : the state before the first and after every sweep, with its energy

    Notes
    -----
    If W = W.T and w_ii = 0, the stationary distribution of the states is exp(-beta E)/Z, given the
    clamped sites.  There is no stopping criterion.

    >>> from hopref.dynamics import glauber
    >>> run = glauber([1.0, -1.0], [[0.0, 1.0], [1.0, 0.0]], beta=40.0, sweeps=3, rng=0)
    >>> run.states[-1], run.energies.tolist()
    (array([-1., -1.]), [1.0, -1.0, -1.0, -1.0])
    """
    with naming("hopref.glauber"):
        sweeps, rng = count.validate("sweeps", sweeps), seed.validate("rng", rng)
        draw = RANDOM_ORDERS.validate("order", order)
    options = {"states": states, "ties": "plus"}
    _, energy, start = validated("glauber", classical.update, xi, (W, b), None, options)
    with naming("hopref.glauber"):
        free = _free(clamp, start)
    d, trajectory = start.shape[-1], [batches_of_one(start)]
    call = classical.glauber_update.prepare(
        start, W, b, order=range(d), uniforms=np.zeros(start.shape), beta=beta, states=states)
    orders, *streams = rng.spawn(1) + rng.spawn(len(trajectory[0]))
    for _ in progress(range(sweeps), label="glauber"):
        uniforms = np.reshape([stream.random(d) for stream in streams], trajectory[0].shape)
        sites = draw(d, orders)
        seen = free[sites]
        drawn = {"order": sites[seen], "uniforms": uniforms[..., seen]}
        with unchecked():
            trajectory.append(
                call.path(trajectory[-1], *call.args[1:], **{**call.kwargs, **drawn}))
    return traced(trajectory, energy, start)


def _free(clamp: Any, start: np.ndarray) -> np.ndarray:
    """The sites (d,) that are not clamped, which are the same for all states."""
    mask = np.asarray(clamp)
    if mask.dtype != bool:
        raise DTypeError(f"clamp must be an array of bool; got {mask.dtype}")
    if mask.shape not in ((), start.shape[-1:]):
        raise ShapeError(f"clamp must have the shape {start.shape[-1:]}, one for each site; "
                         f"got {mask.shape}")
    return np.broadcast_to(~mask, start.shape[-1:])


def _cyclic(d: int, rng: Any) -> np.ndarray:
    return np.arange(d)


def _permutation(d: int, rng: Any) -> np.ndarray:
    return rng.permutation(d)


def _with_replacement(d: int, rng: Any) -> np.ndarray:
    return rng.integers(d, size=d)


RANDOM_ORDERS = Choice({"cyclic": _cyclic, "permutation": _permutation,
                        "random": _with_replacement})
ORDERS = Choice({**RANDOM_ORDERS.names, "greedy": None})

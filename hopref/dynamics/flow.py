"""Flow of the continuous network of Hopfield 1984."""
from typing import Any, NamedTuple

import numpy as np

from hopref.dispatch.domains import Scalar, positive
from hopref.dispatch.operation import unchecked
from hopref.dynamics.iteration import batches_of_one
from hopref.errors import naming
from hopref.models import graded

__all__ = ["Flow", "solve_flow"]


class Flow(NamedTuple):
    """Solution of the differential equation of the continuous network.

    Attributes
    ----------
    times : (T,) times
    internal : (T, ..., d) internal states u
    states : (T, ..., d) states f(beta u)
    energies : (T, ...) energies of the states
    """
    times: np.ndarray
    internal: np.ndarray
    states: np.ndarray
    energies: np.ndarray


def solve_flow(u: Any, W: Any, b: Any = 0.0, /, *, until: float, points: int = 101,
               activation: str = "tanh", beta: float = 1.0, tau: float = 1.0, leak: Any = 1.0,
               rtol: float = 1e-9, atol: float = 1e-12) -> Flow:
    """Solve the differential equation of the continuous network with `solve_ivp` (DOP853).

    Source: Hopfield 1984 [CC-5].

    .. math:: \\tau \\dot u = -\\ell \\circ u + W \\xi - b, \\quad \\xi = f(\\beta u)

    Parameters
    ----------
    u : (..., d) internal states at time 0
    W : (d, d) weights
    b : (d,) thresholds, or one number
    until : last time, > 0, in the units of tau
    points : number of equally spaced times from 0 to ``until``; the solution is NaN after a time
        at which it overflows
    activation : name of f, see `graded.update`
    beta : gain > 0
    tau : time constant > 0
    leak : (d,) conductances 1/R > 0; 1 if it is left out
    rtol, atol : tolerances of the solver: the local error of each step is below atol + rtol |u|

    Returns
    -------
    Flow : each state is solved separately, with its own steps

    Notes
    -----
    For symmetric W the energies do not increase, up to the error of the solver.

    >>> from hopref.dynamics import solve_flow
    >>> flow = solve_flow([1.0], [[0.0]], until=1.0, points=2)
    >>> round(float(flow.internal[-1, 0]), 6)          # exp(-1)
    0.367879
    """
    from scipy.integrate import solve_ivp
    with naming("hopref.solve_flow"):
        until, points = positive.validate("until", until), AT_LEAST_TWO.validate("points", points)
        rtol, atol = positive.validate("rtol", rtol), positive.validate("atol", atol)
    call = graded.flow.prepare(u, W, b, activation=activation, beta=beta, tau=tau,
                               leak=leak)
    start, rest = call.args[0], call.args[1:]

    def velocity(_: float, u: np.ndarray) -> np.ndarray:
        return call.path(u, *rest, **call.kwargs)

    times = np.linspace(0.0, until, points)
    initial = batches_of_one(start)[:, 0, :]
    internal = np.full((points, *initial.shape), np.nan)
    with unchecked():
        for i, u_0 in enumerate(initial if start.size else ()):
            y = solve_ivp(velocity, (0.0, until), u_0, method="DOP853", t_eval=times,
                          rtol=rtol, atol=atol).y
            internal[:y.shape[1], i] = y.T
        internal = internal.reshape(points, *start.shape)
        states = call.kwargs["activation"].f(call.kwargs["beta"] * internal)
    energies = graded.energy(states, W, b, activation=activation, beta=beta, leak=leak,
                             nonfinite="propagate", check=False)
    return Flow(times, internal, states, energies)


AT_LEAST_TWO = Scalar("an integer >= 2", lambda v: v >= 2, int)

"""The graded (continuous) classical network in ball arithmetic.

References: Hopfield 1984; the blog, eqs. (7)-(13) and (20).
"""
import numpy as np
from flint import arb

from hopref.certify.balls import columns, dot, exp, log, tanh, total, vanishes
from hopref.certify.classical import visited
from hopref.certify.derivatives import Variable
from hopref.certify.modern import kept

__all__ = ["energy", "update", "asynchronous_update", "two_step_energy", "flow",
           "thresholded_update"]

F = {"tanh": tanh, "sigmoid": lambda u: 1 / (1 + exp(-u)), "identity": lambda u: u}


def energy(xi, W, b=0, *, activation, beta=1, leak=1):
    return -dot(xi @ W.T, xi) / 2 + dot(xi, b) + integrals(xi, activation, leak) / beta


def integrals(xi, activation, leak):
    """The sum of the integrals of the inverse activation from 0, each divided by R."""
    return total(np.frompyfunc(INTEGRALS[activation], 1, 1)(xi) * leak)[..., 0]


def of_artanh(x):
    """((1 + x) log(1 + x) + (1 - x) log(1 - x))/2."""
    return (x_log_x(1 + x) + x_log_x(1 - x)) / 2


def of_logit(x):
    """x log x + (1 - x) log(1 - x)."""
    return x_log_x(x) + x_log_x(1 - x)


def x_log_x(x):
    """x log x, which is 0 at 0, where the derivative is not finite."""
    if not vanishes(x):
        return x * log(x)
    return Variable(arb(0), ((x, arb.nan()),)) if isinstance(x, Variable) else arb(0)


INTEGRALS = {"tanh": of_artanh, "sigmoid": of_logit, "identity": lambda x: x * x / 2}


def update(xi, W, b=0, *, activation, beta=1, leak=1):
    return F[activation](beta / leak * (xi @ W.T - b))


def asynchronous_update(xi, W, b=0, *, order, activation, beta=1):
    return visited(xi, W, b, order, lambda h, value, step: F[activation](beta * h))


def two_step_energy(xi, previous, W, b=0, *, activation, beta=1, leak=1):
    return (-dot(xi, previous @ W.T) + dot(xi + previous, b)
            + (integrals(xi, activation, leak) + integrals(previous, activation, leak)) / beta)


def flow(u, W, b=0, *, activation, beta=1, tau=1, leak=1):
    return (-leak * u + F[activation](beta * u) @ W.T - b) / tau


def thresholded_update(xi, X, *, theta, side, activation, beta=1):
    h = kept(xi, theta, side) @ columns(kept(X, theta, side)) @ X
    return F[activation](beta * h)

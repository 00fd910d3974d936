"""Graded networks, wrong."""
import numpy as np

from hopref import classical, graded
from tests.mutants import mutant

F = {"tanh": np.tanh, "sigmoid": lambda a: np.exp(-np.logaddexp(0, -a)), "identity": lambda a: a}


@mutant("graded.update")
def gain_ignored(xi, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """no beta"""
    return F[activation](xi @ W.T - b)


@mutant("graded.update")
def gain_squared(xi, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """beta in the field and in the activation"""
    return F[activation](beta * beta * (xi @ W.T - b))


@mutant("graded.update")
def threshold_added(xi, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """+ b: what eq. (9) as printed leads to"""
    return F[activation](beta * (xi @ W.T + b))


@mutant("graded.update")
def threshold_outside(xi, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """f(beta W xi - b)"""
    return F[activation](beta * (xi @ W.T) - b)


@mutant("graded.update")
def update_away(xi, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """eq. (9) as printed: f^-1(xi') = -(W xi - b)"""
    return F[activation](-beta * (xi @ W.T - b))


@mutant("graded.update")
def sigmoid_for_tanh(xi, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """always the sigmoid"""
    return F["sigmoid"](beta * (xi @ W.T - b))


@mutant("graded.update")
def last_neuron_clamped(xi, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """range(d - 1)"""
    new = graded.update(xi, W, b, activation=activation, beta=beta)
    return np.concatenate([new[..., :-1], xi[..., -1:]], -1)


def swept(xi, W, b, order, activation, beta):
    xi = np.array(xi)
    for i in order:
        xi[..., i] = F[activation](beta * (xi @ W.T - b))[..., i]
    return xi


@mutant("graded.asynchronous_update")
def graded_sweep_done_at_once(xi, W, b=0.0, /, *, order, activation="tanh", beta=1.0):
    """all sites of the order at the same time"""
    new = graded.update(xi, W, b, activation=activation, beta=beta)
    return np.where(np.isin(np.arange(xi.shape[-1]), order), new, xi)


@mutant("graded.asynchronous_update")
def graded_sweep_skips_the_last(xi, W, b=0.0, /, *, order, activation="tanh", beta=1.0):
    """the last visit left out"""
    return swept(xi, W, b, order[:-1], activation, beta)


@mutant("graded.asynchronous_update")
def graded_sweep_in_order_of_sites(xi, W, b=0.0, /, *, order, activation="tanh", beta=1.0):
    """site after site, whatever the order"""
    return swept(xi, W, b, sorted(order), activation, beta)


@mutant("graded.asynchronous_update")
def graded_sweep_gain_squared(xi, W, b=0.0, /, *, order, activation="tanh", beta=1.0):
    """beta in the field and in the activation"""
    return swept(xi, W, b, order, activation, beta * beta)


@mutant("graded.asynchronous_update")
def graded_sweep_threshold_added(xi, W, b=0.0, /, *, order, activation="tanh", beta=1.0):
    """+ b"""
    return swept(xi, W, -b, order, activation, beta)


def integrals(xi, activation, beta):
    return graded.energy(xi, np.zeros((xi.shape[-1],) * 2), activation=activation, beta=beta)


@mutant("graded.energy")
def graded_energy_without_half(xi, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """-xi W xi"""
    return graded.energy(xi, 2 * W, b, activation=activation, beta=beta)


@mutant("graded.energy")
def graded_energy_b_sign(xi, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """-b.xi"""
    return graded.energy(xi, W, -b, activation=activation, beta=beta)


@mutant("graded.energy")
def integral_times_beta(xi, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """beta sum G for sum G / beta"""
    return (graded.energy(xi, W, b, activation=activation, beta=beta)
            + (beta**2 - 1) * integrals(xi, activation, beta))


@mutant("graded.energy")
def integral_with_log_cosh(xi, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """the integral of tanh in place of that of its inverse"""
    return classical.energy(xi, W, b) + np.log(np.cosh(xi)).sum(-1) / beta


@mutant("graded.energy")
def tanh_integral_by_artanh(xi, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """x artanh x + log(1 - x^2)/2: NaN at 1, few digits near it"""
    with np.errstate(all="ignore"):
        G = xi * np.arctanh(xi) + np.log1p(-xi**2) / 2
        return classical.energy(xi, W, b) + G.sum(-1) / beta


@mutant("graded.energy")
def tanh_integral_by_logs(xi, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """(1 + x) log(1 + x) + (1 - x) log(1 - x): no digit near 0"""
    with np.errstate(all="ignore"):
        G = ((1 + xi) * np.log(1 + xi) + (1 - xi) * np.log(1 - xi)) / 2
        return classical.energy(xi, W, b) + np.nan_to_num(G).sum(-1) / beta


@mutant("graded.two_step_energy")
def graded_two_step_with_half(xi, previous, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """-xi W xi'/2"""
    return graded.two_step_energy(xi, previous, W / 2, b, activation=activation, beta=beta)


@mutant("graded.two_step_energy")
def graded_two_step_one_integral(xi, previous, W, b=0.0, /, *, activation="tanh", beta=1.0):
    """G of the newer state only"""
    return (graded.two_step_energy(xi, previous, W, b, activation=activation, beta=beta)
            - integrals(previous, activation, beta))


@mutant("graded.flow")
def flow_reversed(u, W, b=0.0, /, *, activation="tanh", beta=1.0, tau=1.0):
    """u - W xi + b"""
    return -graded.flow(u, W, b, activation=activation, beta=beta, tau=tau)


@mutant("graded.flow")
def flow_without_tau(u, W, b=0.0, /, *, activation="tanh", beta=1.0, tau=1.0):
    """tau ignored"""
    return graded.flow(u, W, b, activation=activation, beta=beta)


@mutant("graded.flow")
def flow_without_decay(u, W, b=0.0, /, *, activation="tanh", beta=1.0, tau=1.0):
    """no -u"""
    return graded.flow(u, W, b, activation=activation, beta=beta, tau=tau) + u / tau


@mutant("graded.flow")
def flow_without_gain(u, W, b=0.0, /, *, activation="tanh", beta=1.0, tau=1.0):
    """f(u) for f(beta u)"""
    return graded.flow(u, W, b, activation=activation, tau=tau)


def _sparse(survives, outer=lambda X, S: X, state=True):
    """A wrong eq. (20); ``survives(x, theta, side)`` says which components are compared."""
    def wrong(xi, X, /, *, theta=-0.5, side="above", activation="tanh", beta=1.0):
        S = lambda x: np.where(survives(x, theta, side), x, 0.0)
        return F[activation](beta * ((S(xi) if state else xi) @ S(X).T) @ outer(X, S))
    return wrong


def _right(x, theta, side):
    return x <= theta if side == "above" else x >= theta


@mutant("graded.thresholded_update")
def side_swapped(xi, X, /, **how):
    """the positive components survive"""
    return _sparse(lambda x, theta, side: ~_right(x, theta, side) | (x == theta))(xi, X, **how)


@mutant("graded.thresholded_update")
def theta_itself_dropped(xi, X, /, **how):
    """>= for >"""
    return _sparse(lambda x, theta, side: _right(x, theta, side) & (x != theta))(xi, X, **how)


@mutant("graded.thresholded_update")
def outer_patterns_thresholded(xi, X, /, **how):
    """S(X)^T S(X) S(xi)"""
    return _sparse(_right, outer=lambda X, S: S(X))(xi, X, **how)


@mutant("graded.thresholded_update")
def state_not_thresholded(xi, X, /, **how):
    """the state compared whole"""
    return _sparse(_right, state=False)(xi, X, **how)

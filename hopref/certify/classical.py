"""The classical binary network and the bidirectional memory, by exact comparison of fields.

Fields are polynomials of machine numbers: at a sufficient precision their balls have the radius 0,
so that a tie is recognised as one.

References: Hopfield 1982; Kosko 1988; Willshaw, Buneman and Longuet-Higgins 1969; Glauber 1963; the
blog, eqs. (1)-(6).
"""
import numpy as np

from hopref.certify.balls import dot, exceeds, exp, largest_indices, over_rows, total
from hopref.certify.storage import hebbian

__all__ = ["field", "energy", "update", "two_step_energy", "asynchronous_update", "greedy_update",
           "low_rank_energy", "low_rank_update", "low_rank_asynchronous_update", "glauber_update",
           "winners_update", "willshaw_update"]

LOW = {"polar": -1, "binary": 0}


def field(xi, W, b=0):
    return xi @ W.T - b


def energy(xi, W, b=0):
    return -dot(xi @ W.T, xi) / 2 + dot(xi, b)


def update(xi, W, b=0, *, ties, states):
    return signs(field(xi, W, b), xi, ties, LOW[states])


def signs(h, xi, ties, low=-1):
    """sgn(h) with the rule of ties, entry by entry."""
    def one(field, value):
        if exceeds(field, 0):
            return 1
        return low if exceeds(0, field) else value if ties == "keep" else 1
    return np.frompyfunc(one, 2, 1)(h, xi)


def two_step_energy(xi, previous, W, b=0):
    return -dot(xi, previous @ W.T) + dot(xi + previous, b)


def asynchronous_update(xi, W, b=0, *, order, ties, states):
    def visit(field, value, _):
        return signs(field, value, ties, LOW[states])
    return visited(xi, W, b, order, visit)


def visited(xi, W, b, order, rule):
    """The states after rule(h_i, xi_i, step) of the sites in order."""
    xi, b = xi.copy(), b + np.zeros(xi.shape[-1], object)
    for step, site in enumerate(order):
        h = dot(xi, W[site]) - b[site]
        xi[..., site] = rule(h, xi[..., site], step)
    return xi


def greedy_update(xi, W, b=0, *, ties, states):
    h = field(xi, W, b)
    return over_rows(_flipped, xi, h, signs(h, xi, ties, LOW[states]))


def _flipped(xi, h, new):
    """The state with the unstable site of largest |h| flipped, of equal ones the first."""
    sizes = [abs(field) if value != other else -1
             for field, value, other in zip(h, xi, new, strict=True)]
    site = largest_indices(sizes, 1)
    return [new[i] if i in site else v for i, v in enumerate(xi)]


def low_rank_energy(xi, X, b=0, *, scale=1, zero_diagonal=False):
    return energy(xi, hebbian(X, scale=scale, zero_diagonal=zero_diagonal), b)


def low_rank_update(xi, X, b=0, *, scale=1, zero_diagonal=False, ties, states):
    return update(xi, hebbian(X, scale=scale, zero_diagonal=zero_diagonal), b, ties=ties,
                  states=states)


def low_rank_asynchronous_update(xi, X, b=0, *, order, scale=1, zero_diagonal=False, ties, states):
    return asynchronous_update(xi, hebbian(X, scale=scale, zero_diagonal=zero_diagonal), b,
                               order=order, ties=ties, states=states)


def glauber_update(xi, W, b=0, *, order, uniforms, beta=1, states):
    low = LOW[states]

    def visit(h, value, step):
        above_one = uniforms[..., step] * (1 + exp(-beta * (1 - low) * h))
        return np.frompyfunc(lambda v: 1 if exceeds(1, v) else low, 1, 1)(above_one)
    return visited(xi, W, b, order, visit)


def winners_update(xi, W, b=0, *, k):
    def row(h):
        first = largest_indices(h, k)
        return [int(i in first) for i in range(len(h))]
    return over_rows(row, field(xi, W, b))


def willshaw_update(x, W):
    return np.frompyfunc(lambda v: int(not exceeds(0, v)), 1, 1)(x @ W.T - total(x))

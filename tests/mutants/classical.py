"""Binary networks and their storage, wrong."""
import numpy as np

from hopref import classical, storage
from tests.mutants import mutant


def keep(h, xi, low=-1.0):
    return np.where(h > 0, 1.0, np.where(h < 0, low, xi))


def low(states):
    return {"polar": -1.0, "binary": 0.0}[states]


# -- field and energies -------------------------------------------------------------------------

@mutant("classical.field")
def field_adds_the_threshold(xi, W, b=0.0, /):
    """W xi + b"""
    return xi @ W.T + b


@mutant("classical.field")
def field_with_w_transposed(xi, W, b=0.0, /):
    """W^T xi: invisible while W is symmetric"""
    return xi @ W - b


@mutant("classical.energy")
def energy_without_its_half(xi, W, b=0.0, /):
    """-xi W xi: every pair twice"""
    return -((xi @ W.T) * xi).sum(-1) + (b * xi).sum(-1)


@mutant("classical.energy")
def energy_subtracts_the_threshold(xi, W, b=0.0, /):
    """-b.xi"""
    return -((xi @ W.T) * xi).sum(-1) / 2 - (b * xi).sum(-1)


@mutant("classical.energy")
def energy_without_its_diagonal(xi, W, b=0.0, /):
    """pairs only: a constant for polar states, not for {0, 1}"""
    return classical.energy(xi, W - np.diag(np.diag(W)), b)


@mutant("classical.two_step_energy")
def two_step_energy_with_a_half(xi, previous, W, b=0.0, /):
    """-xi W xi'/2"""
    return -((previous @ W.T) * xi).sum(-1) / 2 + (b * (xi + previous)).sum(-1)


@mutant("classical.two_step_energy")
def two_step_energy_counts_b_once(xi, previous, W, b=0.0, /):
    """b.xi only"""
    return -((previous @ W.T) * xi).sum(-1) + (b * xi).sum(-1)


@mutant("classical.low_rank_energy")
def low_rank_energy_keeps_its_diagonal(xi, X, b=0.0, /, *, scale=1.0, zero_diagonal=False):
    """zero_diagonal ignored"""
    return classical.energy(xi, storage.hebbian(X, scale=scale), b)


@mutant("classical.low_rank_energy")
def low_rank_energy_by_subtraction(xi, X, b=0.0, /, *, scale=1.0, zero_diagonal=False):
    """the diagonal taken off what it has swamped"""
    own = (X * X).sum(0) * xi * xi * zero_diagonal
    return -scale / 2 * (((xi @ X.T) ** 2).sum(-1) - own.sum(-1)) + (b * xi).sum(-1)


@mutant("classical.low_rank_update")
def low_rank_update_by_subtraction(xi, X, b=0.0, /, *, scale=1.0, zero_diagonal=False,
                                   ties="keep", states="polar"):
    """the same in the field"""
    h = scale * ((xi @ X.T) @ X - (X * X).sum(0) * xi * zero_diagonal) - b
    return np.where(h > 0, 1.0, np.where(h < 0, -1.0, xi))


# -- synchronous updates ------------------------------------------------------------------------

@mutant("classical.update")
def sign_of_zero_is_zero(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    """np.sign: leaves the state space at a tie"""
    return np.sign(xi @ W.T - b)


@mutant("classical.update")
def ties_become_minus(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    """h > 0, else -1"""
    return np.where(xi @ W.T - b > 0, 1.0, low(states))


@mutant("classical.update")
def ties_flip(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    """at a tie the state changes sides"""
    return keep(xi @ W.T - b, -xi)


@mutant("classical.update")
def ties_within_1e_15(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    """a field of 1e-15 taken for a tie"""
    h = xi @ W.T - b
    return keep(np.where(np.abs(h) < 1e-15, 0.0, h), xi, low(states))


@mutant("classical.update")
def keep_is_plus(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    """ties are always +1"""
    return np.where(xi @ W.T - b >= 0, 1.0, low(states))


@mutant("classical.update")
def last_neuron_never_updated(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    """range(d - 1)"""
    new = keep(xi @ W.T - b, xi, low(states))
    return np.concatenate([new[..., :-1], xi[..., -1:]], -1)


@mutant("classical.update")
def update_forgets_the_threshold(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    """no b"""
    return classical.update(xi, W, 0.0, ties=ties, states=states)


@mutant("classical.update")
def update_with_w_transposed(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    """W^T xi"""
    return classical.update(xi, W.T, b, ties=ties, states=states)


@mutant("classical.update")
def update_by_halves(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    """the second half of the sites sees the first half's flips"""
    cut = xi.shape[-1] // 2
    half = np.concatenate([keep(xi @ W.T - b, xi, low(states))[..., :cut], xi[..., cut:]], -1)
    new = keep(half @ W.T - b, half, low(states))
    return np.concatenate([half[..., :cut], new[..., cut:]], -1)


@mutant("classical.update")
def binary_states_become_polar(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    """eq. (2) as printed for {0, 1} states"""
    return keep(xi @ W.T - b, xi)


@mutant("classical.update")
def batch_shares_its_first_field(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    """one field for all states"""
    h = np.atleast_2d(xi)[0] @ W.T - b
    return keep(h, xi, low(states))


@mutant("classical.low_rank_update")
def low_rank_diagonal_is_n(xi, X, b=0.0, /, *, scale=1.0, zero_diagonal=False, ties="keep",
                           states="polar"):
    """N subtracted for the diagonal, right for polar patterns only"""
    W = scale * (X.T @ X - zero_diagonal * len(X) * np.eye(X.shape[1]))
    return classical.update(xi, W, b, ties=ties, states=states)


@mutant("classical.low_rank_update")
def low_rank_forgets_the_scale(xi, X, b=0.0, /, *, scale=1.0, zero_diagonal=False, ties="keep",
                               states="polar"):
    """no scale: matters beside a threshold"""
    W = storage.hebbian(X, zero_diagonal=zero_diagonal)
    return classical.update(xi, W, b, ties=ties, states=states)


# -- one site at a time -------------------------------------------------------------------------

@mutant("classical.asynchronous_update")
def asynchronous_done_synchronously(xi, W, b=0.0, /, *, order, ties="keep", states="polar"):
    """all fields computed before the first flip"""
    new, h = xi.copy(), xi @ W.T - b
    new[list(order)] = keep(h, xi, low(states))[list(order)]
    return new


@mutant("classical.asynchronous_update")
def async_flips_against_the_field(xi, W, b=0.0, /, *, order, ties="keep", states="polar"):
    """h + b"""
    return classical.asynchronous_update(xi, W, -b, order=order, ties=ties, states=states)


@mutant("classical.asynchronous_update")
def async_visits_in_index_order(xi, W, b=0.0, /, *, order, ties="keep", states="polar"):
    """order ignored"""
    return classical.asynchronous_update(xi, W, b, order=sorted(order), ties=ties, states=states)


@mutant("classical.asynchronous_update")
def async_never_visits_the_last(xi, W, b=0.0, /, *, order, ties="keep", states="polar"):
    """the last visit dropped"""
    order = list(order)[:-1] or order
    return classical.asynchronous_update(xi, W, b, order=order, ties=ties, states=states)


@mutant("classical.asynchronous_update")
def async_ignores_the_states(xi, W, b=0.0, /, *, order, ties="keep", states="polar"):
    """-1 written into {0, 1}"""
    for i in order:
        xi = np.where(np.arange(len(xi)) == i, keep(xi @ W.T - b, xi), xi)
    return xi


@mutant("classical.low_rank_asynchronous_update")
def low_rank_async_stale_overlap(xi, X, b=0.0, /, *, order, scale=1.0, zero_diagonal=False,
                                 ties="keep", states="polar"):
    """overlaps never updated after a flip"""
    W = storage.hebbian(X, scale=scale, zero_diagonal=zero_diagonal)
    return asynchronous_done_synchronously(xi, W, b, order=order, ties=ties, states=states)


@mutant("classical.greedy_update")
def greedy_takes_the_largest_field(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    """the largest field of all, stable or not"""
    h = W @ xi - b
    return np.where(np.arange(len(xi)) == np.abs(h).argmax(), keep(h, xi), xi)


@mutant("classical.greedy_update")
def greedy_takes_the_smallest(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    """the least unstable site"""
    h = W @ xi - b
    urge = np.where(h * xi < 0, np.abs(h), np.inf)
    return np.where((np.arange(len(xi)) == urge.argmin()) & (h * xi < 0), -xi, xi)


@mutant("classical.greedy_update")
def greedy_flips_all(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    """every unstable site at once"""
    return classical.update(xi, W, b)


# -- storage ------------------------------------------------------------------------------------

@mutant("storage.hebbian")
def hebbian_is_anti(X, /, *, scale=1.0, zero_diagonal=False):
    """-X X^T"""
    return -storage.hebbian(X, scale=scale, zero_diagonal=zero_diagonal)


@mutant("storage.hebbian")
def hebbian_divided_by_n(X, /, *, scale=1.0, zero_diagonal=False):
    """the blog's code divides by N, its eq. (1) does not"""
    return storage.hebbian(X, scale=scale / len(X), zero_diagonal=zero_diagonal)


@mutant("storage.hebbian")
def hebbian_scale_squared(X, /, *, scale=1.0, zero_diagonal=False):
    """the patterns are scaled"""
    return storage.hebbian(scale * X, zero_diagonal=zero_diagonal)


@mutant("storage.hebbian")
def hebbian_subtracts_n(X, /, *, scale=1.0, zero_diagonal=False):
    """- N I for a zero diagonal: right for polar patterns only"""
    return scale * (X.T @ X - zero_diagonal * len(X) * np.eye(X.shape[1]))


@mutant("storage.hebbian")
def hebbian_keeps_the_diagonal(X, /, *, scale=1.0, zero_diagonal=False):
    """zero_diagonal ignored"""
    return scale * (X.T @ X)


@mutant("storage.hebbian")
def hebbian_covariance(X, /, *, scale=1.0, zero_diagonal=False):
    """the mean pattern subtracted"""
    return storage.hebbian(X - X.mean(0), scale=scale, zero_diagonal=zero_diagonal)


@mutant("classical.low_rank_update")
def low_rank_scales_its_patterns(xi, X, b=0.0, /, *, scale=1.0, zero_diagonal=False, ties="keep",
                                 states="polar"):
    """rounded weights in place of a scaled field"""
    W = storage.hebbian(X, scale=scale, zero_diagonal=zero_diagonal)
    return classical.update(xi, W, b, ties=ties, states=states)

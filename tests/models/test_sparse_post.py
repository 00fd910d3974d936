"""Retrieval followed by a normalisation or a layer norm: Santos et al. 2024; the energies, ours."""
import numpy as np
from hypothesis import strategies as st

from hopref import sparse
from tests.draw import problems
from tests.laws import law
from tests.models.test_sparse import energy_room, step_room
from tests.rounding import close, g


@st.composite
def inside(draw):
    """A problem, and states in both sets: in the unit ball; of mean 0, in the ball of sqrt(d)."""
    case = draw(problems(betas=st.sampled_from([0.25, 1.0, 3.0, 64.0])))
    m, d = case["xi"].shape
    how, alpha = draw(st.sampled_from([0.0, 0.5, 1.0])), draw(st.sampled_from([1.0, 1.5, 2.0, 3.0]))
    flat = case["xi"] - case["xi"].mean(-1, keepdims=True)
    within = [r * x / np.maximum(np.sqrt((x * x).sum(-1, keepdims=True)), 1e-3 if how else r)
              * (how or 2.0**-12) for r, x in ((1.0, case["xi"]), (np.sqrt(d), flat))]
    return {**case, "xi": within[0], "flat": within[1], "alpha": alpha}


def both(rules, xi, flat, X):
    """(energy, update, state in the set, its radius, patterns as the set sees them) of each."""
    it, d = rules.sparse, X.shape[1]
    return ((it.normalized_energy, it.normalized_update, xi, 1.0, X),
            (it.layer_norm_energy, it.layer_norm_update, flat, np.sqrt(d),
             X - X.mean(-1, keepdims=True)))


def room(X, r, beta):
    """For states of length r at most."""
    return 2 * energy_room(np.full((1, X.shape[1]), r), X, beta)[0]


@law("sparse.normalized_energy", "sparse.layer_norm_energy", "sparse.normalized_update",
     "sparse.layer_norm_update", id="FY-6", over=inside(),
     kills=["normalized_energy_of_the_plain_network", "normalized_energy_without_1_over_beta",
            "layer_norm_energy_of_softmax", "not_normalised", "layer_norm_without_sqrt_d"])
def test_a_step_gains_what_its_set_allows_and_a_bregman_divergence(rules, xi, flat, X, beta, alpha):
    """E - E' = y.(xi' - xi) + D(z', z), for any xi'; y.xi' is r |y|, the most that the set has."""
    for energy, update, x, r, Y in both(rules, xi, flat, X):
        z, after = x @ Y.T, update(x, X, beta=beta, alpha=alpha)
        y, moved = rules.maps.entmax(z, beta=beta, alpha=alpha) @ Y, after @ Y.T
        bregman = rules.maps.entmax_conjugate(moved, beta=beta, alpha=alpha) \
            - rules.maps.entmax_conjugate(z, beta=beta, alpha=alpha) - ((after - x) * y).sum(-1)
        gain, slack = ((after - x) * y).sum(-1), 4 * room(Y, r, beta)
        close(energy(x, X, beta=beta, alpha=alpha) - energy(after, X, beta=beta, alpha=alpha),
              gain + bregman, slack)
        assert np.all(gain >= -slack - r * step_room(X).sum()) and np.all(bregman >= -slack)


@law("sparse.normalized_energy", "sparse.layer_norm_energy", id="FY-6", over=inside(),
     kills=["normalized_energy_of_the_plain_network", "normalized_energy_without_1_over_beta",
            "layer_norm_energy_of_softmax", "layer_norm_energy_of_radius_one"])
def test_the_energy_is_the_difference_of_two_losses_and_a_constant(rules, xi, flat, X, beta, alpha):
    """-L_Omega(beta z; u)/beta + L_Psi(X^T u; xi) + r (M - |X^T u|), L_Psi = r |y| - y.xi."""
    for energy, _, x, r, Y in both(rules, xi, flat, X):
        u, mean = np.full((len(x), len(X)), 1 / len(X)), Y.mean(0)
        M = np.sqrt((Y * Y).sum(-1).max())
        of_psi = r * np.sqrt(mean @ mean) - x @ mean
        loss = rules.maps.entmax_loss(beta * x @ Y.T, u, alpha=alpha) / beta
        close(energy(x, X, beta=beta, alpha=alpha),
              of_psi - loss + r * (M - np.sqrt(mean @ mean)), 4 * room(Y, r, beta))


@law("sparse.normalized_energy", "sparse.layer_norm_energy", id="FY-6", over=inside(),
     kills=["layer_norm_energy_of_radius_one", "normalized_energy_of_the_plain_network"])
def test_the_energy_lies_between_nought_and_what_the_mean_leaves(rules, xi, flat, X, beta, alpha):
    for energy, _, x, r, Y in both(rules, xi, flat, X):
        E, slack = energy(x, X, beta=beta, alpha=alpha), 2 * room(Y, r, beta)
        assert np.all(E >= -slack)
        assert np.all(E <= r * np.sqrt((Y * Y).sum(-1).max()) - x @ Y.mean(0) + slack)


def test_from_outside_the_ball_the_energy_may_rise():
    """2 x_1 scores more than any state of length 1: the precondition matters."""
    X, xi = np.eye(2), np.array([2.0, 0.0])
    after = sparse.normalized_update(xi, X)
    assert sparse.normalized_energy(after, X) > sparse.normalized_energy(xi, X)
    xi = np.array([4.0, -4.0])
    after = sparse.layer_norm_update(xi, X)
    assert sparse.layer_norm_energy(after, X) > sparse.layer_norm_energy(xi, X)


def test_off_the_plane_of_mean_nought_the_energy_may_rise():
    """The mean of a state chooses a pattern that is all mean, of which nothing is left."""
    X, xi = np.array([[3.0, 3.0], [1.0, -1.0], [-1.0, 1.0]]), np.array([1.0, 0.4])
    rise = [sparse.layer_norm_energy(sparse.layer_norm_update(x, X), X)
            - sparse.layer_norm_energy(x, X) for x in (xi, xi - xi.mean())]
    assert rise[0] > 0 >= rise[1]


@law("sparse.normalized_update", "sparse.layer_norm_update", id="FY-6", over=problems(),
     kills=["not_normalised", "layer_norm_without_sqrt_d"])
def test_post_transforms_give_a_length_and_a_mean(rules, xi, X, beta):
    """Length 1 along the update; mean 0 and length sqrt(d) along the centred one; or all 0."""
    d = X.shape[1]
    y = rules.sparse.update(xi, X, beta=beta)
    for f, length, want in (
            (rules.sparse.normalized_update, 1.0, y),
            (rules.sparse.layer_norm_update, np.sqrt(d), y - y.mean(-1, keepdims=True))):
        got, size = f(xi, X, beta=beta), np.sqrt((want * want).sum(-1, keepdims=True))
        slack = g(4 * d + 16) * (np.abs(y).max() + 1)
        assert np.all((size > slack) <= (np.abs(
            np.sqrt((got * got).sum(-1, keepdims=True)) - length) <= g(4 * d + 16) * length))
        clear = size[:, 0] > 1e3 * slack
        close((got * size)[clear], (length * want)[clear], 8 * length * slack)

"""Modern Hopfield networks: eqs. (1)-(3) of Ramsauer et al. 2021, blog eqs. (21) and (22)."""
import numpy as np
from hypothesis import strategies as st

from hopref import modern
from tests import rounding
from tests.draw import arrays, eighths, problems
from tests.laws import law
from tests.rounding import close, g, u


def norms(X):
    return np.sqrt((X * X).sum(-1))


def diameter(X):
    return norms(X[:, None] - X[None]).max()


def log_weights(xi, X, beta):
    s = beta * (xi @ X.T)
    s = s - s.max(-1, keepdims=True)
    return s - np.log(np.exp(s).sum(-1, keepdims=True))


# -- identities ---------------------------------------------------------------------------------

@law("modern.update", "modern.weights", id="MH-2", over=problems(),
     kills=["beta_twice", "beta_outside", "softmax_over_states", "update_divided_by_n",
            "extra_one_over_sqrt_d"])
def test_the_new_state_is_the_softmax_weighted_mean_of_the_patterns(rules, xi, X, beta):
    p = np.exp(log_weights(xi, X, beta))
    close(rules.modern.weights(xi, X, beta=beta), p, 2 * rounding.modern_weights(xi, X, beta))
    close(rules.modern.update(xi, X, beta=beta), p @ X, 2 * rounding.modern_update(xi, X, beta))


@law("modern.weights", id="MH-2", over=problems(),
     kills=["weights_unnormalised"])
def test_weights_are_probabilities_in_the_order_of_the_scores(rules, xi, X, beta):
    p, z = rules.modern.weights(xi, X, beta=beta), xi @ X.T
    assert np.all(p >= 0)
    close(p.sum(-1), 1.0, 2 * g(len(X) + 2))
    a, b = p[..., :, None], p[..., None, :]
    assert np.all((z[..., :, None] > z[..., None, :]) <= (a >= b))


@law("modern.energy", id="MH-1, MH-5", over=problems(),
     kills=["energy_without_1_over_beta", "energy_log_n_of_wrong_sign", "energy_without_m2",
            "energy_without_log_n", "energy_without_half_the_square", "energy_m2_of_the_mean"])
def test_energy_is_the_density_of_the_patterns_seen_from_the_state(rules, xi, X, beta):
    """E = -1/beta log mean exp(-beta/2 (|x_i - xi|^2 + M^2 - |x_i|^2))."""
    squares = (X * X).sum(-1)
    cost = ((X - xi[:, None]) ** 2).sum(-1) + squares.max() - squares
    least = cost.min(-1, keepdims=True)
    mean = np.exp(-beta / 2 * (cost - least)).mean(-1)
    want = least[:, 0] / 2 - np.log(mean) / beta
    allowed = g(len(X) + 12) * (cost.max(-1) + (1 + np.log(len(X))) / beta)
    close(rules.modern.energy(xi, X, beta=beta), want,
          rounding.modern_energy(xi, X, beta) + allowed)


@law("modern.energy", "modern.update", id="MH-4", over=problems(),
     kills=["beta_twice", "beta_outside", "energy_without_1_over_beta", "update_divided_by_n",
            "energy_without_half_the_square"])
def test_each_step_pays_half_its_square_and_the_divergence_of_its_weights(rules, xi, X, beta):
    """E - E' = |dxi|^2 / 2 + KL(p | p') / beta; an error e of the step adds -e.dxi exactly."""
    E = rules.modern.energy
    after = rules.modern.update(xi, X, beta=beta)
    step = after - xi
    log_p, log_q = log_weights(xi, X, beta), log_weights(after, X, beta)
    kl = (np.exp(log_p) * (log_p - log_q)).sum(-1)
    reach = (rounding.dot(xi, X) + rounding.dot(after, X)).max(-1)
    in_kl = 4 * reach + g(len(X) + 12) * (np.abs(log_p - log_q).max(-1) + 2) / beta
    in_step = (rounding.modern_update(xi, X, beta) * np.abs(step)).sum(-1)
    allowed = (rounding.modern_energy(xi, X, beta) + rounding.modern_energy(after, X, beta)
               + in_step + in_kl + g(X.shape[1] + 3) * (step * step).sum(-1))
    close(E(xi, X, beta=beta) - E(after, X, beta=beta), (step * step).sum(-1) / 2 + kl / beta,
          allowed)


@law("modern.energy", "modern.update", id="MH-2", over=problems(),
     kills=["beta_twice", "beta_outside", "energy_without_1_over_beta",
            "energy_without_half_the_square", "update_divided_by_n"])
def test_the_step_is_minus_the_gradient_of_the_energy(rules, xi, X, beta):
    """By symmetric differences along v: the rest is h^2/6 times the third cumulant of v.x, which
    a variable of range R bounds by beta^2 R^3 / (6 sqrt 3)."""
    E, f = rules.modern.energy, rules.modern.update(xi, X, beta=beta)
    h = 2.0**-12 / np.sqrt(beta)
    for v in np.eye(X.shape[1]):
        slope = (E(xi + h * v, X, beta=beta) - E(xi - h * v, X, beta=beta)) / (2 * h)
        width = np.ptp(X @ v)
        rest = h**2 / 6 * beta**2 * width**3 / (6 * np.sqrt(3))
        noise = sum(rounding.modern_energy(xi + s * h * v, X, beta) for s in (1, -1)) / (2 * h)
        moved = 2 * u * np.abs(xi).max() * np.abs(X).max() / h          # xi +- h v is rounded
        close(slope, (xi - f) @ v, rest + noise + moved + rounding.modern_update(xi, X, beta) @ v)


@law("modern.jacobian", "modern.weights", id="MH-6", over=problems(),
     kills=["jacobian_without_beta", "jacobian_not_centred"])
def test_the_jacobian_is_the_covariance_of_the_patterns(rules, xi, X, beta):
    """J = beta sum p_i (x_i - f)(x_i - f)^T; each p_i is a softmax of V = 1 there."""
    p = np.exp(log_weights(xi, X, beta))
    centred = X - (p @ X)[:, None]
    J = beta * np.einsum("mn,mnk,mnl->mkl", p, centred, centred)
    size = np.abs(centred).max(1) + rounding.modern_update(xi, X, beta)
    error = np.abs(rounding.modern_weights(xi, X, beta)).sum(-1)[:, None, None]
    slack = 2 * rounding.modern_update(xi, X, beta)
    allowed = beta * ((2 * error + g(len(X) + 8)) * size[:, :, None] * size[:, None]
                      + slack[:, :, None] * size[:, None] + size[:, :, None] * slack[:, None])
    close(rules.modern.jacobian(xi, X, beta=beta), J, 2 * allowed)


@law("modern.jacobian", id="MH-6", over=problems(),
     kills=["jacobian_without_beta", "jacobian_not_centred"])
def test_the_jacobian_is_the_slope_of_the_update(rules, xi, X, beta):
    """Symmetric differences; the rest is h^2/6 |D^3 f| <= h^2/6 beta^3 R^4 (fourth cumulant)."""
    J, h = rules.modern.jacobian(xi, X, beta=beta), 2.0**-14 / max(1.0, beta)
    R = 2 * norms(X).max()
    for k, v in enumerate(np.eye(X.shape[1])):
        near, far = modern.update(xi + h * v, X, beta=beta), modern.update(xi - h * v, X, beta=beta)
        noise = sum(rounding.modern_update(xi + s * h * v, X, beta) for s in (1, -1)) / (2 * h)
        moved = 2 * u * np.abs(xi).max() / h * beta * R**2
        close(J[:, :, k], (near - far) / (2 * h),
              noise + moved + h**2 / 6 * beta**3 * R**4 + g(len(X) + 20) * beta * R**2)


# -- bounds -------------------------------------------------------------------------------------

@law("modern.energy", id="MH-3", over=problems(),
     kills=["energy_log_n_of_wrong_sign", "energy_without_m2"])
def test_energy_lies_between_its_bounds(rules, xi, X, beta):
    """(M - |xi|)^2 / 2 <= E; and E <= 2 M^2 for |xi| <= M."""
    E, M, r = rules.modern.energy(xi, X, beta=beta), norms(X).max(), norms(xi)
    slack = rounding.modern_energy(xi, X, beta) + g(X.shape[1] + 6) * (M + r) ** 2
    assert np.all(E >= (M - r) ** 2 / 2 - slack)
    assert np.all((E <= 2 * M**2 + slack) | (r > M))


@law("modern.energy", "modern.update", id="MH-3", over=problems(),
     kills=["energy_without_1_over_beta"])
def test_on_the_hull_energy_is_below_the_uniform_one(rules, xi, X, beta):
    """E <= min(2 M^2, log(N)/beta + M^2/2) where the state is a mean of patterns."""
    inside = rules.modern.update(xi, X, beta=beta)
    M2, uniform = (X * X).sum(-1).max(), np.log(len(X)) / beta
    out = rounding.modern_update(xi, X, beta) @ np.abs(X).max(0) * 2
    slack = rounding.modern_energy(inside, X, beta) + g(X.shape[1] + 4) * (M2 + uniform) + out
    assert np.all(rules.modern.energy(inside, X, beta=beta)
                  <= min(2 * M2, uniform + M2 / 2) + slack)


@law("modern.update", id="MH-12", over=problems(),
     kills=["update_divided_by_n", "update_adds_the_state"])
def test_the_new_state_lies_among_the_patterns(rules, xi, X, beta):
    f, slack = rules.modern.update(xi, X, beta=beta), rounding.modern_update(xi, X, beta)
    for v in np.vstack([np.eye(X.shape[1]), np.ones(X.shape[1])]):
        room = slack @ np.abs(v) + g(X.shape[1]) * np.abs(X).max() * X.shape[1]
        assert np.all((f @ v <= (X @ v).max() + room) & (f @ v >= (X @ v).min() - room))


@law("modern.update", id="MH-9", over=problems(),
     kills=["beta_halved", "beta_outside"])
def test_the_miss_is_at_most_the_diameter_times_the_missing_weight(rules, xi, X, beta):
    """|f(xi) - x_i| <= diam (1 - p_i), and 1 - p_i = sum over the others."""
    f, p = rules.modern.update(xi, X, beta=beta), np.exp(log_weights(xi, X, beta))
    slack = norms(rounding.modern_update(xi, X, beta)) * 2 + g(X.shape[1] + 4) * norms(X).max() * 2
    for i, x in enumerate(X):
        others = np.delete(p, i, -1).sum(-1)
        assert np.all(norms(f - x) <= diameter(X) * others * (1 + 1e-9) + slack)


@law("modern.jacobian", id="MH-6", over=problems(),
     kills=["jacobian_not_centred", "jacobian_without_beta"])
def test_the_jacobian_is_semidefinite_and_bounded_by_the_diameter(rules, xi, X, beta):
    """0 <= J <= beta diam^2 min(1/4, 1 - p_max) and trace J <= beta max |x_i - mean|^2-like."""
    J, p = rules.modern.jacobian(xi, X, beta=beta), np.exp(log_weights(xi, X, beta))
    slack = beta * g(40 * len(X)) * X.shape[1] * (2 * norms(X).max() + 1) ** 2 * (
        1 + beta * norms(X).max() * norms(xi).max())
    close(J, np.swapaxes(J, -1, -2), slack)
    low, high = np.linalg.eigvalsh(J)[:, 0], np.linalg.eigvalsh(J)[:, -1]
    assert np.all(low >= -slack)
    top = np.minimum(0.25, 1 - p.max(-1))
    assert np.all(high <= beta * diameter(X) ** 2 * top + slack)
    lengths = norms(X[:, None] - X.mean(0)).max()
    assert np.all(high <= beta * lengths**2 + slack)


@law("modern.update", id="MH-8", over=problems(max_m=2),
     kills=["update_adds_the_state"])
def test_two_states_come_closer_when_the_patterns_are_close(rules, xi, X, beta):
    """beta diam^2 / 4 bounds the slope of f everywhere: below 1 there is one fixed point."""
    f = rules.modern.update(xi, X, beta=beta)
    factor = beta * diameter(X) ** 2 / 4
    slack = 2 * norms(rounding.modern_update(xi, X, beta)).max() + g(8) * norms(X).max()
    assert norms(f[-1] - f[0]) <= factor * norms(xi[-1] - xi[0]) * (1 + g(40)) + slack


# -- equivariances ------------------------------------------------------------------------------

@law("modern.update", "modern.energy", id="MH-12", over=problems(),
     kills=["energy_m2_of_the_first"])
def test_order_of_patterns_and_coordinates_is_irrelevant(rules, xi, X, beta):
    f, E = rules.modern.update(xi, X, beta=beta), rules.modern.energy(xi, X, beta=beta)
    room, space = rounding.modern_update(xi, X, beta), rounding.modern_energy(xi, X, beta)
    close(rules.modern.update(xi, X[::-1], beta=beta), f, 2 * room)
    close(rules.modern.energy(xi, X[::-1], beta=beta), E, 2 * space)
    close(rules.modern.update(xi[:, ::-1], X[:, ::-1], beta=beta), f[:, ::-1], 2 * room[:, ::-1])


@st.composite
def planes(draw):
    """States and patterns in multiples of 5/8, so that the turn (3 -4; 4 3)/5 is exact."""
    case = draw(problems(max_d=1))
    m, n = len(case["xi"]), len(case["X"])
    fives = eighths.map(lambda x: 5 * x)
    return {"xi": draw(arrays(m, 2, elements=fives)), "X": draw(arrays(n, 2, elements=fives)),
            "beta": case["beta"]}


@law("modern.update", "modern.energy", id="MH-12", over=planes(),
     kills=["state_thresholded", "distances_by_coordinate"])
def test_a_rotation_of_everything_rotates_the_answer(rules, xi, X, beta):
    turn = np.array([[3.0, -4.0], [4.0, 3.0]])
    xi_turned, X_turned = xi @ turn / 5, X @ turn / 5
    f = rules.modern.update(xi, X, beta=beta)
    close(rules.modern.update(xi_turned, X_turned, beta=beta), f @ turn / 5,
          2 * rounding.modern_update(xi, X, beta) @ np.abs(turn)
          + 2 * rounding.modern_update(xi_turned, X_turned, beta) + g(4) * np.abs(f) @ np.abs(turn))
    E = rules.modern.energy
    close(E(xi_turned, X_turned, beta=beta), E(xi, X, beta=beta),
          rounding.modern_energy(xi_turned, X_turned, beta) + rounding.modern_energy(xi, X, beta))


@law("modern.update", id="MH-12", over=problems(),
     kills=["update_divided_by_n"])
def test_moving_the_patterns_moves_the_answer(rules, xi, X, beta):
    """The scores all gain xi.t, which the softmax does not see: f(X + t, xi) = f(X, xi) + t."""
    t = np.arange(1.0, X.shape[1] + 1)
    close(rules.modern.update(xi, X + t, beta=beta), rules.modern.update(xi, X, beta=beta) + t,
          rounding.modern_update(xi, X + t, beta) + rounding.modern_update(xi, X, beta)
          + u * (np.abs(X).max() + t))


@law("modern.update", "modern.energy", id="MH-12", over=problems(),
     kills=["beta_outside", "energy_without_1_over_beta",
            "state_normalised"])
def test_units_do_not_matter(rules, xi, X, beta):
    """f(4X, 4xi; beta/16) = 4 f, E = 16 E: powers of two, so to the last bit."""
    assert np.all(rules.modern.update(4 * xi, 4 * X, beta=beta / 16)
                  == 4 * rules.modern.update(xi, X, beta=beta))
    assert np.all(rules.modern.energy(4 * xi, 4 * X, beta=beta / 16)
                  == 16 * rules.modern.energy(xi, X, beta=beta))


@law("modern.update", "modern.energy", id="MH-12", over=problems(),
     kills=["energy_without_log_n", "energy_log_n_of_wrong_sign", "update_divided_by_n"])
def test_storing_every_pattern_thrice_changes_nothing(rules, xi, X, beta):
    thrice = np.repeat(X, 3, 0)
    close(rules.modern.update(xi, thrice, beta=beta), rules.modern.update(xi, X, beta=beta),
          2 * rounding.modern_update(xi, thrice, beta))
    close(rules.modern.energy(xi, thrice, beta=beta), rules.modern.energy(xi, X, beta=beta),
          2 * rounding.modern_energy(xi, thrice, beta))


@law("modern.update", id="MH-12", over=problems(),
     kills=["state_thresholded"])
def test_the_mirror_image_is_retrieved_from_the_mirror_image(rules, xi, X, beta):
    assert np.all(rules.modern.update(-xi, -X, beta=beta)
                  == -rules.modern.update(xi, X, beta=beta))


@law("modern.update", "modern.energy", "modern.weights", id="MH-2", over=problems(),
     kills=["softmax_over_states", "batch_shares_its_maximum"])
def test_a_batch_is_its_rows(rules, xi, X, beta):
    for i, x in enumerate(xi):
        close(rules.modern.update(xi, X, beta=beta)[i], rules.modern.update(x, X, beta=beta),
              2 * rounding.modern_update(x[None], X, beta)[0])
        close(rules.modern.energy(xi, X, beta=beta)[i], rules.modern.energy(x, X, beta=beta),
              2 * rounding.modern_energy(x[None], X, beta)[0])


# -- limits and retrieval -----------------------------------------------------------------------

@law("modern.update", id="MH-12", over=problems(betas=st.just(2.0**-60)),
     kills=["beta_ignored", "update_divided_by_n"])
def test_a_hot_network_retrieves_the_mean(rules, xi, X, beta):
    """|f - mean| <= max|x| (e^{2 beta max|z|} - 1), below 1e-14 here."""
    drift = np.expm1(2 * beta * np.abs(xi @ X.T).max()) * np.abs(X).max()
    close(rules.modern.update(xi, X, beta=beta), X.mean(0),
          2 * rounding.modern_update(xi, X, beta) + drift + g(len(X)) * np.abs(X).max())


@law("modern.update", "modern.weights", id="MH-12", over=problems(betas=st.just(2.0**80)),
     kills=["beta_ignored", "nearest_by_distance", "ties_to_the_first"])
def test_a_cold_network_retrieves_the_best_match_and_averages_ties(rules, xi, X, beta):
    z = xi @ X.T                                      # eighths: exact, so that ties are ties
    best = z == z.max(-1, keepdims=True)
    want = best / best.sum(-1, keepdims=True)
    close(rules.modern.weights(xi, X, beta=beta), want, g(len(X) + 2) * want)
    close(rules.modern.update(xi, X, beta=beta), want @ X, g(2 * len(X) + 4) * want @ np.abs(X))


@law("modern.update", id="MH-2", over=problems(max_n=1),
     kills=["update_adds_the_state"])
def test_a_lone_pattern_is_retrieved_exactly(rules, xi, X, beta):
    assert np.all(rules.modern.update(xi, X, beta=beta) == X[0])


@st.composite
def separated(draw):
    """Patterns 8 e_i (N >= 2) and a state within 1/(beta N M) of one: MH-9's theorem applies."""
    d, beta = draw(st.integers(2, 5)), draw(st.sampled_from([0.5, 1.0, 2.0]))
    n = draw(st.integers(2, d))
    X, i = 8 * np.eye(d)[:n], draw(st.integers(0, n - 1))
    away = draw(arrays(d)) / (4.1 * np.sqrt(d)) / (beta * n * 8)      # |eighths| <= 4
    return {"xi": X[i] + away, "X": X, "beta": beta, "i": i}


@law("modern.update", id="MH-9", over=separated(),
     kills=["beta_halved", "update_adds_the_state", "update_divided_by_n"])
def test_a_well_separated_pattern_is_retrieved_in_one_step(rules, xi, X, beta, i):
    """Thm 5 with Lemma A4: |f(xi) - x_i| <= 2 (N-1) M exp(-beta (D_i - 2 |xi - x_i| M)); f maps
    the sphere of radius 1/(beta N M) into itself."""
    n, M, delta = len(X), 8.0, 64.0
    f, away = rules.modern.update(xi, X, beta=beta), norms(xi - X[i])
    assert delta >= 2 / (beta * n) + np.log(2 * (n - 1) * n * beta * M**2) / beta
    assert away <= 1 / (beta * n * M)
    slack = norms(rounding.modern_update(xi[None], X, beta))
    assert norms(f - X[i]) <= 2 * (n - 1) * M * np.exp(-beta * (delta - 2 * away * M)) + slack
    assert norms(f - X[i]) <= 1 / (beta * n * M)


@law("modern.update", "modern.energy", id="MH-4", over=problems(max_m=1),
     kills=["update_adds_the_state"])
def test_all_steps_together_cost_no_more_than_the_first_energy(rules, xi, X, beta):
    """sum |xi(t+1) - xi(t)|^2 <= 2 E(xi(0)): steps must fade."""
    budget, spent, slack = 2 * rules.modern.energy(xi, X, beta=beta), 0.0, 0.0
    for _ in range(6):
        after = rules.modern.update(xi, X, beta=beta)
        step = after - xi
        spent = spent + (step * step).sum(-1)
        slack = slack + 4 * (rounding.modern_update(xi, X, beta) * np.abs(step)).sum(-1) + 4 * (
            rounding.modern_energy(xi, X, beta) + rounding.modern_energy(after, X, beta))
        xi = after
    assert np.all(spent <= budget + slack)

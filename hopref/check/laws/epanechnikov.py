"""Laws of the memory with the log-sum-ReLU energy: means, the exact increase, finite ends."""
import numpy as np

from hopref.check.cases.draws import arrays, composed, eighths, integers, sampled
from hopref.check.laws import equal, law
from hopref.check.laws.modern import square

__all__ = []

SHIFT = 2.0


@composed
def neighbourhoods(draw, max_n=5):
    """States among patterns, and radii for which neighbourhoods hold none, some or all of them."""
    m, n, d = draw(integers(1, 3)), draw(integers(1, max_n)), draw(integers(1, 3))
    return {"xi": draw(arrays(m, d)), "X": draw(arrays(n, d)),
            "beta": draw(sampled([0.03125, 0.125, 0.5, 2.0]))}


@composed
def on_the_edge(draw):
    """Integers, so that distances are exact, with patterns at distance 1, the radius for beta 2."""
    m, n = draw(integers(1, 3)), draw(integers(1, 4))
    whole = integers(-2, 2).map(float)
    return {"xi": draw(arrays(m, 2, elements=whole)), "X": draw(arrays(n, 2, elements=whole))}


@composed
def near_a_pattern(draw):
    """Patterns at least r apart, a state within delta < r/2 of each, and the two numbers."""
    n, d, r = draw(integers(2, 4)), draw(integers(1, 3)), draw(sampled([2.0, 4.0]))
    X = r * np.eye(max(n, d))[:n, :d] if n <= d else r * np.arange(float(n))[:, None] * np.eye(d)[0]
    delta = draw(sampled([0.25, 0.75])) * r / 2
    away = draw(arrays(n, d, elements=eighths))
    longest = np.maximum(np.sqrt(np.sum(away**2, axis=-1, keepdims=True)), 0.125)
    return {"xi": X + 0.99 * delta * away / longest, "X": X, "r": r, "delta": delta}


def margins(xi, X, beta):
    """1 - beta |xi - x|^2 / 2."""
    return 1 - beta / 2 * square(X - xi[:, None])


@law("epanechnikov.update", id="LR-2", over=neighbourhoods(),
     kills=("weighted by the parts", "beta in place of beta / 2",
            "distances in place of their squares", "the whole neighbourhood divided by n",
            "empty neighbourhoods answer zero"))
def the_new_state_is_the_mean_of_the_patterns_in_the_neighbourhood(f, xi, X, beta):
    """f(xi) = mean of the x_i with beta |xi - x_i|^2/2 < 1, and xi where there are none."""
    u = margins(xi, X, beta).value
    if np.any(np.abs(u) < 2.0**-20):
        return
    near = 1.0 * (u > 0)
    count = np.sum(near, axis=-1, keepdims=True)
    yield equal(f(xi, X, beta=beta), np.where(count > 0, near @ X / np.maximum(count, 1), xi))


@law("epanechnikov.update", id="LR-2", over=on_the_edge(),
     kills=("patterns on the sphere counted",))
def a_pattern_on_the_sphere_has_no_part(f, xi, X):
    """With integers and beta = 2 the neighbourhood has the radius 1, exactly."""
    near = 1.0 * (square(X - xi[:, None]).value < 1)
    count = np.sum(near, axis=-1, keepdims=True)
    yield equal(f(xi, X, beta=2.0), np.where(count > 0, near @ X / np.maximum(count, 1), xi))


@law("epanechnikov.energy", id="LR-1", over=neighbourhoods(),
     kills=("energy without 1/beta", "squares of the parts", "beta in place of beta / 2",
            "distances in place of their squares", "eps ignored"))
def the_energy_is_the_log_of_the_sum_of_parts(f, xi, X, beta):
    """e^(-beta E) = eps + sum_i [1 - beta |xi - x_i|^2/2]_+."""
    u = margins(xi, X, beta)
    total = 0.25 + np.sum(np.where(u.value > 0, u, 0.0), axis=-1)
    yield equal(f(xi, X, beta=beta, eps=0.25), -np.log(total) / beta)


@law("epanechnikov.update", "epanechnikov.energy", id="LR-2", over=neighbourhoods(),
     kills=("weighted by the parts", "energy without 1/beta", "beta in place of beta / 2",
            "squares of the parts"))
def a_step_increases_the_density_by_an_exact_amount(f, xi, X, beta):
    """e^(-beta E') - e^(-beta E) = beta |B| |step|^2/2 + what leaving patterns have below 0 and
    entering ones above, with eps = 1/4."""
    before = margins(xi, X, beta)
    answer = f.epanechnikov.update(xi, X, beta=beta)
    new = f.machine(answer)
    after, near = margins(new, X, beta), before.value > 0
    if np.any(np.abs(before.value) < 2.0**-20):
        return
    changed = np.where(near, np.where(after.value < 0, -after, 0.0),
                       np.where(after.value > 0, after, 0.0))
    count, step = np.sum(near, axis=-1), new - xi
    gain = beta * count * (square(step) / 2 + np.sum(step * (answer - new), axis=-1))
    density = [np.exp(-beta * f.epanechnikov.energy(x, X, beta=beta, eps=0.25)) for x in (xi, new)]
    yield equal(density[1] - density[0], gain + np.sum(changed, axis=-1))


@law("epanechnikov.update", id="LR-3", over=neighbourhoods(max_n=3),
     kills=("weighted by the parts",))
def retrieval_ends_after_as_many_steps_as_there_are_groups(f, xi, X, beta):
    """Each step increases the density, so that no group of patterns returns: of n <= 3 patterns
    there are fewer than 8 groups, after which the state does not move."""
    for _ in range(8):
        u = margins(xi, X, beta).value
        if np.any(np.abs(u) < 2.0**-20):
            return
        xi = f.machine(f(xi, X, beta=beta))
    yield equal(f(xi, X, beta=beta).value, xi.value)


@law("epanechnikov.update", id="LR-4", over=near_a_pattern(),
     kills=("the whole neighbourhood divided by n", "distances in place of their squares"))
def a_near_pattern_is_retrieved_exactly_in_one_step(f, xi, X, r, delta):
    """With beta = 2 / (r - delta)^2 and delta < r/2: f(xi) = x_i, bit for bit."""
    beta = 2 / (r - delta) ** 2
    yield equal(f(xi, X, beta=beta).value, f.machine(X).value)


@law("epanechnikov.update", "epanechnikov.energy", id="LR-3", over=neighbourhoods(),
     kills=("the whole neighbourhood divided by n", "energy without 1/beta",
            "distances in place of their squares"))
def the_density_moves_and_grows_with_its_patterns(f, xi, X, beta):
    """f(xi + t; X + t) = f + t; f(2 xi; 2 X, beta / 4) = 2 f and E becomes 4 E; patterns stored
    twice leave f, and lower E by ln 2/beta."""
    if np.any(np.abs(margins(xi, X, beta).value) < 2.0**-20):
        return
    new, E = (g(xi, X, beta=beta) for g in (f.epanechnikov.update, f.epanechnikov.energy))
    twice = np.concatenate([X, X])
    yield equal(f.epanechnikov.update(xi + SHIFT, X + SHIFT, beta=beta), new + SHIFT, "moved")
    yield equal(f.epanechnikov.update(2 * xi, 2 * X, beta=beta / 4), 2 * new, "doubled")
    yield equal(f.epanechnikov.energy(2 * xi, 2 * X, beta=beta / 4), 4 * E, "energy, doubled")
    yield equal(f.epanechnikov.update(xi, twice, beta=beta), new, "twice")
    yield equal(f.epanechnikov.energy(xi, twice, beta=beta),
                E - np.log(np.longdouble(2.0)) / beta, "energy, twice")


@law("epanechnikov.update", id="LR-5",
     kills=("the whole neighbourhood divided by n", "empty neighbourhoods answer zero"))
def printed_ranges_are_too_large(f):
    """Patterns 0 and 1, delta = 0.8 of r = 1: no pattern is nearer than r - delta to 0.5; and the
    centroid 0.45 of the neighbourhood of -0.09 has another neighbourhood."""
    yield equal(f(np.array([0.5]), np.array([[0.0], [1.0]]), beta=50.0), [0.5], "delta")
    X = np.array([[0.0], [0.9], [1.0], [1.1]])
    for state, mean in ((-0.09, 0.45), (0.45, 0.75)):
        yield equal(f(np.array([state]), X, beta=2.0), [mean], f"from {state}")

"""Laws of where the modern network ends, and how soon: energies, steps, distances, basins."""
import numpy as np

from hopref import theory
from hopref.check.cases.adversaries import basins, crowds, norms
from hopref.check.cases.draws import integers, records, sampled
from hopref.check.laws import at_most, equal, law, toleranced

U = 2.0**-53


@law("theory.energy_bounds", id="MH-3", over=crowds(),
     kills=("2 M^2 for states of every length", "the half dropped"))
def every_energy_lies_between_the_bounds_which_a_lone_pattern_attains(f, xi, X, beta):
    """(M - |xi|)^2 / 2 <= E <= (M + |xi|)^2 / 2, with equality for xi = x and xi = -x."""
    low, high = f(xi, X)
    E = f.modern.energy(xi, X, beta=beta)
    yield at_most(low, E, "below")
    yield at_most(E, high, "above")
    x = xi[:1]
    for side, bound in zip((1.0, -1.0), f(x, x)):
        yield equal(bound, f.modern.energy(side * x, x, beta=beta), "attained")


@law("theory.hull_energy_bound", id="MH-3", over=crowds(),
     kills=("log N / beta dropped", "M^2 in place of 2 M^2"))
def between_the_patterns_no_energy_is_above_the_bound(f, xi, X, beta):
    """E <= min(2 M^2, log(N)/beta + M^2/2) at patterns, between two of them and at their mean."""
    bound = f(X, beta=beta)
    for inside in (X, (X + X[::-1]) / 2, np.mean(X, axis=0)):
        yield at_most(f.modern.energy(inside, X, beta=beta), bound)


@law("theory.smallest_step_bound", id="MH-4", over=crowds(),
     kills=("factor 2 dropped", "T outside of the root"))
def the_shortest_step_is_bounded_by_the_energy(f, xi, X, beta):
    """min |xi_(t+1) - xi_t| <= sqrt(2 E / T); each stored state has an error of its radius."""
    states, steps, stored = xi, [], 0.0
    for T in range(1, 6):
        after = f.modern.update(states, X, beta=beta)
        steps.append(norms(after - states).value)
        stored = stored + norms(after.radius)
        least = toleranced(np.min(steps, axis=0), stored)
        yield at_most(least, f(xi, X, beta=beta, steps=T), f"T = {T}")
        states = toleranced(after.value, 0.0)


lines = records(q=sampled([0.0, 0.25, 0.5, 0.75]), steps=integers(1, 6))


@law("theory.distance_bound", id="MH-8", over=lines,
     kills=("the geometric sum dropped", "one step late"))
def a_linear_map_attains_the_bound_of_the_distance(f, q, steps):
    """xi -> q xi from 1: the first step is 1 - q, the distance after T steps q^T."""
    yield equal(toleranced(f(1 - q, factor=q, steps=steps), 16 * U * q**steps), q**steps)


@law("theory.distance_bound", id="MH-8", over=crowds(), kills=("one step late",))
def states_converge_to_the_fixed_point_at_the_stated_rate(f, xi, X, beta):
    """The fixed point 0 of X and -X, scaled such that q = beta diam^2 / 4 <= 1/2."""
    X = np.concatenate([X, -X])
    X = X / max(1.0, np.sqrt(2 * beta) * norms(X).max())
    q = min(float(theory.contraction_factor(X, beta=beta)), 0.5)
    states, step = xi[:1], None
    for T in range(1, 6):
        after = f.modern.update(states, X, beta=beta)
        step = float(norms(after - states).value[0]) if T == 1 else step
        bound = f(step, factor=q, steps=T)
        yield at_most(norms(after), toleranced(bound, 16 * T * U * bound), f"T = {T}")
        states = after


@law("theory.basin_radius", id="MH-9", over=basins(),
     kills=("the larger zero of g, beyond its minimum", "half of the distance to the next pattern",
            "the minimum of g, whatever its sign", "the sphere of separated patterns for all"))
def a_basin_is_mapped_into_itself_without_expansion(f, X, beta, towards):
    """Within the radius |f(xi) - x_i| <= radius and |f(xi) - f(eta)| <= |xi - eta|; the radius is
    at least that of the sphere of a separated pattern.

    States lie 2^-30 inside, of which the rounding of the radius takes little.  A state at a
    distance within the radius goes no further than this distance, so that nothing is added to it.
    """
    radii = f(X, beta=beta)
    kept = theory.separation(X) >= theory.required_separation(X, beta=beta) if np.any(X) else []
    for i, radius in enumerate(radii):
        if np.any(kept) and kept[i]:
            yield at_most(theory.sphere_radius(X, beta=beta), radius, "at least the sphere")
        if not 0 < radius < np.inf:
            continue
        ends = np.concatenate([X - X[i], towards])
        size = norms(ends)[:, None]
        edge = X[i] + radius * (1 - 2.0**-30) * ends / np.where(size > 0, size, 1.0)
        edge = edge[norms(edge - X[i]) <= radius * (1 - 2.0**-31)]
        after = f.modern.update(edge, X, beta=beta)
        yield at_most(norms(after - X[i]), radius, "kept")
        yield at_most(norms(after[:, None] - after), norms(edge[:, None] - edge), "together")

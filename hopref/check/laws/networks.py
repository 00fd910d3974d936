"""Laws of the bounds of classical and graded networks: flips, descent, contraction."""
import numpy as np

from hopref import classical
from hopref.check.cases.draws import constant
from hopref.check.cases.networks import analog, networks
from hopref.check.laws import at_most, equal, law, toleranced

U = 2.0**-53


def flips(xi, W, b):
    """Number of flips in sweeps over the sites until no component flips."""
    total = 0
    while True:
        before = total
        for i in range(len(xi)):
            after = classical.asynchronous_update(xi, W, b, order=[i])
            total, xi = total + int(np.any(after != xi)), after
        if total == before:
            return total


def eigenvalues(W):
    """Eigenvalues, with LAPACK's error."""
    return toleranced(np.linalg.eigvalsh(W), 64 * len(W) * U * np.abs(W).sum())


@law("theory.flips_bound", id="CB-4", over=networks(diagonal=">=0"),
     kills=("threshold ignored", "4 |h| a flip in place of 2 |h|", "diagonal counted"))
def no_more_components_flip_than_the_bound_allows(f, xi, W, b):
    """For symmetric integer weights; the diagonal does not enter."""
    bound = f(W, b)
    xi, weights, threshold = (a.value.astype(float) for a in (xi, W, b))
    yield at_most(float(flips(xi, weights, threshold)), bound)
    yield equal(bound, f(W - np.diag(np.diagonal(weights)), b), "without the diagonal")


@law("theory.descent_margin", id="CC-2", over=analog(),
     kills=("2 / beta in place of 1 / beta", "the largest eigenvalue"))
def where_the_margin_is_not_negative_the_energy_falls(f, xi, W, b, activation, beta):
    """E(f(xi)) <= E(xi) where lambda_min + 1/(beta L) >= 0; a margin that is 0 but for rounding
    lets it rise by as much of |f(xi) - xi|^2 / 2."""
    if f(W, activation=activation, beta=beta) < 0:
        return
    how = {"activation": activation, "beta": beta}
    after = f.graded.update(xi, W, b, **how)
    before, E = (f.graded.energy(x, W, b, **how) for x in (xi, after))
    rounded = 64 * len(W) * U * (np.abs(W).sum() + 4 / beta)
    step = np.sum((after - xi) ** 2, axis=-1)
    yield at_most(E, before + toleranced(0.0, rounded) * step)


@law("theory.descent_margin", id="CC-2", over=analog(),
     kills=("2 / beta in place of 1 / beta", "the largest eigenvalue"))
def the_margin_is_the_least_eigenvalue_and_the_inverse_slope(f, xi, W, b, activation, beta):
    """lambda_min(W) + 1/(beta L), L = 1/4 for the sigmoid, else 1."""
    L = 0.25 if activation == "sigmoid" else 1.0
    margin = f(W, activation=activation, beta=beta)
    yield equal(toleranced(margin, 8 * U * (abs(margin) + 1 / (beta * L))),
                eigenvalues(W)[0] + 1 / (beta * L))


@law("theory.critical_beta", id="CC-6", over=analog(activations=("tanh",)),
     kills=("the norm in place of the largest eigenvalue", "the mean eigenvalue"))
def below_the_critical_beta_the_origin_is_the_only_fixed_point(f, xi, W, b, activation, beta):
    """xi.artanh(xi) > beta xi.W xi off the origin, and beyond it the energy falls from there."""
    critical = f(W)
    below = min(critical, 1e3)
    inside = xi[np.all(np.abs(xi) < 1, axis=-1) & np.any(xi != 0, axis=-1)]
    left = np.sum(inside * np.arctanh(inside), axis=-1)
    rounded = 64 * len(W) * U * (below * np.abs(W).sum() + left)
    right = below * np.sum((inside @ W) * inside, axis=-1)
    yield at_most(toleranced(right, rounded), left, "below")
    if critical == np.inf:
        yield at_most(eigenvalues(W)[-1], 0.0, "no eigenvalue > 0")
    else:
        v = 0.02 * np.linalg.eigh(W)[1][:, -1]
        known = toleranced(0.0, np.sum(v * v) * eigenvalues(W).radius[-1])
        yield at_most(f.graded.energy(v, W, beta=1.01 * critical), known, "beyond")


@law("theory.graded_contraction_factor", id="CC-6", over=analog(),
     kills=("the largest eigenvalue in place of the norm", "half of the slope of f"))
def two_states_of_a_graded_network_come_closer_by_the_factor(f, xi, W, b, activation, beta):
    """|f(xi) - f(eta)| <= q |xi - eta|; q = beta |w| L for one weight w = -1."""
    q = f(W, activation=activation, beta=beta)
    new = f.graded.update(xi, W, b, activation=activation, beta=beta)
    gap = np.sqrt(np.sum((new - new[:1]) ** 2, axis=-1))
    most = toleranced(q, 64 * len(W) * U * beta * np.abs(W).sum())
    yield at_most(gap, most * np.sqrt(np.sum((xi - xi[:1]) ** 2, axis=-1)), "closer")


@law("theory.graded_contraction_factor", id="CC-6",
     over=constant({"W": np.array([[-1.0]])}),
     kills=("the largest eigenvalue in place of the norm", "half of the slope of f"))
def one_weight_attains_the_contraction_factor(f, W):
    """q = beta L |w|."""
    for activation, L in (("tanh", 1.0), ("sigmoid", 0.25), ("identity", 1.0)):
        for beta in (0.25, 2.0):
            q = f(W, activation=activation, beta=beta)
            yield equal(toleranced(q, 16 * U * beta), beta * L, activation)

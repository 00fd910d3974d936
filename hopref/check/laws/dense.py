"""Laws of dense associative memories.  Integers: what is not exponential is free of rounding."""
import numpy as np

from hopref.check.cases.networks import memories, overlaps, visits
from hopref.check.laws import equal, law
from hopref.models import classical
from hopref.storage import hebbian


def product(z, n):
    """z^n, by successive multiplications."""
    y = z
    for _ in range(n - 1):
        y = y * z
    return y if n else 1 + 0 * z


def value(z, interaction, n):
    """F(z)."""
    if interaction == "quadratic":
        return z * z / 2
    return product(np.where(z > 0, z, 0.0) if interaction == "rectified" else z, n)


def slope(z, interaction, n):
    """F'(z)."""
    if interaction == "quadratic":
        return z
    steep = n * product(z, n - 1)
    return np.where(z > 0, steep, 0.0) if interaction == "rectified" else steep


def at_site(xi, i, state):
    """``xi`` with the value of ``state`` at site i."""
    return np.where(np.arange(xi.shape[-1]) == i, state, xi)


# -- energy ---------------------------------------------------------------------------------------

@law("dense.energy", id="DA-1", over=memories(),
     kills=("divided by the number of patterns", "negative overlaps not rectified",
            "degree ignored", "quadratic interaction without its half"))
def the_energy_adds_up_the_interactions(f, xi, X, interaction, n):
    """E = -sum_mu F(x_mu.xi)."""
    parts = value(np.sum(X * xi, axis=-1), interaction, n)
    yield equal(f(xi, X, interaction=interaction, n=n), -np.sum(parts))


@law("dense.log_energy", id="DA-1", over=overlaps(),
     kills=("exponentials overflow", "log of the mean in place of the sum"))
def the_log_energy_is_the_logarithm_of_the_exponential_energy(f, xi, X):
    """-log sum_mu exp(x_mu.xi), relative to the largest overlap."""
    z = np.sum(X * xi, axis=-1)
    top = np.max(z)
    yield equal(f(xi, X), -(top + np.log(np.sum(np.exp(z - top)))))


@law("dense.energy", "dense.update", "dense.asynchronous_update", "dense.first_order_update",
     id="DA-2", over=visits(memories(interactions=["quadratic"])),
     kills=("quadratic interaction without its half", "own part of the overlap not left out"))
def the_quadratic_memory_is_the_classical_network(f, xi, X, interaction, n, order):
    """Its energy includes the diagonal, a constant; its updates do not depend on the diagonal."""
    how, W = {"interaction": interaction}, f.exact(hebbian, X, zero_diagonal=True)
    whole = f.exact(classical.energy, xi, f.exact(hebbian, X))
    together = f.exact(classical.update, xi, W)
    yield equal(f.dense.energy(xi, X, **how), whole, "energy")
    yield equal(f.dense.update(xi, X, **how), together, "update")
    yield equal(f.dense.first_order_update(xi, X, **how), together, "first order")
    yield equal(f.dense.asynchronous_update(xi, X, order=order, **how),
                f.exact(classical.asynchronous_update, xi, W, order=order), "in turn")


# -- one site at a time ---------------------------------------------------------------------------

@law("dense.asynchronous_update", "dense.energy", id="DA-2", over=visits(memories()),
     kills=("the higher energy taken", "a tie always gives 1",
            "own part of the overlap not left out", "the slope in place of the difference"))
def a_visited_site_takes_the_lower_of_its_two_energies(f, xi, X, interaction, n, order):
    """A site keeps its value if both energies are equal."""
    how, i = {"interaction": interaction, "n": n}, order[0]
    flipped = at_site(xi, i, -xi)
    move, stay = f.dense.energy(flipped, X, **how), f.dense.energy(xi, X, **how)
    yield equal(f.dense.asynchronous_update(xi, X, order=order[:1], **how),
                np.where(move < stay, flipped, xi))


@law("dense.asynchronous_update", id="DA-2", over=visits(memories()),
     kills=("asynchronous sweep done synchronously", "overlaps not updated after a flip",
            "visits sorted by site", "last visit left out"))
def dense_sites_are_visited_one_after_another(f, xi, X, interaction, n, order):
    """One call for all visits equals one call for each visit, and no other site changes."""
    how, want = {"interaction": interaction, "n": n}, xi
    for k in range(len(order)):
        want = f.exact(f.op, want, X, order=order[k:k + 1], **how)
    yield equal(f(xi, X, order=order, **how), want)


@law("dense.update", "dense.asynchronous_update", id="DA-2", over=overlaps(),
     kills=("differences of F as they stand", "equal exponentials on both sides not cancelled"))
def the_largest_exponential_that_is_not_on_both_sides_decides(f, xi, X):
    """With overlaps that are multiples of 100, exp(100) > n decides for the side that is larger at
    the first difference in rank."""
    d, order = len(xi), np.arange(1)
    up, down = (np.sort(np.sum(X * at_site(xi, 0, s), axis=-1).value)[::-1] for s in (1.0, -1.0))
    gaps = (up - down)[up != down]
    want = at_site(xi, 0, np.full(d, np.sign(gaps[0]))) if len(gaps) else xi
    how = {"interaction": "exponential"}
    yield equal(f.dense.asynchronous_update(xi, X, order=order, **how), want, "in turn")
    yield equal(f.dense.update(xi, X, **how)[0], want[0], "together")


# -- all sites at once ----------------------------------------------------------------------------

@law("dense.update", id="DA-2", over=memories(rows=3),
     kills=("one site after another", "own part of the overlap not left out",
            "a tie always gives 1"))
def a_synchronous_update_of_a_site_is_its_update_alone(f, xi, X, interaction, n):
    """Site i of the new state is that of a visit of i alone."""
    how = {"interaction": interaction, "n": n}
    new = f.dense.update(xi, X, **how)
    for i in range(xi.shape[-1]):
        alone = f.dense.asynchronous_update(xi, X, order=np.array([i]), **how)
        yield equal(new[:, i], alone[:, i])


@law("dense.first_order_update", id="DA-3", over=memories(),
     kills=("F in place of its slope", "own part of the overlap not left out",
            "a tie always gives 1"))
def the_first_order_rule_follows_the_slope(f, xi, X, interaction, n):
    """xi'_i = sgn sum_mu x_mu_i F'(r_mu_i); a tie keeps xi_i."""
    r = np.sum(X * xi, axis=-1)[:, None] - X * xi
    h = np.sum(X * slope(r, interaction, n), axis=0)
    want = np.where(h > 0, 1.0 + 0 * xi, np.where(h < 0, -1.0 + 0 * xi, xi))
    yield equal(f(xi, X, interaction=interaction, n=n), want)


@law("dense.update", "dense.asynchronous_update", "dense.first_order_update", id="DA-2",
     over=memories(interactions=["polynomial", "rectified"]),
     kills=("differences of F as they stand", "powers as they stand"))
def the_unit_of_the_patterns_changes_no_move(f, xi, X, interaction, n):
    """At units of 2^400 and 2^-400 z^n is out of range; the new state is the same."""
    how = {"interaction": interaction, "n": n}
    if f.op.name == "dense.asynchronous_update":
        how["order"] = np.arange(len(xi))
    for unit in (2.0**400, 2.0**-400):
        yield equal(f(xi, unit * X, **how), f(xi, X, **how), f"{unit:.0e}")


@law("dense.update", "dense.first_order_update", "dense.energy", id="DA-2", over=memories(),
     kills=("a tie always gives 1",))
def changing_the_signs_of_sites_changes_those_of_their_moves(f, xi, X, interaction, n):
    """E(s xi, X s) = E(xi, X), and f(s xi, X s) = s f(xi, X)."""
    how, s = {"interaction": interaction, "n": n}, np.where(np.arange(len(xi)) % 2, 1.0, -1.0)
    new = f(s * xi, X * s, **how)
    yield equal(new, f(xi, X, **how) * (1.0 if f.op.name == "dense.energy" else s))

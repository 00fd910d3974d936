"""Laws of the classical network.  Integers throughout: nearly all of them hold without rounding."""
import numpy as np

from hopref.check.cases.draws import polar, sampled, small
from hopref.check.cases.networks import (
    LOW,
    antisymmetric,
    contests,
    cued,
    named_states,
    networks,
    pairs,
    stores,
    unlike,
    visits,
)
from hopref.check.laws import at_most, equal, holds, law
from hopref.models import classical
from hopref.storage import hebbian, willshaw_pairs

RULES = ("classical.update", "classical.low_rank_update", "classical.asynchronous_update",
         "classical.low_rank_asynchronous_update", "classical.greedy_update")
SWEEPS = ("classical.asynchronous_update", "classical.low_rank_asynchronous_update")


def along(x, y):
    return np.sum(x * y, axis=-1)


def moved(x, y):
    """Whether two states differ, as 0 or 1."""
    return 1.0 * np.any(x.value != y.value, axis=-1)


# -- field and energies ---------------------------------------------------------------------------

@law("classical.field", id="CB-2", over=networks(symmetric=False),
     kills=("threshold with the wrong sign", "W transposed"))
def the_field_of_a_site_is_what_it_receives(f, xi, W, b):
    """h_i = sum_j w_ij xi_j - b_i."""
    yield equal(f(xi, W, b), along(W, xi) - b)


@law("classical.energy", id="CB-3", over=networks(),
     kills=("energy without the half of the quadratic term", "threshold with the wrong sign",
            "diagonal of W left out"))
def the_energy_counts_every_pair_once(f, xi, W, b):
    """E = -sum_{i>j} w_ij xi_i xi_j - sum_i w_ii xi_i^2 / 2 + sum_i b_i xi_i."""
    below, own = np.tril(W, -1), np.diagonal(W)
    yield equal(f(xi, W, b), -along(along(below, xi), xi) - along(own, xi * xi) / 2 + along(b, xi))


@law("classical.energy", "classical.field", id="CB-4", over=pairs(networks(), small),
     kills=("threshold with the wrong sign", "energy without the half of the quadratic term",
            "diagonal of W left out"))
def the_field_gives_the_change_of_energy_of_every_move(f, xi, other, W, b):
    """E(xi + D) - E(xi) = -D.h - D.W D / 2."""
    step = other - xi
    rise = f.classical.energy(other, W, b) - f.classical.energy(xi, W, b)
    yield equal(rise, -along(step, f.classical.field(xi, W, b)) - along(step @ W, step) / 2)


@law("classical.two_step_energy", id="CB-6",
     kills=("only one of the two states", "bilinear term halved", "threshold of one state only"))
def the_two_step_energy_is_symmetric(f, xi, previous, W, b=0.0):
    """L(xi, previous) = L(previous, xi), and L(xi, xi) = 2 E(xi)."""
    yield equal(f(xi, previous, W, b), f(previous, xi, W, b), "symmetric")
    yield equal(f(xi, xi, W, b), 2 * f.exact(classical.energy, xi, W, b), "twice the energy")


# -- updates --------------------------------------------------------------------------------------

@law(*RULES, id="CB-2", kills=("sign(0) = 0", "states written as -1 and 1 whatever they are"))
def states_keep_their_alphabet(f, xi, *memory, states="polar", **options):
    """A new state consists of -1 and 1 (polar) or of 0 and 1 (binary)."""
    new, low = f(xi, *memory, states=states, **options).value, -1.0 if states == "polar" else 0.0
    yield equal(np.where(new > (1 + low) / 2, 1.0, low), new)


@law("classical.update", id="CB-2, CB-5", over=named_states(symmetric=False),
     kills=("sign(0) = 0", "sign(0) = -1", "a tie always gives 1", "the other tie rule",
            "a tie changes the state", "last neuron never updated", "threshold ignored",
            "threshold with the wrong sign", "states written as -1 and 1 whatever they are"))
def every_site_takes_the_sign_of_its_field(f, xi, W, b, states):
    """xi'_i = 1 where h_i > 0, the low value where h_i < 0; a tie keeps xi_i or gives 1."""
    h, low = f.exact(classical.field, xi, W, b), LOW[states]
    for ties, tie in (("keep", xi), ("plus", 1.0 + 0 * xi)):
        want = np.where(h > 0, 1.0 + 0 * xi, np.where(h < 0, low + 0 * xi, tie))
        yield equal(f(xi, W, b, ties=ties, states=states), want, f"ties={ties}")


@law("classical.update", id="CB-2", over=networks(b=sampled([0.0, 2.0**-60, -(2.0**-60)])),
     kills=("a field below 1e-15 taken for a tie",))
def a_field_however_small_is_no_tie(f, xi, W, b):
    """xi'_i = sgn(h_i) for every h_i but 0."""
    h = f.exact(classical.field, xi, W, b).value
    new = f(xi, W, b)
    yield equal(np.where(h != 0, new, 0.0), np.sign(h))


@law("classical.update", "classical.energy", id="CB-5", over=networks(low=0.0),
     kills=("states written as -1 and 1 whatever they are", "threshold ignored",
            "energy without the half of the quadratic term"))
def binary_and_polar_networks_are_one_network(f, xi, W, b):
    """xi = 2v - 1, W' = 4W, b' = 2b + 2W1: same moves; energies differ by -1W1/2 - b1."""
    v, xi, ones = xi, 2 * xi - 1, np.ones(len(xi))
    other = 4 * W, 2 * b + 2 * along(W, ones)
    new = f.classical.update(v, *other, states="binary")
    yield equal(2 * new - 1, f.classical.update(xi, W, b), "moves")
    shift = -along(along(W, ones), ones) / 2 - along(b, ones)
    energies = f.classical.energy(xi, W, b), f.classical.energy(v, *other)
    yield equal(energies[0], energies[1] + shift, "energies")


@law("classical.update", "classical.energy", id="CB-2", over=networks(rows=3),
     kills=("first half of the sites updated before the second", "last neuron never updated",
            "one field for the whole batch"))
def relabelling_and_gauge_change_nothing(f, xi, W, b):
    """Permuting sites, or changing the sign of some: xi -> s xi, W -> s W s, b -> s b."""
    update, E, turn = f.classical.update, f.classical.energy, np.arange(len(b))[::-1]
    s = np.where(turn % 2, 1.0, -1.0)
    want = np.stack([update(x, W, b) for x in xi])
    yield equal(update(xi[:, turn], W[turn][:, turn], b[turn])[:, turn], want, "permuted")
    gauged = s * xi, s[:, None] * W * s, s * b
    yield equal(update(*gauged), s * want, "signs changed")
    yield equal(E(*gauged), np.stack([E(x, W, b) for x in xi]), "energy")


# -- all sites at once ----------------------------------------------------------------------------

@law("classical.two_step_energy", "classical.update", id="CB-6", over=networks(),
     kills=("bilinear term halved", "threshold of one state only"))
def synchronous_updates_never_raise_the_two_step_energy(f, xi, W, b):
    """L(t+1) - L(t) = -(xi(t+1) - xi(t-1)).h(t) <= 0: any symmetric W, any diagonal, any b."""
    now = f.classical.update(xi, W, b)
    after = f.classical.update(now, W, b)
    L = f.classical.two_step_energy
    rise = L(after, now, W, b) - L(now, xi, W, b)
    yield equal(rise, -along(after - xi, f.exact(classical.field, now, W, b)))
    yield at_most(rise, 0.0)


@law("classical.update", id="CB-6", over=networks(),
     kills=("first half of the sites updated before the second",))
def synchronous_updates_of_a_symmetric_network_end_in_a_cycle_of_at_most_two(f, xi, W, b):
    """xi(t+2) = xi(t) once 2^d steps are done."""
    way = [xi]
    while not any(np.array_equal(way[-1].value, x.value) for x in way[:-1]):
        way.append(f(way[-1], W, b))
    same = [np.array_equal(way[-1].value, x.value) for x in way]
    yield at_most(len(way) - 1.0 - same.index(True), 2.0)


@law("classical.update", "classical.energy", "storage.hebbian", id="CB-7", over=stores(),
     kills=("weights with the wrong sign", "a tie changes the state",
            "threshold with the wrong sign"))
def synchronous_updates_with_the_hebbian_diagonal_descend_to_a_fixed_point(f, xi, X, b):
    """W semidefinite: E(xi') - E(xi) = -D.h - D.W D / 2 <= -2 for integers, while it moves."""
    W, E = f.storage.hebbian(X), f.classical.energy
    for _ in range(2 ** len(xi) + 1):
        new = f.classical.update(xi, W, b)
        if not moved(new, xi):
            break
        yield at_most(E(new, W, b) + 2, E(xi, W, b))
        xi = new
    yield holds(not moved(new, xi), "a fixed point")


@law("classical.update", id="CB-6", over=antisymmetric(),
     kills=("W transposed", "first half of the sites updated before the second"))
def an_antisymmetric_network_returns_after_exactly_four_steps(f, xi, W):
    """xi(t+2) = -xi(t) on the cycle, b = 0; W^T reverses the cycle."""
    for _ in range(2 ** len(xi)):
        xi, last = f(xi, W), xi
        if np.array_equal(f(xi, W).value, -last.value):
            break
    orbit = [xi]
    for _ in range(4):
        orbit.append(f(orbit[-1], W))
    yield equal(orbit[4], xi, "four steps")
    yield equal(orbit[2], -xi, "two steps")
    yield equal(orbit[1], np.sign(along(W, xi)), "one step")


# -- one site at a time ---------------------------------------------------------------------------

@law("classical.asynchronous_update", id="CB-4", over=visits(named_states(symmetric=False)),
     kills=("asynchronous sweep done synchronously", "threshold with the wrong sign",
            "visits sorted by site", "last visit left out", "order ignored",
            "a tie always gives 1", "the other tie rule",
            "states written as -1 and 1 whatever they are"))
def sites_are_visited_one_after_another(f, xi, W, b, order, states):
    """xi_i <- sgn(h_i(xi)) for i in order, each field that of the state so far."""
    for ties in ("keep", "plus"):
        want = xi
        for i in order:
            h, old = along(W[i], want) - b[i], want[i]
            tie = old if ties == "keep" else 1.0 + 0 * old
            new = np.where(h > 0, 1.0 + 0 * old, np.where(h < 0, LOW[states] + 0 * old, tie))
            want = np.where(np.arange(len(xi)) == i, new, want)
        yield equal(f(xi, W, b, order=order, ties=ties, states=states), want, f"ties={ties}")


@law(*SWEEPS, id="CB-4", kills=("order ignored",))
def sites_left_out_keep_their_value(f, xi, *memory, order, **options):
    """Only sites in the order change."""
    away = ~np.isin(np.arange(xi.shape[-1]), order)
    yield equal(f(xi, *memory, order=order, **options)[..., away], xi[..., away])


@law("classical.asynchronous_update", "classical.energy", id="CB-4",
     over=visits(networks(diagonal=">=0"), most=5),
     kills=("asynchronous sweep done synchronously", "threshold with the wrong sign"))
def one_site_at_a_time_the_energy_never_rises(f, xi, W, b, order):
    """W = W^T and w_ii >= 0: each flip lowers the energy by 2|h_i| + 2 w_ii, at least 2."""
    E, before = f.classical.energy, xi
    for k in range(len(order)):
        after = f.classical.asynchronous_update(xi, W, b, order=order[:k + 1])
        yield at_most(E(after, W, b) + 2 * moved(after, before), E(before, W, b))
        before = after


@law("classical.greedy_update", id="CB-4", over=networks(),
     kills=("the largest field of all, stable or not", "the least unstable site flipped",
            "every unstable site flipped"))
def greedy_flips_the_unstable_site_with_the_largest_field(f, xi, W, b):
    """The first i with h_i xi_i < 0 whose |h_i| is largest, or none."""
    h = f.exact(classical.field, xi, W, b).value
    urge = np.where(h * xi.value < 0, np.abs(h), 0.0)
    flipped = (np.arange(len(h)) == np.argmax(urge)) & (urge > 0)
    yield equal(f(xi, W, b), np.where(flipped, -xi, xi))


# -- weights never formed -------------------------------------------------------------------------

@law("classical.low_rank_update", "classical.low_rank_asynchronous_update", id="CB-8",
     over=visits(stores()),
     kills=("the number of patterns taken off the diagonal", "scale ignored",
            "zero_diagonal ignored", "asynchronous sweep done synchronously",
            "visits sorted by site", "last visit left out", "threshold with the wrong sign"))
def weights_never_formed_give_the_same_moves(f, xi, X, b, order):
    """The low-rank rules equal those of W = hebbian(X)."""
    for scale in (1.0, 0.25):
        for zero in (False, True):
            how = {"scale": scale, "zero_diagonal": zero}
            W = f.exact(hebbian, X, **how)
            yield equal(f.classical.low_rank_update(xi, X, b, **how),
                        f.exact(classical.update, xi, W, b), f"together, {how}")
            yield equal(f.classical.low_rank_asynchronous_update(xi, X, b, order=order, **how),
                        f.exact(classical.asynchronous_update, xi, W, b, order=order),
                        f"in turn, {how}")


@law("classical.low_rank_energy", id="CB-8", over=stores(),
     kills=("zero_diagonal ignored", "scale ignored"))
def weights_never_formed_give_the_same_energy(f, xi, X, b):
    """The low-rank energy is that of W = hebbian(X)."""
    for how in ({"scale": 0.25}, {"zero_diagonal": True}):
        W = f.exact(hebbian, X, **how)
        yield equal(f(xi, X, b, **how), f.exact(classical.energy, xi, W, b), str(how))


@law("classical.low_rank_energy", "classical.low_rank_update", id="CB-8", over=unlike(),
     kills=("the own part subtracted from what it has swamped",))
def without_the_diagonal_large_entries_do_not_absorb_small_ones(f, xi, X):
    """h_i = sum_{j != i} (sum_mu x_mu_i x_mu_j) xi_j and E = -xi.h/2, with no x_i^2 in any sum."""
    d = len(xi)
    h = np.stack([np.sum(np.stack([X[:, i] * X[:, j] * xi[j] for j in range(d) if j != i]))
                  for i in range(d)])
    yield equal(f.classical.low_rank_energy(xi, X, zero_diagonal=True), -along(xi, h) / 2)
    want = np.where(h > 0, 1.0 + 0 * xi, np.where(h < 0, -1.0 + 0 * xi, xi))
    yield equal(f.classical.low_rank_update(xi, X, zero_diagonal=True), want)


@law("classical.low_rank_update", id="CB-1", over=stores(elements=polar),
     kills=("rounded weights in place of a scaled field",))
def scaled_by_any_number_the_field_keeps_its_ties(f, xi, X, b):
    """Integers times 1/n: 0 is 0, and the sign is that of the weights of scale 1."""
    W = f.exact(hebbian, X, zero_diagonal=True)
    for ties in ("keep", "plus"):
        want = f.exact(classical.update, xi, W, ties=ties)
        for scale in (1 / len(X), 1 / X.shape[1], 1 / 3):
            yield equal(f(xi, X, scale=scale, zero_diagonal=True, ties=ties), want,
                        f"ties {ties}, scale {scale:.3g}")


@law("classical.update", "storage.hebbian", id="CB-9",
     over=pairs(stores(max_n=1, elements=polar)),
     kills=("weights with the wrong sign", "a tie changes the state"))
def one_pattern_is_recalled_by_the_sign_of_its_overlap(f, xi, other, X, b):
    """Eq. (5): sgn(x (x.xi)) = x sgn(x.xi); for an overlap of 0 no site changes."""
    overlap = along(X[0], xi).value
    want = xi if overlap == 0 else X[0] * np.sign(overlap)
    yield equal(f.classical.update(xi, f.storage.hebbian(X)), want)


# -- sparse binary states -------------------------------------------------------------------------

@law("classical.willshaw_update", id="CB-13", over=cued(),
     kills=("threshold exceeded strictly", "threshold of three active units",
            "half of the cue suffices"))
def an_active_unit_is_connected_to_the_whole_cue(f, X, Y):
    """y_i = 1 where w_ij = 1 for every j with x_j = 1."""
    W = f.exact(willshaw_pairs, X, Y)
    want = np.min(np.where(X.value[:, None] > 0, W.value, 1.0), axis=-1)
    yield equal(f(X, W), want)


@law("classical.willshaw_update", "storage.willshaw_pairs", id="CB-13", over=cued(),
     kills=("threshold exceeded strictly", "threshold of three active units",
            "AND over the patterns"))
def a_stored_cue_or_a_part_of_it_misses_no_unit_of_its_answer(f, X, Y):
    """y(x) >= y_mu for x = x_mu, and for x with some active units missing."""
    W = f.storage.willshaw_pairs(X, Y)
    part = X * np.where(np.arange(X.shape[1]) % 2, 1.0, 0.0)
    for cue in (X, part):
        yield at_most(Y, f.classical.willshaw_update(cue, W))


@law("classical.winners_update", id="CB-12", over=contests(),
     kills=("of equal fields the last win", "all fields as large as the k-th win",
            "the smallest fields win", "k winners for the whole batch", "threshold ignored"))
def the_k_largest_fields_win_and_of_equal_ones_the_first(f, xi, W, b, k):
    """xi'_i = 1 for k sites."""
    h = f.exact(classical.field, xi, W, b).value
    first = np.argsort(-h, axis=-1, kind="stable")[:, :k]
    yield equal(f(xi, W, b, k=k), np.max(1.0 * (first[..., None] == np.arange(len(b))), axis=-2))

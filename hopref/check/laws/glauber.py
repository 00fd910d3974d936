"""Laws of networks at a temperature: one visit, detailed balance, chains."""
import itertools

import numpy as np

from hopref.check.cases.draws import arrays, composed, floats
from hopref.check.cases.networks import LOW, networks, visits, warm
from hopref.check.laws import equal, holds, law
from hopref.models import classical

NEAR = 2.0**-40         # from the chance of the value 1: far beyond its rounding, 8 u


def tossed_beside(p):
    """Uniform numbers just below and just above a chance, where they are numbers of [0, 1)."""
    below, above = np.maximum(p - NEAR, 0.0), np.minimum(p + NEAR, 1 - 2.0**-53)
    return (below, p > NEAR), (above, p < 1 - 2 * NEAR)


def sides(f, xi, i, p, low, visit):
    """The claims that a visit of i gives 1 just below the chance p and the low value above it."""
    here = np.arange(len(xi)) == i
    for (u, judged), value in zip(tossed_beside(float(p.value)), (1.0, low)):
        if judged:
            new = visit(order=np.array([i]), uniforms=np.array([u]))
            yield equal(new, np.where(here, value, xi), f"site {i}")


@law("classical.glauber_update", id="CB-4", over=warm(symmetric=False),
     kills=("half as steep", "field with the wrong sign", "beta ignored", "threshold ignored",
            "states written as -1 and 1 whatever they are"))
def a_warm_site_is_1_with_the_logistic_chance_of_its_field(f, xi, W, b, beta, states):
    """xi'_i = 1 for u < 1 / (1 + exp(-beta Delta h_i)), Delta the distance of the two values."""
    h, low = f.exact(classical.field, xi, W, b), LOW[states]
    p = 1 / (1 + np.exp(-beta * (1 - low) * h))
    for i in range(len(xi)):
        yield from sides(f, xi, i, p[i], low, lambda **drawn: f(
            xi, W, b, beta=beta, states=states, **drawn))


@law("classical.glauber_update", "classical.energy", id="CB-4", over=warm(diagonal="0"),
     kills=("half as steep", "field with the wrong sign", "beta ignored", "threshold ignored"))
def each_visit_is_in_detailed_balance(f, xi, W, b, beta, states):
    """W = W^T, w_ii = 0: exp(-beta E(a)) p(a -> c) = exp(-beta E(c)) p(c -> a).

    A chance that does not look at the value it replaces, p(down -> up) = 1 - p(up -> down) = p,
    is in detailed balance only where p = 1 / (1 + exp(beta (E(up) - E(down)))).
    """
    low, E = LOW[states], f.classical.energy
    for i in range(len(xi)):
        here = np.arange(len(xi)) == i
        up, down = (np.where(here, value, xi) for value in (1.0, low))
        p = 1 / (1 + np.exp(beta * (E(up, W, b) - E(down, W, b))))
        for state in (up, down):
            yield from sides(f, state, i, p, low, lambda state=state, **drawn:
                             f.classical.glauber_update(state, W, b, beta=beta, states=states,
                                                        **drawn))


@composed
def cold(draw):
    """Thresholds of halves, so that no field is 0, and a uniform number for each visit."""
    case = draw(visits(networks()))
    return {**case, "b": case["b"] + 0.5,
            "uniforms": draw(arrays(len(case["order"]), elements=floats(0.01, 0.99)))}


@law("classical.glauber_update", id="CB-4", over=cold(),
     kills=("field with the wrong sign", "visits sorted by site",
            "asynchronous sweep done synchronously", "threshold ignored"))
def without_temperature_it_is_the_asynchronous_update(f, xi, W, b, order, uniforms):
    """Off ties: beyond beta |2h| = 2^40 no u between 0.01 and 0.99 matters."""
    cold = f(xi, W, b, order=order, uniforms=uniforms, beta=2.0**40)
    yield equal(cold, f.exact(classical.asynchronous_update, xi, W, b, order=order))


@composed
def tossed(draw):
    case = draw(visits(warm()))
    return {**case, "uniforms": draw(arrays(len(case["order"]), elements=floats(0.0, 0.99)))}


@law("classical.glauber_update", id="CB-4", over=tossed(),
     kills=("asynchronous sweep done synchronously", "visits sorted by site",
            "one uniform number for all visits"))
def each_visit_uses_its_own_number(f, xi, W, b, order, uniforms, beta, states):
    """Visiting sites in one call is visiting them call by call."""
    want, how = xi, {"beta": beta, "states": states}
    for k in range(len(order)):
        want = f(want, W, b, order=order[k:k + 1], uniforms=uniforms[k:k + 1], **how)
    yield equal(f(xi, W, b, order=order, uniforms=uniforms, **how), want)


# -- chains ---------------------------------------------------------------------------------------

STATES = np.array(list(itertools.product([-1.0, 1.0], repeat=3)))
W3, B3 = np.array([[0.0, 1.0, -2.0], [1.0, 0.0, 1.0], [-2.0, 1.0, 0.0]]), np.array([0.5, 0.0, -1.0])
BETA, CHAINS = 0.4, 1000
ORDERS = ("cyclic", "permutation", "random")


def boltzmann():
    p = np.exp(-BETA * classical.energy(STATES, W3, B3))
    return p / p.sum()


def distributed(states):
    """The claim that chains are distributed as exp(-beta E)/Z: counts within 6 standard errors."""
    p, code = boltzmann(), ((states + 1) / 2 @ [4, 2, 1]).astype(int)
    found = np.bincount(code.ravel(), minlength=8)[:8] / len(states)
    return holds(np.abs(found - p) <= 6 * np.sqrt(p * (1 - p) / len(states)), "distribution")


@law("dynamics.glauber", id="CB-4",
     kills=("beta ignored", "chains share their numbers", "all sites at once", "order ignored"))
def chains_that_start_at_equilibrium_stay_there(f):
    """Every state of three sites, after 1, 2 and 3 sweeps; orders differ in what they draw."""
    start = STATES[np.random.default_rng(1).choice(8, size=CHAINS, p=boltzmann())]
    way = {}
    for order in ORDERS:
        way[order] = f.dynamics.glauber(start, W3, B3, beta=BETA, sweeps=3, rng=2,
                                        order=order).states
        for states in way[order][1:]:
            yield distributed(states)
            yield holds(np.any(states != start), "moves")
    for one, other in itertools.combinations(ORDERS, 2):
        yield holds(np.any(way[one] != way[other]), f"{one} is not {other}")


@law("dynamics.glauber", id="CB-4", kills=("states never change", "chains share their numbers"))
def chains_forget_where_they_started(f):
    """From one state, after 40 sweeps: a visit forgets its site with a chance above 0.03."""
    run = f.dynamics.glauber(np.ones((CHAINS, 3)), W3, B3, beta=BETA, sweeps=40, rng=3)
    yield distributed(run.states[-1])


@law("dynamics.glauber", id="CB-4", over=warm(diagonal="0", rows=4),
     kills=("one stream of numbers for all chains", "energies a sweep late", "first state left out",
            "seed ignored"))
def a_chain_depends_on_no_other(f, xi, W, b, beta, states):
    """The i-th chain of a seed, alone or not; its energies are those of its states."""
    how = {"beta": beta, "sweeps": 3, "order": "permutation", "states": states}
    run = f.dynamics.glauber(xi, W, b, rng=7, **how)
    first = f.dynamics.glauber(xi[0], W, b, rng=7, **how)
    yield equal(first.states, run.states[:, 0], "alone")
    yield equal(run.states[0], xi, "start")
    energies = classical.energy(run.states, W, b)           # integers and halves: exact
    yield equal(run.energies, energies, "energies")
    chains = [f.dynamics.glauber(np.ones(20), np.zeros((20, 20)), sweeps=1, rng=seed).states
              for seed in (0, 1)]
    yield holds(np.any(chains[0] != chains[1]), "seeds differ")

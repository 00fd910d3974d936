"""Temperature: one visit, detailed balance, the Boltzmann distribution, the cold limit."""
import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import classical
from hopref.dynamics import glauber
from hopref.errors import DomainError
from tests.draw import arrays, networks, visits
from tests.laws import law

gains = st.sampled_from([0.125, 0.5, 1.0])
BISECTIONS = 60             # of [0, 1): to the last bits of a float there


@st.composite
def warm(draw, states="polar", **how):
    low = {"polar": -1.0, "binary": 0.0}[states]
    return {**draw(networks(low=low, max_d=4, **how)), "beta": draw(gains), "states": states}


anywhere = st.one_of(warm(symmetric=False), warm("binary", symmetric=False))
balanced = st.one_of(warm(diagonal="0"), warm("binary", diagonal="0"))


def chance(rule, xi, W, b, i, beta, states):
    """Of the value 1 at site i: the u up to which it is taken, found by bisection."""
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        u = (low + high) / 2
        new = rule(xi, W, b, order=[i], uniforms=[u], beta=beta, states=states)
        low, high = (u, high) if new[i] == 1 else (low, u)
    return low


@law("classical.glauber_update", id="CB-4", over=anywhere,
     kills=["glauber_half_as_steep", "glauber_against_its_field", "glauber_ignores_beta",
            "glauber_forgets_the_threshold", "glauber_writes_minus_one"])
def test_a_warm_site_is_1_with_the_logistic_chance_of_its_field(rules, xi, W, b, beta, states):
    """e^-z, a sum, a quotient: the chance is known to a few roundings."""
    low = {"polar": -1.0, "binary": 0.0}[states]
    for i in range(len(xi)):
        z = mpmath.mpf(beta * (1 - low) * float(W[i] @ xi - b[i]))
        p = float(1 / (1 + mpmath.exp(-z)))
        got = chance(rules.classical.glauber_update, xi, W, b, i, beta, states)
        assert abs(got - p) <= 8 * 2.0**-53
        new = rules.classical.glauber_update(xi, W, b, order=[i], uniforms=[np.nextafter(1, 0)],
                                             beta=beta, states=states)
        assert new[i] == (1.0 if got == 1 else low) or p > 1 - 2.0**-50
        assert np.all(np.delete(new, i) == np.delete(xi, i))


@law("classical.glauber_update", "classical.energy", id="CB-4", over=balanced,
     kills=["glauber_half_as_steep", "glauber_against_its_field", "glauber_ignores_beta",
            "glauber_forgets_the_threshold"])
def test_each_visit_is_in_detailed_balance(rules, xi, W, b, beta, states):
    """W = W.T, w_ii = 0: exp(-beta E(a)) p(a -> c) = exp(-beta E(c)) p(c -> a)."""
    low = {"polar": -1.0, "binary": 0.0}[states]
    for i in range(len(xi)):
        up, down = (np.where(np.arange(len(xi)) == i, v, xi) for v in (1.0, low))
        rise = chance(rules.classical.glauber_update, down, W, b, i, beta, states)
        fall = 1 - chance(rules.classical.glauber_update, up, W, b, i, beta, states)
        gap = beta * (rules.classical.energy(up, W, b) - rules.classical.energy(down, W, b))
        assert abs(rise - np.exp(-gap) * fall) <= 16 * 2.0**-53 * (1 + np.exp(-gap))


@st.composite
def cold(draw):
    """Thresholds of halves: no field is 0."""
    case = draw(visits(networks()))
    return {**case, "b": case["b"] + 0.5,
            "uniforms": draw(arrays(len(case["order"]), elements=st.floats(0.01, 0.99)))}


@law("classical.glauber_update", id="CB-4", over=cold(),
     kills=["glauber_against_its_field", "glauber_in_index_order", "glauber_all_at_once",
            "glauber_forgets_the_threshold"])
def test_without_warmth_it_is_the_asynchronous_update(rules, xi, W, b, order, uniforms):
    """Off ties: beyond beta |2h| = 2^40 no u between 0.01 and 0.99 matters."""
    got = rules.classical.glauber_update(xi, W, b, order=order, uniforms=uniforms, beta=2.0**40)
    assert np.all(got == classical.asynchronous_update(xi, W, b, order=order))


@st.composite
def tossed(draw):
    case = draw(visits(warm()))
    return {**case, "uniforms": draw(arrays(len(case["order"]), elements=st.floats(0, 0.99)))}


@law("classical.glauber_update", id="CB-4", over=tossed(),
     kills=["glauber_all_at_once", "glauber_in_index_order", "glauber_one_number_for_all_visits"])
def test_each_visit_spends_its_own_number(rules, xi, W, b, order, uniforms, beta, states):
    visit, want = rules.classical.glauber_update, xi
    for i, u in zip(order, uniforms, strict=True):
        want = visit(want, W, b, order=[i], uniforms=[u], beta=beta)
    assert np.all(visit(xi, W, b, order=order, uniforms=uniforms, beta=beta) == want)


# -- chains -------------------------------------------------------------------------------------

STATES = np.array(list(itertools.product([-1.0, 1.0], repeat=3)))
W3, B3 = np.array([[0.0, 1.0, -2.0], [1.0, 0.0, 1.0], [-2.0, 1.0, 0.0]]), [0.5, 0.0, -1.0]
BETA = 0.4


def boltzmann():
    p = np.exp(-BETA * classical.energy(STATES, W3, B3))
    return p / p.sum()


@law("dynamics.glauber", id="CB-4",
     kills=["warmth_of_1", "chains_share_their_numbers", "warm_sweep_is_synchronous",
            "warm_order_ignored"])
def test_chains_of_boltzmann_stay_of_boltzmann(rules):
    """Exhaustive, d = 3: 20000 chains, each count within 6 standard errors after 1, 2, 3 sweeps."""
    p, chains = boltzmann(), 20_000
    start = STATES[np.random.default_rng(1).choice(8, size=chains, p=p)]
    for order in ("cyclic", "permutation", "random"):
        run = rules.dynamics.glauber(start, W3, B3, beta=BETA, sweeps=3, rng=2, order=order)
        assert run.states.shape == (4, chains, 3)
        for states in run.states[1:]:
            assert np.any(states != start)
            found = np.bincount(((states + 1) / 2 @ [4, 2, 1]).astype(int), minlength=8) / chains
            assert np.all(np.abs(found - p) <= 6 * np.sqrt(p * (1 - p) / chains))
    runs = [rules.dynamics.glauber(start[:50], W3, B3, beta=BETA, sweeps=3, rng=2, order=order)
            for order in ("cyclic", "permutation", "random")]
    assert all(np.any(a.states != c.states) for a, c in itertools.combinations(runs, 2))


@law("dynamics.glauber", id="CB-4", kills=["chains_start_together", "chains_share_their_numbers"])
def test_chains_forget_where_they_started(rules):
    """From one state: a visit forgets its site with chance >= 2 sigma(-2 beta max|h|) > 0.03, all
    three with 3e-5 at worst, in fact far more; 6 standard errors after 60 sweeps."""
    p, chains = boltzmann(), 4_000
    run = rules.dynamics.glauber(np.ones((chains, 3)), W3, B3, beta=BETA, sweeps=60, rng=3)
    found = np.bincount(((run.states[-1] + 1) / 2 @ [4, 2, 1]).astype(int), minlength=8) / chains
    assert np.all(np.abs(found - p) <= 6 * np.sqrt(p * (1 - p) / chains))


@law("dynamics.glauber", id="CB-4", over=warm(diagonal="0", rows=4),
     kills=["chains_draw_in_turn", "warm_energies_lag", "warm_trace_without_its_start",
            "warm_seed_ignored"])
def test_a_chain_is_its_own_whatever_its_companions(rules, xi, W, b, beta, states):
    """The i-th chain of a seed, alone or not; the same seed, the same numbers."""
    how = {"beta": beta, "sweeps": 3, "order": "permutation"}
    run = rules.dynamics.glauber(xi, W, b, rng=7, **how)
    first = rules.dynamics.glauber(xi[0], W, b, rng=7, **how)
    assert np.array_equal(first.states, run.states[:, 0])
    assert np.array_equal(run.states[0], xi)
    assert np.array_equal(run.energies, classical.energy(run.states, W, b))
    again = rules.dynamics.glauber(xi, W, b, rng=np.random.default_rng(7), **how)
    assert np.array_equal(again.states, run.states)
    other = [rules.dynamics.glauber(np.ones(20), np.zeros((20, 20)), sweeps=1, rng=seed)
             for seed in (0, 1)]
    assert np.any(other[0].states != other[1].states)


# -- what each theorem needs --------------------------------------------------------------------

@pytest.mark.parametrize("states, low", [("polar", -1.0), ("binary", 0.0)])
def test_a_diagonal_breaks_detailed_balance(states, low):
    """The field of a site counts the site itself."""
    W, b, up, down = np.array([[1.0]]), np.array([0.25]), np.array([1.0]), np.array([low])
    rise, stay = (chance(classical.glauber_update, xi, W, b, 0, 1.0, states) for xi in (down, up))
    gap = classical.energy(up, W, b) - classical.energy(down, W, b)
    assert abs(rise - np.exp(-gap) * (1 - stay)) > 0.02


def test_without_symmetry_no_distribution_is_kept_in_detailed_balance():
    """A round trip through four states is likelier one way than the other."""
    W = np.array([[0.0, 1.0], [-1.0, 0.0]])
    ring = [np.array(s) for s in ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))]
    one_way = other_way = 1.0
    for a, c in zip(ring, [*ring[1:], ring[0]], strict=True):
        i = int(np.flatnonzero(a != c)[0])
        for here, there, way in ((a, c, "one"), (c, a, "other")):
            p = chance(classical.glauber_update, here, W, 0.0, i, 0.5, "polar")
            p = p if there[i] == 1 else 1 - p
            one_way, other_way = (one_way * p, other_way) if way == "one" else (one_way,
                                                                               other_way * p)
    assert abs(np.log(one_way / other_way)) > 1


def test_a_tie_is_tossed_however_cold():
    for u, want in ((0.49, 1.0), (0.5, -1.0)):
        new = classical.glauber_update([-1.0], [[0.0]], order=[0], uniforms=[u], beta=1e300)
        assert new[0] == want


@pytest.mark.parametrize("wrong, word", [
    ({"sweeps": 0}, "sweeps"), ({"rng": None}, "rng"), ({"order": "greedy"}, "order"),
    ({"beta": 0.0}, "beta")])
def test_a_chain_without_its_numbers_is_refused(wrong, word):
    with pytest.raises(DomainError, match=f"hopref.*glauber.*: {word} must be"):
        glauber([1.0], [[0.0]], **{"beta": 1.0, "sweeps": 1, "rng": 0, **wrong})

"""Networks at a temperature: what detailed balance needs, ties, seeds, error messages."""
import numpy as np
import pytest

from hopref import classical
from hopref.dynamics import glauber
from hopref.errors import DomainError

BISECTIONS = 60             # of [0, 1): to the last bits of a float there


def chance(rule, xi, W, b, i, beta, states):
    """Of the value 1 at site i: the u up to which it is taken, found by bisection."""
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        u = (low + high) / 2
        new = rule(xi, W, b, order=[i], uniforms=[u], beta=beta, states=states)
        low, high = (u, high) if new[i] == 1 else (low, u)
    return low


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


def test_a_generator_and_its_seed_draw_the_same_chain():
    W = np.array([[0.0, 1.0], [1.0, 0.0]])
    seeded, generated = (glauber(np.ones((3, 2)), W, sweeps=4, rng=rng, order="permutation")
                         for rng in (7, np.random.default_rng(7)))
    assert np.array_equal(seeded.states, generated.states)


@pytest.mark.parametrize("wrong, word", [
    ({"sweeps": 0}, "sweeps"), ({"rng": None}, "rng"), ({"order": "greedy"}, "order"),
    ({"beta": 0.0}, "beta")])
def test_a_chain_without_its_numbers_is_refused(wrong, word):
    with pytest.raises(DomainError, match=f"hopref.*glauber.*: {word} must be"):
        glauber([1.0], [[0.0]], **{"beta": 1.0, "sweeps": 1, "rng": 0, **wrong})


def test_thresholds_are_zero_and_beta_is_one_where_they_are_not_given():
    """At W = 0 the probability of +1 is 1/(1 + exp(2 beta b)), which is 1/2 for b = 0."""
    W, given = np.array([[0.0, 1.0], [1.0, 0.0]]), {"order": [0], "uniforms": [0.8]}
    for xi in ([1.0, 1.0], [1.0, -1.0]):
        got = classical.glauber_update(xi, W, **given)
        assert np.array_equal(got, classical.glauber_update(xi, W, 0.0, beta=1.0, **given))
    assert classical.glauber_update([1.0, 1.0], W, **given)[0] == 1         # 1/(1 + e^-2) = 0.88
    assert classical.glauber_update([1.0, 1.0], W, **given | {"uniforms": [0.9]})[0] == -1
    free = given | {"uniforms": [0.49]}
    assert classical.glauber_update([1.0, 1.0], 0 * W, **free)[0] == 1
    assert classical.glauber_update([1.0, 1.0], 0 * W, **free | {"uniforms": [0.51]})[0] == -1

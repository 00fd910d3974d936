"""Laws of networks at a temperature: one visit, detailed balance, chains."""

import numpy as np

from hopref.check.cases.draws import arrays, composed, floats
from hopref.check.cases.networks import LOW, networks, visits, warm
from hopref.check.laws import equal, law
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
def a_site_is_1_with_the_logistic_probability_of_its_field(f, xi, W, b, beta, states):
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

    A probability that does not depend on the old value, p(down -> up) = 1 - p(up -> down) = p,
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
    """One call for all visits equals one call for each visit."""
    want, how = xi, {"beta": beta, "states": states}
    for k in range(len(order)):
        want = f(want, W, b, order=order[k:k + 1], uniforms=uniforms[k:k + 1], **how)
    yield equal(f(xi, W, b, order=order, uniforms=uniforms, **how), want)

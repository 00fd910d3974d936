"""Temperature, wrong."""
import numpy as np

from hopref import classical
from hopref.dynamics import glauber
from tests.mutants import mutant


def low(states):
    return {"polar": -1.0, "binary": 0.0}[states]


def visited(xi, W, b, order, uniforms, steep, states):
    """Site after site: 1 if u is below the logistic function of ``steep(h)``."""
    for i, u in zip(order, np.moveaxis(np.asarray(uniforms), -1, 0), strict=True):
        h = (xi @ W.T - b)[..., i]
        with np.errstate(over="ignore"):
            up = u < 1 / (1 + np.exp(-steep(h)))
        new = np.where(up, 1.0, low(states))[..., None]
        xi = np.where(np.arange(xi.shape[-1]) == i, new, xi)
    return xi


@mutant("classical.glauber_update")
def glauber_half_as_steep(xi, W, b=0.0, /, *, order, uniforms, beta=1.0, states="polar"):
    """sigma(beta h) for polar states, 2 beta h for binary ones"""
    steep = 1 if states == "polar" else 2
    return visited(xi, W, b, order, uniforms, lambda h: steep * beta * h, states)


@mutant("classical.glauber_update")
def glauber_against_its_field(xi, W, b=0.0, /, *, order, uniforms, beta=1.0, states="polar"):
    """u above the chance"""
    return visited(xi, W, b, order, uniforms, lambda h: -beta * (1 - low(states)) * h, states)


@mutant("classical.glauber_update")
def glauber_ignores_beta(xi, W, b=0.0, /, *, order, uniforms, beta=1.0, states="polar"):
    """temperature 1"""
    return visited(xi, W, b, order, uniforms, lambda h: (1 - low(states)) * h, states)


@mutant("classical.glauber_update")
def glauber_forgets_the_threshold(xi, W, b=0.0, /, **how):
    """no b"""
    return classical.glauber_update(xi, W, **how)


@mutant("classical.glauber_update")
def glauber_writes_minus_one(xi, W, b=0.0, /, *, order, uniforms, beta=1.0, states="polar"):
    """-1 written into {0, 1}"""
    new = classical.glauber_update(xi, W, b, order=order, uniforms=uniforms, beta=beta,
                                   states=states)
    return np.where((np.isin(np.arange(len(xi)), order)) & (new == 0), -1.0, new)


@mutant("classical.glauber_update")
def glauber_in_index_order(xi, W, b=0.0, /, *, order, **how):
    """order ignored"""
    return classical.glauber_update(xi, W, b, order=sorted(order), **how)


@mutant("classical.glauber_update")
def glauber_all_at_once(xi, W, b=0.0, /, *, order, uniforms, **how):
    """every visit sees the first state"""
    new = xi.copy()
    for i, u in zip(order, uniforms, strict=True):
        new[i] = classical.glauber_update(xi, W, b, order=[i], uniforms=[u], **how)[i]
    return new


@mutant("classical.glauber_update")
def glauber_one_number_for_all_visits(xi, W, b=0.0, /, *, order, uniforms, **how):
    """the first number, again and again"""
    same = np.full(len(order), np.asarray(uniforms)[0])
    return classical.glauber_update(xi, W, b, order=order, uniforms=same, **how)


# -- chains -------------------------------------------------------------------------------------

def chained(xi, W, b, sweeps, numbers, visit):
    way = [np.asarray(xi, dtype=float)]
    for _ in range(sweeps):
        way.append(visit(way[-1], W, b, numbers(way[-1].shape)))
    states = np.stack(way)
    return glauber(xi, W, b, sweeps=sweeps, rng=0)._replace(
        states=states, energies=classical.energy(states, W, b))


def a_sweep(beta, states="polar"):
    def visit(xi, W, b, u):
        return classical.glauber_update(xi, W, b, order=range(xi.shape[-1]), uniforms=u, beta=beta,
                                        states=states)
    return visit


@mutant("dynamics.glauber")
def warmth_of_1(xi, W, b=0.0, /, *, beta=1.0, **how):
    """beta ignored"""
    return glauber(xi, W, b, **how)


@mutant("dynamics.glauber")
def chains_share_their_numbers(xi, W, b=0.0, /, *, beta=1.0, sweeps, rng, order="cyclic", **how):
    """one stream for all states: they move alike"""
    rng = np.random.default_rng(rng)
    return chained(xi, W, b, sweeps, lambda shape: np.broadcast_to(rng.random(shape[-1:]), shape),
                   a_sweep(beta, **how))


@mutant("dynamics.glauber")
def chains_draw_in_turn(xi, W, b=0.0, /, *, beta=1.0, sweeps, rng, order="cyclic", **how):
    """one stream drawn from state after state: every chain depends on its companions"""
    rng = np.random.default_rng(rng)
    return chained(xi, W, b, sweeps, rng.random, a_sweep(beta, **how))


@mutant("dynamics.glauber")
def warm_sweep_is_synchronous(xi, W, b=0.0, /, *, beta=1.0, sweeps, rng, order="cyclic", **how):
    """all sites at once"""
    def together(xi, W, b, u):
        chance = 1 / (1 + np.exp(-2 * beta * classical.field(xi, W, b)))
        return np.where(u < chance, 1.0, -1.0)
    return chained(xi, W, b, sweeps, np.random.default_rng(rng).random, together)


@mutant("dynamics.glauber")
def warm_order_ignored(xi, W, b=0.0, /, *, order="cyclic", **how):
    """always cyclic"""
    return glauber(xi, W, b, **how)


@mutant("dynamics.glauber")
def chains_start_together(xi, W, b=0.0, /, *, sweeps, **how):
    """never moves"""
    run = glauber(xi, W, b, sweeps=sweeps, **how)
    return run._replace(states=np.broadcast_to(run.states[0], run.states.shape))


@mutant("dynamics.glauber")
def warm_energies_lag(xi, W, b=0.0, /, **how):
    """the energy before each sweep"""
    run = glauber(xi, W, b, **how)
    return run._replace(energies=np.concatenate([run.energies[:1], run.energies[:-1]]))


@mutant("dynamics.glauber")
def warm_trace_without_its_start(xi, W, b=0.0, /, **how):
    """begins after the first sweep"""
    run = glauber(xi, W, b, **how)
    return run._replace(states=run.states[1:], energies=run.energies[1:])


@mutant("dynamics.glauber")
def warm_seed_ignored(xi, W, b=0.0, /, *, rng, **how):
    """the same numbers whatever the seed"""
    return glauber(xi, W, b, rng=0, **how)

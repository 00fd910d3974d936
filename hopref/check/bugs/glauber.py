"""Bugs of networks at a temperature."""
import numpy as np

from hopref.check.bugs import bug, run, wrong_call
from hopref.dynamics import glauber
from hopref.models import classical

__all__ = []

VISIT = "classical.glauber_update"


@wrong_call("half as steep", VISIT)
def half_as_steep(op, given):
    return run(op, given | {"beta": given["beta"] / 2})


@wrong_call("beta ignored", VISIT)
def beta_ignored(op, given):
    return run(op, given | {"beta": 1.0})


@wrong_call("asynchronous sweep done synchronously", VISIT)
def warm_sweep_done_synchronously(op, given):
    new = np.array(given["xi"])
    for k, i in enumerate(given["order"]):
        once = {"order": given["order"][k:k + 1], "uniforms": given["uniforms"][..., k:k + 1]}
        new[..., i] = run(op, given | once)[..., i]
    return new


@wrong_call("one uniform number for all visits", VISIT)
def one_number_for_all_visits(op, given):
    same = np.repeat(given["uniforms"][..., :1], given["uniforms"].shape[-1], axis=-1)
    return run(op, given | {"uniforms": same})


# -- chains ---------------------------------------------------------------------------------------

def chained(xi, W, b, beta, states, sweeps, numbers, visit=None):
    """A chain whose sweeps use ``numbers(shape)``."""
    way = [np.asarray(xi, dtype=float)]
    d = way[0].shape[-1]
    for _ in range(sweeps):
        if visit:
            way.append(visit(way[-1], numbers(way[0].shape)))
        else:
            way.append(classical.glauber_update(way[-1], W, b, order=range(d), beta=beta,
                                                uniforms=numbers(way[0].shape), states=states))
    run = glauber(xi, W, b, sweeps=sweeps, rng=0, states=states)
    return run._replace(states=np.stack(way), energies=classical.energy(np.stack(way), W, b))


@bug("beta ignored", "dynamics.glauber")
def chain_at_temperature_1(xi, W, b=0.0, /, *, beta=1.0, **how):
    return glauber(xi, W, b, **how)


@bug("chains share their numbers", "dynamics.glauber")
def shared_numbers(xi, W, b=0.0, /, *, beta=1.0, sweeps, rng, order="cyclic", states="polar"):
    rng = np.random.default_rng(rng)
    return chained(xi, W, b, beta, states, sweeps,
                   lambda shape: np.broadcast_to(rng.random(shape[-1:]), shape))


@bug("one stream of numbers for all chains", "dynamics.glauber")
def one_stream(xi, W, b=0.0, /, *, beta=1.0, sweeps, rng, order="cyclic", states="polar"):
    return chained(xi, W, b, beta, states, sweeps, np.random.default_rng(rng).random)


@bug("all sites at once", "dynamics.glauber")
def all_at_once(xi, W, b=0.0, /, *, beta=1.0, sweeps, rng, order="cyclic", states="polar"):
    low = {"polar": -1.0, "binary": 0.0}[states]

    def together(xi, u):
        chance = 1 / (1 + np.exp(-(1 - low) * beta * classical.field(xi, W, b)))
        return np.where(u < chance, 1.0, low)
    return chained(xi, W, b, beta, states, sweeps, np.random.default_rng(rng).random, together)


@bug("order ignored", "dynamics.glauber")
def chain_order_ignored(xi, W, b=0.0, /, *, order="cyclic", **how):
    return glauber(xi, W, b, **how)


@bug("states never change", "dynamics.glauber")
def never_changes(xi, W, b=0.0, /, **how):
    run = glauber(xi, W, b, **how)
    return run._replace(states=np.broadcast_to(run.states[0], run.states.shape))


@bug("energies a sweep late", "dynamics.glauber")
def energies_late(xi, W, b=0.0, /, **how):
    run = glauber(xi, W, b, **how)
    return run._replace(energies=np.concatenate([run.energies[:1], run.energies[:-1]]))


@bug("first state left out", "dynamics.glauber")
def first_state_left_out(xi, W, b=0.0, /, **how):
    run = glauber(xi, W, b, **how)
    return run._replace(states=run.states[1:], energies=run.energies[1:])


@bug("seed ignored", "dynamics.glauber")
def seed_ignored(xi, W, b=0.0, /, *, rng, **how):
    return glauber(xi, W, b, rng=0, **how)

"""Bugs of the dynamics: retrieval, traces, sweeps, Glauber dynamics, the flow."""
import numpy as np

from hopref import classical, graded
from hopref.check.bugs import bug, variant
from hopref.dynamics import Trace, glauber, retrieve, solve_flow, sweep, trace, visits

__all__ = []

# -- retrieval ------------------------------------------------------------------------------------


@bug("all states stop with the first", "dynamics.retrieve")
def all_stop_with_the_first(update, xi, /, *memory, **how):
    run = retrieve(update, xi, *memory, **how)
    return retrieve(update, xi, *memory, **{**how, "max_steps": int(np.min(run.steps))})


@bug("no state stops before the last", "dynamics.retrieve")
def all_run_with_the_last(update, xi, /, *memory, **how):
    run = retrieve(update, xi, *memory, **how)
    params = {k: v for k, v in how.items() if k not in ("tol", "max_steps")}
    last = trace(update, xi, *memory, steps=int(np.max(run.steps)), **params).states[-1]
    return run._replace(states=last, steps=np.full_like(run.steps, np.max(run.steps)))


@bug("cycles unnoticed", "dynamics.retrieve")
def cycles_unnoticed(update, xi, /, *memory, **how):
    run = retrieve(update, xi, *memory, **how)
    return run._replace(reason=np.where(run.reason == "cycle", "max_steps", run.reason))


@bug("both ends of the cycle counted", "dynamics.retrieve")
def period_off_by_one(update, xi, /, *memory, **how):
    run = retrieve(update, xi, *memory, **how)
    return run._replace(period=run.period + (run.reason == "cycle"))


@bug("the confirming step not counted", "dynamics.retrieve")
def steps_without_the_confirming_one(update, xi, /, *memory, **how):
    run = retrieve(update, xi, *memory, **how)
    return run._replace(steps=run.steps - run.converged)


def lagging(run):
    if run.energies is None:
        return run
    return run._replace(energies=np.concatenate([run.energies[:1], run.energies[:-1]]))


@bug("energies lag a step", "dynamics.retrieve")
def energies_lag_a_step(update, xi, /, *memory, **how):
    return lagging(retrieve(update, xi, *memory, **how))


@bug("converged where it merely stopped", "dynamics.retrieve")
def converged_at_max_steps(update, xi, /, *memory, **how):
    run = retrieve(update, xi, *memory, **how)
    return run._replace(converged=np.ones_like(run.converged))


@bug("an absolute tolerance", "dynamics.retrieve")
def tolerance_absolute(update, xi, /, *memory, tol=1e-12, **how):
    size = max(np.max(np.abs(memory[0]), initial=0.0), 1e-300)
    return retrieve(update, xi, *memory, tol=tol / size, **how)


@bug("a fixed point where it came near", "dynamics.retrieve")
def fixed_point_for_tolerance(update, xi, /, *memory, **how):
    run = retrieve(update, xi, *memory, **how)
    return run._replace(reason=np.where(run.reason == "tolerance", "fixed_point", run.reason))


@bug("the first state left out", "dynamics.trace")
def trace_without_its_start(update, xi, /, *memory, **how):
    run = trace(update, xi, *memory, **how)
    return run._replace(states=run.states[1:], energies=run.energies[1:])


@bug("every step from the first state", "dynamics.trace")
def trace_repeats(update, xi, /, *memory, **how):
    run = trace(update, xi, *memory, **how)
    at = np.minimum(np.arange(len(run.states)), 1)
    return run._replace(states=run.states[at], energies=run.energies[at])


# -- sweeps ---------------------------------------------------------------------------------------

@bug("all sites at once", "dynamics.sweep")
def sweep_is_synchronous(xi, W, b=0.0, /, *, order="cyclic", rng=None, clamp=False):
    return retrieve(classical.update, xi, W, b)


@bug("the last site skipped", "dynamics.sweep")
def sweep_skips_the_last_site(xi, W, b=0.0, /, *, order="cyclic", rng=None, clamp=False):
    run = sweep(xi, W, b, order=order, rng=rng)
    return run._replace(states=np.concatenate([run.states[..., :-1], xi[..., -1:]], axis=-1))


@bug("runs on to the last sweep", "dynamics.sweep")
def sweep_does_not_stop(xi, W, b=0.0, /, *, order="cyclic", rng=None, clamp=False):
    run = sweep(xi, W, b, order=order, rng=rng)
    return run._replace(steps=np.full_like(run.steps, 1000))


@bug("random numbers of its own for each state", "dynamics.sweep")
def sweep_of_one_seed_a_state(xi, W, b=0.0, /, *, order="cyclic", rng=None, clamp=False):
    seeds = [None if rng is None else rng + i for i in range(len(np.atleast_2d(xi)))]
    runs = [sweep(x, W, b, order=order, rng=seed) for x, seed in zip(np.atleast_2d(xi), seeds)]
    together = sweep(xi, W, b, order=order, rng=rng)
    steps = np.array([run.steps for run in runs]).reshape(xi.shape[:-1])[()]
    return together._replace(states=np.stack([r.states for r in runs]).reshape(xi.shape),
                             steps=steps)


@bug("clamped sites restored after each sweep", "dynamics.sweep")
def sweep_restores(xi, W, b=0.0, /, *, order="cyclic", rng=None, clamp=False):
    rng = None if rng is None else np.random.default_rng(rng)
    now = xi
    for _ in range(20):
        one = sweep(now, W, b, order=order, rng=rng, max_sweeps=1)
        now = np.where(clamp, xi, one.states)
    return one._replace(states=now)


@bug("all visits from the first state", "dynamics.visits")
def visits_do_not_add_up(xi, W, b=0.0, /, *, order):
    states = [xi, *(classical.asynchronous_update(xi, W, b, order=[site]) for site in order)]
    return Trace(np.stack(states), classical.energy(np.stack(states), W, b))


@bug("the order of the visits reversed", "dynamics.visits")
def visits_in_reverse(xi, W, b=0.0, /, *, order):
    return visits(xi, W, b, order=order[::-1])


# -- Glauber's chains -----------------------------------------------------------------------------

def chained(xi, W, b, sweeps, numbers, advance):
    """The states before the first and after every sweep; ``numbers`` draws those of one sweep."""
    way = [np.asarray(xi, float)]
    for _ in range(sweeps):
        way.append(advance(way[-1], W, b, numbers(way[-1].shape)))
    return Trace(np.stack(way), np.stack([classical.energy(x, W, b) for x in way]))


def one_sweep(beta):
    def advance(xi, W, b, u):
        return classical.glauber_update(xi, W, b, order=range(xi.shape[-1]), uniforms=u, beta=beta)
    return advance


@bug("one stream of numbers for all states", "dynamics.glauber")
def chains_share_their_numbers(xi, W, b=0.0, /, *, beta=1.0, sweeps, rng, order="cyclic"):
    rng = np.random.default_rng(rng)
    return chained(xi, W, b, sweeps, lambda shape: np.broadcast_to(rng.random(shape[-1:]), shape),
                   one_sweep(beta))


@bug("one stream drawn from state after state", "dynamics.glauber")
def chains_draw_in_turn(xi, W, b=0.0, /, *, beta=1.0, sweeps, rng, order="cyclic"):
    return chained(xi, W, b, sweeps, np.random.default_rng(rng).random, one_sweep(beta))


@bug("all sites at once", "dynamics.glauber")
def glauber_is_synchronous(xi, W, b=0.0, /, *, beta=1.0, sweeps, rng, order="cyclic"):
    def together(xi, W, b, u):
        chance = 1 / (1 + np.exp(-2 * beta * classical.field(xi, W, b)))
        return np.where(u < chance, 1.0, -1.0)
    return chained(xi, W, b, sweeps, np.random.default_rng(rng).random, together)


@bug("never moves", "dynamics.glauber")
def chains_do_not_move(xi, W, b=0.0, /, **how):
    run = glauber(xi, W, b, **how)
    return run._replace(states=np.broadcast_to(run.states[0], run.states.shape))


@bug("energies lag a sweep", "dynamics.glauber")
def glauber_energies_lag(xi, W, b=0.0, /, **how):
    return lagging(glauber(xi, W, b, **how))


@bug("the first state left out", "dynamics.glauber")
def glauber_without_its_start(xi, W, b=0.0, /, **how):
    run = glauber(xi, W, b, **how)
    return run._replace(states=run.states[1:], energies=run.energies[1:])


# -- the flow -------------------------------------------------------------------------------------

def euler(u, W, b=0.0, until=1.0, points=101, tau=1.0, leak=1.0, sign=1.0):
    internal = [u]
    for h in np.diff(np.linspace(0.0, until, points)):
        velocity = graded.flow(internal[-1], W, b, tau=tau, leak=leak)
        internal.append(internal[-1] + sign * h * velocity)
    internal = np.stack(internal)
    run = solve_flow(u, W, b, until=until, points=points, tau=tau, leak=leak)
    states = np.tanh(internal)
    return run._replace(internal=internal, states=states,
                        energies=graded.energy(states, W, b, leak=leak))


REGISTERED = [
    variant("beta ignored", "dynamics.glauber", glauber, beta=1.0),
    variant("always cyclic", "dynamics.glauber", glauber, order="cyclic"),
    variant("seed ignored", "dynamics.glauber", glauber, rng=0),
    variant("clamp ignored", "dynamics.glauber", glauber, clamp=False),
    variant("clamp ignored", "dynamics.sweep", sweep, clamp=False),
    variant("forward Euler from output to output", "dynamics.solve_flow", euler),
    variant("minus the velocity", "dynamics.solve_flow", euler, sign=-1.0),
    variant("leak left out", "dynamics.solve_flow", solve_flow, leak=1.0),
]

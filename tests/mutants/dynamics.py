"""Rules run through time, wrong."""
import numpy as np

from hopref import classical, graded, retrieve
from hopref.dynamics import solve_flow, sweep, trace
from tests.mutants import mutant

# -- retrieve -----------------------------------------------------------------------------------

@mutant("dynamics.retrieve")
def all_stop_with_the_first(update, xi, /, *memory, **how):
    """one decision for the batch: the first to stop stops all"""
    run = retrieve(update, xi, *memory, **how)
    return retrieve(update, xi, *memory, **{**how, "max_steps": int(run.steps.min())})


@mutant("dynamics.retrieve")
def all_run_with_the_last(update, xi, /, *memory, **how):
    """one decision for the batch: nobody stops before the last"""
    run = retrieve(update, xi, *memory, **how)
    params = {k: v for k, v in how.items() if k not in ("tol", "max_steps")}
    last = trace(update, xi, *memory, steps=int(run.steps.max()), **params).states[-1]
    return run._replace(states=last, steps=np.full_like(run.steps, run.steps.max()))


@mutant("dynamics.retrieve")
def cycles_unnoticed(update, xi, /, *memory, **how):
    """runs on to the last step"""
    run = retrieve(update, xi, *memory, **how)
    return run._replace(reason=np.where(run.reason == "cycle", "max_steps", run.reason))


@mutant("dynamics.retrieve")
def period_off_by_one(update, xi, /, *memory, **how):
    """both ends of the cycle counted"""
    run = retrieve(update, xi, *memory, **how)
    return run._replace(period=run.period + (run.reason == "cycle"))


@mutant("dynamics.retrieve")
def steps_without_the_confirming_one(update, xi, /, *memory, **how):
    """the step that found no change is not counted"""
    run = retrieve(update, xi, *memory, **how)
    return run._replace(steps=run.steps - run.converged)


@mutant("dynamics.retrieve")
def energies_lag_a_step(update, xi, /, *memory, **how):
    """the energy before each step"""
    run = retrieve(update, xi, *memory, **how)
    return run._replace(energies=np.concatenate([run.energies[:1], run.energies[:-1]]))


@mutant("dynamics.retrieve")
def converged_at_max_steps(update, xi, /, *memory, **how):
    """to stop is to converge"""
    run = retrieve(update, xi, *memory, **how)
    return run._replace(converged=np.ones_like(run.converged))


@mutant("dynamics.retrieve")
def tolerance_absolute(update, xi, /, *memory, tol, **how):
    """|change| <= tol, whatever the units"""
    size = max(np.abs(memory[0]).max(), 1e-300)
    return retrieve(update, xi, *memory, tol=tol / size, **how)


@mutant("dynamics.retrieve")
def fixed_point_for_tolerance(update, xi, /, *memory, **how):
    """near enough is called a fixed point"""
    run = retrieve(update, xi, *memory, **how)
    return run._replace(reason=np.where(run.reason == "tolerance", "fixed_point", run.reason))


@mutant("dynamics.trace")
def trace_without_its_start(update, xi, /, *memory, **how):
    """begins after the first step"""
    way = trace(update, xi, *memory, **how)
    return way._replace(states=way.states[1:], energies=way.energies[1:])


@mutant("dynamics.trace")
def trace_repeats(update, xi, /, *memory, **how):
    """every step restarts from the first state"""
    way = trace(update, xi, *memory, **how)
    return way._replace(states=way.states[[0, 1, 1, 1]], energies=way.energies[[0, 1, 1, 1]])


# -- sweep --------------------------------------------------------------------------------------

@mutant("dynamics.sweep")
def sweep_is_synchronous(xi, W, b=0.0, /, *, order="cyclic", rng=None):
    """all sites at once"""
    return retrieve(classical.update, xi, W, b)


@mutant("dynamics.sweep")
def sweep_skips_the_last_site(xi, W, b=0.0, /, *, order="cyclic", rng=None):
    """range(d - 1)"""
    run = sweep(xi, W, b, order=order, rng=rng)
    states = np.concatenate([run.states[..., :-1], xi[..., -1:]], -1)
    return run._replace(states=states)


@mutant("dynamics.sweep")
def sweep_never_rests(xi, W, b=0.0, /, *, order="cyclic", rng=None):
    """runs on to the last sweep"""
    run = sweep(xi, W, b, order=order, rng=rng)
    return run._replace(steps=np.full_like(run.steps, 1000))


@mutant("dynamics.sweep")
def sweep_of_one_seed_a_state(xi, W, b=0.0, /, *, order="cyclic", rng=None):
    """each state of a batch draws from its own stream"""
    runs = [sweep(x, W, b, order=order, rng=rng + i) for i, x in enumerate(np.atleast_2d(xi))]
    steps = np.array([run.steps for run in runs]).reshape(xi.shape[:-1])[()]
    states = np.stack([run.states for run in runs]).reshape(xi.shape)
    return runs[0]._replace(states=states, steps=steps)


# -- the flow -----------------------------------------------------------------------------------

def _euler(u, W, b, until, points, tau, velocity):
    times = np.linspace(0.0, until, points)
    internal = [u]
    for h in np.diff(times):
        internal.append(internal[-1] + h * velocity(internal[-1], W, b, tau=tau))
    states = np.tanh(np.stack(internal))
    run = solve_flow(u, W, b, until=until, points=points, tau=tau)
    energies = graded.energy(states, W, b)
    return run._replace(internal=np.stack(internal), states=states, energies=energies)


@mutant("dynamics.solve_flow")
def flow_by_long_euler_steps(u, W, b=0.0, /, *, until, points, tau=1.0):
    """forward Euler from output time to output time"""
    return _euler(u, W, b, until, points, tau, graded.flow)


@mutant("dynamics.solve_flow")
def flow_solved_backwards(u, W, b=0.0, /, *, until, points, tau=1.0):
    """minus the velocity"""
    return _euler(u, W, b, until, points, tau, lambda *a, **k: -graded.flow(*a, **k))

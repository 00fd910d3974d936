"""Laws of the dynamics: retrieval, traces, sweeps, Glauber dynamics, the flow.

The first argument of `dynamics.retrieve` and `dynamics.trace` is an operation of hopref, which the
candidate calls.  A result has the documented fields; ``energies``, ``converged`` and ``period`` are
judged where the candidate returns them.  Binary networks of integers are exact; no law compares
bits of real states across batches.
"""
import numpy as np

from hopref import classical, graded, modern
from hopref.check.cases.draws import arrays, composed, integers, records, sampled
from hopref.check.cases.networks import networks, symmetrised
from hopref.check.cases.problems import problems
from hopref.check.laws import at_most, equal, holds, law, toleranced
from hopref.check.tolerance.expected import honest

CONVERGED = ("fixed_point", "tolerance")


def field(run, name):
    """A field of a record, None where it has none of that name."""
    return getattr(run, name, None)


# -- retrieval ------------------------------------------------------------------------------------

@law("dynamics.retrieve", id="CB-6", over=networks(rows=4),
     kills=("all states stop with the first", "cycles unnoticed", "both ends of the cycle counted",
            "the confirming step not counted"))
def a_binary_state_ends_where_stepping_ends(f, xi, W, b):
    """At a fixed point, or at the return of an earlier state with its period, at most 2."""
    run = f(classical.update, xi, W, b)
    for i, x in enumerate(xi):
        seen = [x]
        while not any(np.array_equal(seen[-1], s) for s in seen[:-1]):
            seen.append(classical.update(seen[-1], W, b))
        first = next(t for t, s in enumerate(seen) if np.array_equal(s, seen[-1]))
        period = len(seen) - 1 - first
        yield equal(run.states[i], seen[-1], "state")
        yield equal(run.steps[i], len(seen) - 1, "steps")
        reason = "fixed_point" if period == 1 else "cycle"
        yield holds(str(run.reason[i]) == reason, f"reason {reason}")
        if field(run, "period") is not None:
            yield equal(run.period[i], period, "period")
        if field(run, "converged") is not None:
            yield equal(float(run.converged[i]), float(period == 1), "converged")


@law("dynamics.retrieve", id="MH-7", over=networks(rows=4),
     kills=("no state stops before the last", "all states stop with the first"))
def a_state_is_retrieved_the_same_in_any_batch(f, xi, W, b):
    """Alone and together: state, steps and reason, exactly, of a network of integers."""
    together = f(classical.update, xi, W, b)
    for i, x in enumerate(xi):
        alone = f(classical.update, x, W, b)
        yield equal(alone.states, together.states[i], "state")
        yield equal(alone.steps, together.steps[i], "steps")
        yield holds(str(alone.reason) == str(together.reason[i]), "reason")


@law("dynamics.retrieve", id="MH-4", over=problems(), kills=("energies lag a step",))
def energies_are_those_of_the_states_on_the_way(f, xi, X, beta):
    """Runs of T = 1, 2, ... steps end with the energies of a longer run at T, which never rise."""
    longest = f(modern.update, xi, X, beta=beta, max_steps=4)
    if field(longest, "energies") is None:
        return
    yield equal(len(longest.energies), float(np.max(longest.steps)) + 1, "one for each step")
    before = honest(modern.energy, xi, X, beta=beta)
    yield equal(longest.energies[0], before, "at the start")
    for T in range(1, len(longest.energies)):
        run = f(modern.update, xi, X, beta=beta, max_steps=T)
        E = honest(modern.energy, np.asarray(run.states, float), X, beta=beta)
        yield equal(longest.energies[T], E, f"T = {T}")
        yield at_most(toleranced(longest.energies[T], E.radius), before, f"falls at T = {T}")
        before = E


@law("dynamics.retrieve", id="MH-7", over=problems(),
     kills=("converged where it merely stopped", "an absolute tolerance",
            "a fixed point where it came near"))
def each_reason_means_what_it_says(f, xi, X, beta):
    """In units of 2^40 and of 2^-40 alike, since powers of two change no decision; a fixed point is
    one up to the rounding of one update."""
    reasons = []
    for unit in (1.0, 2.0**40, 2.0**-40):
        run = f(modern.update, unit * xi, unit * X, beta=beta / unit**2, tol=2.0**-20, max_steps=3)
        states = np.asarray(run.states, float)
        after = honest(modern.update, states, unit * X, beta=beta / unit**2)
        names = [str(reason) for reason in run.reason]
        for i, reason in enumerate(names):
            known = (*CONVERGED, "max_steps", "cycle")
            yield holds(reason in known, "a known reason")
            if reason == "fixed_point":
                yield equal(toleranced(states[i], after.radius[i]), after[i], "a fixed point")
            if field(run, "converged") is not None:
                yield equal(float(run.converged[i]), float(reason in CONVERGED), "converged")
        reasons.append(names)
    yield holds(reasons[0] == reasons[1] == reasons[2], "in other units")


# -- traces ---------------------------------------------------------------------------------------

@law("dynamics.trace", id="MH-2", over=problems(),
     kills=("the first state left out", "every step from the first state"))
def a_trace_is_one_step_after_another(f, xi, X, beta):
    """The start and three updates, each of the one before, with their energies."""
    run = f(modern.update, xi, X, beta=beta, steps=3)
    states = np.asarray(run.states, float)
    yield equal(len(states), 4, "states")
    yield equal(states[0], xi, "start")
    for x, y in zip(states, states[1:]):
        yield equal(y, honest(modern.update, x, X, beta=beta), "a step")
    if field(run, "energies") is not None:
        yield equal(len(run.energies), 4, "energies")
        for x, E in zip(states, run.energies):
            yield equal(E, honest(modern.energy, x, X, beta=beta), "an energy")


# -- sweeps ---------------------------------------------------------------------------------------

@composed
def swept(draw, diagonal=">=0"):
    """A network, sometimes one whose synchronous updates do not converge."""
    order = draw(sampled(["cyclic", "permutation", "random", "greedy"]))
    case = draw(networks(diagonal=diagonal, rows=3))
    if draw(sampled([True, False, False])):
        case["W"] = np.eye(len(case["W"])) - 1
        case |= {"xi": np.abs(case["xi"]), "b": 0 * case["b"]}
    return {**case, "order": order}


@law("dynamics.sweep", id="CB-4", over=swept(),
     kills=("all sites at once", "the last site skipped"))
def a_sweep_ends_with_every_site_stable(f, xi, W, b, order):
    """W = W^T, w_ii >= 0: a fixed point, at energies that never rise."""
    run = f(xi, W, b, order=order, rng=4)
    for reason in run.reason:
        yield holds(str(reason) == "fixed_point", "a fixed point")
    yield equal(classical.update(np.asarray(run.states, float), W, b), run.states, "stable")
    if field(run, "energies") is not None:
        yield at_most(np.diff(run.energies, axis=0), 0.0, "falls")
        E = classical.energy(np.asarray(run.states, float), W, b)
        yield equal(run.energies[-1], E, "the last energy")


@law("dynamics.sweep", id="CB-4", over=swept(diagonal="0"), kills=("runs on to the last sweep",))
def greedy_sweeps_are_no_more_than_the_energy_allows(f, xi, W, b, order):
    """A flip lowers the energy by 2 |h| >= 2, and |E| <= sum |w|/2 + sum |b|."""
    run = f(xi, W, b, order="greedy")
    yield at_most(np.asarray(run.steps) - 1.0, np.sum(np.abs(W)) / 2 + np.sum(np.abs(b)))


@law("dynamics.sweep", id="CB-4", over=swept(),
     kills=("random numbers of its own for each state",))
def a_swept_state_does_not_depend_on_its_batch(f, xi, W, b, order):
    """All states see the same order of sites, alone and together."""
    run = f(xi, W, b, order=order, rng=9)
    for i, x in enumerate(xi):
        alone = f(x, W, b, order=order, rng=9)
        yield equal(alone.states, run.states[i], "state")
        yield equal(alone.steps, run.steps[i], "steps")


@law("dynamics.sweep", "dynamics.glauber", id="CB-4", over=swept(),
     kills=("clamp ignored", "clamped sites restored after each sweep"))
def a_clamped_site_is_one_that_its_threshold_holds(f, xi, W, b, order):
    """A threshold -T x_i with T above any field holds x_i: the same sites change, at every step and
    for the same random numbers."""
    for i, x in enumerate(xi):
        clamp = np.arange(len(x)) % 2 == i % 2
        held = np.where(clamp, -x * (np.sum(np.abs(W)) + np.sum(np.abs(b)) + 1) * 2.0**10, b)
        if "glauber" in f.subject:
            how = {"rng": 3, "sweeps": 3, "beta": 0.5} \
                | {"order": order if order in ORDERS else "cyclic"}
        else:
            how = {"rng": 3, "order": order if order != "greedy" else range(len(x))}
        yield equal(f(x, W, b, clamp=clamp, **how).states, f(x, W, held, **how).states)


@law("dynamics.visits", id="CB-4", over=networks(rows=3, diagonal=">=0"),
     kills=("all visits from the first state", "the order of the visits reversed"))
def every_visit_changes_one_site(f, xi, W, b):
    """The state after each visit is that of an asynchronous update of this site, its energy that of
    the state, and none is above the last for W = W^T, w_ii >= 0."""
    order = np.resize(np.arange(len(W))[::-1], 2 * len(W) - 1)
    run = f(xi, W, b, order=order)
    states = np.asarray(run.states, float)
    yield equal(len(states), len(order) + 1, "states")
    yield equal(states[0], xi, "start")
    for site, x, y in zip(order, states, states[1:]):
        yield equal(y, classical.asynchronous_update(x, W, b, order=[site]), "a visit")
    if field(run, "energies") is not None:
        yield equal(run.energies, classical.energy(states, W, b), "energies")
        yield at_most(np.diff(run.energies, axis=0), 0.0, "falls")


# -- Glauber's chains -----------------------------------------------------------------------------

STATES = np.array([[(i >> k) % 2 * 2.0 - 1 for k in (2, 1, 0)] for i in range(8)])
W3 = np.array([[0.0, 1.0, -2.0], [1.0, 0.0, 1.0], [-2.0, 1.0, 0.0]])
B3, BETA = np.array([0.5, 0.0, -1.0]), 0.4
ORDERS = ("cyclic", "permutation", "random")


def counted(states, chains):
    """The share of each of the eight states."""
    return np.bincount(((states + 1) / 2 @ [4, 2, 1]).astype(int), minlength=8) / chains


@law("dynamics.glauber", id="CB-4",
     kills=("beta ignored", "one stream of numbers for all states", "all sites at once",
            "always cyclic", "never moves"))
def the_boltzmann_distribution_is_stationary(f):
    """All eight states of three sites: 10000 chains, each share within six standard errors after 1,
    2 and 3 sweeps, in three different orders."""
    p = np.exp(-BETA * classical.energy(STATES, W3, B3))
    p, chains = p / p.sum(), 10_000
    start = STATES[np.random.default_rng(1).choice(8, size=chains, p=p)]
    runs = [np.asarray(f(start, W3, B3, beta=BETA, sweeps=3, rng=2, order=order).states)
            for order in ORDERS]
    for order, states in zip(ORDERS, runs):
        for now in states[1:]:
            yield holds(np.any(now != start), f"moves, {order}")
            share = toleranced(counted(now, chains), 6 * np.sqrt(p * (1 - p) / chains))
            yield equal(share, p, order)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        yield holds(np.any(runs[i] != runs[j]), "orders differ")


@law("dynamics.glauber", id="CB-4",
     over=records(case=networks(diagonal="0", rows=4), beta=sampled([0.25, 1.0, 4.0])),
     kills=("one stream drawn from state after state", "energies lag a sweep",
            "the first state left out", "seed ignored"))
def a_chain_does_not_depend_on_its_batch(f, case, beta):
    """The first chain of a seed, alone or not; the same seed, the same numbers."""
    xi, W, b = case["xi"], case["W"], case["b"]
    how = {"beta": beta, "sweeps": 3, "order": "permutation"}
    run, alone, again = (f(x, W, b, rng=7, **how) for x in (xi, xi[0], xi))
    states = np.asarray(run.states, float)
    yield equal(len(states), 4, "states")
    yield equal(states[0], xi, "start")
    yield equal(alone.states, states[:, 0], "alone")
    yield equal(again.states, states, "the same seed")
    if field(run, "energies") is not None:
        yield equal(run.energies, classical.energy(states, W, b), "energies")
    one, other = (f(np.ones(20), np.zeros((20, 20)), sweeps=1, rng=seed).states for seed in (0, 1))
    yield holds(np.any(np.asarray(one) != np.asarray(other)), "another seed")


# -- the flow -------------------------------------------------------------------------------------

@composed
def flows(draw):
    d = draw(integers(1, 3))
    return {"u": draw(arrays(2, d)), "W": symmetrised(draw(arrays(d, d))), "b": draw(arrays(d)),
            "tau": draw(sampled([0.5, 2.0])), "leak": draw(arrays(d, elements=sampled([1.0, 0.5])))}


@law("dynamics.solve_flow", id="CC-5", over=flows(),
     kills=("minus the velocity", "forward Euler from output to output", "leak left out"))
def along_the_solved_flow_the_energy_falls_and_time_is_in_units_of_tau(f, u, W, b, tau, leak):
    """The solver's error per component is rtol |u| + atol = 1e-9 |u| + 1e-12 a step, and as much
    where a result is interpolated; a solver of order 5 takes 300 steps at most.  The slope of the
    energy is at most |u'| <= |u| + |W| + |b| for leaks <= 1, and the exact flow from where a step
    ends lets it fall: it rises by no more than the errors of the 300/8 steps between two results.

    Without weights leak u = -b + (leak u_0 + b) exp(-leak t/tau): errors older than tau/leak have
    decayed, 300/4 of them count for each 1/leak.
    """
    reach = np.max(np.abs(u)) + (np.sum(np.abs(W)) + np.sum(np.abs(b))) / np.min(leak) + 1
    step = 1e-9 * reach + 1e-12
    how = {"until": 4 * tau, "points": 9, "tau": tau, "leak": leak}
    run = f(u, W, b, **how)
    internal = np.asarray(run.internal, float)
    yield equal(internal[0], u, "start")
    yield equal(run.times, np.linspace(0.0, 4 * tau, 9), "times")
    if field(run, "states") is not None:            # tanh is off by four roundings of 1
        yield equal(run.states, toleranced(np.tanh(internal), 4 * 2.0**-53), "states")
    E = np.stack([graded.energy(np.tanh(x), W, b, leak=leak) for x in internal])
    known = toleranced(np.diff(E, axis=0), (300 / 8 + 2) * step * reach * len(b))
    yield at_most(known, 0.0, "the energy falls")
    if field(run, "energies") is not None:
        own = honest(graded.energy, np.tanh(internal), W, b, leak=leak)
        off = own.radius + 4 * 2.0**-53 * reach * len(b)        # of the states, times the slope
        yield equal(run.energies, toleranced(own.value, off), "energies")
    decaying = f(u, 0 * W, b, **how)
    decay, rest = np.exp(-leak * np.linspace(0.0, 4.0, 9)[:, None, None]), -b / leak
    known = toleranced(rest + (u - rest) * decay, (300 / 4 / np.min(leak) + 1) * step)
    yield equal(decaying.internal, known, "decay")

"""How much a matrix of weights holds: Hebb's rule, the projection rule, Willshaw's clipped one."""
import numpy as np

from hopref import theory
from hopref.dynamics import retrieve
from hopref.experiments.drawing import draw_curves, exact, measured
from hopref.experiments.draws import flipped, polar, supports
from hopref.experiments.intervals import average, difference, share
from hopref.experiments.records import Record, Table, listed, pictured, verdict
from hopref.models import classical
from hopref.progress import progress
from hopref.storage import projection, willshaw_pairs

__all__ = ["crosstalk", "hebbian", "projections", "willshaw"]

HELD = 0.95             # overlap from which on a final state counts as the pattern


def crosstalk(out=None, *, sizes=(64, 256, 1024), loads=(0.08, 0.1, 0.138, 0.18, 0.25, 0.35, 0.5),
              bits=2_000_000, seed=0):
    """One synchronous step from each stored pattern: how many bits turn wrong."""
    rng, rates, sure = np.random.default_rng(seed), {}, {}
    for d in progress(sizes, label="crosstalk"):
        for load in loads:
            N = round(load * d)
            wrong = [theory.unstable_sites(polar(rng, N, d), zero_diagonal=True).mean() / d
                     for _ in range(max(2, round(bits / (N * d))))]
            rates[d, load] = average(wrong)
            sure[d, load] = theory.bit_error((N - 1) / (d - 1))
    last = sizes[-1]
    limit = {load: theory.bit_error(load) for load in loads}
    agree = {load: rates[last, load].holds(limit[load], abs(sure[last, load] - limit[load]))
             for load in loads}
    finite = sum(rates[key].holds(sure[key]) for key in rates)
    fine = np.linspace(loads[0], loads[-1], 60)
    middle = _nearest(loads, theory.capacity_with_errors()[0])
    return Record(
        "crosstalk", "One step of Hebb’s rule", "Signal and crosstalk [CB-9]",
        claim="At load α = N/d, one step from a stored random pattern leaves a bit wrong with "
              "probability Q(1/√α): crosstalk is Gaussian.",
        setting="Random polar patterns, diagonal zeroed, as many networks for each load and each d "
                f"of {listed(map(str, sizes))} as make {bits / 1e6:g} million bits.",
        test=f"at d = {last} and every load, Q(1/√α) lies within four standard errors of the "
             "measured rate, widened by what (N−1)/(d−1) in place of N/d changes: a pattern and a "
             "bit do not disturb themselves",
        outcome=f"At α = {middle:g} and d = {last}, {rates[last, middle].around('.3%')} of the "
                f"bits turn wrong; Q(1/√α) is {limit[middle]:.3%}.",
        verdict=verdict(True, agree, "the load"),
        why=(f"With α = (N−1)/(d−1), Q(1/√α) itself lies within four standard errors of "
             f"{finite} of the {len(rates)} rates, those of small d included.",),
        originals="",
        tables=(Table("Share of bits wrong after one step, ± four standard errors",
                      ("load", *(f"d = {d}" for d in sizes), "Q(1/√α)"),
                      tuple((load, *(rates[d, load].around(".3%") for d in sizes),
                             f"{limit[load]:.3%}") for load in loads)),),
        pictures=pictured(out, "crosstalk.png", lambda: draw_curves(
            [*(measured(f"d = {d}", loads, [rates[d, load] for load in loads]) for d in sizes),
             exact("Q(1/√α)", fine, [theory.bit_error(a) for a in fine], colour=5)],
            xlabel="load α = N/d", ylabel="bits wrong after one step", yscale="log",
            ylim=(1e-5, 0.2)), "Bars: four standard errors of the mean over networks."))


def hebbian(out=None, *, sizes=(128, 512, 2048),
            loads=(0.12, 0.13, 0.138, 0.15, 0.17), networks=(1500, 600, 400), steps=25, seed=0):
    """Start at a stored pattern, update until nothing moves: is the state still near it?"""
    rng, held, overlaps = np.random.default_rng(seed), {}, {}
    for d, n in progress([*zip(sizes, networks, strict=True)], label="hebbian"):
        for load in loads:
            ends = np.array([_ends_near(rng, round(load * d), d, steps) for _ in range(n)])
            held[d, load] = share((ends >= HELD).sum(), n)
            overlaps[d, load] = float(ends.mean())
    first, last = sizes[0], sizes[-1]
    trend = {load: difference(held[first, load], held[last, load]) for load in loads}
    rising = [load for load in loads if trend[load].low > 0]
    falling = [load for load in loads if trend[load].high < 0]
    limit, _, wrong = theory.capacity_with_errors()
    below = [load for load in rising if load < limit]
    above = [load for load in falling if load > limit]
    sides = {"below": bool(below) and len(below) == len(rising),
             "above": bool(above) and len(above) == len(falling)}
    return Record(
        "hebbian", "The capacity of Hebb’s rule", "Amit, Gutfreund & Sompolinsky 1985 [CAP-1]",
        claim=f"With d → ∞ there are stable states close to random stored patterns, {wrong:.1%} of "
              f"the bits wrong or fewer, up to the load N/d = {limit:.3f}; above it there are "
              "none.",
        setting="Random polar patterns, diagonal zeroed, one pattern a network, all sites at once, "
                f"at most {steps} updates; {listed(map(str, networks))} networks at d = "
                f"{listed(map(str, sizes))}.  Held: the overlap is {HELD:g} or more in the end; a "
                "state that stands still is a fixed point of the one-at-a-time rule as well.",
        test=f"from d = {first} to d = {last} the share that is held rises at loads below 0.138 "
             "and falls at loads above, nowhere the other way, as told by 99 % intervals of the "
             "difference",
        outcome=f"It rises at {_at(rising)}, falls at {_at(falling)}; at 0.138 and d = {last}, "
                f"{held[last, _nearest(loads, limit)].value:.0%} are held.",
        verdict=verdict(True, sides, "the side"),
        why=("Half of the patterns are held at "
             + listed([f"{_half(loads, [held[d, a].value for a in loads])} (d = {d})"
                       for d in sizes]) + ": no size shows the jump of the limit, which lies where "
             "curves of different d cross.",),
        originals="",
        tables=(Table("Share of patterns held (99 % interval, Wilson)",
                      ("load", *(f"d = {d}" for d in sizes), "rise",
                       f"mean overlap, d = {last}"),
                      tuple((load, *(str(held[d, load]) for d in sizes), str(trend[load]),
                             overlaps[last, load]) for load in loads)),),
        pictures=pictured(out, "hebbian.png", lambda: draw_curves(
            [measured(f"d = {d}", loads, [held[d, a] for a in loads]) for d in sizes],
            xlabel="load N/d", ylabel="share of patterns held", marks=((limit, "0.138"),),
            ylim=(-0.03, 1.03)), "Bars: 99 % intervals."))


def _ends_near(rng, N, d, steps):
    """Overlap with a stored pattern in the end, from that pattern."""
    X = polar(rng, N, d)
    run = retrieve(classical.low_rank_update, X[0], X, zero_diagonal=True, max_steps=steps)
    return float(run.states @ X[0] / d)


def _at(loads):
    return listed([f"{load:g}" for load in loads], none="no load")


def _nearest(loads, value):
    return min(loads, key=lambda load: abs(load - value))


def _half(loads, values):
    """Where the falling curve crosses one half, between points of measurement."""
    for a, b, u, v in zip(loads, loads[1:], values, values[1:], strict=False):
        if u >= 0.5 > v:
            return f"{a + (b - a) * (u - 0.5) / (u - v):.3f}"
    return f"more than {loads[-1]:g}" if values[-1] >= 0.5 else f"less than {loads[0]:g}"


def projections(out=None, *, sizes=(32, 64, 128), loads=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0),
                networks=60, flips=0.1, seed=0):
    """The projection rule: stored patterns as cues, and cues with flipped bits."""
    rng, whole, damaged = np.random.default_rng(seed), {}, {}
    for d in progress(sizes, label="projection"):
        for load in loads:
            kept, mended = zip(*[_projected(rng, round(load * d), d, round(flips * d))
                                 for _ in range(networks)], strict=True)
            whole[d, load] = share(sum(kept), networks)
            damaged[d, load] = share(sum(mended), networks)
    full = {d: all(whole[d, load].value == 1 for load in loads) for d in sizes}
    last = sizes[-1]
    half = _half(loads, [damaged[last, load].value for load in loads])
    return Record(
        "projection", "The capacity of the projection rule",
        "Personnaz, Guyon & Dreyfus 1985 [CB-10, CAP-4]",
        claim="Every stored pattern is a fixed point as long as the patterns are linearly "
              "independent: up to N = d.",
        setting=f"Random polar patterns, diagonal kept, {networks} networks for each load and each "
                f"d of {listed(map(str, sizes))}; one step from all patterns, and up to 50 from "
                f"one of them with {flips:.0%} of the bits flipped.",
        test="at every load up to 1, in every network, one step leaves every pattern as it is",
        outcome=f"All patterns stand in {sum(v.value * networks for v in whole.values()):.0f} of "
                f"{networks * len(whole)} networks, N = d included.",
        verdict=verdict(True, full, "the size"),
        why=(f"To be a fixed point is not to attract: with {flips:.0%} of the bits flipped, half "
             f"of the patterns come back at load {half} for d = {last}, "
             f"{damaged[last, loads[-1]].value:.0%} at load {loads[-1]:g}, where W is the identity "
             "and every state a fixed point.",),
        originals="",
        tables=(Table("Share of networks in which all patterns stand, and of flipped cues that "
                      "come back (99 % interval, Wilson)",
                      ("load", *(f"stand, d = {d}" for d in sizes),
                       *(f"come back, d = {d}" for d in sizes)),
                      tuple((load, *(f"{whole[d, load].value * networks:.0f} of {networks}"
                                     for d in sizes),
                             *(str(damaged[d, load]) for d in sizes)) for load in loads)),),
        pictures=pictured(out, "projection.png", lambda: draw_curves(
            [*(measured(f"flipped cue, d = {d}", loads, [damaged[d, a] for a in loads])
               for d in sizes),
             measured(f"stored pattern, d = {last}", loads, [whole[last, a] for a in loads])],
            xlabel="load N/d", ylabel="share that comes back whole", ylim=(-0.03, 1.03)),
            "Bars: 99 % intervals."))


def _projected(rng, N, d, errors):
    """Whether all patterns stand, and whether a flipped cue comes back."""
    X = polar(rng, N, d)
    W = projection(X)
    run = retrieve(classical.update, flipped(rng, X[0], errors), W, max_steps=50)
    return (bool((classical.update(X, W) == X).all()), bool((run.states == X[0]).all()))


def willshaw(out=None, *, sizes=((256, 8), (1024, 10)), loads=(0.3, 0.4, 0.5, 0.6, 0.7), networks=6,
             cues=500, seed=0):
    """Clipped weights of random sparse pairs: how full they are, how often recall is too generous.
    """
    rng, full, alarms, by_row, expected = np.random.default_rng(seed), {}, {}, {}, {}
    misses = 0
    for d, k in progress(sizes, label="willshaw"):
        for load in loads:
            N = _pairs_for(load, d, k)
            expected[d, load] = theory.willshaw_load(N, active=(k, k), sites=(d, d))
            found = [_recalled(rng, N, d, k, cues) for _ in range(networks)]
            ones, false, rows, missed = (np.array(v) for v in zip(*found, strict=True))
            misses += int(missed.sum())
            full[d, load], alarms[d, load] = average(ones), average(false)
            by_row[d, load] = float(rows.mean())
    keys = list(full)
    parts = {"share of ones": all(full[key].holds(expected[key]) for key in keys),
             "false alarms": all(alarms[d, a].holds(expected[d, a]**k)
                                 for d, k in sizes for a in loads),
             "misses": misses == 0}
    excess = {(d, a): alarms[d, a].value / expected[d, a]**k for d, k in sizes for a in loads}
    middle = loads[len(loads) // 2]
    ends = [f"{excess[d, middle]:.2f} (d = {d})" for d, _ in sizes]
    return Record(
        "willshaw", "The load of Willshaw’s memory",
        "Willshaw, Buneman & Longuet-Higgins 1969 [CB-13]",
        claim="After N random pairs the share of ones is p = 1 − (1 − k²/d²)ᴺ, and a whole cue of "
              "k units wakes a silent unit with probability about pᵏ; none is missed.",
        setting="Random pairs with exactly k of d units active, "
                + listed([f"k = {k} at d = {d}" for d, k in sizes])
                + f"; {networks} memories a load, {cues} stored cues each.",
        test="at every load and size, p and pᵏ lie within four standard errors of the measured "
             "share of ones and of false alarms, and no unit is missed",
        outcome=f"The share of ones is p at "
                f"{sum(full[key].holds(expected[key]) for key in keys)} of {len(keys)} loads; "
                f"false alarms at p = {middle:g} are pᵏ times {listed(ends)}.",
        verdict=verdict(True, parts, "the quantity"),
        why=("Units hear of unequally many pairs, and pᵏ is convex: the mean of (share of ones of "
             "a unit)ᵏ over the units is larger than pᵏ, "
             + listed([f"{by_row[d, middle] / expected[d, middle]**k:.2f} times (d = {d})"
                       for d, k in sizes]) + f" at p = {middle:g}.",
             f"Units of an answer that were missed: {misses}."),
        originals="",
        tables=tuple(Table(
            f"d = {d}, k = {k} (± four standard errors)",
            ("pairs", "p", "share of ones", "pᵏ", "false alarms", "ratio"),
            tuple((_pairs_for(a, d, k), expected[d, a],
                   full[d, a].around(".4f"),
                   f"{expected[d, a]**k:.2e}",
                   alarms[d, a].around(".2e", ".1e"),
                   excess[d, a]) for a in loads)) for d, k in sizes),
        pictures=pictured(out, "willshaw.png", lambda: draw_curves(
            [curve for i, (d, k) in enumerate(sizes) for curve in (
                measured(f"measured, d = {d}, k = {k}", loads, [alarms[d, a] for a in loads], i),
                exact(f"pᵏ, k = {k}", loads, [expected[d, a]**k for a in loads], i))],
            xlabel="share of ones p", ylabel="false alarms", yscale="log"),
            "A silent unit that a whole cue wakes.  Bars: four standard errors."))


def _pairs_for(load, d, k):
    """The number of pairs after which about ``load`` of the weights are one."""
    N = 1
    while theory.willshaw_load(2 * N, active=(k, k), sites=(d, d)) < load:
        N *= 2
    low, high = N, 2 * N
    while high - low > 1:
        middle = (low + high) // 2
        enough = theory.willshaw_load(middle, active=(k, k), sites=(d, d)) >= load
        low, high = (low, middle) if enough else (middle, high)
    return high


def _recalled(rng, N, d, k, cues):
    """Share of ones, share of false alarms, what the rows' own shares predict, and misses."""
    X, Y = supports(rng, N, d, k), supports(rng, N, d, k)
    W, asked = willshaw_pairs(X, Y), Y[:cues]
    answer = classical.willshaw_update(X[:cues], W)
    return (W.mean(), (answer > asked).sum() / (asked == 0).sum(), (W.mean(axis=1)**k).mean(),
            (answer < asked).sum())

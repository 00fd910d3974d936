"""Capacities of weight matrices: Hebb's rule, the projection rule, Willshaw's clipped rule."""
import numpy as np

from hopref import theory
from hopref.dynamics import retrieve
from hopref.experiments.drawing import draw_curves, exact, measured
from hopref.experiments.draws import flipped, polar, supports
from hopref.experiments.intervals import mean_interval, proportion, proportion_difference
from hopref.experiments.records import Record, Table, joined, saved_picture, verdict
from hopref.models import classical
from hopref.progress import progress
from hopref.storage import projection, willshaw_pairs

__all__ = ["crosstalk", "hebbian", "projections", "willshaw"]

RETAINED = 0.95         # smallest overlap at which a final state counts as the pattern


def crosstalk(out=None, *, sizes=(64, 256, 1024), loads=(0.08, 0.1, 0.138, 0.18, 0.25, 0.35, 0.5),
              bits=2_000_000, seed=0):
    """Share of bits that one synchronous step from a stored pattern turns wrong."""
    rng, rates, sure = np.random.default_rng(seed), {}, {}
    for d in progress(sizes, label="crosstalk"):
        for load in loads:
            N = round(load * d)
            wrong = [theory.unstable_sites(polar(rng, N, d), zero_diagonal=True).mean() / d
                     for _ in range(max(2, round(bits / (N * d))))]
            rates[d, load] = mean_interval(wrong)
            sure[d, load] = theory.bit_error((N - 1) / (d - 1))
    last = sizes[-1]
    limit = {load: theory.bit_error(load) for load in loads}
    agree = {load: rates[last, load].contains(limit[load], abs(sure[last, load] - limit[load]))
             for load in loads}
    finite = sum(rates[key].contains(sure[key]) for key in rates)
    fine = np.linspace(loads[0], loads[-1], 60)
    middle = _nearest(loads, theory.capacity_with_errors()[0])
    return Record(
        "crosstalk", "One step of Hebb’s rule", "Signal and crosstalk [CB-9]",
        claim="At load α = N/d, one step from a stored random pattern leaves a bit wrong with "
              "probability Q(1/√α): crosstalk is Gaussian.",
        setting="Random polar patterns, diagonal zeroed, as many networks for each load and each d "
                f"of {joined(map(str, sizes))} as make {bits / 1e6:g} million bits.",
        test=f"at d = {last} and every load, Q(1/√α) lies within four standard errors of the "
             "measured rate, widened by the change from N/d to (N−1)/(d−1): neither a pattern nor "
             "a bit contributes to its own crosstalk",
        outcome=f"At α = {middle:g} and d = {last}, {rates[last, middle].plus_minus('.3%')} of the "
                f"bits turn wrong; Q(1/√α) is {limit[middle]:.3%}.",
        verdict=verdict(True, agree, "the load"),
        explanation=(
             f"With α = (N−1)/(d−1), Q(1/√α) itself lies within four standard errors of "
             f"{finite} of the {len(rates)} rates, those of small d included.",),
        original_pictures="",
        tables=(Table("Share of bits wrong after one step, ± four standard errors",
                      ("load", *(f"d = {d}" for d in sizes), "Q(1/√α)"),
                      tuple((load, *(rates[d, load].plus_minus(".3%") for d in sizes),
                             f"{limit[load]:.3%}") for load in loads)),),
        pictures=saved_picture(out, "crosstalk.png", lambda: draw_curves(
            [*(measured(f"d = {d}", loads, [rates[d, load] for load in loads]) for d in sizes),
             exact("Q(1/√α)", fine, [theory.bit_error(a) for a in fine], colour=5)],
            xlabel="load α = N/d", ylabel="bits wrong after one step", yscale="log",
            ylim=(1e-5, 0.2)), "Bars: four standard errors of the mean over networks."))


def hebbian(out=None, *, sizes=(128, 512, 2048),
            loads=(0.12, 0.13, 0.138, 0.15, 0.17), networks=(1500, 600, 400), steps=25, seed=0):
    """Overlap of a stored pattern with the fixed point that is reached from it."""
    rng, held, overlaps = np.random.default_rng(seed), {}, {}
    for d, n in progress([*zip(sizes, networks, strict=True)], label="hebbian"):
        for load in loads:
            ends = np.array([_ends_near(rng, round(load * d), d, steps) for _ in range(n)])
            held[d, load] = proportion((ends >= RETAINED).sum(), n)
            overlaps[d, load] = float(ends.mean())
    first, last = sizes[0], sizes[-1]
    trend = {load: proportion_difference(held[first, load], held[last, load]) for load in loads}
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
                f"at most {steps} updates; {joined(map(str, networks))} networks at d = "
                f"{joined(map(str, sizes))}.  Retained: the final overlap is {RETAINED:g} or more; "
                "a fixed point of the synchronous rule is one of the asynchronous rule as well.",
        test=f"from d = {first} to d = {last} the retained share rises at loads below 0.138 and "
             "falls at loads above, and nowhere conversely, according to 99 % intervals of the "
             "difference",
        outcome=f"It rises at {_at(rising)}, falls at {_at(falling)}; at 0.138 and d = {last}, "
                f"{held[last, _nearest(loads, limit)].value:.0%} are retained.",
        verdict=verdict(True, sides, "the side"),
        explanation=(
             "Half of the patterns are retained at "
             + joined([f"{_half(loads, [held[d, a].value for a in loads])} (d = {d})"
                       for d in sizes]) + ": no finite size shows a jump at the limit, which lies "
             "where curves of different d cross.",),
        original_pictures="",
        tables=(Table("Share of patterns retained (99 % interval, Wilson)",
                      ("load", *(f"d = {d}" for d in sizes), "rise",
                       f"mean overlap, d = {last}"),
                      tuple((load, *(str(held[d, load]) for d in sizes), str(trend[load]),
                             overlaps[last, load]) for load in loads)),),
        pictures=saved_picture(out, "hebbian.png", lambda: draw_curves(
            [measured(f"d = {d}", loads, [held[d, a] for a in loads]) for d in sizes],
            xlabel="load N/d", ylabel="share of patterns retained", marks=((limit, "0.138"),),
            ylim=(-0.03, 1.03)), "Bars: 99 % intervals."))


def _ends_near(rng, N, d, steps):
    """Overlap of a stored pattern with the final state that is reached from it."""
    X = polar(rng, N, d)
    run = retrieve(classical.low_rank_update, X[0], X, zero_diagonal=True, max_steps=steps)
    return float(run.states @ X[0] / d)


def _at(loads):
    return joined([f"{load:g}" for load in loads], none="no load")


def _nearest(loads, value):
    return min(loads, key=lambda load: abs(load - value))


def _half(loads, values):
    """The load at which the falling curve crosses one half, by linear interpolation."""
    for a, b, u, v in zip(loads, loads[1:], values, values[1:], strict=False):
        if u >= 0.5 > v:
            return f"{a + (b - a) * (u - 0.5) / (u - v):.3f}"
    return f"more than {loads[-1]:g}" if values[-1] >= 0.5 else f"less than {loads[0]:g}"


def projections(out=None, *, sizes=(32, 64, 128), loads=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0),
                networks=60, flips=0.1, seed=0):
    """The projection rule with stored patterns as cues, and with flipped bits."""
    rng, whole, damaged = np.random.default_rng(seed), {}, {}
    for d in progress(sizes, label="projection"):
        for load in loads:
            fixed, corrected = zip(*[_projected(rng, round(load * d), d, round(flips * d))
                                     for _ in range(networks)], strict=True)
            whole[d, load] = proportion(sum(fixed), networks)
            damaged[d, load] = proportion(sum(corrected), networks)
    full = {d: all(whole[d, load].value == 1 for load in loads) for d in sizes}
    last = sizes[-1]
    half = _half(loads, [damaged[last, load].value for load in loads])
    return Record(
        "projection", "The capacity of the projection rule",
        "Personnaz, Guyon & Dreyfus 1985 [CB-10, CAP-4]",
        claim="Every stored pattern is a fixed point as long as the patterns are linearly "
              "independent: up to N = d.",
        setting=f"Random polar patterns, diagonal kept, {networks} networks for each load and each "
                f"d of {joined(map(str, sizes))}; one step from all patterns, and up to 50 from "
                f"one of them with {flips:.0%} of the bits flipped.",
        test="at every load up to 1, in every network, one step leaves every pattern as it is",
        outcome="All patterns are fixed points in "
                f"{sum(v.value * networks for v in whole.values()):.0f} of "
                f"{networks * len(whole)} networks, including those with N = d.",
        verdict=verdict(True, full, "the size"),
        explanation=(
             f"A fixed point need not be an attractor: with {flips:.0%} of the bits flipped, half "
             f"of the patterns are retrieved at load {half} for d = {last}, "
             f"{damaged[last, loads[-1]].value:.0%} at load {loads[-1]:g}, where W is the identity "
             "and every state a fixed point.",),
        original_pictures="",
        tables=(Table("Share of networks in which all patterns are fixed points, and of flipped "
                      "cues that are corrected (99 % interval, Wilson)",
                      ("load", *(f"fixed, d = {d}" for d in sizes),
                       *(f"corrected, d = {d}" for d in sizes)),
                      tuple((load, *(f"{whole[d, load].value * networks:.0f} of {networks}"
                                     for d in sizes),
                             *(str(damaged[d, load]) for d in sizes)) for load in loads)),),
        pictures=saved_picture(out, "projection.png", lambda: draw_curves(
            [*(measured(f"flipped cue, d = {d}", loads, [damaged[d, a] for a in loads])
               for d in sizes),
             measured(f"stored pattern, d = {last}", loads, [whole[last, a] for a in loads])],
            xlabel="load N/d", ylabel="share retrieved without error", ylim=(-0.03, 1.03)),
            "Bars: 99 % intervals."))


def _projected(rng, N, d, errors):
    """Whether all patterns are fixed points, and whether a flipped cue is corrected."""
    X = polar(rng, N, d)
    W = projection(X)
    run = retrieve(classical.update, flipped(rng, X[0], errors), W, max_steps=50)
    return (bool((classical.update(X, W) == X).all()), bool((run.states == X[0]).all()))


def willshaw(out=None, *, sizes=((256, 8), (1024, 10)), loads=(0.3, 0.4, 0.5, 0.6, 0.7), networks=6,
             cues=500, seed=0):
    """Share of ones in the clipped weights of random sparse pairs, and false alarms in recall."""
    rng, full, alarms, by_row, expected = np.random.default_rng(seed), {}, {}, {}, {}
    misses = 0
    for d, k in progress(sizes, label="willshaw"):
        for load in loads:
            N = _pairs_for(load, d, k)
            expected[d, load] = theory.willshaw_load(N, active=(k, k), sites=(d, d))
            found = [_recalled(rng, N, d, k, cues) for _ in range(networks)]
            ones, false, rows, missed = (np.array(v) for v in zip(*found, strict=True))
            misses += int(missed.sum())
            full[d, load], alarms[d, load] = mean_interval(ones), mean_interval(false)
            by_row[d, load] = float(rows.mean())
    keys = list(full)
    parts = {"share of ones": all(full[key].contains(expected[key]) for key in keys),
             "false alarms": all(alarms[d, a].contains(expected[d, a]**k)
                                 for d, k in sizes for a in loads),
             "misses": misses == 0}
    excess = {(d, a): alarms[d, a].value / expected[d, a]**k for d, k in sizes for a in loads}
    middle = loads[len(loads) // 2]
    ends = [f"{excess[d, middle]:.2f} (d = {d})" for d, _ in sizes]
    return Record(
        "willshaw", "The load of Willshaw’s memory",
        "Willshaw, Buneman & Longuet-Higgins 1969 [CB-13]",
        claim="After N random pairs the share of ones is p = 1 − (1 − k²/d²)ᴺ, and a whole cue of "
              "k units activates an inactive unit with probability about pᵏ; none is missed.",
        setting="Random pairs with exactly k of d units active, "
                + joined([f"k = {k} at d = {d}" for d, k in sizes])
                + f"; {networks} memories a load, {cues} stored cues each.",
        test="at every load and size, p and pᵏ lie within four standard errors of the measured "
             "share of ones and of false alarms, and no unit is missed",
        outcome=f"The share of ones is p at "
                f"{sum(full[key].contains(expected[key]) for key in keys)} of {len(keys)} loads; "
                f"false alarms at p = {middle:g} are pᵏ times {joined(ends)}.",
        verdict=verdict(True, parts, "the quantity"),
        explanation=(
             "Units are active in unequally many pairs, and pᵏ is convex: the mean over the units "
             "of (share of ones of a unit)ᵏ is larger than pᵏ, "
             + joined([f"{by_row[d, middle] / expected[d, middle]**k:.2f} times (d = {d})"
                       for d, k in sizes]) + f" at p = {middle:g}.",
             f"Active units that recall misses: {misses}."),
        original_pictures="",
        tables=tuple(Table(
            f"d = {d}, k = {k} (± four standard errors)",
            ("pairs", "p", "share of ones", "pᵏ", "false alarms", "ratio"),
            tuple((_pairs_for(a, d, k), expected[d, a],
                   full[d, a].plus_minus(".4f"),
                   f"{expected[d, a]**k:.2e}",
                   alarms[d, a].plus_minus(".2e", ".1e"),
                   excess[d, a]) for a in loads)) for d, k in sizes),
        pictures=saved_picture(out, "willshaw.png", lambda: draw_curves(
            [curve for i, (d, k) in enumerate(sizes) for curve in (
                measured(f"measured, d = {d}, k = {k}", loads, [alarms[d, a] for a in loads], i),
                exact(f"pᵏ, k = {k}", loads, [expected[d, a]**k for a in loads], i))],
            xlabel="share of ones p", ylabel="false alarms", yscale="log"),
            "Inactive units that a whole cue activates.  Bars: four standard errors."))


def _pairs_for(load, d, k):
    """The smallest number of pairs after which the expected share of ones reaches ``load``."""
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
    """Share of ones, share of false alarms, its prediction from single rows, and misses."""
    X, Y = supports(rng, N, d, k), supports(rng, N, d, k)
    W, asked = willshaw_pairs(X, Y), Y[:cues]
    answer = classical.willshaw_update(X[:cues], W)
    return (W.mean(), (answer > asked).sum() / (asked == 0).sum(), (W.mean(axis=1)**k).mean(),
            (answer < asked).sum())

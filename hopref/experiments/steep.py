"""Capacities of dense memories with polynomial and exponential interactions."""
import math

import numpy as np

from hopref import theory
from hopref.experiments.drawing import draw_curves, exact, measured
from hopref.experiments.draws import flipped, polar
from hopref.experiments.intervals import mean_interval, proportion
from hopref.experiments.records import Record, Table, joined, saved_picture, verdict
from hopref.models import dense
from hopref.progress import progress

__all__ = ["polynomial", "exponential"]

NEARLY_ALL = 0.01       # share of wrong bits allowed for "each is right with probability -> 1"


def polynomial(out=None, *, sizes=((2, (64, 256)), (3, (32, 64)), (4, (16, 48))),
               ratios=(0.5, 1.0, 1.5, 2.0, 3.0, 4.0), networks=200, seed=0):
    """Share of patterns that are fixed points of F = z^n, as a function of N / N_max."""
    rng, fixed, count = np.random.default_rng(seed), {}, {}
    settings = [(n, d) for n, ds in sizes for d in ds]
    for n, d in progress(settings, label="dense"):
        for ratio in ratios:
            N = count[n, d, ratio] = max(2, round(ratio * theory.capacity_without_errors(d, n=n)))
            hits = sum(_is_fixed(polar(rng, N, d), "polynomial", n) for _ in range(networks))
            fixed[n, d, ratio] = proportion(hits, networks)
    few, many = min(ratios, key=lambda r: abs(r - 1)), ratios[-1]
    degrees = {n: all(fixed[n, d, few].low > 0.5 > fixed[n, d, many].high for d in ds)
               for n, ds in sizes}
    largest = [(n, ds[-1]) for n, ds in sizes]
    gaussian = {(n, d, r): _gaussian((count[n, d, r] - 1) / theory.capacity_without_errors(d, n=n),
                                     d) for n, d, r in fixed}
    near = sum(fixed[key].contains(gaussian[key]) for key in fixed)
    return Record(
        "dense", "The capacity of dense memories", "Krotov & Hopfield 2016 [CAP-7]",
        claim="With the interaction zⁿ, Nₘₐₓ = dⁿ⁻¹ / (2 (2n−3)!! ln d) random patterns can be "
              "stored so that most of them are fixed points.",
        setting=f"Random polar patterns, one step of all sites from one pattern a network, "
                f"{networks} networks; "
                + joined([f"n = {n} at d = {joined(map(str, ds), )}" for n, ds in sizes]) + ".",
        test=f"for every size of a degree n, more than half of the patterns are fixed points at "
             f"N = Nₘₐₓ, and less than half at {many:g} Nₘₐₓ, according to 99 % intervals; the "
             "factor between is the allowance for finite d, where the transition is gradual",
        outcome="At N = Nₘₐₓ "
                + joined([f"{fixed[n, d, few].value:.0%} (n = {n}, d = {d}, N = "
                          f"{count[n, d, few]})" for n, d in largest])
                + f" of the patterns are fixed points; at {many:g} Nₘₐₓ "
                + joined([f"{fixed[n, d, many].value:.0%}" for n, d in largest]) + ".",
        verdict=verdict(True, degrees, "the degree"),
        explanation=(
             f"Gaussian crosstalk at finite d predicts {near} of {len(fixed)} shares within their "
             "intervals; as a function of N / Nₘₐₓ it depends on d, not on n.",
             "The capacity at which all patterns together are fixed points is "
             + joined([f"{theory.capacity_without_errors(d, n=n, patterns='all'):.0f} (n = {n}, "
                       f"d = {d})" for n, d in largest]) + "."),
        original_pictures="",
        tables=tuple(Table(
            f"n = {n}: patterns that are fixed points (99 % interval, Wilson), and the prediction",
            ("N / Nₘₐₓ", *(head for d in ds for head in (f"N, d = {d}", "fixed", "Gaussian"))),
            tuple((r, *(v for d in ds for v in (count[n, d, r], str(fixed[n, d, r]),
                                                gaussian[n, d, r]))) for r in ratios))
            for n, ds in sizes),
        pictures=saved_picture(out, "dense.png", lambda: draw_curves(
            [curve for k, (n, d) in enumerate(largest) for curve in (
                measured(f"n = {n}, d = {d}", ratios, [fixed[n, d, r] for r in ratios], k),
                exact(f"Gaussian, d = {d}", _fine(ratios),
                      [_gaussian(r, d) for r in _fine(ratios)], k))],
            xlabel="N / Nₘₐₓ", ylabel="share of fixed patterns",
            marks=((1.0, "Nₘₐₓ"),), ylim=(-0.03, 1.03)), "Bars: 99 % intervals."))


def _is_fixed(X, interaction, n=3):
    return bool((dense.update(X[0], X, interaction=interaction, n=n) == X[0]).all())


def _gaussian(ratio, d):
    """The predicted share at N / N_max, for Gaussian crosstalk and independent bits."""
    return (1 - theory.bit_error(ratio / (2 * math.log(d)))) ** d


def _fine(xs):
    return np.linspace(xs[0], xs[-1], 60)


def exponential(out=None, *, sizes=(10, 16, 22), shares=(0.6, 0.9, 1.0, 1.25, 1.5),
                networks=200, errors=0.125, seed=0):
    """Share of correct bits after one step of F = exp, as a function of log N / d."""
    rng, right, fixed, count = np.random.default_rng(seed), {}, {}, {}
    for d in progress(sizes, label="exponential"):
        for flips in (0, round(errors * d)):
            rate = theory.capacity_exponential(errors=flips / d)
            for part in shares:
                N = count[d, flips > 0, part] = math.floor(math.exp(part * rate * d)) + 1
                good = np.array([_corrected(rng, N, d, flips) for _ in range(networks)])
                right[d, flips > 0, part] = mean_interval(good / d)
                fixed[d, flips > 0, part] = proportion((good == d).sum(), networks)
    last, part = sizes[-1], max(p for p in shares if p < 1)
    cues = {"stored patterns": False, "flipped cues": True}
    measures = {cue: right[last, damaged, part].low >= 1 - NEARLY_ALL
                and right[last, damaged, part].value >= right[sizes[0], damaged, part].value
                for cue, damaged in cues.items()}
    return Record(
        "exponential", "The capacity of exponential memories",
        "Demircigil et al. 2017, in Ramsauer et al. 2021, Theorem A10 [CAP-8]",
        claim="With the interaction eᶻ, N = exp(α d) + 1 random patterns with α < ½ ln 2 are "
              "stored (2^(d/2)), and cues with a share ρ of wrong bits are corrected for "
              "α < I(1−2ρ)/2: each bit in one step, with probability → 1.",
        setting=f"Random polar patterns, one step of all sites from one cue a network, {networks} "
                f"networks; d = {joined(map(str, sizes))}; flipped cues have "
                f"{joined(str(round(errors * d)) for d in sizes)} wrong bits.",
        test=f"at {part:g} of the largest exponent, more than {1 - NEARLY_ALL:.0%} of the bits are "
             f"right at d = {last} (the mean over networks less four standard errors), no fewer "
             f"than at d = {sizes[0]}",
        outcome=f"At d = {last} and {part:g} of the exponent, N = {count[last, False, part]}, "
                f"{right[last, False, part].value:.2%} of the bits are right after one step; from "
                f"flipped cues, N = {count[last, True, part]}, "
                f"{right[last, True, part].value:.2%}.",
        verdict=verdict(True, measures, "the cue"),
        explanation=(
             f"The capacity is a lower bound: at {shares[-1]:g} of the exponent, N = "
             f"{count[last, False, shares[-1]]}, {fixed[last, False, shares[-1]].value:.0%} of the "
             f"patterns are still fixed points at d = {last}.",),
        original_pictures="",
        tables=tuple(Table(
            f"{cue[0].upper()}{cue[1:]}: patterns correct after one step (99 % interval, Wilson)",
            ("share of the exponent", *(f"N: correct, d = {d}" for d in sizes)),
            tuple((p, *(f"{count[d, damaged, p]}: {fixed[d, damaged, p]}" for d in sizes))
                  for p in shares)) for cue, damaged in cues.items()),
        pictures=saved_picture(out, "exponential.png", lambda: draw_curves(
            [measured(f"d = {d}", [count[d, False, p] for p in shares],
                      [fixed[d, False, p] for p in shares], k) for k, d in enumerate(sizes)],
            xlabel="N, stored patterns", ylabel="share of fixed patterns", xscale="log",
            marks=[(2**(d / 2), f"2^{d // 2}") for d in sizes], ylim=(-0.03, 1.03)),
            "Dotted: 2^(d/2).  Bars: 99 % intervals."))


def _corrected(rng, N, d, flips):
    """Number of correct bits after one step from a cue with ``flips`` wrong bits."""
    X = polar(rng, N, d)
    return int((dense.update(flipped(rng, X[0], flips), X, interaction="exponential")
                == X[0]).sum())

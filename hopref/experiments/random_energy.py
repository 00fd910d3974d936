"""Thresholds of exponential memories by the threshold model."""
import numpy as np

from hopref import theory
from hopref.experiments.drawing import draw_curves, measured
from hopref.experiments.draws import polar
from hopref.experiments.intervals import proportion
from hopref.experiments.records import Record, Table, joined, saved_picture, verdict
from hopref.models import dense
from hopref.progress import progress

__all__ = ["random_energy"]


def random_energy(out=None, *, betas=(0.5, 1.0), sizes=(8, 12, 16),
                  apart=(-0.1, -0.05, 0.0, 0.05, 0.1), binary=(8, 12),
                  shares=(0.7, 0.85, 1.0, 1.15), networks=100, seed=0):
    """Share of patterns that outweigh all others at rates about a threshold."""
    rng, won, count = np.random.default_rng(seed), {}, {}
    rates = {beta: float(theory.capacity_random_energy(beta=beta)) for beta in betas}
    for beta in progress(betas, label="random energy"):
        for d in sizes:
            for off in apart:
                N = count[beta, d, off] = round(np.exp((rates[beta] + off) * d))
                hits = sum(_weight(rng, N, d, beta) > 0.5 for _ in range(networks))
                won[beta, d, off] = proportion(hits, networks)
    typical, right = float(theory.capacity_exponential_typical()), {}
    for d in progress(binary, label="random energy"):
        for part in shares:
            N = count["signs", d, part] = round(np.exp(part * typical * d))
            hits = sum(_right_bits(rng, N, d) for _ in range(networks))
            right[d, part] = proportion(hits, networks * d)
    low, high, d = apart[0], apart[-1], sizes[-1]
    measures = {f"β = {beta:g}": won[beta, d, low].low > 0.5 > won[beta, d, high].high
                for beta in betas}
    few, many = shares[0], shares[-1]
    measures["signs"] = bool(right[binary[-1], few].low > right[binary[0], few].value
                             and right[binary[-1], many].high < right[binary[-1], few].low)
    return Record(
        "threshold", "Thresholds of the threshold model",
        "Lucibello & Mézard 2024, derived in hopref [RE-1, RE-3, RE-4]",
        claim="On a sphere a typical one of N = exp(α d) patterns has more than half of the "
              "softmax weight up to α₁(β); with the interaction eᶻ one step of random signs is "
              "right up to α = ln(e²/cosh 2), which is larger than ½ ln 2.",
        setting=f"The cue is the pattern; {networks} networks for each rate.  Spherical patterns: "
                f"β = {joined(f'{b:g}' for b in betas)}, d = {joined(map(str, sizes))}, the "
                "overlaps drawn from their distribution; random signs: d = "
                f"{joined(map(str, binary))}.",
        test=f"at d = {d}, more than half of the patterns outweigh all others at α₁ {low:+g}, and "
             f"less than half at α₁ {high:+g}; at {few:g} of the rate of signs, the share of right "
             f"bits rises from d = {binary[0]} to {binary[-1]}, and is larger than at {many:g} of "
             "it (99 % intervals)",
        outcome=f"At d = {d} and α₁ "
                + joined(f"{off:+g}" for off in apart) + " the shares are "
                + joined([" / ".join(f"{won[b, d, off].value:.0%}" for off in apart)
                          + f" (β = {b:g})" for b in betas])
                + f"; of the signs at d = {binary[-1]}, {right[binary[-1], few].value:.2%} are "
                f"right at {few:g} of the rate, {right[binary[-1], many].value:.2%} at {many:g}.",
        verdict=verdict(True, measures, "the memory"),
        explanation=(
             f"α₁ = {joined([f'{rates[b]:.4f} (β = {b:g})' for b in betas])}; the rate of signs is "
             f"{typical:.4f}, against ½ ln 2 = {float(theory.capacity_exponential()):.4f}.",),
        original_pictures="",
        tables=(*(Table(
            f"β = {beta:g}: patterns with more than half of the weight (99 % interval, Wilson)",
            ("α − α₁", *(f"N: share, d = {d}" for d in sizes)),
            tuple((off, *(f"{count[beta, d, off]}: {won[beta, d, off]}" for d in sizes))
                  for off in apart)) for beta in betas),
            Table("Random signs: right bits after one step (99 % interval, Wilson)",
                  ("share of the rate", *(f"N: share, d = {d}" for d in binary)),
                  tuple((part, *(f"{count['signs', d, part]}: {right[d, part]}" for d in binary))
                        for part in shares))),
        pictures=saved_picture(out, "threshold.png", lambda: draw_curves(
            [measured(f"β = {betas[-1]:g}, d = {d}", apart, [won[betas[-1], d, o] for o in apart],
                      k) for k, d in enumerate(sizes)],
            xlabel="α − α₁", ylabel="share of patterns that outweigh the others",
            marks=((0.0, "α₁"),), ylim=(-0.03, 1.03)), "Bars: 99 % intervals."))


def _weight(rng, N, d, beta):
    """The softmax weight of a pattern of squared norm d among N, at this pattern."""
    overlap = 2 * rng.beta((d - 1) / 2, (d - 1) / 2, N - 1) - 1
    return 1 / (1 + np.sum(np.exp(beta * d * (overlap - 1))))


def _right_bits(rng, N, d):
    X = polar(rng, N, d)
    return int((dense.update(X[0], X, interaction="exponential") == X[0]).sum())

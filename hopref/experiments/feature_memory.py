"""The memory of random features: how many features a pattern needs, and cycles of full steps."""
import numpy as np

from hopref import theory
from hopref.dynamics import retrieve
from hopref.experiments.drawing import draw_curves, measured
from hopref.experiments.draws import sphere
from hopref.experiments.intervals import proportion
from hopref.experiments.records import Record, Table, joined, saved_picture, verdict
from hopref.maps import softmax
from hopref.models import feature_memory
from hopref.progress import progress

__all__ = ["features_needed"]

NEAR = 0.5              # distance from a pattern, in units of its norm, that counts as retrieved
EQUAL = 1e-9            # distances and energies that count as equal


def features_needed(out=None, *, beta=0.3, load=0.5, sizes=(6, 9, 12),
                    ratios=(0.5, 0.75, 1.0, 1.25, 1.5, 1.75), networks=60, most=100_000,
                    features=(1, 2, 4, 6, 7, 8, 12), d=6, seed=0):
    """Share of patterns that the memory of random features retrieves, and cycles of full steps."""
    rng, near, count, draws, distance = np.random.default_rng(seed), {}, {}, {}, {}
    rate = load * float(theory.capacity_random_energy(beta=beta))
    for size in progress(sizes, label="draws"):
        N = max(2, round(np.exp(rate * size)))
        for ratio in ratios:
            m = round(np.exp(2 * beta * ratio * size))
            if m > most:
                continue
            count[size, ratio] = N, m
            found = np.array([_one_step(rng, N, m, size, beta) for _ in range(networks)])
            near[size, ratio] = proportion((found[:, 0] < NEAR).sum(), networks)
            distance[size, ratio], draws[size, ratio] = np.median(found, axis=0)
    moved = {m: np.array([_two_steps(rng, m, d) for _ in range(networks)])
             for m in progress(features, label="draws")}
    few, many = ([v for m, v in moved.items() if (m <= d) == small] for small in (True, False))
    small, large = sizes[0], sizes[-1]
    above = max(r for s, r in near if s == large)
    parts = {"features": bool(near[large, above].low > near[small, above].value
                              and all(near[s, r].value == 0 for s, r in near if r <= 0.5)),
             "cycles": all(_returned(pair).all() if m <= d else (pair[:, 1] > EQUAL).all()
                           for m, pair in moved.items())}
    return Record(
        "draws", "How many features a pattern needs",
        "Hoover et al. 2024; sums of random exponentials: Ben Arous et al. 2005 [PE-3, PE-14]",
        claim="A memory of m = exp(μ d) positive random features retrieves random patterns of norm "
              "√d if μ > 2β, for d → ∞, and stores fewer than √m of them.  Below, one draw has the "
              "weight.  With m ≤ d features full steps have cycles of period 2 at equal energy.",
        setting=f"β = {beta:g}, exp(α d) patterns, α = {rate:.3f}, {load:g} of the rate of the "
                f"modern network; one full step from a pattern, {networks} networks, m ≤ {most}.  "
                f"Cycles: two full steps at β = 1 and d = {d}, from a fixed point displaced "
                f"by 1 in the direction in which the features differ least, {networks} draws.",
        test=f"at μ = {above:g} · 2β the share of patterns that a step leaves within {NEAR:g} of "
             f"their norm is larger at d = {large} than at d = {small} (99 % interval), and none "
             f"are at half of 2β; two full steps return to the state and its energy, to {EQUAL:g}, "
             "for "
             "every draw with m ≤ d, and lower the energy for every draw with m > d",
        outcome=f"At {above:g} · 2β, " + joined([
            f"{near[s, above].value:.0%} (d = {s}, m = {count[s, above][1]}, N = "
            f"{count[s, above][0]})" for s in sizes])
        + " are retrieved; the median effective number of draws there is "
        + joined([f"{draws[s, above]:.1f}" for s in sizes])
        + f"; two full steps return for {sum(_returned(v).sum() for v in few)} of "
          f"{sum(map(len, few))} draws with m ≤ d, and for "
          f"{sum(_returned(v).sum() for v in many)} of {sum(map(len, many))} with m > d.",
        verdict=verdict(True, parts, "the part"),
        explanation=(
             f"It is a poor memory: at d = {large} the numbers of {count[large, above][0]} "
             f"patterns are {count[large, above][0] * large}, and m = {count[large, above][1]} "
             f"features retrieve {near[large, above].value:.0%} of the patterns.",
             "The distance after a step is about √(d / (β n)), n the effective number of draws: "
             f"at 2β, with m = {count[large, 1.0][1]}, the median n is {draws[large, 1.0]:.1f}."),
        original_pictures="",
        tables=(Table(f"Patterns within {NEAR:g} of their norm (99 % interval, Wilson), medians of "
                      "the distance in units of the norm and of the effective number of draws",
                      ("d", "μ / 2β", "m", "N", "retrieved", "distance", "draws 1 / Σp²"),
                      tuple((*k, count[k][1], count[k][0], str(near[k]), float(distance[k]),
                             float(draws[k])) for k in near)),
                Table(f"Two full steps at d = {d}: ranges of the distance from the state and of "
                      "the decrease of the energy",
                      ("m", "distance", "decrease of the energy"),
                      tuple((m, *(f"{v.min():.1e} to {v.max():.1e}" for v in pair.T))
                            for m, pair in moved.items()))),
        pictures=saved_picture(out, "draws.png", lambda: draw_curves(
            [measured(f"d = {s}, N = {count[s, ratios[0]][0]}", *zip(*(
                (r, near[s, r]) for r in ratios if (s, r) in near), strict=True), k)
             for k, s in enumerate(sizes)],
            xlabel="rate of the number of features, ln m / (2 β d)",
            ylabel="share of patterns retrieved", marks=((1.0, "limit"),), ylim=(-0.03, 1.03)),
            "One full step from a pattern.  Bars: 99 % intervals."))


def _one_step(rng, N, m, d, beta):
    """Distance from a pattern after a full step, in units of its norm, and the effective draws."""
    X, omega = sphere(rng, N, d, d**0.5), rng.standard_normal((m, d))
    sums = feature_memory.log_sums(X, omega, beta=beta)
    new = feature_memory.update(X[0], omega, sums, beta=beta, step=1.0)
    p = softmax(beta**0.5 * omega @ X[0] + sums)
    return np.linalg.norm(new - X[0]) / d**0.5, 1 / (p @ p)


def _two_steps(rng, m, d):
    """Distance and decrease of the energy after two full steps, from a displaced fixed point."""
    X, omega = sphere(rng, d, d), rng.standard_normal((m, d))
    sums = feature_memory.log_sums(X, omega)
    fixed = retrieve(feature_memory.update, X[0], omega, sums, tol=1e-13, max_steps=10_000).states
    states = [fixed + np.linalg.svd(omega - omega.mean(axis=0))[2][-1]]
    for _ in range(2):
        states.append(feature_memory.update(states[-1], omega, sums, step=1.0))
    first, _, last = feature_memory.energy(np.array(states), omega, sums)
    return np.linalg.norm(states[2] - states[0]), first - last


def _returned(pairs):
    return (np.abs(pairs) < EQUAL).all(axis=1)

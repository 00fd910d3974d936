"""Fixed points of modern networks, and the number of patterns in the support of sparse maps."""
import numpy as np

from hopref import theory
from hopref.dynamics import retrieve
from hopref.experiments.drawing import draw_curves, measured
from hopref.experiments.draws import sphere, with_norm
from hopref.experiments.intervals import Interval, mean_interval
from hopref.experiments.records import Record, Table, joined, saved_picture, verdict
from hopref.maps import entmax
from hopref.models import modern
from hopref.progress import progress

__all__ = ["metastable", "support"]

NEAR = 0.05             # "N patterns share the weight": their effective number is N to 5 %


def metastable(out=None, *, groups=4, size=4, d=32, spread=0.05, norm=3.0,
               betas=(0.02, 2000.0, 41), seed=0):
    """Fixed points that are reached from every pattern, over a range of inverse temperatures."""
    rng, betas = np.random.default_rng(seed), np.geomspace(*betas).tolist()
    centres = sphere(rng, groups, d, norm).repeat(size, axis=0)
    clustered = with_norm(centres + sphere(rng, groups * size, d, spread * norm), norm)
    sets = {"groups": clustered, "no groups": sphere(rng, groups * size, d, norm)}
    N, found = groups * size, {}
    for name, X in sets.items():
        for beta in progress(betas, label="metastable"):
            found[name, beta] = _ends(X, beta)
    counts = {key: shared for key, (shared, _) in found.items()}
    means = {"global": clustered.mean(0), "group": clustered.reshape(groups, size, d).mean(1)
             .repeat(size, axis=0), "pattern": clustered}
    kinds = {"global": N, "group": size, "pattern": 1}
    windows = {kind: [beta for beta in betas if _all_near(counts["groups", beta], number)
                      and _closest(found["groups", beta][1], means) == kind]
               for kind, number in kinds.items()}
    control = [beta for beta in betas if _all_near(counts["no groups", beta], size)]
    return Record(
        "metastable", "Three kinds of fixed points", "Ramsauer et al. 2021 [MH-8, MH-9, MH-11]",
        claim="There are three kinds of fixed points: a single pattern; a metastable state near "
              "the mean of patterns that are alike; and one near the mean of all.",
        setting=f"{groups} groups of {size} patterns of norm {norm:g} in d = {d}, members about "
                f"{spread * norm:g} away from their centre; updates from every pattern until they "
                f"converge, at {len(betas)} inverse temperatures from {_read(betas[0])} to "
                f"{_read(betas[-1])}.  Effective number: exp of the entropy of the weights.",
        test=f"for each kind there is a β at which, from every pattern, the effective number is "
             f"{joined([str(n) for n in kinds.values()])} within {NEAR:.0%}, and the fixed point "
             "is nearer to that mean than to those of the other two kinds",
        outcome="From every pattern, updates converge to "
                + "; ".join(f"{point} for β from {_read(w[0])} to {_read(w[-1])}" if w
                            else f"{point} for no β" for point, w in zip(
                                ("the mean of all", "the mean of the group",
                                 "the pattern itself"), windows.values(), strict=True)) + ".",
        verdict=verdict(True, {kind: bool(w) for kind, w in windows.items()}, "the kind"),
        explanation=(
             "As many patterns without groups share their weight among "
             f"{size} at {len(control)} of the {len(betas)} β: a metastable state needs patterns "
             "that are alike.",),
        original_pictures="",
        tables=(Table("Effective number of patterns at the fixed point: median, minimum and "
                      "maximum over the starting patterns",
                      ("β", *(f"{name}: {word}" for name in sets
                              for word in ("median", "minimum", "maximum"))),
                      tuple((float(b), *_between(counts["groups", b]),
                             *_between(counts["no groups", b])) for b in betas[::4])),),
        pictures=saved_picture(out, "metastable.png", lambda: draw_curves(
            [measured(name, betas, [_between(counts[name, b]) for b in betas]) for name in sets],
            xlabel="inverse temperature β", ylabel="effective number of patterns", xscale="log",
            yscale="log", yticks=tuple(kinds.values())),
            f"Median over the starting patterns, bars from minimum to maximum.  The plateaus at "
            f"{N}, {size} and 1 are the three kinds; without groups the middle one is missing."))


def _ends(X, beta):
    """Effective numbers of patterns at the fixed points, and the fixed points."""
    ends = retrieve(modern.update, X, X, beta=beta, max_steps=3000, tol=1e-10).states
    return theory.effective_patterns(ends, X, beta=beta), ends


def _all_near(counts, number):
    return bool((abs(counts - number) <= NEAR * number).all())


def _closest(ends, means):
    """The kind whose points have the smallest mean distance from the fixed points."""
    return min(means, key=lambda kind: np.linalg.norm(ends - means[kind], axis=-1).mean())


def _read(beta):
    return f"{beta:.2g}" if beta < 10 else f"{beta:.0f}"


def _between(counts):
    return Interval(float(np.median(counts)), float(counts.min()), float(counts.max()))


def support(out=None, *, alphas=(1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0),
            sizes=(16, 64, 256), draws=400, seed=0):
    """Number of n Gaussian scores that have a positive weight under alpha-entmax."""
    rng, kept, grew, lost = np.random.default_rng(seed), {}, {}, {}
    for n in sizes:
        z = rng.standard_normal((draws, n))
        counts = np.stack([(entmax(z, alpha=alpha) > 0).sum(-1) for alpha in alphas])
        grew[n] = int((np.diff(counts, axis=0) > 0).sum())
        lost[n] = mean_interval(counts[0] - counts[-1])
        for alpha, count in zip(alphas, counts, strict=True):
            kept[n, alpha] = mean_interval(count)
    sparser = {n: grew[n] == 0 and lost[n].low > 0 and kept[n, alphas[0]].value == n
               for n in sizes}
    ends = [alpha for alpha in (1.5, 2.0) if alpha in alphas]
    return Record(
        "support", "How many weights entmax keeps", "Peters et al. 2019; Santos et al. 2024 [FY-1]",
        claim="α-entmax gives sparse weights for α > 1, sparser ones for larger α; for α = 1 it is "
              "softmax, all of whose weights are positive.",
        setting=f"{draws} vectors of {joined(map(str, sizes))} standard normal scores, β = 1.",
        test="all weights are > 0 at α = 1; from one α to the next no vector gains a weight > 0; "
             "and from the first to the last the number of weights > 0 falls, by more than four "
             "standard errors",
        outcome="Of " + joined([f"{n} scores " + joined([
            f"{kept[n, a].value:.1f} (α = {a:g})" for a in ends]) for n in sizes])
        + " have a weight > 0.",
        verdict=verdict(True, sparser, "the number of scores"),
        explanation=(
             f"From one α to the next the support grew in {sum(grew.values())} of "
             f"{draws * len(sizes) * (len(alphas) - 1)} cases.",),
        original_pictures="",
        tables=(Table("Weights > 0 (± four standard errors)",
                      ("α", *(f"{n} scores" for n in sizes)),
                      tuple((a, *(kept[n, a].plus_minus(".2f") for n in sizes)) for a in alphas)),),
        pictures=saved_picture(out, "support.png", lambda: draw_curves(
            [measured(f"{n} scores", alphas, [kept[n, a] for a in alphas]) for n in sizes],
            xlabel="α", ylabel="weights > 0", yscale="log", yticks=(1, 2, 4, 8, 16, 32, 64, 128,
                                                                    256)),
            "Mean over vectors of standard normal scores.  Bars: four standard errors."))

"""Random features: mean squared errors, a biased draw, and a stabiliser that breaks causality."""
import numpy as np

from hopref import features, projections, theory
from hopref.experiments.drawing import Curve, draw_curves, exact, measured
from hopref.experiments.intervals import mean_interval
from hopref.experiments.records import Record, Table, joined, saved_picture, verdict
from hopref.models import attention, performer
from hopref.progress import progress

__all__ = ["mean_squared_errors", "haar", "leak"]

ESTIMATORS = {                  # label: features, draw
    "trigonometric": ("trigonometric", "iid"),
    "positive": ("positive", "iid"),
    "hyperbolic": ("hyperbolic", "iid"),
    "positive, orthogonal": ("positive", "orthogonal"),
    "positive, SMREG": ("positive", "regularized"),
}


def mean_squared_errors(out=None, *, d=8, norm=0.7, counts=(2, 4, 8, 16, 32, 64), m=8,
                        sums=(0.1, 0.4, 0.7, 0.9, 1.1, 1.3), at=0.9, draws=4000, seed=0):
    """Mean squared errors of estimates of exp(x.y), as functions of m and of |x + y|."""
    rng, by_m, by_sum = np.random.default_rng(seed), {}, {}
    x, y = _pair(d, norm, at)
    pairs = {s: _pair(d, norm, s) for s in sums}
    for label, (kind, draw) in progress(ESTIMATORS.items(), label="estimators"):
        for n in counts:
            by_m[label, n] = _error(kind, _rows(draw, n, d, draws, rng), x, y)
        for s in sums:
            by_sum[label, s] = _error(kind, _rows(draw, m, d, draws, rng), *pairs[s])

    def formula(label, n, x, y):
        kind, draw = ESTIMATORS[label]
        return theory.estimator_mse(x, y, m=n, features=kind, draw=draw)

    right = {label: all(by_m[label, n].contains(formula(label, n, x, y)) for n in counts)
             and all(by_sum[label, s].contains(formula(label, m, *pairs[s])) for s in sums)
             for label in ESTIMATORS}
    gain = [by_m["positive, orthogonal", n].value / by_m["positive", n].value for n in counts]
    best_of = {s: min(ESTIMATORS, key=lambda label: by_sum[label, s].value) for s in sums}
    best = {s: by_sum[best_of[s], s] for s in sums}
    fine = np.linspace(sums[0], sums[-1], 50)
    wide = np.geomspace(counts[0], counts[-1], 6).round().astype(int)
    return Record(
        "estimators", "The error of random features",
        "Choromanski et al. 2021, Lemma 2, Theorems 1 and 2 [RF-1 to RF-5]",
        claim="The mean squared errors of trigonometric, positive and hyperbolic estimates of the "
              "softmax kernel have closed forms that fall as 1/m; orthogonal rows lower that of "
              "positive features; rows of one length (SMREG) have a bias and a smaller variance.",
        setting=f"{draws} draws for each number of rows m; x and y of norm {norm:g} in d = {d}; "
                f"|x + y| = {at:g} in the first figure, m = {m} in the second.",
        test="at every m and every |x + y|, the closed form of the estimator lies within four "
             "standard errors of the measured mean squared error",
        outcome=f"{sum(right.values())} of {len(right)} closed forms hold at all "
                f"{len(counts) + len(sums)} settings.  With m = d = {d} orthogonal rows, positive "
                f"features have {gain[counts.index(d)] if d in counts else gain[-1]:.2f} times the "
                "error of independent ones.",
        verdict=verdict(True, right, "the estimator"),
        explanation=(
             f"The smallest error at |x + y| = {sums[0]:g} is {best[sums[0]].value:.1e} "
             f"({best_of[sums[0]]}), at {sums[-1]:g} it is {best[sums[-1]].value:.1e} "
             f"({best_of[sums[-1]]}).",),
        original_pictures="",
        tables=(_errors(f"Mean squared error at |x + y| = {at:g} (± four standard errors)", "m",
                        counts, by_m, lambda label, n: formula(label, n, x, y)),
                _errors(f"Mean squared error with m = {m} (± four standard errors)", "|x + y|",
                        sums, by_sum, lambda label, s: formula(label, m, *pairs[s]))),
        pictures=saved_picture(out, "estimators.png", lambda: draw_curves(
            [curve for k, label in enumerate(ESTIMATORS) for curve in (
                measured(label, counts, [by_m[label, n] for n in counts], k),
                exact(None, wide, [formula(label, int(n), x, y) for n in wide], k))],
            xlabel="number of rows m", ylabel="mean squared error", xscale="log", yscale="log",
            xticks=counts), f"|x + y| = {at:g}, d = {d}.  Points: measured; dashed: closed forms.")
        + saved_picture(out, "estimators-sum.png", lambda: draw_curves(
            [curve for k, label in enumerate(ESTIMATORS) for curve in (
                measured(label, sums, [by_sum[label, s] for s in sums], k),
                exact(None, fine, [formula(label, m, *_pair(d, norm, s)) for s in fine], k))],
            xlabel="|x + y|", ylabel="mean squared error", yscale="log"),
            f"m = {m}, d = {d}.  Points: measured; dashed: closed forms."))


def _pair(d, norm, sum_norm):
    """Two vectors of the same norm, in general position, with the given norm of their sum."""
    axes = np.linalg.qr(np.random.default_rng(1).standard_normal((d, 2)))[0].T
    half, rest = sum_norm / 2, np.sqrt(norm**2 - sum_norm**2 / 4)
    return half * axes[0] + rest * axes[1], half * axes[0] - rest * axes[1]


def _rows(draw, m, d, draws, rng):
    """Rows (draws, m, d); blocks of orthogonal rows are truncated to m."""
    per_draw = m if draw == "iid" else -(-m // d) * d
    rows = getattr(projections, draw)(draws * per_draw, d, rng=rng)
    return rows.reshape(draws, per_draw, d)[:, :m]


def _error(kind, omega, x, y):
    """Interval of the mean squared error of the estimates, one estimate for each draw."""
    return mean_interval((_estimates(kind, omega, x, y) - np.exp(x @ y))**2)


def _estimates(kind, omega, x, y):
    """Estimates phi(x).phi(y) of each draw, from one call for the rows of all draws."""
    draws, m, d = omega.shape
    phi = getattr(features, kind)(np.stack([x, y]), omega.reshape(-1, d))
    return draws * (phi[0] * phi[1]).reshape(-1, draws, m).sum((0, 2))


def _errors(caption, head, xs, found, formula):
    rows = [row for label in ESTIMATORS for row in (
        (label, *(found[label, x].plus_minus(".3g", ".1g") for x in xs)),
        ("closed form", *(f"{formula(label, x):.3g}" for x in xs)))]
    return Table(caption, ("estimator", *(f"{head} = {x:g}" for x in xs)), tuple(rows))


def haar(out=None, *, sizes=(2, 4, 8, 16), draws=3000, seed=0):
    """Orthogonal rows from a QR factor with and without a correction of its signs."""
    rng, ratios = np.random.default_rng(seed), {}
    for d in progress(sizes, label="haar"):
        x = np.full(d, 0.5 / np.sqrt(d))
        for how, draw in {"signs corrected": projections.orthogonal, "uncorrected QR": _uncorrected
                          }.items():
            omega = np.stack([draw(d, d, rng=rng) for _ in range(draws)])
            for word, sign in (("along", 1), ("against", -1)):
                ratios[how, word, d] = mean_interval(
                    _estimates("positive", omega, sign * x, sign * x) / np.exp(x @ x))
    hows = ("signs corrected", "uncorrected QR")
    unbiased = {how: all(i.contains(1.0) for (h, _, _), i in ratios.items() if h == how)
                for how in hows}
    worst = max((i for (h, _, _), i in ratios.items() if h == hows[1]),
                key=lambda i: abs(i.value - 1))
    return Record(
        "haar", "Orthogonal rows from a QR decomposition",
        "Choromanski et al. 2021, Appendix B.2 [RF-4, RF-6]",
        claim="With rows that are orthogonalised by Gram and Schmidt, and lengths drawn "
              "independently, positive features are unbiased.",
        setting=f"{draws} draws of d rows, d = {joined(map(str, sizes))}; x = y of norm 0.5, along "
                "(1, …, 1) and against it.",
        test="the mean estimate over the exact kernel is 1 within four standard errors, for every "
             "d and both directions",
        outcome=f"With corrected signs of R’s diagonal, {_count(ratios, hows[0])} means are 1; "
                f"with LAPACK’s uncorrected QR, {_count(ratios, hows[1])}, and the worst is "
                f"{worst.value:.2f}.",
        verdict=verdict(True, unbiased, "the draw"),
        explanation=(
             "Without correction, the mean lies below 1 along (1, …, 1) for "
             f"{sum(ratios[hows[1], 'along', d].high < 1 for d in sizes)} and above 1 against it "
             f"for {sum(ratios[hows[1], 'against', d].low > 1 for d in sizes)} of {len(sizes)} d: "
             "LAPACK returns an R with signs on its diagonal, and the rows of Q have a negative "
             "mean along that direction.",),
        original_pictures="",
        tables=(Table("Mean estimate over exact kernel (± four standard errors)",
                      ("d", *(f"{how}, {word}" for how in hows for word in ("along", "against"))),
                      tuple((d, *(ratios[how, word, d].plus_minus(".3f")
                                  for how in hows for word in ("along", "against")))
                            for d in sizes)),),
        pictures=saved_picture(out, "haar.png", lambda: draw_curves(
            [measured(f"{how}, {word}", sizes, [ratios[how, word, d] for d in sizes])
             for how in hows for word in ("along", "against")],
            xlabel="dimension d", ylabel="mean estimate / exact kernel", xscale="log",
            xticks=sizes), "Bars: four standard errors."))


def _uncorrected(m, d, *, rng):
    """Rows as published codes draw them, without the correction of signs."""
    factor = np.linalg.qr(rng.standard_normal((d, m)))[0]
    return factor.T * np.sqrt(rng.chisquare(d, size=(m, 1)))


def _count(ratios, how):
    found = [i.contains(1.0) for (h, _, _), i in ratios.items() if h == how]
    return f"{sum(found)} of {len(found)}"


def leak(out=None, *, length=40, d=8, m=256, factors=(1.0, 1.5, 2.0, 3.0, 4.0),
         stabilisers=(0.0, 1e-6, 1e-4, 1e-3), sets=20, seed=0):
    """Change of earlier results of causal attention when the last key is scaled."""
    rng, moved = np.random.default_rng(seed), {(e, f): [] for e in stabilisers for f in factors}
    for _ in progress(range(sets), label="leak"):
        Q, K, V = rng.standard_normal((3, length, d))
        omega = projections.orthogonal(m, d, rng=rng)
        for eps in stabilisers:
            before = _causal(Q, K, V, omega, eps)[:-1]
            for factor in factors:
                after = _causal(Q, np.concatenate([K[:-1], factor * K[-1:]]), V, omega, eps)[:-1]
                moved[eps, factor].append(float(abs(after - before).max()))
    most = {eps: max(moved[eps, factors[-1]]) for eps in stabilisers}
    # A mean of values up to |v| from sums of m n products, each with at most as many roundings.
    rounding = 4 * m * length * np.finfo(float).eps
    return Record(
        "leak", "A stabiliser that breaks causality",
        "Choromanski et al. 2021, eq. (11), Appendix A [AT-3, PF-1]",
        claim="Prefix sums make attention unidirectional: no result depends on later keys.  The "
              "paper’s default for softmax features adds a stabiliser of 10⁻⁶.",
        setting=f"{sets} sets of {length} normal queries, keys and values, d = {d}, {m} orthogonal "
                "rows; the last key is multiplied.  With a stabiliser ε the features are those of "
                "the published codes: the maximum over all keys is subtracted from the exponents, "
                "then ε is added.",
        test=f"multiplying the last key by {factors[-1]:g} changes no earlier result by more than "
             f"rounding ({rounding:.0e})",
        outcome="The last key changes earlier results by up to "
                + joined([f"{most[e]:.1e} (ε = {e:g})" for e in stabilisers]) + ".",
        verdict=verdict(True, {e: most[e] <= rounding for e in stabilisers}, "the stabiliser"),
        explanation=(
             "The maximum cancels between numerator and denominator only without ε.  A last key "
             f"of {factors[1]:g} times its size changes earlier results by up to "
             + joined([f"{max(moved[e, factors[1]]):.1e} (ε = {e:g})" for e in stabilisers])
             + ".",),
        original_pictures="",
        tables=(Table("Largest change of an earlier result: median and maximum over the sets",
                      ("factor of the last key", *(h for e in stabilisers
                                                   for h in (f"median, ε = {e:g}", "maximum"))),
                      tuple((f, *(f"{v:.1e}" for e in stabilisers
                                  for v in (np.median(moved[e, f]), max(moved[e, f]))))
                            for f in factors)),),
        pictures=saved_picture(out, "leak.png", lambda: draw_curves(
            [Curve(f"ε = {e:g}", factors, [max(moved[e, f]) for f in factors])
             for e in stabilisers], xlabel="factor of the last key",
            ylabel="largest change of an earlier result"), f"Maximum over {sets} sets."))


def _causal(Q, K, V, omega, eps):
    """Causal attention by exact features, or by the published features with a stabiliser."""
    if eps == 0:
        return performer.causal_attention(Q, K, V, omega)[0]
    beta = Q.shape[-1]**-0.5
    q = performer.stabilized_features(Q, omega, beta=beta, eps=eps, over="row")
    k = performer.stabilized_features(K, omega, beta=beta, eps=eps, over="all")
    return attention.causal_linear_attention(q, k, V)[0]

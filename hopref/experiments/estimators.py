"""Random features: the spread of their estimates, a biased draw, and a stabiliser that looks ahead.
"""
import numpy as np

from hopref import features, projections, theory
from hopref.experiments.drawing import Curve, draw_curves, exact, measured
from hopref.experiments.intervals import average
from hopref.experiments.records import Record, Table, listed, pictured, verdict
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
    """Estimates of exp(x.y) from many draws, against the number of rows, and against |x + y|."""
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

    right = {label: all(by_m[label, n].holds(formula(label, n, x, y)) for n in counts)
             and all(by_sum[label, s].holds(formula(label, m, *pairs[s])) for s in sums)
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
              "positive features; rows of one length (SMREG) trade a bias for less spread.",
        setting=f"{draws} draws for each number of rows m; x and y of norm {norm:g} in d = {d}; "
                f"|x + y| = {at:g} in the first figure, m = {m} in the second.",
        test="at every m and every |x + y|, the closed form of the estimator lies within four "
             "standard errors of the measured mean squared error",
        outcome=f"{sum(right.values())} of {len(right)} closed forms hold at all "
                f"{len(counts) + len(sums)} settings.  With m = d = {d} orthogonal rows, positive "
                f"features have {gain[counts.index(d)] if d in counts else gain[-1]:.2f} times the "
                "error of independent ones.",
        verdict=verdict(True, right, "the estimator"),
        why=(f"The smallest error at |x + y| = {sums[0]:g} is {best[sums[0]].value:.1e} "
             f"({best_of[sums[0]]}), at {sums[-1]:g} it is {best[sums[-1]].value:.1e} "
             f"({best_of[sums[-1]]}).",),
        originals="",
        tables=(_errors(f"Mean squared error at |x + y| = {at:g} (± four standard errors)", "m",
                        counts, by_m, lambda label, n: formula(label, n, x, y)),
                _errors(f"Mean squared error with m = {m} (± four standard errors)", "|x + y|",
                        sums, by_sum, lambda label, s: formula(label, m, *pairs[s]))),
        pictures=pictured(out, "estimators.png", lambda: draw_curves(
            [curve for k, label in enumerate(ESTIMATORS) for curve in (
                measured(label, counts, [by_m[label, n] for n in counts], k),
                exact(None, wide, [formula(label, int(n), x, y) for n in wide], k))],
            xlabel="number of rows m", ylabel="mean squared error", xscale="log", yscale="log",
            xticks=counts), f"|x + y| = {at:g}, d = {d}.  Points: measured; dashed: closed forms.")
        + pictured(out, "estimators-sum.png", lambda: draw_curves(
            [curve for k, label in enumerate(ESTIMATORS) for curve in (
                measured(label, sums, [by_sum[label, s] for s in sums], k),
                exact(None, fine, [formula(label, m, *_pair(d, norm, s)) for s in fine], k))],
            xlabel="|x + y|", ylabel="mean squared error", yscale="log"),
            f"m = {m}, d = {d}.  Points: measured; dashed: closed forms."))


def _pair(d, norm, sum_norm):
    """Two vectors of the same norm, in general position, whose sum is so long."""
    axes = np.linalg.qr(np.random.default_rng(1).standard_normal((d, 2)))[0].T
    half, rest = sum_norm / 2, np.sqrt(norm**2 - sum_norm**2 / 4)
    return half * axes[0] + rest * axes[1], half * axes[0] - rest * axes[1]


def _rows(draw, m, d, draws, rng):
    """(draws, m, d) rows; blocks of orthogonal rows are cut to m."""
    per_draw = m if draw == "iid" else -(-m // d) * d
    rows = getattr(projections, draw)(draws * per_draw, d, rng=rng)
    return rows.reshape(draws, per_draw, d)[:, :m]


def _error(kind, omega, x, y):
    """The interval of the mean squared error of the estimates, one a draw."""
    return average((_estimates(kind, omega, x, y) - np.exp(x @ y))**2)


def _estimates(kind, omega, x, y):
    """(draws,): phi(x).phi(y) of each draw, by one call for all of their rows."""
    draws, m, d = omega.shape
    phi = getattr(features, kind)(np.stack([x, y]), omega.reshape(-1, d))
    return draws * (phi[0] * phi[1]).reshape(-1, draws, m).sum((0, 2))


def _errors(caption, head, xs, found, formula):
    rows = [row for label in ESTIMATORS for row in (
        (label, *(found[label, x].around(".3g", ".1g") for x in xs)),
        ("closed form", *(f"{formula(label, x):.3g}" for x in xs)))]
    return Table(caption, ("estimator", *(f"{head} = {x:g}" for x in xs)), tuple(rows))


def haar(out=None, *, sizes=(2, 4, 8, 16), draws=3000, seed=0):
    """Orthogonal rows from a QR factor as it comes, and with its signs mended."""
    rng, ratios = np.random.default_rng(seed), {}
    for d in progress(sizes, label="haar"):
        x = np.full(d, 0.5 / np.sqrt(d))
        for how, draw in {"signs mended": projections.orthogonal, "QR as it comes": _as_it_comes
                          }.items():
            omega = np.stack([draw(d, d, rng=rng) for _ in range(draws)])
            for word, sign in (("along", 1), ("against", -1)):
                ratios[how, word, d] = average(_estimates("positive", omega, sign * x, sign * x)
                                               / np.exp(x @ x))
    hows = ("signs mended", "QR as it comes")
    fair = {how: all(i.holds(1.0) for (h, _, _), i in ratios.items() if h == how) for how in hows}
    worst = max((i for (h, _, _), i in ratios.items() if h == hows[1]),
                key=lambda i: abs(i.value - 1))
    return Record(
        "haar", "Orthogonal rows from a QR decomposition",
        "Choromanski et al. 2021, Appendix B.2 [RF-4, RF-6]",
        claim="Rows made orthogonal by Gram and Schmidt, with lengths drawn apart, leave positive "
              "features unbiased.",
        setting=f"{draws} draws of d rows, d = {listed(map(str, sizes))}; x = y of norm 0.5, along "
                "(1, …, 1) and against it.",
        test="the mean estimate over the exact kernel is 1 within four standard errors, for every "
             "d and both directions",
        outcome=f"With the signs of R’s diagonal mended, {_count(ratios, hows[0])} means are 1; "
                f"with LAPACK’s QR as it comes, {_count(ratios, hows[1])}, and the worst is "
                f"{worst.value:.2f}.",
        verdict=verdict(True, fair, "the draw"),
        why=("As it comes, the mean lies below 1 along (1, …, 1) for "
             f"{sum(ratios[hows[1], 'along', d].high < 1 for d in sizes)} and above 1 against it "
             f"for {sum(ratios[hows[1], 'against', d].low > 1 for d in sizes)} of {len(sizes)} d: "
             "LAPACK leaves signs on R’s diagonal, and its rows lean against that direction.",),
        originals="",
        tables=(Table("Mean estimate over exact kernel (± four standard errors)",
                      ("d", *(f"{how}, {word}" for how in hows for word in ("along", "against"))),
                      tuple((d, *(ratios[how, word, d].around(".3f")
                                  for how in hows for word in ("along", "against")))
                            for d in sizes)),),
        pictures=pictured(out, "haar.png", lambda: draw_curves(
            [measured(f"{how}, {word}", sizes, [ratios[how, word, d] for d in sizes])
             for how in hows for word in ("along", "against")],
            xlabel="dimension d", ylabel="mean estimate / exact kernel", xscale="log",
            xticks=sizes), "Bars: four standard errors."))


def _as_it_comes(m, d, *, rng):
    """Rows as published codes draw them: wrong on purpose."""
    factor = np.linalg.qr(rng.standard_normal((d, m)))[0]
    return factor.T * np.sqrt(rng.chisquare(d, size=(m, 1)))


def _count(ratios, how):
    found = [i.holds(1.0) for (h, _, _), i in ratios.items() if h == how]
    return f"{sum(found)} of {len(found)}"


def leak(out=None, *, length=40, d=8, m=256, factors=(1.0, 1.5, 2.0, 3.0, 4.0),
         stabilisers=(0.0, 1e-6, 1e-4, 1e-3), sets=20, seed=0):
    """Causal attention whose last key grows: do earlier answers move?"""
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
    # A mean of values up to |v| from sums of m n products, each off by as many roundings at most.
    rounding = 4 * m * length * np.finfo(float).eps
    return Record(
        "leak", "A stabiliser that sees the future",
        "Choromanski et al. 2021, eq. (11), Appendix A [AT-3, PF-1]",
        claim="Prefix sums make attention unidirectional: no answer depends on later keys.  The "
              "paper’s default for softmax features adds a stabiliser of 10⁻⁶.",
        setting=f"{sets} sets of {length} normal queries, keys and values, d = {d}, {m} orthogonal "
                "rows; the last key is multiplied.  With a stabiliser ε the features are those of "
                "the published codes: the maximum over all keys is taken off the exponents, then ε "
                "is added.",
        test=f"multiplying the last key by {factors[-1]:g} moves no earlier answer by more than "
             f"rounding can ({rounding:.0e})",
        outcome="The last key moves earlier answers by up to "
                + listed([f"{most[e]:.1e} (ε = {e:g})" for e in stabilisers]) + ".",
        verdict=verdict(True, {e: most[e] <= rounding for e in stabilisers}, "the stabiliser"),
        why=("The maximum cancels between numerator and denominator only without ε.  A last key "
             f"of {factors[1]:g} times its size moves earlier answers by up to "
             + listed([f"{max(moved[e, factors[1]]):.1e} (ε = {e:g})" for e in stabilisers])
             + ".",),
        originals="",
        tables=(Table("Largest change of an earlier answer: median and most over the sets",
                      ("last key times", *(h for e in stabilisers
                                           for h in (f"median, ε = {e:g}", "most"))),
                      tuple((f, *(f"{v:.1e}" for e in stabilisers
                                  for v in (np.median(moved[e, f]), max(moved[e, f]))))
                            for f in factors)),),
        pictures=pictured(out, "leak.png", lambda: draw_curves(
            [Curve(f"ε = {e:g}", factors, [max(moved[e, f]) for f in factors])
             for e in stabilisers], xlabel="the last key is multiplied by",
            ylabel="largest change of an earlier answer"), f"The most over {sets} sets."))


def _causal(Q, K, V, omega, eps):
    """Causal attention, by features without a stabiliser or as they are published with one."""
    if eps == 0:
        return performer.causal_attention(Q, K, V, omega)[0]
    beta = Q.shape[-1]**-0.5
    q = performer.stabilized_features(Q, omega, beta=beta, eps=eps, over="row")
    k = performer.stabilized_features(K, omega, beta=beta, eps=eps, over="all")
    return attention.causal_linear_attention(q, k, V)[0]

"""Modern and sparse networks: retrieval of well-separated patterns and its error bounds."""
import numpy as np

from hopref import theory
from hopref.dynamics import retrieve
from hopref.experiments.drawing import Curve, draw_curves, exact, measured
from hopref.experiments.draws import sphere, with_norm
from hopref.experiments.intervals import SIGMAS, exact_proportion, proportion
from hopref.experiments.records import Record, Table, joined, saved_picture, verdict
from hopref.models import modern, sparse
from hopref.progress import progress

__all__ = ["on_the_sphere", "separation", "margin", "random_patterns"]

FAILURES = np.linspace(0.05, 0.95, 40)      # probabilities of a line of capacities


def on_the_sphere(out=None, *, settings=((1.0, 3.0, 20, 0.001), (1.0, 1.0, 75, 0.001),
                                         (1.0, 6.0, 8, 0.05), (1.0, 6.0, 10, 0.05)),
                  sets=1000, counts=(30, 100, 300, 1000, 3000, 10_000, 30_000), asked=200, seed=0):
    """Stored patterns on a sphere, for the number in the theorem and for larger numbers."""
    rng, whole, promised, beyond = np.random.default_rng(seed), {}, {}, {}
    for setting in progress(settings, label="sphere"):
        beta, K, d, p = setting
        radius = K * (d - 1)**0.5
        N = promised[setting] = int(theory.capacity_modern(d, beta=beta, K=K, p=p).patterns)
        lost = sum(not _stored(sphere(rng, N, d, radius), N, beta).all() for _ in range(sets))
        whole[setting] = exact_proportion(lost, sets)
        beyond[setting] = [proportion(_stored(sphere(rng, n, d, radius), asked, beta).sum(),
                                 min(n, asked)) for n in counts]
    holds = {s: whole[s].low <= s[3] for s in settings}
    return Record(
        "sphere", "Patterns on a sphere", "Ramsauer et al. 2021, Theorem 3 [MH-10]",
        claim="With probability 1 − p, N ≥ √p c^((d−1)/4) random patterns on a sphere of radius "
              "K √(d−1) are stored: each has a fixed point of its own within 1/(βNM).",
        setting=f"{sets} sets of ⌊N⌋ patterns; then one set each of {counts[0]} to {counts[-1]} "
                f"patterns, {asked} of which are tested.  A pattern is stored if updates from "
                "it converge within 1/(βNM), and these spheres do not intersect.",
        test="the lower end of the 99 % interval (Clopper and Pearson) of the share of sets with a "
             "pattern that is not stored is not above p",
        outcome="Sets with a pattern that is not stored: "
                + joined([f"{whole[s].value * sets:.0f} of {sets} (N = {promised[s]}, d = {s[2]})"
                          for s in settings]) + ".",
        verdict=verdict(True, holds, "the setting"),
        explanation=(
             "N is a lower bound: "
             + joined([f"{_largest_stored(counts, beyond[s])} (d = {s[2]}, K = {s[1]:g})"
                       for s in settings])
             + " is the largest number tried of which more than half were stored.",),
        original_pictures="",
        tables=(Table("The theorem’s N, sets with a failure, and the share stored of more patterns",
                      ("β", "K", "d", "p", "N", "failures (99 % interval)",
                       *(f"{n} stored" for n in counts)),
                      tuple((*s, promised[s], str(whole[s]), *(i.value for i in beyond[s]))
                            for s in settings)),),
        pictures=saved_picture(out, "sphere.png", lambda: draw_curves(
            [measured(f"d = {s[2]}, K = {s[1]:g}", counts, beyond[s]) for s in settings],
            xlabel="N, stored patterns", ylabel="share of patterns stored", xscale="log",
            marks=[(promised[settings[-1]], f"theorem, d = {settings[-1][2]}")],
            ylim=(-0.03, 1.05)), "Bars: 99 % intervals, as if the patterns of one set were "
            "independent."))


def _stored(X, asked, beta):
    """Whether each of the first patterns has its fixed point in its sphere, which is disjoint."""
    states, radius = X[:asked], float(theory.sphere_radius(X, beta=beta))
    ends = retrieve(modern.update, states, X, beta=beta, max_steps=100, tol=1e-10).states
    closest = np.array([np.partition(np.linalg.norm(x - X, axis=1), 1)[1] for x in states])
    return (np.linalg.norm(ends - states, axis=1) <= radius) & (closest > 2 * radius)


def _largest_stored(counts, shares):
    stored = [n for n, s in zip(counts, shares, strict=True) if s.low > 0.5]
    return f"{stored[-1]}" if stored else "none"


def separation(out=None, *, norms=(2.2, 5.6, 18), sets=20, N=8, d=24, beta=1.0, seed=0):
    """Error of one update from within the sphere around a pattern, compared with its bounds."""
    rng, norms, rows = np.random.default_rng(seed), np.linspace(*norms), []
    for norm in progress(norms, label="separation"):
        for _ in range(sets):
            rows += _one_update(rng, sphere(rng, N, d, norm), beta)
    gaps, errors, bounds, halves, sharp, rounding = np.array(rows).T
    counts = {"the bound": (errors > bounds).sum(), "its second half": (errors > halves).sum(),
              "diam (1 − p)": (errors > sharp + rounding).sum()}
    total = len(rows)
    parts = {k: bool(v == 0) for k, v in counts.items() if k != "diam (1 − p)"}
    edges = np.linspace(gaps.min(), gaps.max(), 13)
    where = np.clip(np.digitize(gaps, edges) - 1, 0, len(edges) - 2)
    bins = [np.flatnonzero(where == b) for b in range(len(edges) - 1)]
    bins = [b for b in bins if len(b)]
    middle = [float(np.median(gaps[b])) for b in bins]
    curves = {"worst error": [float(errors[b].max()) for b in bins],
              "median error": [float(np.median(errors[b])) for b in bins],
              "diam (1 − p), median": [float(np.median(sharp[b])) for b in bins],
              "Theorem 5, median": [float(np.median(bounds[b])) for b in bins],
              "second half, median": [float(np.median(halves[b])) for b in bins]}
    loose = [float(np.median(b / errors)) for b in (bounds, sharp)]
    return Record(
        "separation", "The error of one update", "Ramsauer et al. 2021, Theorem 5 [MH-9]",
        claim="If pattern i is well separated, one update from its sphere ends within "
              "2 (N−1) M exp(−β (Δᵢ − 2 r M)) of it, r the larger distance of state and fixed "
              "point from the pattern; from within 1/(2βM), within 2e (N−1) M exp(−β Δᵢ).",
        setting=f"{sets} sets of {N} patterns on spheres of {len(norms)} radii in d = {d}, β = "
                f"{beta:g}; from each well-separated pattern, a state at a random distance up to "
                f"1/(βNM): {total} updates.",
        test="no error of an update exceeds the bound, nor its second half",
        outcome=f"{counts['the bound']} of {total} errors exceed the bound, "
                f"{counts['its second half']} its second half; the median error is "
                f"{loose[0]:.0f} times smaller than the bound.",
        verdict=verdict(True, parts, "the half"),
        explanation=(
             f"Were the {total} updates independent, the chance of a violation would lie below "
             f"{exact_proportion(counts['the bound'], total).high:.2g} (99 % interval, Clopper and "
             "Pearson).",
             f"The sharper bound diam (1 − p), p the weight of the pattern, is exceeded "
             f"{counts['diam (1 − p)']} times and only {loose[1]:.1f} times the error (median); it "
             "needs no separation."),
        original_pictures="",
        tables=(Table("Distance from the pattern after one update, by separation β Δ",
                      ("β Δ", "updates", *curves),
                      tuple((m, len(b), *(f"{c[k]:.2e}" for c in curves.values()))
                            for k, (m, b) in enumerate(zip(middle, bins, strict=True)))),),
        pictures=saved_picture(out, "separation.png", lambda: draw_curves(
            [Curve(label, middle, values, exact=k > 1, colour=(1, 0, 2, 3, 4)[k])
             for k, (label, values) in enumerate(curves.items())],
            xlabel="separation β Δᵢ", ylabel="distance from the pattern", yscale="log"),
            "Solid: measured.  Dashed: bounds."))


def _one_update(rng, X, beta):
    """(beta Delta, error, bound, second half, sharper bound, its rounding) for each pattern."""
    N, gaps = len(X), theory.separation(X)
    sure = gaps >= float(theory.required_separation(X, beta=beta))
    away = rng.random(N) * float(theory.sphere_radius(X, beta=beta))
    states = X + away[:, None] * sphere(rng, *X.shape)
    ends = retrieve(modern.update, X, X, beta=beta, tol=1e-15).states
    table = np.stack([
        beta * gaps,
        np.linalg.norm(modern.update(states, X, beta=beta) - X, axis=1),
        theory.separation_error_bound(states, ends, X, beta=beta),
        theory.near_error_bound(X, beta=beta),
        theory.retrieval_error_bound(states, X, beta=beta),
        np.full(N, 8 * N * np.finfo(float).eps * np.linalg.norm(X, axis=1).max())], axis=1)
    return list(table[sure])


def margin(out=None, *, alphas=(1.0, 1.5, 2.0), sets=150, N=32, d=32, beta=1.0,
           norms=(1.0, 1.5, 2.0, 3.0, 4.0, 5.0), seed=0):
    """Exact retrieval in one step by sparse maps, for patterns of sufficient separation."""
    rng, slack, whole = np.random.default_rng(seed), {}, {}
    problems = [_cues(rng, sphere(rng, N, d, norm)) for norm in norms
                for _ in range(sets // 6 or 1)]
    for alpha in progress(alphas, label="margin"):
        m = theory.margin("entmax", alpha=alpha) if alpha > 1 else 1.0
        ratios = [theory.separation(X) / theory.exact_retrieval_separation(
            cues, X, beta=beta, margin=m) for X, cues in problems]
        equal = [(sparse.update(cues, X, beta=beta, alpha=alpha) == X).all(axis=1)
                 for X, cues in problems]
        slack[alpha], whole[alpha] = np.concatenate(ratios), np.concatenate(equal)
    entmaxes = [alpha for alpha in alphas if alpha > 1]
    enough = {alpha: slack[alpha] >= 1 for alpha in entmaxes}
    failures = {alpha: int((enough[alpha] & ~whole[alpha]).sum()) for alpha in entmaxes}
    edges = np.linspace(0.0, 2.0, 11)
    curves = {alpha: _by_bin(slack[alpha], whole[alpha], edges) for alpha in alphas}
    asked = {alpha: int(enough[alpha].sum()) for alpha in entmaxes}
    return Record(
        "margin", "Exact retrieval in one step", "Santos et al. 2024 [FY-5]",
        claim="α-entmax has the margin m = 1/(α−1): if Δᵢ ≥ m/β + 2 M |ξ − xᵢ|, one update "
              "returns xᵢ exactly.  Softmax (α = 1) never does.",
        setting=f"{len(problems)} sets of {N} patterns on spheres of radius {norms[0]:g} to "
                f"{norms[-1]:g} in d = {d}, β = {beta:g}, one cue a pattern at a random distance; "
                "equality to the last bit.",
        test="for every α > 1, no cue that meets the condition fails; for α = 1, no pattern is "
             "retrieved exactly",
        outcome=joined([f"{failures[a]} of {asked[a]} cues that meet the condition fail at α = "
                        f"{a:g}" for a in entmaxes])
        + f"; softmax is exact for {int(whole[1.0].sum()) if 1.0 in whole else 0} of "
          f"{len(whole[alphas[0]])}.",
        verdict=verdict(True, {**{a: failures[a] == 0 and asked[a] > 0 for a in entmaxes},
                               **{a: not whole[a].any() for a in alphas if a == 1}}, "α"),
        explanation=(
             "The condition is sufficient, not necessary: "
             + joined([f"{(whole[a] & ~enough[a]).sum()} (α = {a:g})" for a in entmaxes])
             + " patterns are retrieved exactly from cues that do not meet it.",
             *(f"α = {a:g}: were the cues independent, the chance of a failure when it is met "
               f"would lie below {exact_proportion(failures[a], asked[a]).high:.2g} (99 % "
               "interval, Clopper and Pearson)." for a in entmaxes if asked[a])),
        original_pictures="",
        tables=(Table("Share of patterns retrieved exactly (99 % interval, Wilson), by separation "
                      "over the required separation",
                      ("Δ / required", *(f"α = {a:g}" for a in alphas)),
                      tuple((f"{low:.1f} to {high:.1f}", *(
                          str(curves[a][k]) if curves[a][k] else "no cue" for a in alphas))
                          for k, (low, high) in enumerate(zip(edges, edges[1:], strict=False)))),),
        pictures=saved_picture(out, "margin.png", lambda: draw_curves(
            [measured(f"α = {a:g}" + " (softmax)" * (a == 1),
                      [(edges[k] + edges[k + 1]) / 2 for k, i in enumerate(curves[a]) if i],
                      [i for i in curves[a] if i]) for a in alphas],
            xlabel="Δᵢ / (m/β + 2 M |ξ − xᵢ|)", ylabel="share of patterns retrieved exactly",
            marks=((1.0, "sufficient above"),), ylim=(-0.03, 1.03)),
            "m = 1 for softmax, which has no margin.  Bars: 99 % intervals, as if the cues of one "
            "set were independent."))


def _cues(rng, X):
    away = rng.random(len(X)) * np.linalg.norm(X[0]) * 0.6
    return X, X + away[:, None] * sphere(rng, len(X), X.shape[1])


def _by_bin(x, hits, edges):
    inside = [(x >= low) & (x < high) for low, high in zip(edges, edges[1:], strict=False)]
    return [proportion(hits[i].sum(), i.sum()) if i.any() else None for i in inside]


def random_patterns(out=None, *, settings=((1.5, 10), (2.0, 6), (2.0, 8), (3.0, 6)),
                    overlaps=(1.0, 0.95), failures=(0.1, 0.3, 0.5, 0.7, 0.9), networks=150,
                    p=0.1, seed=0):
    """Share of random patterns that sparse maps retrieve exactly, beside its exact value."""
    rng, won, count, sure, lost, few = np.random.default_rng(seed), {}, {}, {}, {}, {}
    keys = [(alpha, d, q) for alpha, d in settings for q in overlaps]
    for alpha, d, q in progress(keys, label="sparse"):
        options = {"margin": theory.margin("entmax", alpha=alpha), "overlap": q}
        for share in failures:
            N = theory.capacity_with_margin(d, p=share, **options)
            n = count[alpha, d, q, share] = max(2, round(N))
            sure[alpha, d, q, share] = float((1 - share) ** ((n - 1) / (N - 1)))
            hits = sum(_exact(rng, n, d, q, alpha, 1).all() for _ in range(networks))
            won[alpha, d, q, share] = proportion(hits, networks)
        n = few[alpha, d, q] = int(theory.capacity_with_margin(d, p=p, patterns="all", **options))
        lost[alpha, d, q] = exact_proportion(
            sum(not _exact(rng, n, d, q, alpha, n).all() for _ in range(networks)), networks)
    alphas = sorted({alpha for alpha, *_ in keys})
    away = {alpha: _standard_errors([(won[k].value, sure[k]) for k in won if k[0] == alpha],
                                    networks) for alpha in alphas}
    inside, middle = sum(won[k].contains(sure[k]) for k in won), failures[len(failures) // 2]
    return Record(
        "sparse", "Random patterns that sparse maps retrieve exactly",
        "Santos et al. 2024, and the area of a cap [FY-9]",
        claim="A random one of N patterns on a sphere is retrieved exactly, in one step, with "
              "probability (1 − P)^(N−1), where P is the share of the sphere about the cue in "
              "which a second pattern takes weight; all N are, with probability 1 − p at least, "
              "if their pairs times P are p.",
        setting=f"Entmax at β = 1, patterns of norm √(d−1), {networks} networks for each N, one "
                "cue each: the pattern, or a state of the same norm with the cosine "
                + joined([f"{q:g}" for q in overlaps if q < 1]) + "; equality to the last bit.",
        test=f"for every α, the number of retrieved patterns over all N, d and cues lies within "
             f"{SIGMAS:g} standard errors of the sum of the probabilities, and for every size and "
             f"cue, at the N for all patterns and p = {p:g}, the lower end of the 99 % interval "
             "(Clopper and Pearson) of the share of networks with a failure is not above p",
        outcome=f"{inside} of {len(won)} probabilities lie in the 99 % intervals; the sums are "
                + joined([f"{away[a]:+.1f} (α = {a:g})" for a in alphas])
                + " standard errors away.",
        verdict=verdict(True, {alpha: abs(away[alpha]) <= SIGMAS and all(
            lost[k].low <= p for k in keys if k[0] == alpha) for alpha in alphas}, "α"),
        explanation=(
             f"A pattern is retrieved with probability {1 - middle:g} for N = "
             + joined([f"{count[a, d, overlaps[0], middle]} (α = {a:g}, d = {d})"
                       for a, d in settings]) + ", and from the most damaged cues for "
             + joined([f"{count[a, d, overlaps[-1], middle]}" for a, d in settings]) + ".",),
        original_pictures="",
        tables=(Table("Patterns retrieved exactly (99 % interval, Wilson) and their probability",
                      ("α", "d", "cosine of the cue", "N", "retrieved", "probability"),
                      tuple((*k[:3], count[k], str(won[k]), sure[k]) for k in won)),
                Table(f"The N at which all are retrieved with probability {1 - p:g} at least, and "
                      "networks with a failure (99 % interval, Clopper and Pearson)",
                      ("α", "d", "cosine of the cue", "N", "networks with a failure"),
                      tuple((*k, few[k], str(lost[k])) for k in keys))),
        pictures=saved_picture(out, "sparse.png", lambda: draw_curves(
            [curve for i, k in enumerate(keys) if k[2] == overlaps[0] for curve in (
                measured(f"α = {k[0]:g}, d = {k[1]}", [count[*k, s] for s in failures],
                         [won[*k, s] for s in failures], i // len(overlaps)),
                exact("", _capacities(*k), 1 - FAILURES, i // len(overlaps)))],
            xlabel="N, stored patterns", ylabel="share retrieved exactly", xscale="log",
            ylim=(-0.03, 1.03)), "Dashed: the exact probability.  Bars: 99 % intervals."))


def _capacities(alpha, d, overlap):
    margin = theory.margin("entmax", alpha=alpha)
    return [theory.capacity_with_margin(d, margin=margin, overlap=overlap, p=float(p))
            for p in FAILURES]


def _exact(rng, N, d, overlap, alpha, asked):
    """Whether the first of N random patterns are retrieved exactly, each from a cue of its own."""
    X = sphere(rng, N, d, (d - 1)**0.5)
    noise = rng.standard_normal((asked, d))
    noise -= (noise * X[:asked]).sum(axis=1, keepdims=True) * X[:asked] / (d - 1)
    cues = overlap * X[:asked] + with_norm(noise, ((d - 1) * (1 - overlap**2))**0.5)
    return (sparse.update(cues, X, alpha=alpha) == X[:asked]).all(axis=1)


def _standard_errors(pairs, trials):
    """Distance of the sum of measured shares from the sum of probabilities."""
    found, sure = np.array(pairs).T
    return float((found - sure).sum() / np.sqrt((sure * (1 - sure)).sum() / trials))

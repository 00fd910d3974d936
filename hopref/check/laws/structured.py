"""Laws of retrieval over a support (Hu et al. 2025)."""
import numpy as np

from hopref.check.laws import equal, law


@law("structured.update", "structured.weights", id="NP-3",
     kills=("hidden scores filled with 0", "softmax over all, then cut to the support",
            "support ignored"))
def out_of_sight_is_as_if_never_stored(f, xi, X, support=True, **options):
    """Hiding the last pattern is leaving it out."""
    n = X.shape[0]
    if n < 2 or "delta" in options or options.get("renormalise") is False:
        return
    seen = support & (np.arange(n) < n - 1) & np.ones((*xi.shape[:-1], 1), bool)
    hidden, left_out = f(xi, X, seen, **options), f(xi, X[:-1], seen[..., :-1], **options)
    yield equal(hidden[..., :left_out.shape[-1]], left_out)


@law("structured.top_k_update", id="NP-3", kills=("hidden scores filled with 0", "k ignored"))
def alone_the_best_pattern_answers_at_every_temperature(f, xi, X, *, k, beta=1.0):
    """At k = 1 the answer is a pattern, whatever beta."""
    yield equal(f(xi, X, k=1, beta=beta), f(xi, X, k=1, beta=2 * beta))


@law("structured.listed_update", id="NP-3", kills=("a repeated pair counts twice",))
def a_pair_listed_again_changes_nothing(f, xi, X, rows, columns, **options):
    """The list of pairs is a set."""
    again = [np.concatenate([a, a[:1]]) for a in (rows, columns)]
    yield equal(f(xi, X, *again, **options), f(xi, X, rows, columns, **options))


@law("structured.listed_update", id="NP-3", kills=("rows taken for sorted",))
def pairs_come_in_any_order(f, xi, X, rows, columns, **options):
    """Reversing the list of pairs changes nothing."""
    backwards = f(xi, X, rows[::-1].copy(), columns[::-1].copy(), **options)
    yield equal(backwards, f(xi, X, rows, columns, **options))


@law("structured.energy", id="NP-3", kills=("energy of all patterns",))
def a_lone_pattern_in_sight_has_the_energy_of_a_spring(f, xi, X, support=True, *, beta=1.0):
    """E(xi; {x}) = |xi - x|^2 / 2."""
    only = np.broadcast_to(np.arange(X.shape[0]) == 0, (*xi.shape[:-1], X.shape[0])).copy()
    away = xi - X[0]
    yield equal(f(xi, X, only, beta=beta), np.sum(away * away, axis=-1) / 2)

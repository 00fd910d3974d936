"""Laws of the error bound of sparse retrieval by the size of the support."""
import numpy as np

from hopref import maps
from hopref.check.cases.adversaries import norms
from hopref.check.cases.draws import arrays, composed, integers, sampled
from hopref.check.laws import at_most, equal, law, toleranced


@composed
def stored(draw):
    """Patterns and a state near each of them; sometimes the pattern itself."""
    n, d = draw(integers(1, 5)), draw(integers(1, 4))
    X = draw(arrays(n, d))
    xi = X + draw(arrays(n, d)) / draw(sampled([1.0, 4.0, 32.0]))
    return {"xi": xi, "X": X, "beta": draw(sampled([2.0**-6, 0.25, 1.0, 4.0, 64.0]))}


@law("theory.support_size_bound", id="FY-7", over=stored(),
     kills=("the first M dropped", "sqrt(d) dropped", "all patterns in the support"))
def the_bound_by_the_support_is_satisfied_by_every_mean_of_patterns(f, xi, X, beta):
    """M (1 + sqrt(d) (1 + beta |S| (z_max - z_min))), at least 2 M, and no smaller than the error.

    Scores of eighths are exact, so that the support is; two roots, two sums and three products
    round the bound at most eight times.
    """
    scores = xi @ X.T
    p = maps.sparsemax(scores, beta=beta)
    least = np.min(np.where(p > 0, scores, np.inf), axis=-1)
    M, root = np.max(norms(X)), np.sqrt(float(X.shape[1]))
    size = np.sum(p > 0, axis=-1) * (np.max(scores, axis=-1) - least)
    bound = f(xi, X, beta=beta)
    bound = toleranced(bound, 8 * 2.0**-53 * np.abs(bound))
    yield equal(bound, M * (1 + root * (1 + beta * size)), "formula")
    yield at_most(2 * M, bound, "at least 2 M")
    yield at_most(norms(p @ X - X) * (1 - 2.0**-44), bound, "the error")

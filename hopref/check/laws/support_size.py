"""Laws of the error bound of sparse retrieval by the size of the support."""
import numpy as np

from hopref import maps
from hopref.check.cases.adversaries import norms
from hopref.check.cases.draws import arrays, composed, integers, sampled
from hopref.check.laws import at_most, equal, law


@composed
def stored(draw):
    """Patterns and a state near each of them; now and then the pattern itself."""
    n, d = draw(integers(1, 5)), draw(integers(1, 4))
    X = draw(arrays(n, d))
    xi = X + draw(arrays(n, d)) / draw(sampled([1.0, 4.0, 32.0]))
    return {"xi": xi, "X": X, "beta": draw(sampled([2.0**-6, 0.25, 1.0, 4.0, 64.0]))}


@law("theory.support_size_bound", id="FY-7", over=stored(),
     kills=("the first M dropped", "sqrt(d) dropped", "all patterns in the support"))
def the_bound_by_the_support_is_satisfied_by_every_mean_of_patterns(f, xi, X, beta):
    """(1 + sqrt(d)) M where one pattern has all the weight, and growing with the support; scores of
    eighths are exact, so that the support is."""
    scores, patterns = (xi @ X.T).value.astype(float), X.value.astype(float)
    p = maps.sparsemax(scores, beta=beta)
    least = np.min(np.where(p > 0, scores, np.inf), axis=-1)
    M, root = np.max(norms(X)), np.sqrt(float(X.shape[1]))
    size = np.sum(p > 0, axis=-1) * (np.max(scores, axis=-1) - least)
    bound = f(xi, X, beta=beta)
    yield equal(bound, M * (1 + root * (1 + beta * size)), "formula")
    yield at_most(2 * M, bound, "at least 2 M")
    yield at_most(norms(p @ patterns - patterns) * (1 - 2.0**-44), bound, "the error")

"""Laws of sparse separation maps, and of retrieval by them (Santos et al. 2024)."""
import numpy as np

from hopref.check.laws import at_most, equal, law

CLEAR = 0.05        # an entry far enough from 0 for its slope to be known
FAR = 2.0           # margins: more than rounding takes from a lead


def margin(f, beta, alpha):
    """The lead that makes a vertex; none of alpha = 1."""
    alpha = 2.0 if f.op.name == "maps.sparsemax" else alpha
    return 1 / ((alpha - 1) * beta) if alpha > 1 else None


@law("maps.sparsemax", "maps.entmax", "maps.normmax", "sparse.weights", id="FY-1",
     kills=("bisection stopped early and not normalised", "beta outside the map"))
def what_a_map_gives_away_is_one(f, *arrays, where=True, **options):
    """sum_i p_i = 1, and p_i >= 0, where all is seen."""
    if where is True:
        p = f(*arrays, **options)
        yield equal(np.sum(p, axis=-1), 1.0)
        yield at_most(0.0, p)


@law("maps.sparsemax", "maps.entmax", id="FY-1",
     kills=("a sparse mode that runs softmax", "alpha ignored",
            "scores not multiplied by alpha - 1", "beta outside the map"))
def scores_are_the_slopes_of_the_regulariser(f, z, *, beta=1.0, alpha=1.5, where=True, **options):
    """p_i^(alpha-1) - p_j^(alpha-1) = (alpha - 1) beta (z_i - z_j) for entries above 0."""
    if where is not True or margin(f, beta, alpha) is None:
        return
    given = {} if f.op.name == "maps.sparsemax" else {"alpha": alpha}
    a = given.get("alpha", 2.0) - 1
    p = f(z, beta=beta, **given, **options)
    clear, top = p.value > CLEAR, np.argmax(p.value, axis=-1)[..., None]
    if p.value.size:
        level = a * beta * z - np.where(clear, p, 1.0) ** a
        highest = np.take_along_axis(level, top, axis=-1)
        yield equal(np.where(clear, level, highest), highest)


@law("maps.sparsemax", "maps.entmax", id="FY-5", kills=("a sparse mode that runs softmax",))
def a_lead_of_the_margin_takes_everything(f, z, *, beta=1.0, alpha=1.5, where=True, **options):
    """The largest score gets 1, all others exactly 0, from a lead of 1/((alpha - 1) beta) on."""
    m = margin(f, beta, alpha)
    if where is True and m is not None and z.value.size:
        given = {} if f.op.name == "maps.sparsemax" else {"alpha": alpha}
        top = np.argmax(z.value, axis=-1)[..., None] == np.arange(z.shape[-1])
        yield equal(f(z + FAR * m * top, beta=beta, **given, **options), 1.0 * top)


@law("sparse.update", id="FY-5", kills=("a sparse mode that runs softmax", "beta outside the map"))
def a_pattern_with_a_margin_is_retrieved_exactly(f, xi, X, *, beta=1.0, alpha=1.5):
    """f(t x) = x for the longest pattern x, from t x . x - max t x . x_j >= m / beta on."""
    m, i = margin(f, beta, alpha), int(np.argmax(np.sum(X.value * X.value, axis=-1)))
    z = np.delete(X.value @ X.value[i], i)
    lead = X.value[i] @ X.value[i] - np.max(z, initial=-np.inf)
    if m is not None and z.size and lead > 0.01 * (X.value[i] @ X.value[i]):
        x = X[i]
        yield equal(f(FAR * m / float(lead) * x + 0 * xi, X, beta=beta, alpha=alpha), x + 0 * xi)


@law("maps.k_subsets", "sparse.k_subsets_weights", id="FY-1", kills=("k times the map of one",))
def no_entry_is_chosen_more_than_once(f, *arrays, k, where=True, **options):
    """0 <= mu_i <= 1."""
    mu = f(*arrays, k=k, where=where, **options) if where is not True else \
        f(*arrays, k=k, **options)
    yield at_most(mu, 1.0)
    yield at_most(0.0, mu)


@law("maps.top_k", id="NP-3", kills=("0 for the scores left out",))
def what_is_not_among_the_k_largest_gets_nothing(f, z, *, k, where=True, **options):
    """p_i = 0 where k scores are larger."""
    if where is True and z.value.size:
        p = f(z, k=k, **options)
        less = z.value < np.sort(z.value, axis=-1)[..., [-k]]
        yield equal(np.where(less, p, 0.0), 0.0)

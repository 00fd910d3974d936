"""Laws of the learning rules."""
import numpy as np

from hopref.check.cases.draws import arrays, composed, integers, polar, records, sampled, small
from hopref.check.cases.networks import cued, stores
from hopref.check.laws import equal, law
from hopref.models import classical
from hopref.storage import hebbian, projection, willshaw_pairs

bits = sampled([0.0, 1.0])


def outer(y, x):
    """sum_mu y_mu x_mu^T, one pattern after another."""
    return sum(y[i][:, None] * x[i] for i in range(len(x)))


def hollow(W):
    return np.where(np.eye(W.shape[0], dtype=bool), 0.0, W)


# -- Hebb -----------------------------------------------------------------------------------------

@law("storage.hebbian", id="CB-1", over=stores(),
     kills=("weights with the wrong sign", "divided by the number of patterns",
            "the patterns scaled, so that the scale is squared", "zero_diagonal ignored",
            "the number of patterns taken off the diagonal"))
def weights_are_the_sum_of_outer_products(f, xi, X, b):
    """W = s sum_mu x_mu x_mu^T, and the same with a diagonal of 0."""
    W = 0.25 * outer(X, X)
    yield equal(f(X, scale=0.25), W)
    yield equal(f(X, scale=0.25, zero_diagonal=True), hollow(W), "zero diagonal")


@law("storage.hebbian", id="CB-1", over=stores(),
     kills=("divided by the number of patterns", "the mean pattern subtracted"))
def patterns_add_up_in_any_order_and_with_any_sign(f, xi, X, b):
    """W(P X) = W(X) = W(S X) for permutations P and signs S, and W(X, x) = W(X) + W(x)."""
    W, signs = f(X), np.where(np.arange(len(X)) % 2, 1.0, -1.0)[:, None]
    yield equal(f(X[::-1]), W, "order")
    yield equal(f(signs * X), W, "signs")
    yield equal(f(np.concatenate([X, X[:1]])), W + f(X[:1]), "sum")


@law("storage.hebbian", id="CB-7", over=stores(), kills=("weights with the wrong sign",))
def with_its_diagonal_the_matrix_is_semidefinite(f, xi, X, b):
    """W = W^T, and xi.W xi = |X xi|^2."""
    W, overlap = f(X), X @ xi
    yield equal(W, W.T, "symmetric")
    yield equal(np.sum((W @ xi) * xi), np.sum(overlap * overlap))


# -- pairs ----------------------------------------------------------------------------------------

@law("storage.bam", id="CB-14", over=records(X=arrays(3, 4, elements=small),
                                             Y=arrays(3, 4, elements=small)),
     kills=("patterns and answers exchanged", "divided by the number of patterns"))
def pairs_are_stored_as_outer_products_of_answer_and_cue(f, X, Y):
    """Eq. (18), W = sum_mu y_mu x_mu^T; a pattern paired with itself is stored by Hebb's rule."""
    yield equal(f(X, Y), outer(Y, X))
    yield equal(f(X, X), f.exact(hebbian, X), "Hebb")


# -- covariance -----------------------------------------------------------------------------------

@law("storage.covariance", id="CB-12", over=records(X=arrays(4, 2, elements=small)),
     kills=("each site about its own mean", "nothing subtracted", "zero_diagonal ignored",
            "divided by the number of patterns"))
def the_covariance_is_taken_about_the_activity_of_all(f, X):
    """W = sum_mu (x_mu - p)(x_mu - p)^T with p the mean of all entries."""
    p = np.sum(X) / X.size
    W = outer(X - p, X - p)
    yield equal(f(X), W)
    yield equal(f(X, zero_diagonal=True), hollow(W), "zero diagonal")


@law("storage.covariance", id="CB-12", over=stores(elements=bits),
     kills=("activity ignored", "nothing subtracted"))
def about_one_half_the_covariance_is_hebb_of_polar_patterns(f, xi, X, b):
    """W(X; p = 1/2) = hebbian(2 X - 1) / 4."""
    yield equal(4 * f(X, activity=0.5), f.exact(hebbian, 2 * X - 1))


# -- projection -----------------------------------------------------------------------------------

@law("storage.projection", id="CB-10", over=stores(max_n=5, max_d=4),
     kills=("inverse of the Gram matrix missing", "dependent patterns counted twice",
            "diagonal set to 0", "the mean pattern subtracted"))
def the_weights_project_onto_the_span_of_the_patterns(f, xi, X, b):
    """W = W^T = W^2, W x = x for every pattern, and the trace of W is the rank of X."""
    W = f(X)
    yield equal(W, W.T, "symmetric")
    yield equal(W @ W, W, "idempotent")
    yield equal(W @ X.T, X.T, "patterns")
    yield equal(np.sum(np.diagonal(W)), np.linalg.matrix_rank(X.value.astype(float)), "rank")


@law("storage.projection", id="CB-10", over=stores(max_n=3, max_d=4),
     kills=("squares of the patterns overflow",))
def the_unit_of_the_patterns_is_irrelevant(f, xi, X, b):
    """W(c X) = W(X) for a power of two c, though c^2 may be no floating-point number."""
    W = f(X)
    for unit in (2.0**600, 2.0**-600):
        yield equal(f(unit * X), W, f"{unit:.0e}")


@law("storage.projection", id="CB-10", over=stores(max_n=3, max_d=6, elements=polar),
     kills=("inverse of the Gram matrix missing",))
def every_projected_pattern_is_a_fixed_point_with_or_without_the_diagonal(f, xi, X, b):
    """sgn(W x) = x, and sgn((W - diag W) x) = x where w_ii < 1, for it is (1 - w_ii) x."""
    W = f(X)
    yield equal(f.exact(classical.update, X, W), X, "with the diagonal")
    new, own = f.exact(classical.update, X, hollow(W)), np.diagonal(W)
    fixed = 1 - own.value > own.radius
    yield equal(np.where(fixed, new, X), X, "without it")


@composed
def in_order(draw):
    """Integer patterns that follow each other, of different sizes, and what the last is mapped to.
    """
    n, d = draw(integers(1, 4)), draw(integers(1, 5))
    X = draw(arrays(n, d, elements=draw(sampled([polar, small]))))
    return {"X": 2.0 ** draw(arrays(n, 1, elements=small)) * X,
            "sequence": draw(sampled(["open", "loop"]))}


@law("storage.projection", id="SQ-3", over=in_order(),
     kills=("inverse of the Gram matrix missing", "the sequence runs backwards",
            "patterns followed by themselves", "the last pattern always followed by the first",
            "followers in units of their own", "diagonal set to 0"))
def the_weights_map_each_pattern_to_the_next_one(f, X, sequence):
    """W x_mu = x_(mu+1) for the patterns that are not in the span of earlier ones, the last one to
    the first or to 0; and W = W P for the projection P onto the span of all."""
    W, x = f(X, sequence=sequence), X.value.astype(float)
    Y = np.concatenate([x[1:], x[:1] if sequence == "loop" else 0 * x[:1]])
    ranks = [0, *(np.linalg.matrix_rank(x[:i + 1]) for i in range(len(x)))]
    new = np.diff(ranks) > 0
    yield equal(W @ X[new].T, Y[new].T, "followers")
    yield equal(W @ f.exact(projection, X), W, "orthogonal")


# -- Storkey --------------------------------------------------------------------------------------

@composed
def dyadic(draw):
    """Polar patterns of a length that is a power of two, so that every weight is exact."""
    return {"X": draw(arrays(draw(integers(1, 3)), draw(sampled([2, 4])), elements=polar))}


@law("storage.storkey", id="CB-11", over=dyadic(),
     kills=("own terms kept in the local fields",
            "not divided by d", "local fields missing", "last pattern first"))
def weights_follow_storkeys_double_loop(f, X):
    """w_ij += (x_i x_j - x_i h_ji - h_ij x_j) / d, h_ij = sum_{k != i,j} w_ik x_k, w_ii = 0."""
    d = X.shape[1]
    W, others = np.zeros((d, d)), 1.0 - np.eye(d)
    for x in X.value:
        left = others[:, None, :] * others[None, :, :]          # k is neither i nor j
        h = np.sum(W[:, None, :] * left * x, axis=-1)
        W = others * (W + (np.outer(x, x) - x[:, None] * h.T - h * x) / d)
    yield equal(f(X), W)


# -- Willshaw -------------------------------------------------------------------------------------

@law("storage.willshaw_pairs", "storage.willshaw", id="CB-13", over=cued(),
     kills=("weights not clipped", "AND over the patterns", "OR of cue and answer"))
def clipped_weights_are_an_or_of_ands(f, X, Y):
    """w_ij = 1 where a pair has y_i = x_j = 1."""
    want = np.max(Y.value[:, :, None] * X.value[:, None, :], axis=0)
    yield equal(f.storage.willshaw_pairs(X, Y), want, "pairs")
    yield equal(f.storage.willshaw(X), f.exact(willshaw_pairs, X, X), "patterns with themselves")


@law("storage.willshaw", id="CB-13", over=cued(),
     kills=("weights not clipped", "AND over the patterns"))
def clipped_memories_merge_by_the_larger_weight_and_repeating_adds_nothing(f, X, Y):
    """W(X, X') = max(W(X), W(X')), and W(X, X) = W(X)."""
    yield equal(f(X), np.maximum(f(X[:2]), f(X[2:])), "merged")
    yield equal(f(np.concatenate([X, X])), f(X), "repeated")

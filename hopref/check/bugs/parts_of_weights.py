"""Bugs of parts that are sums over patterns."""
import numpy as np

from hopref.check.bugs import bug
from hopref.parts import clipped, covariance, gram, sums

__all__ = []

# -- sums of outer products -----------------------------------------------------------------------

@bug("weights averaged", "parts.sums.merge")
def sums_averaged(a, b, /):
    return sums.State((a.W + b.W) / 2)


@bug("the later part alone", "parts.sums.merge")
def sum_of_the_last(a, b, /):
    return b


@bug("A and B exchanged", "parts.sums.from_chunk")
def pairs_the_wrong_way_round(A, B, /):
    return sums.from_chunk(B, A) if A.shape[1] == B.shape[1] else sums.from_chunk(A, B)


@bug("nothing as the identity", "parts.sums.empty")
def nothing_is_the_identity_matrix(A, B, /):
    return sums.State(np.eye(A.shape[1], B.shape[1]))


@bug("scatters added", "parts.covariance.merge")
def scatters_added(a, b, /):
    return covariance.merge(a, b)._replace(scatter=a.scatter + b.scatter)


@bug("means averaged", "parts.covariance.merge")
def means_averaged(a, b, /):
    return covariance.merge(a, b)._replace(mean=(a.mean + b.mean) / 2)


@bug("n_1 n_2 without 1/(n_1 + n_2)", "parts.covariance.merge")
def scatter_without_its_share(a, b, /):
    apart = b.mean - a.mean
    between = a.count * b.count * np.outer(apart, apart)
    return covariance.merge(a, b)._replace(scatter=a.scatter + b.scatter + between)


@bug("nothing as a pattern of zeros", "parts.covariance.empty")
def nothing_is_a_pattern_of_zeros(X, /):
    return covariance.from_chunk(0 * X[:1])


@bug("the later part alone", "parts.gram.merge")
def gram_of_the_last(a, b, /):
    return b


@bug("the outer product of the sum", "parts.gram.from_chunk")
def gram_of_the_sums(X, /):
    return gram.from_chunk(X.sum(0, keepdims=True))._replace(count=len(X))


@bug("a ridge in place of the rank", "parts.gram.value")
def a_ridge_for_the_rank(state, /):
    G = state.root.T @ state.root
    return G @ np.linalg.inv(G + 1e-9 * np.eye(len(G)))


@bug("Gram matrices in place of their roots", "parts.gram.merge")
def gram_itself_kept(a, b, /):
    R = np.concatenate([a.root, b.root])
    return gram.State(R.T @ R, a.count + b.count)


@bug("Hebb's rule", "parts.gram.value")
def gram_is_the_weight(state, /):
    return state.root.T @ state.root / max(state.count, 1)


@bug("nothing as a pattern of ones", "parts.gram.empty")
def nothing_is_one_direction(X, /):
    return gram.from_chunk(0 * X[:1] + 1)


# -- Willshaw -----------------------------------------------------------------------------------

@bug("sums in place of OR", "parts.clipped.merge")
def bits_added(a, b, /):
    return clipped.State(a.W + b.W)


@bug("AND in place of OR", "parts.clipped.merge")
def bits_both_have(a, b, /):
    return clipped.State(np.minimum(a.W, b.W))


@bug("XOR in place of OR", "parts.clipped.merge")
def bits_one_has(a, b, /):
    return clipped.State(np.abs(a.W - b.W))


@bug("nothing as all ones", "parts.clipped.empty")
def nothing_is_everything(X, Y, /):
    return clipped.State(np.ones((Y.shape[1], X.shape[1])))

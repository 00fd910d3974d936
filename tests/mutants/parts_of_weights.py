"""Sums over patterns that do not merge as they should."""
import numpy as np

from hopref.parts import clipped, covariance, gram, sums
from tests.mutants import mutant

# -- sums of outer products -----------------------------------------------------------------------

@mutant("parts.sums.merge")
def sums_averaged(a, b, /):
    """the mean of the weights"""
    return sums.State((a.W + b.W) / 2)


@mutant("parts.sums.merge")
def sum_of_the_last(a, b, /):
    """the later weights replace the earlier"""
    return b


@mutant("parts.sums.of")
def pairs_the_wrong_way_round(A, B, /):
    """B^T A"""
    return sums.of(B, A) if A.shape[1] == B.shape[1] else sums.of(A, B)


@mutant("parts.sums.none")
def nothing_is_the_identity_matrix(A, B, /):
    """1 on the diagonal"""
    return sums.State(np.eye(A.shape[1], B.shape[1]))


@mutant("parts.covariance.merge")
def scatters_added(a, b, /):
    """each chunk about its own mean, and no more"""
    return covariance.merge(a, b)._replace(scatter=a.scatter + b.scatter)


@mutant("parts.covariance.merge")
def means_averaged(a, b, /):
    """means of chunks count alike, however many patterns they are of"""
    return covariance.merge(a, b)._replace(mean=(a.mean + b.mean) / 2)


@mutant("parts.covariance.merge")
def scatter_without_its_share(a, b, /):
    """n_1 n_2 in place of n_1 n_2 / (n_1 + n_2)"""
    apart = b.mean - a.mean
    between = a.count * b.count * np.outer(apart, apart)
    return covariance.merge(a, b)._replace(scatter=a.scatter + b.scatter + between)


@mutant("parts.covariance.none")
def nothing_is_a_pattern_of_zeros(X, /):
    """one pattern, 0"""
    return covariance.of(0 * X[:1])


@mutant("parts.gram.merge")
def gram_of_the_last(a, b, /):
    """the later block replaces the earlier"""
    return b


@mutant("parts.gram.of")
def gram_of_the_sums(X, /):
    """the outer product of the sum of the patterns"""
    return gram.of(X.sum(0, keepdims=True))._replace(count=len(X))


@mutant("parts.gram.value")
def a_ridge_for_the_rank(state, /):
    """G (G + 1e-9)^-1: no rank is found, none is missed, and nothing is a projection"""
    G = state.root.T @ state.root
    return G @ np.linalg.inv(G + 1e-9 * np.eye(len(G)))


@mutant("parts.gram.merge")
def gram_itself_kept(a, b, /):
    """the sum of the Gram matrices in the place of its root: half the digits"""
    R = np.concatenate([a.root, b.root])
    return gram.State(R.T @ R, a.count + b.count)


@mutant("parts.gram.value")
def gram_is_the_weight(state, /):
    """Hebb's rule, over the number of patterns"""
    return state.root.T @ state.root / max(state.count, 1)


@mutant("parts.gram.none")
def nothing_is_one_direction(X, /):
    """a pattern of ones"""
    return gram.of(0 * X[:1] + 1)


# -- Willshaw -----------------------------------------------------------------------------------

@mutant("parts.clipped.merge")
def bits_added(a, b, /):
    """sums in place of OR"""
    return clipped.State(a.W + b.W)


@mutant("parts.clipped.merge")
def bits_both_have(a, b, /):
    """AND"""
    return clipped.State(np.minimum(a.W, b.W))


@mutant("parts.clipped.merge")
def bits_one_has(a, b, /):
    """XOR"""
    return clipped.State(np.abs(a.W - b.W))


@mutant("parts.clipped.none")
def nothing_is_everything(X, Y, /):
    """all ones"""
    return clipped.State(np.ones((Y.shape[1], X.shape[1])))

"""Structured networks, wrong: what published code does to hide a pattern, and slips of the pen."""
import numpy as np

from hopref import maps, modern, performer
from tests.mutants import mutant
from tests.mutants.modern import lse, softmax


def cut(z, support):
    return z if support is True else np.where(support, z, -np.inf)


def hidden(xi, X, support, beta, empty_row="zeros"):
    return maps.softmax(xi @ X.T, beta=beta, where=support, empty_row=empty_row)


# -- a fixed support ----------------------------------------------------------------------------

@mutant("structured.update")
def support_hides_by_zero_scores(xi, X, support=True, /, *, beta=1.0, empty_row="zeros"):
    """hidden scores set to 0, not to -inf"""
    return softmax(np.where(support, xi @ X.T, 0.0), beta) @ X


@mutant("structured.update")
def support_applied_after(xi, X, support=True, /, *, beta=1.0, empty_row="zeros"):
    """softmax over all, hidden weights zeroed, survivors rescaled by 1/(1-p) as dropout does"""
    share = np.mean(support, axis=-1, keepdims=True) if support is not True else 0.5
    return softmax(xi @ X.T, beta) * support / np.maximum(share, 1e-9) @ X


@mutant("structured.update")
def support_ignored(xi, X, support=True, /, *, beta=1.0, empty_row="zeros"):
    """a sparse mode that is dense"""
    return softmax(xi @ X.T, beta) @ X


@mutant("structured.update")
def support_true_is_hidden(xi, X, support=True, /, *, beta=1.0, empty_row="zeros"):
    """True means forbidden"""
    return hidden(xi, X, ~np.asarray(support) if support is not True else True, beta) @ X


@mutant("structured.update")
def scores_become_signs(xi, X, support=True, /, *, beta=1.0, empty_row="zeros"):
    """scores normalised along an axis of length one"""
    return maps.softmax(np.sign(xi @ X.T), beta=beta, where=support, empty_row=empty_row) @ X


@mutant("structured.weights")
def weights_hide_by_zero_scores(xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True,
                                empty_row="zeros"):
    """hidden scores set to 0, not to -inf"""
    return softmax(np.where(support, xi @ (X + delta).T, 0.0), beta)


@mutant("structured.weights")
def weights_ask_by_the_memory(xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True,
                              empty_row="zeros"):
    """delta forgotten"""
    return hidden(xi, X, support, beta)


@mutant("structured.weights")
def weights_always_renormalise(xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True,
                               empty_row="zeros"):
    """renormalise=False has no effect"""
    return maps.softmax(xi @ (X + delta).T, beta=beta, where=support)


@mutant("structured.energy")
def structured_energy_with_all_patterns(xi, X, support=True, /, *, beta=1.0):
    """the energy of the dense network"""
    return modern.energy(xi, X, beta=beta)


def energy(xi, X, support, beta, many=None, longest=None, own=1.0):
    """-lse + |xi|^2/2 + log |M|/beta + M^2/2 over a support, with parts replaced."""
    support = np.broadcast_to(support, (*xi.shape[:-1], len(X)))
    z, square = cut(xi @ X.T, support), (X * X).sum(-1)
    many = support.sum(-1) if many is None else many
    longest = np.where(support, square, -np.inf).max(-1) if longest is None else longest
    with np.errstate(all="ignore"):
        E = -lse(z, beta) + own * (xi * xi).sum(-1) / 2 + np.log(many) / beta + longest / 2
    return np.where(support.any(-1), E, (xi * xi).sum(-1) / 2)


@mutant("structured.energy")
def structured_energy_log_n_of_all(xi, X, support=True, /, *, beta=1.0):
    """log N of all patterns"""
    return energy(xi, X, support, beta, many=len(X))


@mutant("structured.energy")
def structured_energy_m2_of_all(xi, X, support=True, /, *, beta=1.0):
    """M of all patterns"""
    return energy(xi, X, support, beta, longest=(X * X).sum(-1).max())


@mutant("structured.energy")
def structured_energy_of_scores(xi, X, support=True, /, *, beta=1.0):
    """|xi|^2 for |xi|^2/2"""
    return energy(xi, X, support, beta, own=2.0)


# -- pairs --------------------------------------------------------------------------------------

@mutant("structured.pair_update")
def pairs_ignore_support(xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True,
                         empty_row="zeros"):
    """a sparse mode that is dense"""
    return softmax(xi @ (X + delta).T, beta) @ X


@mutant("structured.pair_update")
def pairs_read_out_their_queries(xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True,
                                 empty_row="zeros"):
    """x + delta comes back"""
    return hidden(xi, X + delta, support, beta) @ (X + delta)


@mutant("structured.pair_update")
def pairs_ask_by_the_memory(xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True,
                            empty_row="zeros"):
    """delta forgotten"""
    return hidden(xi, X, support, beta) @ X


@mutant("structured.pair_update")
def pairs_subtract_delta(xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True,
                         empty_row="zeros"):
    """x - delta for x + delta"""
    return hidden(xi, X - delta, support, beta) @ X


@mutant("structured.pair_update")
def pairs_subtract_nothing_but_norms(xi, X, support=True, /, *, delta=0.0, beta=1.0,
                                     renormalise=True, empty_row="zeros"):
    """scores by distance to the query, which delta lengthens"""
    keys = X + delta
    z = xi @ keys.T - (keys * keys).sum(-1) / 2
    return maps.softmax(z, beta=beta, where=support) @ X


@mutant("structured.pair_update")
def pairs_always_renormalise(xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True,
                             empty_row="zeros"):
    """renormalise=False has no effect"""
    return hidden(xi, X + delta, support, beta) @ X


@mutant("structured.pair_update")
def pairs_over_sqrt_d(xi, X, support=True, /, *, delta=0.0, beta=1.0, renormalise=True,
                      empty_row="zeros"):
    """attention's 1/sqrt(d) on top of beta"""
    return hidden(xi, X + delta, support, beta / np.sqrt(X.shape[1])) @ X


# -- the k best ---------------------------------------------------------------------------------

@mutant("structured.top_k_update")
def top_k_filled_with_zeros(xi, X, /, *, k, beta=1.0):
    """the k best scattered into zeros: the others keep a score of 0"""
    z = xi @ X.T
    return softmax(np.where(maps.top_k(z, k=k, beta=1e-9) > 0, z, 0.0), beta) @ X


@mutant("structured.top_k_update")
def top_k_by_size(xi, X, /, *, k, beta=1.0):
    """the k largest |scores|"""
    z = xi @ X.T
    return maps.softmax(z, beta=beta, where=maps.top_k(np.abs(z), k=k, beta=1e-9) > 0) @ X


@mutant("structured.top_k_update")
def top_k_smallest(xi, X, /, *, k, beta=1.0):
    """sorted the wrong way round"""
    z = xi @ X.T
    return maps.softmax(z, beta=beta, where=maps.top_k(-z, k=k, beta=1e-9) > 0) @ X


@mutant("structured.top_k_update")
def top_k_ties_all(xi, X, /, *, k, beta=1.0):
    """everything that ties with the k-th"""
    z = xi @ X.T
    return maps.softmax(z, beta=beta, where=z >= np.sort(z, -1)[..., -k, None]) @ X


@mutant("structured.top_k_update")
def top_k_is_dense(xi, X, /, *, k, beta=1.0):
    """k without effect"""
    return softmax(xi @ X.T, beta) @ X


@mutant("structured.top_k_energy")
def top_k_energy_of_all(xi, X, /, *, k, beta=1.0):
    """the energy of the dense network"""
    return modern.energy(xi, X, beta=beta)


def best_energy(xi, X, k, beta, many=1.0, longest=1.0):
    z, square = xi @ X.T, (X * X).sum(-1)
    return (-lse(np.sort(z, -1)[..., -k:], beta) + (xi * xi).sum(-1) / 2
            + many * np.log(k) / beta + longest * square.max() / 2)


@mutant("structured.top_k_energy")
def top_k_energy_without_log_k(xi, X, /, *, k, beta=1.0):
    """no log(k)/beta"""
    return best_energy(xi, X, k, beta, many=0.0)


@mutant("structured.top_k_energy")
def top_k_energy_without_m2(xi, X, /, *, k, beta=1.0):
    """no M^2/2"""
    return best_energy(xi, X, k, beta, longest=0.0)


@mutant("structured.top_k_energy")
def top_k_energy_m2_of_the_best(xi, X, /, *, k, beta=1.0):
    """M of the pattern of largest score, which moves"""
    nearest = X[(xi @ X.T).argmax(-1)]
    return best_energy(xi, X, k, beta, longest=0.0) + (nearest * nearest).sum(-1) / 2


# -- kernels ------------------------------------------------------------------------------------

def phi_of(x, features, one=1.0):
    both = np.einsum("...k,...l->...kl", x, x).reshape(*x.shape[:-1], -1)
    return {"elu": np.where(x > 0, x + one, np.exp(np.minimum(x, 0)) + one - 1),
            "relu": np.maximum(x, 0), "exponential": np.exp(x), "identity": x,
            "quadratic": both}[features]


def linear(xi, X, keys, values, features, one=1.0, divided=True):
    K = phi_of(xi, features, one) @ phi_of(keys, features, one).T
    total = K.sum(-1, keepdims=True) if divided else np.ones((len(xi), 1))
    return K @ values / np.where(total == 0, 1, total)


@mutant("structured.linear_update")
def linear_without_the_one(xi, X, /, *, delta=0.0, features="elu", empty_row="zeros"):
    """elu without + 1"""
    return linear(xi, X, X + delta, X, features, one=0.0)


@mutant("structured.linear_update")
def linear_without_denominator(xi, X, /, *, delta=0.0, features="elu", empty_row="zeros"):
    """no division"""
    return linear(xi, X, X + delta, X, features, divided=False)


@mutant("structured.linear_update")
def linear_features_come_back(xi, X, /, *, delta=0.0, features="elu", empty_row="zeros"):
    """x + delta comes back"""
    return linear(xi, X, X + delta, X + delta, features)


@mutant("structured.linear_update")
def linear_ignores_delta(xi, X, /, *, delta=0.0, features="elu", empty_row="zeros"):
    """delta forgotten"""
    return linear(xi, X, X, X, features)


@mutant("structured.random_feature_update")
def random_features_of_the_memory(xi, X, omega, /, *, delta=0.0, beta=1.0, features="positive",
                                  empty_row="zeros"):
    """delta forgotten"""
    return performer.update(xi, X, omega, beta=beta)


@mutant("structured.random_feature_update")
def random_features_read_out_queries(xi, X, omega, /, *, delta=0.0, beta=1.0,
                                     features="positive", empty_row="zeros"):
    """x + delta comes back"""
    return performer.update(xi, X + delta, omega, beta=beta)


@mutant("structured.random_feature_update")
def random_features_without_root_beta(xi, X, omega, /, *, delta=0.0, beta=1.0,
                                      features="positive", empty_row="zeros"):
    """features see beta x"""
    return performer.attention(xi, X + delta, X, omega, scale=beta**2)

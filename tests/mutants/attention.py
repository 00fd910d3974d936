"""Softmax and kernel attention, wrong."""
import numpy as np

from hopref import attention
from tests.mutants import mutant
from tests.mutants.modern import softmax


def scores(Q, K, scale=None, bias=0.0):
    return Q @ K.T * (1 / np.sqrt(K.shape[-1]) if scale is None else scale) + bias


def attend(z, V, mask=True):
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(softmax(np.where(mask, z, -np.inf))) @ V


def past(Q, K, shift=0):
    return np.tri(len(Q), len(K), len(K) - len(Q) + shift, dtype=bool)


# -- softmax attention --------------------------------------------------------------------------

@mutant("attention.softmax_attention")
def scale_missing(Q, K, V, /, *, scale=None, mask=True, bias=0.0):
    """Q K^T, not divided by sqrt(d)"""
    return attend(Q @ K.T + bias, V, mask)


@mutant("attention.softmax_attention")
def scale_by_d(Q, K, V, /, *, scale=None, mask=True, bias=0.0):
    """1/d for 1/sqrt(d)"""
    return attend(scores(Q, K, scale or 1 / K.shape[-1], bias), V, mask)


@mutant("attention.softmax_attention")
def bias_before_the_scale(Q, K, V, /, *, scale=None, mask=True, bias=0.0):
    """the bias divided by sqrt(d) as well"""
    return attend((Q @ K.T + bias) * (scale or 1 / np.sqrt(K.shape[-1])), V, mask)


@mutant("attention.softmax_attention")
def mask_after_softmax(Q, K, V, /, *, scale=None, mask=True, bias=0.0):
    """hidden weights zeroed after normalising"""
    return (softmax(scores(Q, K, scale, np.maximum(bias, -1e300))) * mask) @ V


@mutant("attention.softmax_attention")
def mask_hides_values_only(Q, K, V, /, *, scale=None, mask=True, bias=0.0):
    """hidden values zeroed, hidden keys still counted"""
    return (softmax(scores(Q, K, scale, bias)) * np.broadcast_to(mask, (len(Q), len(K)))) @ V


@mutant("attention.softmax_attention")
def mask_inverted(Q, K, V, /, *, scale=None, mask=True, bias=0.0):
    """True hides"""
    return attend(scores(Q, K, scale, bias), V, ~np.asarray(mask) if np.ndim(mask) else mask)


@mutant("attention.softmax_attention")
def mask_fills_minus_ten(Q, K, V, /, *, scale=None, mask=True, bias=0.0):
    """a large negative number in place of -inf"""
    return attend(np.where(mask, scores(Q, K, scale, bias), -10.0), V)


@mutant("attention.softmax_attention")
def mask_fills_zero(Q, K, V, /, *, scale=None, mask=True, bias=0.0):
    """hidden scores set to 0, as top-K scattering does"""
    return attend(np.where(mask, scores(Q, K, scale, bias), 0.0), V)


@mutant("attention.softmax_attention")
def empty_rows_are_uniform(Q, K, V, /, *, scale=None, mask=True, bias=0.0, empty_row="zeros"):
    """a query that sees nothing sees everything"""
    return attend(np.where(mask, scores(Q, K, scale, bias), -1e9), V)


@mutant("attention.softmax_attention")
def causal_off_by_one(Q, K, V, /, *, scale=None, causal=False, align="end", **how):
    """the next key is seen too"""
    return attend(scores(Q, K, scale), V, past(Q, K, 1))


@mutant("attention.softmax_attention")
def causal_strict(Q, K, V, /, *, scale=None, causal=False, align="end", **how):
    """the own key is hidden"""
    return attend(scores(Q, K, scale), V, past(Q, K, -1))


@mutant("attention.softmax_attention")
def causal_forgets_the_mask(Q, K, V, /, *, scale=None, causal=False, mask=True, **how):
    """the mask ignored where causal is asked for"""
    return attend(scores(Q, K, scale), V, past(Q, K) if causal else mask)


@mutant("attention.softmax_attention")
def causal_from_the_start(Q, K, V, /, *, scale=None, causal=False, align="end", **how):
    """first query aligned with first key whatever was asked"""
    return attend(scores(Q, K, scale), V, np.tri(len(Q), len(K), dtype=bool))


@mutant("attention.softmax_attention")
def causal_ignored(Q, K, V, /, *, scale=None, causal=False, align="end", **how):
    """everything is seen"""
    return attend(scores(Q, K, scale), V)


@mutant("attention.softmax_attention")
def answer_not_normalised(Q, K, V, /, *, scale=None, mask=True, bias=0.0):
    """no division"""
    z = np.where(mask, scores(Q, K, scale, bias), -np.inf)
    return np.exp(z - z.max(-1, keepdims=True)) @ V


@mutant("attention.softmax_attention")
def answer_adds_the_query(Q, K, V, /, *, scale=None, mask=True, bias=0.0):
    """a residual connection"""
    return attend(scores(Q, K, scale, bias), V, mask) + Q[:, :1]


@mutant("attention.softmax_attention")
def softmax_over_queries(Q, K, V, /, *, scale=None, mask=True, bias=0.0):
    """normalised along the queries"""
    return softmax(scores(Q, K, scale, bias).T).T @ V


@mutant("attention.softmax_attention")
def heads_share_their_maximum(Q, K, V, /, **how):
    """one maximum subtracted from all heads: small ones underflow"""
    z = Q @ K.mT / np.sqrt(K.shape[-1])
    e = np.exp(z - z.max())
    return e @ V / e.sum(-1, keepdims=True)


@mutant("attention.linear_attention")
def heads_share_their_keys(phi_q, phi_k, V, /, **how):
    """the state summed over the heads"""
    k, V = phi_k.reshape(-1, phi_k.shape[-1]), V.reshape(-1, V.shape[-1])
    return phi_q @ (k.T @ V) / (phi_q @ k.sum(0))[..., None]


@mutant("attention.softmax_attention")
def bias_ignored_in_the_maximum(Q, K, V, /, *, scale=None, mask=True, bias=0.0):
    """the maximum taken before the bias is added"""
    z = scores(Q, K, scale)
    with np.errstate(all="ignore"):
        e = np.exp(z - z.max(-1, keepdims=True) + bias)
        return e @ V / e.sum(-1, keepdims=True)


# -- kernel attention ---------------------------------------------------------------------------

def linear(phi_q, phi_k, V, eps=0.0):
    D = (phi_q @ phi_k.T).sum(-1, keepdims=True) + eps
    with np.errstate(all="ignore"):
        return np.nan_to_num(phi_q @ (phi_k.T @ V) / D)


@mutant("attention.linear_attention")
def inverse_missing(phi_q, phi_k, V, /, **how):
    """eq. (17) as printed: D in place of D^-1"""
    return (phi_q @ phi_k.T).sum(-1, keepdims=True) * (phi_q @ (phi_k.T @ V))


@mutant("attention.linear_attention")
def denominator_of_queries(phi_q, phi_k, V, /, **how):
    """divided by Q' 1"""
    return phi_q @ (phi_k.T @ V) / phi_q.sum(-1, keepdims=True)


@mutant("attention.linear_attention")
def hidden_eps(phi_q, phi_k, V, /, **how):
    """1e-6 in the denominator"""
    return linear(phi_q, phi_k, V, 1e-6)


@mutant("attention.linear_attention")
def eps_on_the_features(phi_q, phi_k, V, /, **how):
    """1e-4 added to every feature"""
    return linear(phi_q + 1e-4, phi_k + 1e-4, V)


@mutant("attention.linear_attention")
def linear_mask_hides_values_only(phi_q, phi_k, V, /, *, mask=True, **how):
    """padded keys stay in the denominator: row sums near one half"""
    return linear(phi_q, phi_k, V * np.broadcast_to(mask, len(V))[:, None])


@mutant("attention.linear_weights")
def kernel_weights_of_the_keys(phi_q, phi_k, /, **how):
    """normalised along the queries"""
    A = phi_q @ phi_k.T
    with np.errstate(all="ignore"):
        return A / A.sum(0)


@mutant("attention.association")
def association_divides(phi_q, phi_k, V, /):
    """eq. (17) for eq. (18)"""
    return linear(phi_q, phi_k, V)


@mutant("attention.association")
def association_of_values_first(phi_q, phi_k, V, /):
    """V^T K', transposed where V is square"""
    W = phi_k.T @ V
    return phi_q @ (W.T if W.shape[0] == W.shape[1] else W)


@mutant("attention.key_state")
def state_replaced(phi_k, V, /, *, mask=True, S=0.0, z=0.0):
    """the state passed in is dropped"""
    return attention.key_state(phi_k, V, mask=mask)


@mutant("attention.key_state")
def state_z_forgotten(phi_k, V, /, *, mask=True, S=0.0, z=0.0):
    """S carried on, z not"""
    return attention.key_state(phi_k, V, mask=mask, S=S)


# -- causal -------------------------------------------------------------------------------------

def causal(phi_q, phi_k, V, shift=0, eps=0.0):
    A = phi_q @ phi_k.T * np.tri(len(V), len(V), shift)
    with np.errstate(all="ignore"):
        return np.nan_to_num(A @ V / (A.sum(-1, keepdims=True) + eps)), phi_k.T @ V, phi_k.sum(0)


@mutant("attention.causal_linear_attention")
def causal_linear_strict(phi_q, phi_k, V, /, **how):
    """the own key is added after the query was answered"""
    return causal(phi_q, phi_k, V, -1)


@mutant("attention.causal_linear_attention")
def causal_linear_sees_all(phi_q, phi_k, V, /, **how):
    """the whole sequence"""
    return causal(phi_q, phi_k, V, len(V))


@mutant("attention.causal_linear_attention")
def causal_sum_over_features(phi_q, phi_k, V, /, **how):
    """cumulative sums along the features in place of the sequence"""
    return causal(phi_q, np.cumsum(phi_k, -1), V, len(V))


@mutant("attention.causal_linear_attention")
def causal_hidden_eps(phi_q, phi_k, V, /, **how):
    """1e-6 in every denominator"""
    return causal(phi_q, phi_k, V, eps=1e-6)


@mutant("attention.causal_linear_attention")
def causal_state_dropped(phi_q, phi_k, V, /, *, S=0.0, z=0.0):
    """each chunk begins anew"""
    return attention.causal_linear_attention(phi_q, phi_k, V)


@mutant("attention.causal_linear_attention")
def causal_state_doubled(phi_q, phi_k, V, /, *, S=0.0, z=0.0):
    """the state returned holds the state passed in twice"""
    Z, S_1, z_1 = attention.causal_linear_attention(phi_q, phi_k, V, S=S, z=z)
    return Z, S_1 + S, z_1 + z


# -- in the log domain --------------------------------------------------------------------------

@mutant("attention.log_linear_attention")
def log_leaves_the_log_domain(log_q, log_k, V, /, **how):
    """exp first, then sums"""
    with np.errstate(all="ignore"):
        return linear(np.exp(log_q), np.exp(log_k), V)


@mutant("attention.log_linear_attention")
def log_scale_one_for_all(log_q, log_k, V, /, **how):
    """one scale for all features: the small ones underflow"""
    with np.errstate(all="ignore"):
        return linear(np.exp(log_q - log_q.max()), np.exp(log_k - log_k.max()), V)


@mutant("attention.log_linear_attention")
def log_scale_unabsorbed(log_q, log_k, V, /, **how):
    """a scale a feature, not given back to the query"""
    return linear(np.exp(log_q - log_q.max(-1, keepdims=True)), np.exp(log_k - log_k.max(0)), V)


@mutant("attention.log_linear_attention")
def log_scale_a_key(log_q, log_k, V, /, **how):
    """a scale a key, which does not cancel"""
    return linear(np.exp(log_q), np.exp(log_k - log_k.max(-1, keepdims=True)), V)


@mutant("attention.log_linear_attention")
def log_with_eps(log_q, log_k, V, /, **how):
    """1e-6 added after scaling"""
    q = np.exp(log_q + log_k.max(0) - (log_q + log_k.max(0)).max(-1, keepdims=True))
    return linear(q, np.exp(log_k - log_k.max(0)) + 1e-6, V)


@mutant("attention.log_linear_attention")
def log_signs_ignored(log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0, **how):
    """all features taken for positive"""
    return attention.log_linear_attention(log_q, log_k, V)


@mutant("attention.log_causal_linear_attention")
def log_causal_signs_ignored(log_q, log_k, V, /, *, sign_q=1.0, sign_k=1.0, **how):
    """all features taken for positive"""
    return attention.log_causal_linear_attention(log_q, log_k, V)


def log_causal(log_q, log_k, V, shift=0):
    logs = log_q[:, None] + log_k
    logs = np.where(np.tri(len(V), len(V), shift, dtype=bool)[:, :, None], logs, -np.inf)
    with np.errstate(all="ignore"):
        w = np.exp(logs - logs.max((1, 2), keepdims=True)).sum(-1)
        return np.nan_to_num(w @ V / w.sum(-1, keepdims=True))


@mutant("attention.log_causal_linear_attention")
def log_causal_strict(log_q, log_k, V, /, **how):
    """the own key is hidden"""
    return (log_causal(log_q, log_k, V, -1),)


@mutant("attention.log_causal_linear_attention")
def log_causal_leaves_the_log_domain(log_q, log_k, V, /, **how):
    """exp first, then sums"""
    with np.errstate(all="ignore"):
        return causal(np.exp(log_q), np.exp(log_k), V)


@mutant("attention.log_causal_linear_attention")
def log_causal_unshrunk(log_q, log_k, V, /, *, S=0.0, z=0.0, c=-np.inf):
    """the past is not rescaled when the running maximum grows"""
    r, Z = log_k.shape[1], np.zeros_like(V)
    S, z, c = S + np.zeros((r, V.shape[1])), z + np.zeros(r), c + np.zeros(r)
    for i, k in enumerate(log_k):
        c = np.maximum(c, k)
        S, z = S + np.exp(k - c)[:, None] * V[i], z + np.exp(k - c)
        q = np.exp(log_q[i] + c - (log_q[i] + c).max())
        Z[i] = q @ S / (q @ z)
    return Z, S, z, c


@mutant("attention.log_causal_linear_attention")
def log_causal_scale_dropped(log_q, log_k, V, /, *, S=0.0, z=0.0, c=-np.inf):
    """S and z carried on without their scale"""
    carried = {"c": 0 * c, "S": S, "z": z} if np.ndim(c) else {}
    return attention.log_causal_linear_attention(log_q, log_k, V, **carried)

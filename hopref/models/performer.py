r"""The Performer: attention and one-step Hopfield retrieval by random features.

``Q`` (..., l, d), ``K`` (..., s, d), ``V`` (..., s, v); ``xi`` (..., d) states, ``X`` (n, d) stored
patterns in rows; ``omega`` (m, d) a fixed draw of random directions (see `projections`).

References: Choromanski et al. 2021; the blog, eqs. (16)-(19), (23), (24).
"""
import math
from functools import partial

from hopref.dispatch.domains import (
    choice,
    finite,
    mask,
    nonnegative,
    positive,
    real,
    scores,
    state,
)
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import draws_suffice
from hopref.features import feature_logs, random_features
from hopref.features.preconditions import state_of_these_features
from hopref.maps import (
    above,
    balanced,
    below,
    default_scale,
    dot,
    each,
    feature_scale,
    guarded,
    itself,
    masked,
    ratio,
    relu,
    sigmoid,
    size,
    standard_error,
    zero_denominators,
)
from hopref.models.attention import (
    key_state,
    linear_attention,
    linear_weights,
    log_causal_linear_attention,
    log_linear_attention,
)

__all__ = ["attention", "causal_attention", "weights", "update", "expected_update",
           "thresholded_update", "stabilized_features", "stabilized_attention",
           "generalized_attention"]

side = choice(above=above, below=below)
over = choice(row=-1, all=(-2, -1))
activation = choice(relu=relu, abs=size, identity=itself, sigmoid=sigmoid)


@op("(...,l,d),(...,s,d),(...,s,v),(m,d)->(...,l,v)", features=random_features, scale=positive,
    mask=mask("(...,s)"), empty_row=zero_denominators, result=finite)
def attention(Q, K, V, omega, /, *, features="positive", scale=None, mask=True,
              empty_row="zeros"):
    r"""Performer attention.

    Source: Choromanski et al. 2021, eq. (4); blog eqs. (16), (17), (19) [AT-2, PF-1].

    .. math:: Z = D^{-1} (\phi(Q) (\phi(K)^T V)), \quad D = \mathrm{diag}(\phi(Q) \phi(K)^T 1)

    Parameters
    ----------
    features : feature map (see `features`)
    scale : inverse temperature of the estimated softmax kernel; None for 1/sqrt(d)
    mask : True where a key is visible
    empty_row : result where the denominator is exactly 0

    Notes
    -----
    The result is a ratio of unbiased estimates, and is therefore biased.  No stabiliser is added;
    with positive features none is needed.

    >>> from hopref import performer
    >>> performer.attention([[9.0]], [[1.0], [1.0]], [[1.0], [3.0]], [[0.5]])
    array([[2.]])
    """
    beta = default_scale(scale, K)
    log_q, sign_q, log_k, sign_k = feature_logs(features, Q, K, omega, beta, mask)
    return log_linear_attention(log_q, log_k, V, sign_q=sign_q, sign_k=sign_k, mask=mask,
                                empty_row=empty_row)


@op("(...,l,d),(...,l,d),(...,l,v),(m,d)->(...,l,v),(...,r,v),(...,r),(...,r)",
    features=random_features, scale=positive, mask=mask("(...,l)"), S=state("(...,r,v)"),
    z=state("(...,r)"), c=scores("(...,r)"), shape_rule=state_of_these_features,
    empty_row=zero_denominators)
def causal_attention(Q, K, V, omega, /, *, features="positive", scale=None, mask=True, S=0.0,
                     z=0.0, c=float("-inf"), empty_row="zeros"):
    r"""Causal Performer attention, with its state.

    Source: Choromanski et al. 2021, eq. (11) [AT-3, PF-1].

    .. math:: Z_i = \frac{\phi(q_i) \sum_{j \le i} \phi(k_j) v_j^T}
        {\phi(q_i) \sum_{j \le i} \phi(k_j)}

    Parameters
    ----------
    scale : inverse temperature of the estimated softmax kernel; None for 1/sqrt(d)
    mask : True where a key is visible; a hidden key enters neither the state nor any result
    S, z : state of earlier keys, divided by e^c
    c : logarithm of the scale of each feature in S and z
    empty_row : result where the denominator is exactly 0

    Returns
    -------
    Z : (..., l, v) array, the results
    S, z, c : (..., r, v), (..., r) and (..., r) arrays, the state that is passed on to the next
        chunk; the sums are e^c S and e^c z

    >>> from hopref import performer
    >>> Q = K = [[1.0], [1.0]]
    >>> Z, S, z, c = performer.causal_attention(Q, K, [[1.0], [3.0]], [[0.5]])
    >>> Z[:, 0]
    array([1., 2.])
    """
    beta = default_scale(scale, K)
    (log_q, sign_q), (log_k, sign_k) = features(Q, omega, beta), features(K, omega, beta)
    return log_causal_linear_attention(log_q, log_k, V, sign_q=sign_q, sign_k=sign_k, mask=mask,
                                       S=S, z=z, c=c, empty_row=empty_row)


@op("(...,d),(n,d),(m,d)->(...,n)", features=random_features, beta=positive,
    empty_row=zero_denominators, scratch="(...,n)", result=finite)
def weights(xi, X, omega, /, *, beta=1.0, features="positive", empty_row="zeros"):
    r"""Weights of the patterns in the update, for one draw.  Source: blog eq. (23) [PF-6].

    .. math:: p_i = \phi(\sqrt\beta x_i)^T \phi(\sqrt\beta \xi) / D

    >>> from hopref import performer
    >>> performer.weights([1.0], [[2.0], [2.0]], [[0.3]])
    array([0.5, 0.5])
    """
    q, keys = _features(xi, X, omega, beta, features)
    return linear_weights(q, keys, empty_row=empty_row)[..., 0, :]


def _features(xi, X, omega, beta, features):
    """Features of a state, as one query, and of the patterns, up to a common factor."""
    log_q, sign_q, log_k, sign_k = feature_logs(features, xi, X, omega, beta)
    return balanced(log_q[..., None, :], log_k, sign_q[..., None, :], sign_k)


@op("(...,d),(n,d),(m,d)->(...,d)", features=random_features, beta=positive,
    empty_row=zero_denominators, result=finite)
def update(xi, X, omega, /, *, beta=1.0, features="positive", empty_row="zeros"):
    r"""One retrieval step for one draw of the features.

    Source: blog eq. (23), inside the expectation [PF-6].

    .. math:: \xi^{new} = X^T \phi(\sqrt\beta X)\, \phi(\sqrt\beta \xi) / D

    Notes
    -----
    The rule has no energy: for finitely many features its Jacobian is not symmetric.

    >>> from hopref import performer
    >>> performer.update([1.0], [[2.0], [2.0]], [[0.3]])
    array([2.])
    """
    q, keys = _features(xi, X, omega, beta, features)
    return linear_attention(q, keys, X, empty_row=empty_row)[..., 0, :]


@op("(...,d),(n,d),(k,m,d)->(...,d),(...,d)", features=random_features, beta=positive,
    shape_rule=draws_suffice, empty_row=zero_denominators, result=finite)
def expected_update(xi, X, omegas, /, *, beta=1.0, features="positive", empty_row="zeros"):
    r"""One retrieval step, averaged over draws, with its standard error.

    Source: blog eq. (23) [PF-6, RF-12].

    .. math:: \xi^{new} = X^T\, \mathbb E_\Omega [\phi(\sqrt\beta X)\, \phi(\sqrt\beta \xi) / D]

    Parameters
    ----------
    omegas : k >= 2 independent draws of the random directions

    Returns
    -------
    mean : (..., d) array, the mean of `update` over the draws
    standard_error : (..., d) array, the standard error of the mean

    Notes
    -----
    The mean converges to the expectation of a ratio, which differs from `modern.update` for every
    finite m.  The rule has no energy.

    >>> from hopref import performer
    >>> mean, error = performer.expected_update([1.0], [[2.0], [2.0]], [[[0.3]], [[0.4]]])
    >>> mean, error
    (array([2.]), array([0.]))
    """
    draw = partial(update, xi, X, beta=beta, features=features, empty_row=empty_row)
    draws = each(draw, omegas)
    return namespace(xi).mean(draws, axis=0), standard_error(draws)


@op("(...,d),(n,d),(m,d)->(...,d)", features=random_features, beta=positive, theta=real, side=side,
    empty_row=zero_denominators, result=finite)
def thresholded_update(xi, X, omega, /, *, beta=1.0, theta=0.5, side="above", features="positive",
                       empty_row="zeros"):
    r"""One retrieval step by features of thresholded patterns and state, for one draw.

    Source: blog eq. (24) [PF-7].

    .. math:: \xi^{new} = X^T \phi(\sqrt\beta S_\theta(X))\, \phi(\sqrt\beta S_\theta(\xi)) / D

    Parameters
    ----------
    theta : threshold; a component equal to it is kept
    side : "above" sets the components > theta to 0, as the blog does; "below" those < theta

    Notes
    -----
    The default threshold is that of the blog, which has +0.5 here, but -0.5 in its eqs. (20) and
    (22).  The rule has no energy.

    >>> from hopref import performer
    >>> performer.thresholded_update([0.9], [[2.0], [3.0]], [[0.3]])
    array([2.5])
    """
    q, keys = _features(side(xi, theta), side(X, theta), omega, beta, features)
    return linear_attention(q, keys, X, empty_row=empty_row)[..., 0, :]


@op("(...,s,d),(m,d)->(...,s,m)", beta=positive, eps=nonnegative, over=over, result=finite)
def stabilized_features(x, omega, /, *, beta=1.0, eps=1e-6, over="row"):
    r"""Positive features with the stabiliser of the published code.

    Source: Choromanski et al. 2021, Appendix A (eps), and the authors' code (the maximum) [PF-1].

    .. math:: \phi(x) = \tfrac{1}{\sqrt m} (\exp(u - \tfrac\beta2 \|x\|^2 - \max u) + \epsilon),
        \quad u = \sqrt\beta\, \Omega x

    Parameters
    ----------
    eps : stabiliser; 1e-6 in the paper, 1e-4 in some published code
    over : whether the maximum is taken over the features of each "row", as for queries, or over
        those of "all" rows, as for keys

    Notes
    -----
    The map serves to reproduce published results.  The maximum is taken before the norm is
    subtracted, so that all features of rows of large norm are close to eps.

    >>> from hopref import performer
    >>> performer.stabilized_features([[0.0]], [[1.0]], eps=0.5)
    array([[1.5]])
    """
    return _stabilized(x, omega, beta, eps, over)


def _stabilized(x, omega, beta, eps, over, seen=True):
    """Stabilised features, with the maximum over those of visible rows."""
    xp, x = namespace(x), math.sqrt(beta) * x
    u = x @ omega.T
    top = xp.max(masked(u, seen, -math.inf), axis=over, keepdims=True)
    half = dot(x, x)[..., None] / 2
    return (xp.exp(u - half - top) + eps) / math.sqrt(omega.shape[0])


@op("(...,l,d),(...,s,d),(...,s,v),(m,d)->(...,l,v)", scale=positive, mask=mask("(...,s)"),
    eps=nonnegative, guard=nonnegative, empty_row=zero_denominators, result=finite)
def stabilized_attention(Q, K, V, omega, /, *, scale=None, mask=True, eps=1e-6, guard=0.0,
                         empty_row="zeros"):
    r"""Performer attention by `stabilized_features`.

    Source: Choromanski et al. 2021, Appendix A, and the authors' code [PF-1, PF-2].

    .. math:: Z = D^{-1} (Q' (K'^T V)), \quad D = \mathrm{diag}(Q' K'^T 1)
        + 2 \gamma\, [\,|Q' K'^T 1| \le \gamma\,]

    Parameters
    ----------
    scale : inverse temperature of the estimated softmax kernel; None for 1/sqrt(d)
    eps : stabiliser of the features; with 0 the result is that of `attention` unless features
        underflow
    guard : gamma, the guard of the denominator in the JAX code, where it equals eps
    empty_row : result where the denominator is exactly 0; with a guard > 0 it never is, and the
        result of a row without visible keys is 0

    Notes
    -----
    With eps > 0 every row is biased towards the mean of V.  It equals this mean where all features
    of the keys underflow to eps.  The maximum is that of the features of visible keys.

    >>> from hopref import performer
    >>> Z = performer.stabilized_attention([[1.0]], [[1.0], [9.0]], [[1.0], [3.0]], [[0.5]])
    >>> bool(Z[0, 0] < 1.1)               # the long key's feature underflows: eps against 1 + eps
    True
    """
    beta = default_scale(scale, K)
    q = _stabilized(Q, omega, beta, eps, -1)
    k = _stabilized(K, omega, beta, eps, (-2, -1), mask)
    S, z = key_state(k, V, mask=mask)
    return ratio(q @ S, guarded(q @ z[..., None], guard), empty_row)


@op("(...,l,d),(...,s,d),(...,s,v),(m,d)->(...,l,v)", activation=activation, scale=positive,
    mask=mask("(...,s)"), eps=nonnegative, empty_row=zero_denominators, result=finite)
def generalized_attention(Q, K, V, omega, /, *, activation="relu", scale=None, mask=True, eps=1e-3,
                          empty_row="zeros"):
    r"""Generalised Performer attention, with features that are an activation of projections.

    Source: Choromanski et al. 2021, Appendix A [PF-3].

    .. math:: Z = D^{-1} (Q' (K'^T V)), \quad \phi(x) = f(s\, \Omega x) + \epsilon

    Parameters
    ----------
    activation : f; exponential features are computed by `attention`, from their logarithms
    scale : s, None for d^(-1/4); the TensorFlow code has d^(-1/4) m^(-1/2), and the JAX code
        without projection has Omega = I and s = 1.  The results differ if eps > 0
    eps : the kernel epsilon, 1e-3 in the paper
    empty_row : result where the denominator is exactly 0

    >>> from hopref import performer
    >>> performer.generalized_attention([[1.0]], [[1.0], [3.0]], [[0.0], [4.0]], [[1.0]], eps=0.0)
    array([[3.]])
    """
    s = feature_scale(scale, K)
    q, k = activation(s * Q @ omega.T) + eps, activation(s * K @ omega.T) + eps
    return linear_attention(q, k, V, mask=mask, empty_row=empty_row)

r"""The Performer: attention, and one-step Hopfield retrieval, by random features.

``Q`` (..., l, d), ``K`` (..., s, d), ``V`` (..., s, v); ``xi`` (..., d) states, ``X`` (n, d) stored
patterns in rows; ``omega`` (m, d) projections (see `projections`), a fixed draw.

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
from hopref.features import feature_logs, random_features
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
    ratio,
    relu,
    sigmoid,
    size,
    standard_error,
    zero_denominators,
)
from hopref.models._preconditions import draws_suffice, state_of_these_features
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
    features : "positive", "hyperbolic", "trigonometric" or "relu" (see `features`)
    scale : the inverse temperature of the estimated softmax kernel, by default 1/sqrt(d)
    mask : (..., s) bool, True where a key may be seen
    empty_row : the answer where the denominator is exactly 0

    Notes
    -----
    A ratio of unbiased estimates: itself biased.  No stabiliser is added; with positive features
    none is needed.

    >>> from hopref import performer
    >>> performer.attention([[9.0]], [[1.0], [1.0]], [[1.0], [3.0]], [[0.5]])
    array([[2.]])
    """
    beta = default_scale(scale, K)
    log_q, sign_q, log_k, sign_k = feature_logs(features, Q, K, omega, beta, mask)
    return log_linear_attention(log_q, log_k, V, sign_q=sign_q, sign_k=sign_k, mask=mask,
                                empty_row=empty_row)


@op("(...,l,d),(...,l,d),(...,l,v),(m,d)->(...,l,v),(...,r,v),(...,r),(...,r)",
    features=random_features, scale=positive, S=state("(...,r,v)"), z=state("(...,r)"),
    c=scores("(...,r)"), shape_rule=state_of_these_features, empty_row=zero_denominators)
def causal_attention(Q, K, V, omega, /, *, features="positive", scale=None, S=0.0, z=0.0,
                     c=float("-inf"), empty_row="zeros"):
    r"""Performer attention to the past and present, with its state.

    Source: Choromanski et al. 2021, eq. (11) [AT-3, PF-1].

    .. math:: Z_i = \frac{\phi(q_i) \sum_{j \le i} \phi(k_j) v_j^T}
        {\phi(q_i) \sum_{j \le i} \phi(k_j)}

    Returns
    -------
    (Z, S, z, c) : as `attention.log_causal_linear_attention`

    >>> from hopref import performer
    >>> Q = K = [[1.0], [1.0]]
    >>> Z, S, z, c = performer.causal_attention(Q, K, [[1.0], [3.0]], [[0.5]])
    >>> Z[:, 0]
    array([1., 2.])
    """
    beta = default_scale(scale, K)
    (log_q, sign_q), (log_k, sign_k) = features(Q, omega, beta), features(K, omega, beta)
    return log_causal_linear_attention(log_q, log_k, V, sign_q=sign_q, sign_k=sign_k, S=S, z=z,
                                       c=c, empty_row=empty_row)


@op("(...,d),(n,d),(m,d)->(...,n)", features=random_features, beta=positive,
    empty_row=zero_denominators, scratch="(...,n)", result=finite)
def weights(xi, X, omega, /, *, beta=1.0, features="positive", empty_row="zeros"):
    r"""How much each pattern takes part, for one draw.  Source: blog eq. (23) [PF-6].

    .. math:: p_i = \phi(\sqrt\beta x_i)^T \phi(\sqrt\beta \xi) / D

    >>> from hopref import performer
    >>> performer.weights([1.0], [[2.0], [2.0]], [[0.3]])
    array([0.5, 0.5])
    """
    q, keys = _features(xi, X, omega, beta, features)
    return linear_weights(q, keys, empty_row=empty_row)[..., 0, :]


def _features(xi, X, omega, beta, features):
    log_q, sign_q, log_k, sign_k = feature_logs(features, xi, X, omega, beta)
    return balanced(log_q[..., None, :], log_k, sign_q[..., None, :], sign_k)


@op("(...,d),(n,d),(m,d)->(...,d)", features=random_features, beta=positive,
    empty_row=zero_denominators, result=finite)
def update(xi, X, omega, /, *, beta=1.0, features="positive", empty_row="zeros"):
    r"""One retrieval step for one draw of the features.

    Source: blog eq. (23), inside the expectation [PF-6].

    .. math:: \xi^{new} = X^T \phi(\sqrt\beta X)\, \phi(\sqrt\beta \xi) / D

    No energy belongs to it: for a finite draw its Jacobian is not symmetric.

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
    omegas : (k, m, d), k >= 2 independent draws

    Returns
    -------
    (mean, standard error) : each (..., d).  The mean tends to the expectation of a ratio, which
        differs from `modern.update` for every finite m.

    Notes
    -----
    The rule has no energy, as `update` has none for a single draw.

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

    The blog's threshold is +0.5 here, not -0.5 as in its eqs. (20) and (22).  The rule has no
    energy.

    >>> from hopref import performer
    >>> performer.thresholded_update([0.9], [[2.0], [3.0]], [[0.3]])
    array([2.5])
    """
    q, keys = _features(side(xi, theta), side(X, theta), omega, beta, features)
    return linear_attention(q, keys, X, empty_row=empty_row)[..., 0, :]


@op("(...,s,d),(m,d)->(...,s,m)", beta=positive, eps=nonnegative, over=over, result=finite)
def stabilized_features(x, omega, /, *, beta=1.0, eps=1e-6, over="row"):
    r"""Positive features as they are published, with a stabiliser.

    Source: Choromanski et al. 2021, Appendix A (eps), and the authors' code (the maximum) [PF-1].

    .. math:: \phi(x) = \tfrac{1}{\sqrt m} (\exp(u - \tfrac\beta2 \|x\|^2 - \max u) + \epsilon),
        \quad u = \sqrt\beta\, \Omega x

    Parameters
    ----------
    eps : the paper's 1e-6; published code also has 1e-4
    over : the maximum goes over the features of its "row" (queries), or of "all" rows (keys)

    Notes
    -----
    To reproduce others, not to compute with: the maximum is taken before the norm is subtracted,
    so that rows of a large norm sink to eps and all look alike.

    >>> from hopref import performer
    >>> performer.stabilized_features([[0.0]], [[1.0]], eps=0.5)
    array([[1.5]])
    """
    xp, x = namespace(x), math.sqrt(beta) * x
    u = x @ omega.T
    top = xp.max(u, axis=over, keepdims=True)
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
    eps : of the features; with 0 this is `attention`, as long as nothing underflows
    guard : gamma, the JAX code's guard of the denominator (there as large as eps)

    Notes
    -----
    eps > 0 draws every row to the mean of V, wholly where the keys' features have sunk to eps.

    >>> from hopref import performer
    >>> Z = performer.stabilized_attention([[1.0]], [[1.0], [9.0]], [[1.0], [3.0]], [[0.5]])
    >>> bool(Z[0, 0] < 1.1)                     # the long key has sunk: 0 + eps against 1 + eps
    True
    """
    beta = default_scale(scale, K)
    q = stabilized_features(Q, omega, beta=beta, eps=eps, over="row")
    k = stabilized_features(K, omega, beta=beta, eps=eps, over="all")
    S, z = key_state(k, V, mask=mask)
    return ratio(q @ S, guarded(q @ z[..., None], guard), empty_row)


@op("(...,l,d),(...,s,d),(...,s,v),(m,d)->(...,l,v)", activation=activation, scale=positive,
    mask=mask("(...,s)"), eps=nonnegative, empty_row=zero_denominators, result=finite)
def generalized_attention(Q, K, V, omega, /, *, activation="relu", scale=None, mask=True, eps=1e-3,
                          empty_row="zeros"):
    r"""Attention by an activation of projections: what is called generalised Performer attention.

    Source: Choromanski et al. 2021, Appendix A [PF-3].

    .. math:: Z = D^{-1} (Q' (K'^T V)), \quad \phi(x) = f(s\, \Omega x) + \epsilon

    Parameters
    ----------
    activation : f, one of "relu", "abs", "identity", "sigmoid"; exponentials are
        for `attention`, which computes from their logarithms
    scale : s, by default d^(-1/4); TensorFlow's code has d^(-1/4) m^(-1/2), JAX's without
        projection is Omega = I and s = 1: no two are the same once eps > 0
    eps : the kernel epsilon, the paper's 1e-3

    >>> from hopref import performer
    >>> performer.generalized_attention([[1.0]], [[1.0], [3.0]], [[0.0], [4.0]], [[1.0]], eps=0.0)
    array([[3.]])
    """
    s = feature_scale(scale, K)
    q, k = activation(s * Q @ omega.T) + eps, activation(s * K @ omega.T) + eps
    return linear_attention(q, k, V, mask=mask, empty_row=empty_row)

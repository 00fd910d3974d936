r"""Linear attention with decay gates and with the delta rule: memories that forget and correct.

``Q`` (..., l, d) queries, ``K`` (..., l, d) keys, ``V`` (..., l, v) values of the tokens of a
sequence, with equal leading axes; ``S`` (..., d, v) the memory, one row for each entry of a key.
One recurrence contains linear attention (no decay), RetNet and Mamba-2 (a decay for each token),
gated linear attention (one for each entry of the key as well), and, with ``rule="delta"``, DeltaNet
and Gated DeltaNet.  A memory has no denominator; for one, append a column of ones to ``V``.

There is no energy, because the pair that is written changes with each token.  The delta rule is one
step of gradient descent on the loss of its token, :math:`|v_t - S^T k_t|^2 / 2`, of the size beta.

References: Sun et al. 2023, *Retentive Network*; Yang et al. 2024, *Gated Linear Attention
Transformers*; Dao and Gu 2024, *Transformers are SSMs*; Yang et al. 2024, *Parallelizing Linear
Transformers with the Delta Rule*; Yang et al. 2025, *Gated Delta Networks*; the operator
LinearAttention of ONNX.
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from hopref.dispatch.domains import choice, finite, inverse_temperature, log_factors, state
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.overrides import overridable
from hopref.maps import default_scale, scan

__all__ = ["linear_attention"]


def value(S, k, v):
    """What the linear rule writes."""
    return v


def error(S, k, v):
    """What the delta rule writes: the error of the prediction v = S^T k."""
    return v - (k[..., None, :] @ S)[..., 0, :]


class Rule(NamedTuple):
    """What is written of a pair, and the share of its prediction that is erased, 0 or 1."""
    written: Callable
    erased: float


rules = choice(linear=Rule(value, 0.0), delta=Rule(error, 1.0))
gated_options = dict(log_decay=log_factors("(...,l)"), log_gates=log_factors("(...,l,d)"),
                     beta=state("(...,l)"), rule=rules, scale=inverse_temperature,
                     S=state("(...,d,v)"))


@op("(...,l,d),(...,l,d),(...,l,v)->(...,l,v),(...,d,v)", **gated_options, result=finite)
def linear_attention(Q, K, V, /, *, log_decay=0.0, log_gates=0.0, beta=1.0, rule="linear",
                     scale=None, S=0.0):
    r"""Linear attention with gates, by the additive rule or by the delta rule.

    Source: the recurrences of GLA, Mamba-2, DeltaNet and Gated DeltaNet [GD-1].

    .. math:: \bar S_t = \mathrm{diag}(e^{g_t})\, S_{t-1}, \quad
        S_t = \bar S_t + \beta_t k_t (v_t - \epsilon\, \bar S_t^T k_t)^T, \quad o_t = s\, S_t^T q_t

    Parameters
    ----------
    log_decay, log_gates : their sum is g_t, the log of the factor of the memory, for each token and
        for each entry of its key; -inf erases all that was written before
    beta : strength of the write of each token
    rule : "linear" adds the value (epsilon = 0), "delta" the error of its prediction (epsilon = 1)
    scale : s, a factor of the results; None for 1/sqrt(d)
    S : memory of earlier tokens

    Returns
    -------
    O : (..., l, v) array, the results; each is read after its token was written
    S : (..., d, v) array, the memory that is passed on to the next chunk

    Notes
    -----
    The rules have no energy.  A token with log_decay = 0 and beta = 0 leaves the memory unchanged.
    The delta rule is stable where beta |k|^2 is between 0 and 2; published models divide keys by
    their length.

    >>> from hopref import gated
    >>> O, S = gated.linear_attention([[1.0], [1.0]], [[1.0], [1.0]], [[4.0], [8.0]],
    ...                               beta=[1.0, 0.5], rule="delta")
    >>> O[:, 0], S                                      # 4 + (8 - 4) / 2
    (array([4., 6.]), array([[6.]]))
    """
    rows = Q, K, decays(K, log_decay, log_gates), column(K, beta), V
    O, S = scan(partial(_step, rule=rule), memory(K, V, S), rows)
    return default_scale(scale, K) * O, S


def column(K, x):
    """One number for each token, as a column (..., l, 1)."""
    xp = namespace(K)
    return (x + xp.zeros(K.shape[:-1], dtype=K.dtype))[..., None]


@overridable
def decays(K, log_decay, log_gates):
    """The factors (..., l, d) of the memory."""
    xp = namespace(K)
    return xp.exp(column(K, log_decay) + log_gates + xp.zeros_like(K))


def memory(K, V, S):
    """The memory of earlier tokens in full size (..., d, v)."""
    xp = namespace(V)
    return S + xp.zeros((*K.shape[:-2], K.shape[-1], V.shape[-1]), dtype=V.dtype)


def written(S, k, write, v, rule):
    """The decayed memory after the write of one token."""
    return S + k[..., :, None] * (write * rule.written(S, k, v))[..., None, :]


def _step(S, q, k, decay, write, v, *, rule):
    """The memory after one token, and what its query reads."""
    S = written(decay[..., None] * S, k, write, v, rule)
    return S, (q[..., None, :] @ S)[..., 0, :]

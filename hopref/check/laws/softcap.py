"""Laws of attention with capped scores: the order of its steps, bounds and the limit."""
import numpy as np

from hopref import attention, maps
from hopref.check.cases.draws import composed, sampled
from hopref.check.cases.heads import heads
from hopref.check.laws import at_most, equal, law
from hopref.check.laws.attention import softmax

__all__ = []

OP = "attention.softcapped_attention"


@composed
def capped(draw):
    """Queries, keys, values, a mask and a cap, which scores exceed or not."""
    return draw(heads(masked=True)) | {"softcap": draw(sampled([0.25, 2.0, 16.0]))}


@law(OP, id="SC-1", over=capped(),
     kills=("scores capped before the scale", "hidden scores capped", "bias capped too",
            "cap not multiplied again", "softcap ignored", "clipped at the cap"))
def scores_are_scaled_then_capped_then_biased_and_masked(f, Q, K, V, mask, scale, softcap):
    """Z = softmax(c tanh(s Q K^T / c) + B) V over the visible keys."""
    bias = (Q[:, :1] - K[:, 0]) / 2
    z = softcap * np.tanh(Q @ K.T * maps.default_scale(scale, K) / softcap)
    Z = f(Q, K, V, softcap=softcap, scale=scale, mask=mask, bias=bias)
    yield equal(Z, softmax(z + bias, mask) @ V)


@law(OP, id="SC-1", over=capped(), kills=("softcap ignored", "cap not multiplied again"))
def no_visible_key_has_less_than_its_least_weight(f, Q, K, V, mask, scale, softcap):
    """A_ij >= 1 / (1 + (n - 1) e^(2 c)) for a query that sees n keys."""
    A = f(16 * Q, K, np.eye(len(K)), softcap=softcap, scale=scale, mask=mask)
    n = np.sum(mask, axis=-1, keepdims=True)
    least = 1 / (1 + (n - 1) * np.exp(2 * np.longdouble(softcap)))
    yield at_most(np.where(mask, least, 0.0), A)


@law(OP, id="SC-1", over=heads(),
     kills=("cap not multiplied again", "scores capped before the scale and not scaled"))
def a_cap_far_above_the_scores_changes_nothing(f, Q, K, V, scale):
    """c -> infinity is softmax attention."""
    yield equal(f(Q, K, V, softcap=2.0**80, scale=scale),
                f.exact(attention.softmax_attention, Q, K, V, scale=scale))

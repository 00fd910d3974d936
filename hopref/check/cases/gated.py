"""Draws of the arguments of gated linear attention and of the delta rule."""
import numpy as np

from hopref.check.cases.draws import arrays, composed, integers, sampled

__all__ = ["gated_heads", "orthonormal_keys"]

shares = integers(0, 8).map(lambda k: k / 8)
logs = integers(-16, 0).map(lambda k: k / 8)


@composed
def gated_heads(draw, least=1, most=5, rules=("linear", "delta"), steep=1.0):
    """A sequence, its gates and strengths, the memory of earlier tokens, and a rule.

    ``steep`` multiplies the decays of tokens.
    """
    l, d, v = draw(integers(least, most)), draw(integers(1, 4)), draw(integers(1, 3))
    return {"Q": draw(arrays(l, d)), "K": draw(arrays(l, d)), "V": draw(arrays(l, v)),
            "log_decay": steep * draw(arrays(l, elements=logs)),
            "log_gates": draw(arrays(l, d, elements=logs)),
            "beta": draw(arrays(l, elements=shares)), "S": draw(arrays(d, v)),
            "rule": draw(sampled(rules))}


@composed
def orthonormal_keys(draw):
    """Orthonormal keys, some of them negative unit vectors, with queries and values."""
    d, v = draw(integers(1, 5)), draw(integers(1, 3))
    l = draw(integers(1, d))
    signs = draw(arrays(l, elements=sampled([-1.0, 1.0])))
    return {"Q": draw(arrays(l, d)), "K": signs[:, None] * np.eye(d)[:l], "V": draw(arrays(l, v))}

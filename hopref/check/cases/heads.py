"""Draws of the arguments of attention: queries, keys, values, their features."""
import numpy as np

from hopref.check.cases.draws import arrays, composed, eighths, integers, masks, sampled

__all__ = ["heads", "stacked", "feature_heads", "signed_heads", "log_heads", "halves"]

features_below = integers(0, 32).map(lambda k: k / 8)


@composed
def heads(draw, max_l=4, max_s=5, square=False, masked=False, scales=(None, 0.5, 2.0)):
    """Queries, keys, values, a scale; with ``masked`` a mask in which every query sees a key."""
    l, s = draw(integers(1, max_l)), draw(integers(1, max_s))
    s = l if square else s
    d, v = draw(integers(1, 4)), draw(integers(1, 3))
    case = {"Q": draw(arrays(l, d)), "K": draw(arrays(s, d)), "V": draw(arrays(s, v)),
            "scale": draw(sampled(scales))}
    return case | {"mask": draw(masks(l, s, some=True))} if masked else case


@composed
def stacked(draw):
    """Positive features, or queries and keys, of three heads, the first 256 times as large."""
    l, r, v = draw(integers(1, 4)), draw(integers(1, 3)), draw(integers(1, 2))
    sizes = np.array([256.0, 1.0, 0.25])[:, None, None]
    positive = integers(1, 32).map(lambda k: k / 8)
    return {"q": sizes * draw(arrays(3, l, r, elements=positive)),
            "k": sizes * draw(arrays(3, l, r, elements=positive)), "V": draw(arrays(3, l, v))}


@composed
def feature_heads(draw, max_l=5, max_s=5, square=False, elements=features_below):
    """Features of queries and keys, the first one positive; values."""
    l, s = draw(integers(1, max_l)), draw(integers(1, max_s))
    s = l if square else s
    r, v = draw(integers(1, 4)), draw(integers(1, 3))
    phi_q, phi_k = draw(arrays(l, r, elements=elements)), draw(arrays(s, r, elements=elements))
    phi_q[:, 0], phi_k[:, 0] = np.maximum(phi_q[:, 0], 0.125), np.maximum(phi_k[:, 0], 0.125)
    return {"phi_q": phi_q, "phi_k": phi_k, "V": draw(arrays(s, v))}


def signed_heads(**how):
    """`feature_heads` of both signs, so that denominators may be small, negative or zero."""
    return feature_heads(elements=integers(-16, 32).map(lambda k: k / 8), **how)


@composed
def log_heads(draw):
    """Logarithms of features, within 8 of zero; values."""
    l, r, v = draw(integers(1, 4)), draw(integers(1, 3)), draw(integers(1, 2))
    near = integers(-64, 64).map(lambda k: k / 8)
    return {"log_q": draw(arrays(l, r, elements=near)), "log_k": draw(arrays(l, r, elements=near)),
            "V": draw(arrays(l, v))}


@composed
def halves(draw):
    """A sequence of at least two positive tokens, where it is cut, and rows to project on."""
    l, d, m = draw(integers(2, 5)), draw(integers(1, 3)), draw(integers(1, 4))
    q, k = draw(arrays(l, d, elements=features_below)), draw(arrays(l, d, elements=features_below))
    q[:, 0], k[:, 0] = np.maximum(q[:, 0], 0.125), np.maximum(k[:, 0], 0.125)
    return {"q": q, "k": k, "V": draw(arrays(l, 2)), "cut": draw(integers(1, l - 1)),
            "omega": draw(arrays(m, d, elements=eighths.map(lambda x: x / 2)))}

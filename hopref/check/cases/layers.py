"""Draws for Hopfield layers: heads in their association spaces, operands of whole layers."""
from hopref.check.cases.draws import arrays, composed, integers, masks, sampled

__all__ = ["spaces", "projections"]


@composed
def spaces(draw, masked=False, batch=False):
    """States and patterns in the association spaces of heads, and what governs their association.

    With ``masked`` a mask in which every state sees a pattern, with ``batch`` two samples.
    """
    h, l, s, a = (draw(integers(1, most)) for most in (3, 3, 4, 3))
    lead = (2,) if batch else ()
    case = {"Q": draw(arrays(*lead, h, l, a)), "K": draw(arrays(*lead, h, s, a)),
            "beta": draw(sampled([0.25, 1.0, 2.0])), "steps": draw(integers(1, 3)),
            "per_head": draw(arrays(h, elements=sampled([0.5, 1.0, 2.0])))}
    return case | ({"mask": draw(masks(*lead, l, s, some=True))} if masked else {})


@composed
def projections(draw):
    """Operands of a whole layer, with its biases; widths are equal sometimes."""
    h, l, s, d, e, p, a, v, o = (draw(integers(1, most)) for most in (2, 3, 3, 3, 2, 3, 3, 2, 3))
    near = integers(-8, 8).map(lambda k: k / 8)
    shapes = {"R": (l, d), "Y": (s, e), "P": (s, p), "W_q": (h, a, d), "W_k": (h, a, e),
              "W_v": (h, v, p), "W_o": (h, o, v), "b_q": (h, a), "b_k": (h, a), "b_v": (h, v),
              "b_o": (o,)}
    return {k: draw(arrays(*shape, elements=near)) for k, shape in shapes.items()}

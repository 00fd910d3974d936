"""Draws of the arguments of random features: rows, projections, a temperature, a feature map."""
from hopref.check.cases.draws import arrays, composed, integers, masks, sampled

__all__ = ["KINDS", "projected", "projected_heads", "sequences", "several", "quadratic"]

KINDS = ("positive", "hyperbolic", "trigonometric", "relu")
near = integers(-12, 12).map(lambda k: k / 8)       # norms small enough for plain exponentials


@composed
def projected(draw, kinds=KINDS, **more):
    """States, patterns, rows to project on, a temperature and a feature map."""
    m, n = draw(integers(1, 3)), draw(integers(1, 4))
    d, r = draw(integers(1, 4)), draw(integers(1, 5))
    case = {"xi": draw(arrays(m, d, elements=near)), "X": draw(arrays(n, d, elements=near)),
            "omega": draw(arrays(r, d, elements=near)), "beta": draw(sampled([0.25, 1.0, 2.0])),
            "features": draw(sampled(kinds))}
    return case | {name: draw(one) for name, one in more.items()}


@composed
def projected_heads(draw, kinds=KINDS, scales=(None, 0.25, 2.0), **more):
    """Queries, keys, values, rows to project on, a mask of keys that hides not all of them."""
    case = draw(projected(kinds, **more))
    keys = case.pop("X")
    case |= {"Q": case.pop("xi"), "K": keys, "V": draw(arrays(len(keys), 2)),
             "mask": draw(masks(len(keys), some=True)), "scale": draw(sampled(scales))}
    case.pop("beta")
    return case


@composed
def sequences(draw):
    """Queries, keys and values of a sequence, rows to project on, a feature map."""
    l, d, r = draw(integers(1, 5)), draw(integers(1, 3)), draw(integers(1, 4))
    return {"Q": draw(arrays(l, d, elements=near)), "K": draw(arrays(l, d, elements=near)),
            "V": draw(arrays(l, 1)), "omega": draw(arrays(r, d, elements=near)),
            "features": draw(sampled(KINDS))}


@composed
def several(draw):
    """A problem with a few draws of the rows to project on."""
    case = draw(projected(kinds=("positive",)))
    k, (r, d) = draw(integers(2, 3)), case.pop("omega").shape
    case.pop("features")
    return case | {"omegas": draw(arrays(k, r, d, elements=near))}


@composed
def quadratic(draw):
    """Rows, and parameters of `features.derf`: sixteenths below 1/8, a matrix of eighths."""
    case = draw(projected())
    d = case["xi"].shape[-1]
    return {"x": case["xi"], "omega": case["omega"], "beta": case["beta"],
            "a": draw(arrays(d, elements=integers(-8, 1).map(lambda k: k / 16))),
            "B": draw(arrays(d, d, elements=near))}

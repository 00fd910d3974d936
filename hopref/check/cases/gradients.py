"""Draws of the arguments of gradients of attention and of supports."""
import numpy as np

from hopref.check.cases.draws import (
    Draw,
    arrays,
    betas,
    booleans,
    composed,
    constant,
    integers,
    sampled,
)
from hopref.check.cases.problems import problems

__all__ = ["chunked", "feature_heads_with_a_hidden_key", "growing", "heads_with_a_hidden_key",
           "logs", "normal", "visible"]

features = integers(0, 32).map(lambda k: k / 8)
large = integers(-6400, 6400).map(lambda k: k / 8) | sampled([-np.inf, 0.0])


def normal(*shape):
    """Independent standard normal numbers."""
    return Draw(lambda rng: rng.standard_normal(shape))


@composed
def growing(draw, steps=20):
    """Features of keys that triple at every step, queries, values, and a cotangent."""
    positive = Draw(lambda rng: rng.random((steps, 4)) + 0.125)
    growth = 3.0 ** np.arange(steps)[:, None]
    return {"cotangent": draw(normal(steps, 3)), "phi_q": draw(positive),
            "phi_k": draw(positive) * growth, "V": draw(normal(steps, 3))}


@composed
def logs(draw, causal=False):
    """Log features of hundreds, in eighths; some are -inf, but of no key and no query all."""
    l, r, v = draw(integers(1, 3)), draw(integers(1, 3)), draw(integers(1, 2))
    s = l if causal else draw(integers(1, 4))
    log_q, log_k = draw(arrays(l, r, elements=large)), draw(arrays(s, r, elements=large))
    for x in (log_q, log_k):
        x[:, 0] = np.where(np.isinf(x[:, 0]), 0.0, x[:, 0])
    return {"cotangent": draw(arrays(l, v)), "log_q": log_q, "log_k": log_k,
            "V": draw(arrays(s, v))}


@composed
def heads_with_a_hidden_key(draw):
    """Queries, at least two keys, values, a cotangent, and the index of a key."""
    l, s, d, v = (draw(integers(low, high)) for low, high in ((1, 4), (2, 5), (1, 4), (1, 3)))
    return {"cotangent": draw(arrays(l, v)), "Q": draw(arrays(l, d)), "K": draw(arrays(s, d)),
            "V": draw(arrays(s, v)), "hidden": draw(integers(0, s - 1))}


def positive_first(x):
    """Features >= 0 of which the first is not 0."""
    x[:, 0] = np.maximum(x[:, 0], 0.125)
    return x


@composed
def feature_heads_with_a_hidden_key(draw):
    """Features of queries and of at least two keys, values, a cotangent, and the index of a key."""
    l, s, r, v = (draw(integers(low, high)) for low, high in ((1, 5), (2, 5), (1, 4), (1, 3)))
    phi_q, phi_k = (positive_first(draw(arrays(n, r, elements=features))) for n in (l, s))
    return {"cotangent": draw(arrays(l, v)), "phi_q": phi_q, "phi_k": phi_k,
            "V": draw(arrays(s, v)), "hidden": draw(integers(0, s - 1))}


@composed
def chunked(draw, logarithms=False):
    """Features and values of a sequence, where it is cut, and cotangents of the results."""
    l, r, v = draw(integers(2, 4)), draw(integers(1, 4)), draw(integers(1, 3))
    names = ("log_q", "log_k") if logarithms else ("phi_q", "phi_k")
    made = [positive_first(draw(arrays(l, r, elements=features))) for _ in names]
    with np.errstate(divide="ignore"):
        made = [np.log(x) if logarithms else x for x in made]
    return dict(zip(names, made)) | {
        "V": draw(arrays(l, v)), "cut": draw(integers(1, l - 1)), "g": draw(arrays(l, v)),
        "g_S": draw(arrays(r, v)), "g_z": draw(arrays(r))}


@composed
def visible(draw):
    """A problem, cotangents of states, and which patterns are visible to all states."""
    problem = draw(problems(betas=betas))
    support = draw(arrays(len(problem["X"]), elements=booleans() | constant(True))) > 0
    return problem | {"support": support, "g": draw(arrays(*problem["xi"].shape))}

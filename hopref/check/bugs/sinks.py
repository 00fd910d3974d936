"""Bugs of sinks: the maximum, units, heads, counts, and the energy."""
import math

import numpy as np

from hopref import maps, modern
from hopref.check.bugs import estimated, run, wrong_call
from hopref.check.bugs.attention import scores_of, seen_by, valued

__all__ = []

MAP, HEADS = "maps.sink_softmax", ("sinks.attention", "sinks.attention_weights")
MEMORY = ("sinks.update", "sinks.energy")
ALL = (MAP, *HEADS, *MEMORY)


def visible_scores(op, given):
    """Scaled scores (..., n), -inf where hidden, and the sinks of their rows (..., 1)."""
    if op.name == MAP:
        z = given["beta"] * given["z"] + given["bias"]
        return np.where(given["where"], z, -np.inf), given["sink"][..., None]
    if op.name in HEADS:
        z = np.where(seen_by(op, given), scores_of(given), -np.inf)
        return z, given["sink"][..., None, None]
    return given["beta"] * (given["xi"] @ given["X"].T), given["sink"]


def answered(op, given, p):
    """The result of these weights."""
    return p @ given["X"] if op.name == "sinks.update" else valued(p, given)


def relative(z):
    """The largest score of each row, 0 where all are hidden, and exponentials relative to it."""
    top = np.max(z, axis=-1, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    return top, np.exp(z - top)


@wrong_call("maximum subtracted from the scores, not from the sink", MAP, *HEADS, "sinks.update")
def sink_not_shifted(op, given):
    z, sink = visible_scores(op, given)
    _, e = relative(z)
    return answered(op, given, e / (np.exp(sink) + np.sum(e, axis=-1, keepdims=True)))


@wrong_call("exponentials without a maximum", MAP)
def without_a_maximum(op, given):
    z, sink = visible_scores(op, given)
    e = np.exp(z.astype(float))
    return e / (np.exp(np.asarray(sink, float)) + np.sum(e, axis=-1, keepdims=True))


@wrong_call("sink ignored", *ALL)
def sink_ignored(op, given):
    return run(op, given | {"sink": 0 * given["sink"] - 1e6})


@wrong_call("sink with the wrong sign", *ALL)
def sink_with_the_wrong_sign(op, given):
    return run(op, given | {"sink": -given["sink"]})


@wrong_call("1 in place of e^s", *ALL)
def softmax_one(op, given):
    return run(op, given | {"sink": 0 * given["sink"]})


@wrong_call("sink counted twice", *ALL)
def sink_counted_twice(op, given):
    return run(op, given | {"sink": given["sink"] + math.log(2)})


@wrong_call("sink multiplied by beta", MAP, *MEMORY)
def sink_times_beta(op, given):
    return run(op, given | {"sink": given["beta"] * given["sink"]})


@wrong_call("sink scaled like the scores", *HEADS)
def sink_scaled(op, given):
    return run(op, given | {"sink": given["sink"] * maps.default_scale(given["scale"], given["K"])})


@wrong_call("one sink for all heads", *HEADS)
def one_sink(op, given):
    sink = given["sink"]
    return run(op, given | {"sink": np.full_like(sink, sink.flat[0])}) if sink.size > 1 else None


@wrong_call("empty rows answer NaN", *HEADS)
def empty_rows_are_nan(op, given):
    z, _ = visible_scores(op, given)
    none = np.all(z == -np.inf, axis=-1, keepdims=True)
    return np.where(none, np.nan, run(op, given))


@wrong_call("sink hidden with the keys", *HEADS)
def sink_hidden_with_the_first_key(op, given):
    """The sink is a first key, and the mask is that of the keys moved by one."""
    if given["mask"] is True or given["causal"]:
        return None
    z, sink = visible_scores(op, given)
    seen = np.broadcast_to(given["mask"], z.shape)[..., :1]
    _, e = relative(z)
    usual = e / np.where(np.sum(e, axis=-1, keepdims=True) > 0,
                         np.sum(e, axis=-1, keepdims=True), 1)
    right = run(op, given)
    return np.where(seen, right, answered(op, given, usual))


@wrong_call("state in place of the sink's pattern", "sinks.update")
def state_kept(op, given):
    z, sink = visible_scores(op, given)
    top, e = relative(z)
    p = e / (np.exp(sink - top) + np.sum(e, axis=-1, keepdims=True))
    return run(op, given) + (1 - np.sum(p, axis=-1, keepdims=True)) * given["xi"]


# -- the energy ------------------------------------------------------------------------------------

def uniform(given):
    """log(N + e^s) / beta."""
    return np.logaddexp(math.log(len(given["X"])), given["sink"]) / given["beta"]


@wrong_call("log N without the sink", "sinks.energy")
def patterns_counted_alone(op, given):
    return run(op, given) - uniform(given) + math.log(len(given["X"])) / given["beta"]


@wrong_call("energy of the modern network", "sinks.energy")
def modern_energy(op, given):
    return modern.energy.formula(given["xi"], given["X"], beta=given["beta"])


@wrong_call("energy without M^2/2", "sinks.energy")
def longest_left_out(op, given):
    return run(op, given) - np.max(np.sum(given["X"] * given["X"], axis=-1)) / 2


@wrong_call("sink's share not divided by beta", "sinks.energy")
def share_not_divided(op, given):
    return run(op, given) + (given["beta"] - 1) * uniform(given)


@estimated("{} is added to the sink", *ALL)
def sink_added(op, given, number):
    return run(op, given | {"sink": given["sink"] + number})

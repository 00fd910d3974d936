"""Preconditions of the models that involve several arguments.

They are called on validated arguments, in which options are still given by name, and return the
message of the violated condition, or None.
"""
import math

from hopref.features import PAIRED
from hopref.maps import end, start, visible
from hopref.maps.preconditions import EMPTY_ROW

__all__ = ["states_in_alphabet", "states_in_range", "polar", "no_more_winners_than_sites",
           "weights_between_layers",
           "key_visible", "state_with_its_scale", "state_of_these_features", "draws_suffice",
           "at_most_n", "support_not_empty", "list_not_empty"]

EMPTY_SUPPORT = "every state must attend to a pattern; got an empty row in the support"


def states_in_alphabet(xp, given):
    """The state must hold the two values of its alphabet, because a tie keeps its value."""
    if given["ties"] == "plus":
        return None
    xi, low = given["xi"], {"polar": -1.0, "binary": 0.0}[given["states"]]
    if bool(xp.all((xi == 1) | (xi == low) | ~xp.isfinite(xi))):
        return None
    return f"xi must hold {low:g} and 1 only with ties='keep', states={given['states']!r}; " \
           "got other values"


def states_in_range(activation):
    """The states must lie in the closure of the activation's range, where the energy is defined."""
    def precondition(xp, given):
        f = activation.resolve(given["activation"])
        for name in ("xi", "previous"):
            x = given.get(name)
            if x is not None and bool(xp.any(((x < f.low) | (x > f.high)) & xp.isfinite(x))):
                return f"{name} must lie in the activation's range [{f.low:g}, {f.high:g}]; " \
                       "got a value outside"
        return None
    return precondition


def polar(name):
    """The state must hold -1 and 1 if a tie keeps its value or if its flips are compared."""
    def precondition(xp, given):
        x = given[name]
        if given.get("ties") == "plus" or bool(xp.all((x == 1) | (x == -1) | ~xp.isfinite(x))):
            return None
        return f"{name} must hold -1 and 1 only; got other values"
    return precondition


def weights_between_layers(given):
    """There must be two layers, and one matrix of weights less than layers."""
    l, k = given["x"].shape[-2], given["W"].shape[0]
    if l < 2:
        return f"x must hold at least two layers; got {l}"
    return None if k == l - 1 else f"l-1 must be {l - 1} for {l} layers; got W with {k}"


def no_more_winners_than_sites(xp, given):
    """The number of winners must not exceed the number of sites."""
    k, d = given["k"], given["xi"].shape[-1]
    return None if k <= d else f"k must be at most d = {d}; got k={k}"


def key_visible(xp, given):
    """With empty_row="raise", a key must be visible to every query."""
    if given["empty_row"] != "raise":
        return None
    align = {"end": end, "start": start}[given["align"]]
    seen = visible(given["Q"], given["K"], given["mask"], given["causal"], align) \
        & (given["bias"] > -math.inf)
    return None if seen is True or bool(xp.all(xp.any(seen, axis=-1))) else EMPTY_ROW


def state_with_its_scale(given):
    """S and z need their log scale c: in the log domain the sums are e^c S and e^c z."""
    missing = isinstance(given["c"], float) and not (
        isinstance(given["S"], float) and isinstance(given["z"], float))
    return "c must come with S and z, whose log scale it is; got no c" if missing else None


def state_of_these_features(given):
    """A state, or its cotangent, must have one row for each feature: m rows, or 2 m."""
    r = given["omega"].shape[0] * (2 if given["features"] in PAIRED else 1)
    for name, axis in (("S", -2), ("z", -1), ("c", -1), ("g_S", -2), ("g_z", -1), ("g_c", -1)):
        if not isinstance(given.get(name, 0.0), float) and given[name].shape[axis] != r:
            return f"r must be {r}, one for each feature; got {name} with {given[name].shape[axis]}"
    return state_with_its_scale(given)


def draws_suffice(given):
    """There must be at least two draws, because the standard error is estimated from them."""
    k = given["omegas"].shape[0]
    return None if k >= 2 else f"omegas must hold at least 2 draws; got {k}"


def at_most_n(*names):
    """These numbers must not exceed the number of patterns."""
    def precondition(xp, given):
        for name in names:
            if given[name] > given["n"]:
                return f"{name} must be at most n = {given['n']}; got {name}={given[name]}"
        return None
    return precondition


def support_not_empty(xp, given):
    """With empty_row="raise", every state must attend to a pattern."""
    support = given["support"]
    if given["empty_row"] != "raise" or support is True or bool(xp.all(xp.any(support, axis=-1))):
        return None
    return EMPTY_SUPPORT


def list_not_empty(xp, given):
    """With empty_row="raise", every state must occur in the list of pairs."""
    rows = xp.sort(given["rows"])
    every = xp.arange(given["xi"].shape[0], dtype=rows.dtype)
    start, stop = (xp.searchsorted(rows, every, side=side) for side in ("left", "right"))
    empty = given["empty_row"] == "raise" and not bool(xp.all(start < stop))
    return EMPTY_SUPPORT if empty else None

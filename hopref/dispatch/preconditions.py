"""Preconditions of several arguments, which an operation declares.

A ``shape_rule(given)`` relates shapes, a ``precondition(xp, given)`` values.  They are called with
validated arguments, options by name, and return the sentence that fails, or None.  Those that call
a function of a map, of features or of a layer are defined beside it.
"""
__all__ = ["at_most_n", "draws_suffice", "k_of_n", "list_not_empty",
           "no_more_winners_than_sites", "polar", "state_with_its_scale", "states_in_alphabet",
           "states_in_range", "support_not_empty", "weights_between_layers"]

EMPTY_SUPPORT = "every state must attend to a pattern; got an empty row in the support"


def k_of_n(given):
    """k must be at most the number of entries: scores in a row, or patterns."""
    n = given["z"].shape[-1] if "z" in given else given["X"].shape[0]
    return None if given["k"] <= n else \
        f"k must be at most {n}, the number of entries; got k={given['k']}"


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


def state_with_its_scale(given):
    """S and z need their log scale c: in the log domain the sums are e^c S and e^c z."""
    missing = isinstance(given["c"], float) and not (
        isinstance(given["S"], float) and isinstance(given["z"], float))
    return "c must come with S and z, whose log scale it is; got no c" if missing else None


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

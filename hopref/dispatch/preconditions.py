"""What arguments ask of each other, beyond what each must be by itself.

Called on admitted arguments, options still by name: ``fits(given)`` where shapes depend on each
other, ``demands(xp, given)`` where values do.  They return the sentence that fails, or None.
"""
__all__ = ["states_in_alphabet", "states_in_range", "draws_suffice", "k_of_n",
           "state_with_its_scale", "state_of_these_features", "features_of_each_function",
           "slopes_are_known", "polar", "no_more_winners_than_sites",
           "a_head_sees_something"]


def states_in_alphabet(xp, given):
    """A tie keeps the state's value, so the state must hold the two values of its alphabet."""
    if given["ties"] == "plus":
        return None
    xi, low = given["xi"], {"polar": -1.0, "binary": 0.0}[given["states"]]
    if bool(xp.all((xi == 1) | (xi == low) | ~xp.isfinite(xi))):
        return None
    return f"xi must hold {low:g} and 1 only with ties='keep', states={given['states']!r}; " \
           "got other values"


def states_in_range(activation):
    """The energy is defined on the closure of the activation's range."""
    def demand(xp, given):
        f = activation.resolve(given["activation"])
        for name in ("xi", "previous"):
            x = given.get(name)
            if x is not None and bool(xp.any(((x < f.low) | (x > f.high)) & xp.isfinite(x))):
                return f"{name} must lie in the activation's range [{f.low:g}, {f.high:g}]; " \
                       "got a value outside"
        return None
    return demand


def draws_suffice(given):
    """A standard error needs two draws."""
    k = given["omegas"].shape[0]
    return None if k >= 2 else f"omegas must hold at least 2 draws; got {k}"


def k_of_n(given):
    """At most as many are chosen as there are: scores in a row, or patterns."""
    n = given["z"].shape[-1] if "z" in given else given["X"].shape[0]
    return None if given["k"] <= n else f"k must be at most {n}, the number there is; got k=" \
        f"{given['k']}"


def state_with_its_scale(given):
    """In the log domain the sums S and z mean e^c S and e^c z: nothing without c."""
    bare = isinstance(given["c"], float) and not (
        isinstance(given["S"], float) and isinstance(given["z"], float))
    return "c must come with S and z, whose log scale it is; got no c" if bare else None


def state_of_these_features(given):
    """A state, or a cotangent of one, holds one row for each feature: m of them, or 2 m."""
    pairs = given["features"] in ("hyperbolic", "trigonometric")
    r = given["omega"].shape[0] * (2 if pairs else 1)
    for name, axis in (("S", -2), ("z", -1), ("c", -1), ("g_S", -2), ("g_z", -1), ("g_c", -1)):
        if not isinstance(given.get(name, 0.0), float) and given[name].shape[axis] != r:
            return f"r must be {r}, one for each feature; got {name} with {given[name].shape[axis]}"
    return state_with_its_scale(given)


def features_of_each_function(given):
    """One cotangent for each feature: m for every function."""
    wanted = len(given["functions"]) * given["omega"].shape[0]
    got = given["g"].shape[-1]
    return None if got == wanted else f"lm must be {wanted}, one for each feature; got {got}"


def features_of_each_pair(given):
    """One cotangent for each product of two components."""
    d, got = given["x"].shape[-1], given["g"].shape[-1]
    return None if got == d * d else f"dd must be {d * d}, one for each pair; got {got}"


def slopes_are_known(xp, given):
    """A feature or height of the user's own must bring its derivative."""
    records = [r for r in (given["h"], *given["functions"]) if not isinstance(r, str)]
    return None if all(r.slope is not None for r in records) else \
        "h and functions must name their slopes; got a record without one"


def polar(name):
    """A state that a tie keeps, or whose flips are weighed, holds -1 and 1."""
    def demand(xp, given):
        x = given[name]
        if given.get("ties") == "plus" or bool(xp.all((x == 1) | (x == -1) | ~xp.isfinite(x))):
            return None
        return f"{name} must hold -1 and 1 only; got other values"
    return demand


def no_more_winners_than_sites(xp, given):
    k, d = given["k"], given["xi"].shape[-1]
    return None if k <= d else f"k must be at most d = {d}; got k={k}"


def a_head_sees_something(xp, given):
    """With empty_row="raise", every state must see a stored pattern in every head."""
    if given["empty_row"] != "raise":
        return None
    mask, bias = given["mask"], given["bias"]
    seen = bias > -xp.inf if mask is True else mask[..., None, :, :] & (bias > -xp.inf)
    whole = seen if isinstance(seen, bool) else bool(xp.all(xp.any(seen, axis=-1)))
    return None if whole else "every state must see a stored pattern; got a fully masked row"

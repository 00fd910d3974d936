"""What arguments of models must satisfy together, beyond what each must by itself.

The functions return the sentence that fails, or None.
"""
EMPTY = "every state must look at a pattern; got an empty row in the support"


def at_most_n(*names):
    """No more of these than there are patterns."""
    def precondition(xp, given):
        for name in names:
            if given[name] > given["n"]:
                return f"{name} must be at most n = {given['n']}; got {name}={given[name]}"
        return None
    return precondition


def inhabited(xp, given):
    """With empty_row="raise", every state must attend to a pattern."""
    support = given["support"]
    if given["empty_row"] != "raise" or support is True or bool(xp.all(xp.any(support, axis=-1))):
        return None
    return EMPTY


def inhabited_list(xp, given):
    """The same of pairs in lists."""
    rows = xp.sort(given["rows"])
    every = xp.arange(given["xi"].shape[0], dtype=rows.dtype)
    start, stop = (xp.searchsorted(rows, every, side=side) for side in ("left", "right"))
    empty = given["empty_row"] == "raise" and not bool(xp.all(start < stop))
    return EMPTY if empty else None

"""What arguments ask of each other, beyond what each must be by itself.

Called on admitted arguments, options still by name: ``fits(given)`` where shapes depend on each
other, ``demands(xp, given)`` where values do.  They return the sentence that fails, or None.
"""
__all__ = ["k_of_n"]


def k_of_n(given):
    """At most as many are chosen as there are: scores in a row, or patterns."""
    n = given["z"].shape[-1] if "z" in given else given["X"].shape[0]
    return None if given["k"] <= n else f"k must be at most {n}, the number there is; got k=" \
        f"{given['k']}"

"""Preconditions that relate several arguments of separation maps."""
import math

__all__ = ["something_visible"]

EMPTY_ROW = "every row must see at least one entry; got a fully masked row"


def something_visible(xp, given):
    """With empty_row="raise", every row must have a visible entry."""
    if given["empty_row"] != "raise":
        return None
    seen = (given["z"] + given.get("bias", 0.0) > -math.inf) & given["where"]
    return None if bool(xp.all(xp.any(seen, axis=-1))) else EMPTY_ROW

"""Preconditions of the layers that involve several arguments."""
__all__ = ["pattern_visible"]


def pattern_visible(xp, given):
    """With empty_row="raise", every state must see a stored pattern in every head."""
    if given["empty_row"] != "raise":
        return None
    mask, bias = given["mask"], given["bias"]
    seen = bias > -xp.inf if mask is True else mask[..., None, :, :] & (bias > -xp.inf)
    holds = seen if isinstance(seen, bool) else bool(xp.all(xp.any(seen, axis=-1)))
    return None if holds else "every state must see a stored pattern; got a fully masked row"

"""Preconditions that relate features to the states of their sums."""
from hopref.dispatch.preconditions import state_with_its_scale
from hopref.features.projected import PAIRED

__all__ = ["state_of_these_features"]


def state_of_these_features(given):
    """A state, or its cotangent, must have one row for each feature: m rows, or 2 m."""
    r = given["omega"].shape[0] * (2 if given["features"] in PAIRED else 1)
    for name, axis in (("S", -2), ("z", -1), ("c", -1), ("g_S", -2), ("g_z", -1), ("g_c", -1)):
        if not isinstance(given.get(name, 0.0), float) and given[name].shape[axis] != r:
            return f"r must be {r}, one for each feature; got {name} with {given[name].shape[axis]}"
    return state_with_its_scale(given)

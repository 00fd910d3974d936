"""The tolerance of the cosines and sines of positions: that of their angles, and their own."""
import numpy as np

from hopref.check.tolerance.running_error import ELEMENTARY
from hopref.check.tolerance.toleranced import Toleranced, implements
from hopref.maps import entries

__all__ = []

ANGLE = 3           # roundings of an angle: of pi, of a product and of a quotient


@implements(entries.quarter_turns)
def quarter_turns(x, length):
    profile = x.profile
    cos, sin = entries.quarter_turns.__wrapped__(x.value, length)
    M, i = length or max(1, x.shape[-2]), np.arange(x.shape[-2])[:, None]
    off = ANGLE * profile.u * np.pi / 2 * i / M

    def within(value, slope):
        radius = np.abs(slope) * off + off**2 + ELEMENTARY * profile.u * np.abs(value)
        return Toleranced(value, radius.astype(float) + profile.eta, profile)
    return within(cos, sin), within(sin, cos)

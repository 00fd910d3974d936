"""Thresholds S_theta, and what they let through of a cotangent: constants where they cut."""
from hopref.dispatch.domains import choice
from hopref.dispatch.namespace import namespace
from hopref.maps import above, below

__all__ = []


def kept_above(g, x, theta):
    """What of g belongs to components that ``above`` keeps."""
    return namespace(x).where(x > theta, 0.0, g)


def kept_below(g, x, theta):
    """What of g belongs to components that ``below`` keeps."""
    return namespace(x).where(x < theta, 0.0, g)


side = choice(above=(above, kept_above), below=(below, kept_below))

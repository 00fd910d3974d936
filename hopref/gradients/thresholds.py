"""Thresholds S_theta and their derivatives, which are 0 for the components that are set to 0."""
from hopref.dispatch.domains import choice
from hopref.dispatch.namespace import namespace
from hopref.maps import above, below

__all__ = []


def kept_above(g, x, theta):
    """The components of g that ``above`` keeps."""
    return namespace(x).where(x > theta, 0.0, g)


def kept_below(g, x, theta):
    """The components of g that ``below`` keeps."""
    return namespace(x).where(x < theta, 0.0, g)


side = choice(above=(above, kept_above), below=(below, kept_below))

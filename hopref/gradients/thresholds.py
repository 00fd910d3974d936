"""Vector-Jacobian products of the thresholds S_theta, which are constant where they return 0."""
from hopref.dispatch.domains import choice
from hopref.dispatch.namespace import namespace
from hopref.maps import above, below

__all__ = []


def kept_above(g, x, theta):
    """The cotangent g at components that ``above`` keeps, else 0."""
    return namespace(x).where(x > theta, 0.0, g)


def kept_below(g, x, theta):
    """The cotangent g at components that ``below`` keeps, else 0."""
    return namespace(x).where(x < theta, 0.0, g)


side = choice(above=(above, kept_above), below=(below, kept_below))

"""Signs with tie rules, thresholds, activations, and masks of the largest entries."""
from hopref.dispatch.namespace import namespace
from hopref.dispatch.overrides import overridable


def keep(h, xi, low):
    """Sign of the field, 1 or ``low``; at h = 0 the state keeps its value."""
    xp = namespace(h)
    return xp.where(h > 0, 1.0, xp.where(h < 0, low, xp.where(h == 0, xi, h)))


def plus(h, xi, low):
    """Sign of the field, 1 or ``low``; 1 at h = 0."""
    xp = namespace(h)
    return xp.where(h >= 0, 1.0, xp.where(h < 0, low, h))


@overridable
def sigmoid(u):
    """1 / (1 + e^-u), without overflow."""
    xp = namespace(u)
    e = xp.exp(-xp.abs(u))
    return xp.where(u >= 0, 1.0, e) / (1 + e)


@overridable
def softplus(u):
    """log(1 + e^u), the integral of the sigmoid, without overflow."""
    xp = namespace(u)
    return xp.maximum(u, 0.0 * u) + xp.log1p(xp.exp(-xp.abs(u)))


def relu(u):
    """u where it is positive, else 0; NaN at NaN."""
    return namespace(u).where(u > 0, u, 0.0 * u)


def size(u):
    return namespace(u).abs(u)


def itself(u):
    return u


def above(x, theta):
    """S_theta: components above theta are set to 0, so that only components <= theta remain."""
    return namespace(x).where(x > theta, 0.0, x)


def below(x, theta):
    """The opposite threshold: components below theta are set to 0."""
    return namespace(x).where(x < theta, 0.0, x)


def strongest(x):
    """Mask of the first largest entry of each row."""
    xp, d = namespace(x), x.shape[-1]
    return xp.arange(d) == (xp.argmax(x, axis=-1, keepdims=True) if d else 0)


def winners(x, k):
    """1 at the k largest entries of each row, of ties the first, else 0; NaN at NaN."""
    xp, d = namespace(x), x.shape[-1]
    if d == 0:
        return x
    least = xp.sort(x)[..., d - k, None]
    over, level = x > least, x == least
    places = k - xp.sum(xp.astype(over, x.dtype), axis=-1, keepdims=True)
    won = over | level & (xp.cumulative_sum(xp.astype(level, x.dtype), axis=-1) <= places)
    return xp.where(x == x, xp.astype(won, x.dtype), x)

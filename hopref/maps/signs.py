"""Signs with tie rules, thresholds, activations, and masks of the largest entries."""
from hopref.dispatch.namespace import namespace
from hopref.dispatch.overrides import overridable
from hopref.maps.double_double import total
from hopref.maps.entries import kth_largest


def keep(h, xi, low):
    """Sign of the field, 1 or ``low``; at h = 0 the state keeps its value."""
    xp = namespace(h)
    return xp.where(h > 0, 1.0, xp.where(h < 0, low, xp.where(h == 0, xi, h)))


def plus(h, xi, low):
    """Sign of the field, 1 or ``low``; 1 at h = 0."""
    xp = namespace(h)
    return xp.where(h >= 0, 1.0, xp.where(h == h, low, h))


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
    """1 at the k largest entries of each row, of ties the first, else 0; NaN in rows with a NaN."""
    xp = namespace(x)
    top = xp.max(x, axis=-1, keepdims=True)
    return xp.where(top == top, xp.astype(among_largest(x, k), x.dtype), top)


def among_largest(z, k):
    """Mask of the k largest entries, of ties those of lowest index; NaN entries are included."""
    xp, kth = namespace(z), kth_largest(z, k)
    larger, equal = (z > kth) | (z != z), z == kth
    ties = k - total(xp.astype(larger, xp.int64))
    return larger | (equal & (xp.cumulative_sum(xp.astype(equal, xp.int64), axis=-1) <= ties))

"""Real powers of weights, 0 where a weight is, and what their derivatives leave over."""
from hopref.dispatch.namespace import namespace
from hopref.dispatch.overrides import overridable

TERMS = 24      # of the exponential series up to x = 1: the next is below 2**-64


@overridable
def raised(p, e):
    """p^e; 0 where p is, whatever e."""
    xp = namespace(p)
    return xp.where(p > 0, xp.pow(xp.where(p > 0, p, 1.0), e), 0.0)


@overridable
def raised_log(p, e):
    """p^e log p; 0 where p is."""
    xp = namespace(p)
    return raised(p, e) * xp.log(xp.where(p > 0, p, 1.0))


@overridable
def bend(p, e, a):
    """p^e (e^x - 1 - x)/a^2 with x = -a log p, for 0 <= p <= 1; at a = 0, p^e log(p)^2/2."""
    xp = namespace(p)
    logs = xp.log(xp.where(p > 0, p, 1.0))
    x = -a * logs
    near = raised(p, e) * logs * logs * second_remainder(xp.minimum(x, 1.0 + 0.0 * x))
    if a == 0:
        return near
    far = (raised(p, e - a) - raised(p, e) + a * raised_log(p, e)) / a / a
    return xp.where(x <= 1, near, far)


def second_remainder(x):
    """(e^x - 1 - x)/x^2 for 0 <= x <= 1, by its series: nothing cancels."""
    r = 1.0 + 0.0 * x
    for k in range(TERMS, 2, -1):
        r = 1 + x * r / k
    return r / 2

r"""Bidirectional associative memory: two layers of polar units, each updated from the other.

``x`` (..., d) and ``y`` (..., e) polar states, ``W`` (e, d) weights, as from `storage.bam`.

References: Kosko 1988; the blog, eq. (18), with K' != V.
"""
from hopref.dispatch.domains import choice, finite, no_larger_than
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import polar
from hopref.maps import dot, keep, plus

__all__ = ["energy", "forward", "backward"]

ties = choice(keep=keep, plus=plus)
large, states = no_larger_than(960), no_larger_than(40)


@op("(...,e),(...,d),(e,d)->(...)", result=finite)
def energy(y, x, W, /):
    r"""Energy of a pair of states.  Source: Kosko 1988 [CB-14].

    .. math:: E = -y^T W x

    Parameters
    ----------
    y : state of the second layer
    x : state of the first layer

    >>> from hopref import bam
    >>> float(bam.energy([1.0], [1.0, -1.0], [[2.0, -2.0]]))
    -4.0
    """
    return -dot(y, x @ W.T)


@op("(...,e),(...,d),(e,d)->(...,e)", ties=ties, x=states, W=large, precondition=polar("y"),
    lowers=(energy, "always"))
def forward(y, x, W, /, *, ties="keep"):
    r"""Update of y from x.  Source: Kosko 1988 [CB-14].

    .. math:: y^{new} = \mathrm{sgn}(W x)

    Parameters
    ----------
    y : state of the second layer
    x : state of the first layer
    ties : at zero field "keep" the component of y, or set it to 1 ("plus")

    Notes
    -----
    The energy decreases by exactly sum_i |y_new - y|_i |W x|_i.  Alternated with `backward`, the
    update converges to a pair that is a fixed point of both.  W need not be symmetric or square.

    >>> from hopref import bam
    >>> bam.forward([-1.0], [1.0, -1.0], [[2.0, -2.0]])
    array([1.])
    """
    return ties(x @ W.T, y, -1.0)


@op("(...,d),(...,e),(e,d)->(...,d)", ties=ties, y=states, W=large, precondition=polar("x"))
def backward(x, y, W, /, *, ties="keep"):
    r"""Update of x from y.  Source: Kosko 1988 [CB-14].

    .. math:: x^{new} = \mathrm{sgn}(W^T y)

    Parameters
    ----------
    x : state of the first layer
    y : state of the second layer
    ties : at zero field "keep" the component of x, or set it to 1 ("plus")

    Notes
    -----
    The energy decreases by exactly sum_j |x_new - x|_j |W^T y|_j.

    >>> from hopref import bam
    >>> bam.backward([1.0, 1.0], [1.0], [[2.0, -2.0]])
    array([ 1., -1.])
    """
    return ties(y @ W, x, -1.0)

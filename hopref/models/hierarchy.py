r"""Hierarchical memories: layers of neurons, each connected with the next one.

``x`` (..., l, m) neurons, a layer a row; ``W`` (l-1, m, m) weights, of which W_l maps the outputs
of layer l to layer l + 1, and its transpose the outputs of layer l + 1 back.  ``even`` and ``odd``
are the names of the Lagrangians of the layers 0, 2, ... and 1, 3, ... (see `lagrangian`).

Reference: Krotov 2021, *Hierarchical Associative Memory*.  The text of the paper was not available:
the equations are those of its published code, and the exact decrease is derived here.
"""
from hopref.dispatch.domains import choice, finite, positive
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import weights_between_layers
from hopref.maps import dot, transform
from hopref.models.lagrangian import layer, moderate

__all__ = ["energy", "update"]


def _even(at):
    return at % 2 == 0


def _odd(at):
    return at % 2 == 1


def _every(at):
    return at >= 0


layers = dict(even=layer, odd=layer, beta=positive, x=moderate, W=moderate,
              shape_rule=weights_between_layers, result=finite)


@op("(...,l,m),(l-1,m,m)->(...)", **layers)
def energy(x, W, /, *, even="quadratic", odd="softmax", beta=1.0):
    r"""Energy of all layers.  Source: Krotov 2021 [LG-3].

    .. math:: E = \sum_l \left[x_l^T g_l - L_l(x_l)\right] - \sum_l g_{l+1}^T W_l\, g_l, \quad
        g_l = \nabla L_l(x_l)

    Parameters
    ----------
    x : neurons, a layer in each row
    W : weights from each layer to the next one
    even : Lagrangian of the layers 0, 2, ...: "quadratic", "softmax", "tanh" or a
        `lagrangian.Lagrangian`
    odd : Lagrangian of the layers 1, 3, ...

    >>> from hopref import hierarchy
    >>> float(hierarchy.energy([[2.0], [0.0]], [[[1.0]]]))                  # 4 - 2 - 1 * 1 * 2
    0.0
    """
    xp, g = namespace(x), outputs(x, even, odd, beta)
    own = xp.where(is_even(x), transform(even, x, beta), transform(odd, x, beta))
    return xp.sum(own, axis=-1) - xp.sum(dot(g[..., 1:, :], upwards(g, W)), axis=-1)


@op("(...,l,m),(l-1,m,m)->(...,l,m)", parity=choice(even=_even, odd=_odd, all=_every),
    lowers=(energy, 'parity "even" or "odd"'), **layers)
def update(x, W, /, *, parity="odd", even="quadratic", odd="softmax", beta=1.0):
    r"""The even, the odd or all layers take the inputs that they receive from their neighbours.

    Source: Krotov 2021 [LG-3].

    .. math:: x_l^{new} = I_l = W_{l-1}\, g_{l-1} + W_l^T g_{l+1}

    Parameters
    ----------
    x : neurons, a layer in each row
    W : weights from each layer to the next one
    parity : which layers are updated: "even" or "odd" ones, which are not connected with each
        other, or "all" at once
    even : Lagrangian of the layers 0, 2, ...: "quadratic", "softmax", "tanh" or a
        `lagrangian.Lagrangian`
    odd : Lagrangian of the layers 1, 3, ...

    Notes
    -----
    The energy decreases by exactly the sum of the Bregman divergences
    L(I) - L(x) - g(x).(I - x) of the even or of the odd layers, for every convex Lagrangian.  For
    all layers at once it may increase.  The sum of the energies of two states then decreases, one
    of the even layers now and the odd ones a step before, the other of the odd layers now and the
    even ones before, so that states converge or end in cycles of period two.

    >>> from hopref import hierarchy
    >>> hierarchy.update([[2.0], [0.0]], [[[3.0]]])
    array([[2.],
           [6.]])
    """
    xp = namespace(x)
    g, moved = outputs(x, even, odd, beta), parity(xp.arange(x.shape[-2])[:, None])
    none = 0 * x[..., :1, :]
    from_below = xp.concat([none, upwards(g, W)], axis=-2)
    above = xp.matrix_transpose(W) @ g[..., 1:, :, None]
    from_above = xp.concat([above[..., 0], none], axis=-2)
    return xp.where(moved, from_below + from_above, x)


def is_even(x):
    return _even(namespace(x).arange(x.shape[-2]))


def outputs(x, even, odd, beta):
    """The outputs g of all layers."""
    return namespace(x).where(is_even(x)[:, None], even.g(x, beta), odd.g(x, beta))


def upwards(g, W):
    """W_l g_l, what each layer but the last one sends to the next."""
    return (W @ g[..., :-1, :, None])[..., 0]

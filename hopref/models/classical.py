r"""Classical binary Hopfield network with polar {-1, 1} or binary {0, 1} states.

``xi`` (..., d) states, ``W`` (d, d) weights, ``b`` (d,) threshold, ``X`` (n, d) patterns in rows
(the papers' columns).  The `low_rank` forms take the patterns in place of ``W = hebbian(X)``.

References: Hopfield 1982; Bruck 1990; Willshaw, Buneman and Longuet-Higgins 1969; Glauber 1963; the
blog *Looking at the Performer from a Hopfield point of view*, eqs. (1)-(6).
"""
from functools import partial

from hopref.dispatch.domains import (
    binary,
    choice,
    count,
    finite,
    flag,
    no_larger_than,
    positive,
    sites,
    symmetric,
    uniform,
)
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.maps import (
    column,
    dot,
    in_turn,
    keep,
    plus,
    scan,
    sigmoid,
    strongest,
    winners,
)
from hopref.models._preconditions import no_more_winners_than_sites, states_in_alphabet
from hopref.storage import hebbian_field, removed_diagonal

__all__ = ["field", "energy", "update", "two_step_energy", "asynchronous_update", "greedy_update",
           "low_rank_energy", "low_rank_update", "low_rank_asynchronous_update", "glauber_update",
           "winners_update", "willshaw_update"]

ties = choice(keep=keep, plus=plus)
states = choice(polar=-1.0, binary=0.0)
of_weights = dict(xi=no_larger_than(40), W=no_larger_than(960), b=no_larger_than(960))
of_patterns = dict(xi=no_larger_than(40), X=no_larger_than(480), b=no_larger_than(960))


@op("(...,d),(d,d),(d)->(...,d)", result=finite)
def field(xi, W, b=0.0, /):
    r"""Local field.  Source: blog eq. (2), inside the sign [CB-2].

    .. math:: h = W \xi - b

    >>> from hopref import classical
    >>> classical.field([1.0, -1.0], [[0.0, 2.0], [2.0, 0.0]], [1.0, 1.0])
    array([-3.,  1.])
    """
    return xi @ W.T - b


@op("(...,d),(d,d),(d)->(...)", W=symmetric, result=finite)
def energy(xi, W, b=0.0, /):
    r"""Energy of a state.  Source: Hopfield 1982; blog eq. (3) [CB-3].

    .. math:: E = -\tfrac12 \xi^T W \xi + \xi^T b

    Raises DomainError if W is not symmetric beyond rounding (d eps max|W|), unless ``check=False``:
    the energy says nothing about the dynamics of an asymmetric W.

    >>> from hopref import classical
    >>> float(classical.energy([1.0, 1.0], [[1.0, 1.0], [1.0, 1.0]]))
    -2.0
    """
    xp = namespace(xi)
    return -dot(xi @ W.T, xi) / 2 + xp.sum(b * xi, axis=-1)


@op("(...,d),(d,d),(d)->(...,d)", ties=ties, states=states, precondition=states_in_alphabet,
    lowers=(energy, "W = W.T positive semidefinite"), **of_weights)
def update(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    r"""Synchronous update of all components.  Source: blog eqs. (2), (4) [CB-2, CB-6, CB-8].

    .. math:: \xi^{new} = \mathrm{sgn}(W \xi - b)

    Parameters
    ----------
    ties : at zero field "keep" the component (its state must then be in the alphabet) or take the
        "plus" state; a sign of 0 would leave the state space
    states : "polar" {-1, 1} or "binary" {0, 1}, where the sign is the Heaviside step

    Notes
    -----
    For symmetric W the dynamics end in a fixed point or a cycle of length 2.  The energy may rise
    on the way, unless W is positive semidefinite.  A tie is seen where the field is exact, as for
    integers; `storage.hebbian` says how weights stay such.

    >>> from hopref import classical
    >>> classical.update([1.0, 1.0], [[0.0, -1.0], [-1.0, 0.0]])
    array([-1., -1.])
    """
    return ties(xi @ W.T - b, xi, states)


@op("(...,d),(...,d),(d,d),(d)->(...)", W=symmetric, result=finite)
def two_step_energy(xi, previous, W, b=0.0, /):
    r"""Energy of two successive states; a synchronous update never raises it.

    Source: Goles-Chacc, Fogelman-Soulie and Pellegrin 1985; Bruck 1990 [CB-6].

    .. math:: L(t) = -\xi(t)^T W \xi(t-1) + b^T (\xi(t) + \xi(t-1))

    Needs W symmetric, nothing else.

    >>> from hopref import classical
    >>> float(classical.two_step_energy([-1.0, -1.0], [1.0, 1.0], [[0.0, -1.0], [-1.0, 0.0]]))
    -2.0
    """
    xp = namespace(xi)
    return -dot(xi, previous @ W.T) + xp.sum(b * (xi + previous), axis=-1)


@op("(...,d),(d,d),(d)->(...,d)", ties=ties, states=states, order=sites("(k)", below="d"),
    precondition=states_in_alphabet, lowers=(energy, "W = W.T, w_ii >= 0"), **of_weights)
def asynchronous_update(xi, W, b=0.0, /, *, order, ties="keep", states="polar"):
    r"""Visit the sites of ``order``, one after another.  Source: blog, below eq. (2) [CB-4].

    .. math:: \xi_i \leftarrow \mathrm{sgn}(h_i(\xi)) \quad\text{for } i \text{ in order}

    Parameters
    ----------
    order : (k,) sites 0..d-1, in the order of their visits; ``range(d)`` is one cyclic sweep

    Notes
    -----
    A flip changes the energy by exactly -2|h_i| - 2 w_ii (polar) or -|h_i| - w_ii/2 (binary).
    O(d) a visit beyond the field.

    >>> from hopref import classical
    >>> classical.asynchronous_update([1.0, 1.0], [[0.0, -1.0], [-1.0, 0.0]], order=[0, 1])
    array([-1.,  1.])
    """
    return in_turn(partial(ties, low=states), xi, W, b, order)


@op("(...,d),(d,d),(d)->(...,d)", ties=ties, states=states, precondition=states_in_alphabet,
    lowers=(energy, "W = W.T, w_ii >= 0"), **of_weights)
def greedy_update(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    r"""Flip the one unstable component with the largest field, if any.  Source: [CB-4].

    .. math:: \xi_i \leftarrow \mathrm{sgn}(h_i), \quad
        i = \arg\max_{\mathrm{sgn}(h_i) \ne \xi_i} |h_i|

    The first of equally large fields is taken.

    >>> from hopref import classical
    >>> classical.greedy_update([1.0, 1.0], [[0.0, -1.0], [-1.0, 0.0]])
    array([-1.,  1.])
    """
    xp = namespace(xi)
    h = xi @ W.T - b
    new = ties(h, xi, states)
    urge = xp.where(new != xi, xp.abs(h), -1.0)
    return xp.where(strongest(urge), new, xi)


@op("(...,d),(n,d),(d)->(...)", scale=positive, zero_diagonal=flag, scratch="(...,n)",
    result=finite)
def low_rank_energy(xi, X, b=0.0, /, *, scale=1.0, zero_diagonal=False):
    r"""Energy with W = hebbian(X), never formed.  Source: blog eqs. (1), (3) [CB-3, CB-8].

    .. math:: E = -\tfrac{s}{2} \left(\|X \xi\|^2 - \sum_i (X^T X)_{ii} \xi_i^2\right) + \xi^T b

    The second term only with ``zero_diagonal``; it is not subtracted, but left out.

    >>> from hopref import classical
    >>> float(classical.low_rank_energy([1.0, 1.0], [[1.0, 1.0]]))
    -2.0
    """
    xp = namespace(xi)
    return -dot(hebbian_field(xi, X, scale, zero_diagonal), xi) / 2 + xp.sum(b * xi, axis=-1)


@op("(...,d),(n,d),(d)->(...,d)", ties=ties, states=states, scale=positive, zero_diagonal=flag,
    precondition=states_in_alphabet, lowers=(low_rank_energy, "zero_diagonal=False"),
    scratch="(...,n)", **of_patterns)
def low_rank_update(xi, X, b=0.0, /, *, scale=1.0, zero_diagonal=False, ties="keep",
                    states="polar"):
    r"""Synchronous update with W = hebbian(X), never formed.

    Source: blog eqs. (4), (5), (6) [CB-8, CB-9].

    .. math:: \xi^{new} = \mathrm{sgn}(s X^T (X \xi) - b)

    Equal to `update` for integers, to rounding for other numbers; with ``zero_diagonal`` no site's
    own part enters a sum that it would be taken off again.  O(N d) a state, O(N d log d) with
    ``zero_diagonal``.

    >>> from hopref import classical
    >>> classical.low_rank_update([1.0, -1.0, 1.0], [[1.0, 1.0, 1.0]])
    array([1., 1., 1.])
    """
    return ties(hebbian_field(xi, X, scale, zero_diagonal) - b, xi, states)


@op("(...,d),(n,d),(d)->(...,d)", ties=ties, states=states, scale=positive, zero_diagonal=flag,
    order=sites("(k)", below="d"), precondition=states_in_alphabet, scratch="(...,n)",
    lowers=(low_rank_energy, "always"), **of_patterns)
def low_rank_asynchronous_update(xi, X, b=0.0, /, *, order, scale=1.0, zero_diagonal=False,
                                 ties="keep", states="polar"):
    r"""Visit the sites of ``order`` with W = hebbian(X), never formed.  Source: [CB-4, CB-8].

    .. math:: h_i = s\,(X^T m)_i - b_i, \quad m = X \xi, \quad m \leftarrow m + \Delta\xi_i X_{:,i}

    The overlaps m are kept up to date, flip by flip: exact for integers, and for other numbers
    within the roundings of |X| |xi|, the site's own part included.  O(N) a visit.

    >>> from hopref import classical
    >>> classical.low_rank_asynchronous_update([1.0, -1.0, 1.0], [[1.0, 1.0, 1.0]], order=[1])
    array([1., 1., 1.])
    """
    xp = namespace(xi)
    b = b + xp.zeros(xi.shape[-1:], dtype=xi.dtype)
    visit = partial(_low_rank_visit, X=X, b=b, here=xp.arange(xi.shape[-1]),
                    diagonal=removed_diagonal(X, zero_diagonal), scale=scale, ties=ties,
                    states=states)
    return scan(visit, (xi, xi @ X.T), (column(order),))[1][0]


def _low_rank_visit(state, site, *, X, b, here, diagonal, scale, ties, states):
    xp = namespace(X)
    xi, m = state
    x, old = xp.take(X, site, axis=1), xp.take(xi, site, axis=-1)
    h = scale * (m @ x - xp.take(diagonal, site) * old) - xp.take(b, site)
    new = ties(h, old, states)
    return (xp.where(here == site, new, xi), m + (new - old) * x[:, 0]), None


@op("(...,d),(d,d),(d)->(...,d)", order=sites("(k)", below="d"), uniforms=uniform("(...,k)"),
    beta=positive, states=states, **of_weights)
def glauber_update(xi, W, b=0.0, /, *, order, uniforms, beta=1.0, states="polar"):
    r"""Visit the sites of ``order`` at temperature 1/beta.  Source: Glauber 1963 [CB-4].

    .. math:: \xi_i \leftarrow 1 \;\text{if}\; u < \sigma(\beta\, \Delta\, h_i(\xi)),
        \quad \sigma(z) = 1 / (1 + e^{-z})

    and else the other value; Delta is the distance of the two values, 2 (polar) or 1 (binary).

    Parameters
    ----------
    uniforms : (..., k) numbers u in [0, 1), one for each visit of each state

    Notes
    -----
    With W = W.T and w_ii = 0 each visit keeps the Boltzmann distribution exp(-beta E)/Z, in
    detailed balance; no energy falls at every visit.  As beta grows the rule tends to
    `asynchronous_update`, except that ties are random.  `dynamics.glauber` draws the numbers.

    >>> from hopref import classical
    >>> classical.glauber_update([1.0], [[0.0]], order=[0], uniforms=[0.5])
    array([-1.])
    """
    return in_turn(partial(_tossed, beta=beta, low=states), xi, W, b, order, uniforms[..., None])


def _tossed(h, value, u, *, beta, low):
    return keep(sigmoid(beta * ((1 - low) * h)) - u, low, low)


@op("(...,d),(d,d),(d)->(...,d)", k=count, precondition=no_more_winners_than_sites, **of_weights)
def winners_update(xi, W, b=0.0, /, *, k):
    r"""The k sites with the largest fields win: activity control.  Source: Amari 1989 [CB-12].

    .. math:: \xi^{new}_i = 1 \;\text{if}\; h_i \text{ is among the } k \text{ largest of }
        h = W \xi - b, \text{ else } 0

    Of equal fields the first win, so that it is always k.  Binary states; no energy is known to
    fall when all move at once.

    >>> from hopref import classical
    >>> classical.winners_update([1.0, 0.0, 0.0], [[0.0] * 3, [2.0] * 3, [2.0] * 3], k=1)
    array([0., 1., 0.])
    """
    return winners(xi @ W.T - b, k)


@op("(...,d),(e,d)->(...,e)", x=binary, W=binary)
def willshaw_update(x, W, /):
    r"""One-step recall from clipped weights: a unit is active if all active units reach it.

    Source: Willshaw, Buneman and Longuet-Higgins 1969 [CB-13].

    .. math:: y = H(W x - |x|_1), \quad H(z) = 1 \;\text{if}\; z \ge 0, \text{ else } 0

    W as from `storage.willshaw` or `storage.willshaw_pairs`.  A stored cue, or a part of it, misses
    no unit of its answer; others are wrongly active with probability about p^|x|, p the share of
    ones in W (`theory.willshaw_load`).  The rule is one step from cue to answer and has no energy.

    >>> from hopref import classical
    >>> classical.willshaw_update([1.0, 1.0, 0.0], [[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    array([1., 0.])
    """
    theta = namespace(x).sum(x, axis=-1, keepdims=True)
    return plus(x @ W.T - theta, 0.0, 0.0)

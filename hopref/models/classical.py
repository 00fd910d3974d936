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
from hopref.dispatch.preconditions import no_more_winners_than_sites, states_in_alphabet
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

    Raises
    ------
    DomainError : W is not symmetric up to rounding, d eps max|W|; ``check=False`` omits the check

    Notes
    -----
    For an asymmetric W the energy implies nothing about the dynamics.

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
    ties : at zero field "keep" the component, or set it to 1 ("plus")
    states : alphabet of the states, "polar" {-1, 1} or "binary" {0, 1}; for binary states the sign
        is the Heaviside step

    Notes
    -----
    For symmetric W the dynamics converge to a fixed point or to a cycle of length 2.  The energy
    may increase in between, unless W is positive semidefinite.  A tie is detected if the field is
    computed exactly, as for integers; the notes of `storage.hebbian` describe which weights are
    exact.

    >>> from hopref import classical
    >>> classical.update([1.0, 1.0], [[0.0, -1.0], [-1.0, 0.0]])
    array([-1., -1.])
    """
    return ties(xi @ W.T - b, xi, states)


@op("(...,d),(...,d),(d,d),(d)->(...)", W=symmetric, result=finite)
def two_step_energy(xi, previous, W, b=0.0, /):
    r"""Energy of two successive states, which no synchronous update increases.

    Source: Goles-Chacc, Fogelman-Soulie and Pellegrin 1985; Bruck 1990 [CB-6].

    .. math:: L(t) = -\xi(t)^T W \xi(t-1) + b^T (\xi(t) + \xi(t-1))

    Notes
    -----
    W must be symmetric; it need not be positive semidefinite.

    >>> from hopref import classical
    >>> float(classical.two_step_energy([-1.0, -1.0], [1.0, 1.0], [[0.0, -1.0], [-1.0, 0.0]]))
    -2.0
    """
    xp = namespace(xi)
    return -dot(xi, previous @ W.T) + xp.sum(b * (xi + previous), axis=-1)


@op("(...,d),(d,d),(d)->(...,d)", ties=ties, states=states, order=sites("(k)", below="d"),
    precondition=states_in_alphabet, lowers=(energy, "W = W.T, w_ii >= 0"), **of_weights)
def asynchronous_update(xi, W, b=0.0, /, *, order, ties="keep", states="polar"):
    r"""Asynchronous update of the sites in ``order``.  Source: blog, below eq. (2) [CB-4].

    .. math:: \xi_i \leftarrow \mathrm{sgn}(h_i(\xi)) \quad\text{for } i \text{ in order}

    Parameters
    ----------
    order : sites in the order in which they are updated; ``range(d)`` is one cyclic sweep
    ties : at zero field "keep" the component, or set it to 1 ("plus")

    Notes
    -----
    A flip changes the energy by exactly -2|h_i| - 2 w_ii (polar) or -|h_i| - w_ii/2 (binary).
    Each site takes O(d) operations.

    >>> from hopref import classical
    >>> classical.asynchronous_update([1.0, 1.0], [[0.0, -1.0], [-1.0, 0.0]], order=[0, 1])
    array([-1.,  1.])
    """
    return in_turn(partial(ties, low=states), xi, W, b, order)


@op("(...,d),(d,d),(d)->(...,d)", ties=ties, states=states, precondition=states_in_alphabet,
    lowers=(energy, "W = W.T, w_ii >= 0"), **of_weights)
def greedy_update(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    r"""Flip the unstable component with the largest field, if there is one.  Source: [CB-4].

    .. math:: \xi_i \leftarrow \mathrm{sgn}(h_i), \quad
        i = \arg\max_{\mathrm{sgn}(h_i) \ne \xi_i} |h_i|

    Among fields of equal size the first is chosen.

    >>> from hopref import classical
    >>> classical.greedy_update([1.0, 1.0], [[0.0, -1.0], [-1.0, 0.0]])
    array([-1.,  1.])
    """
    xp = namespace(xi)
    h = xi @ W.T - b
    new = ties(h, xi, states)
    size = xp.where(new != xi, xp.abs(h), -1.0)
    return xp.where(strongest(size), new, xi)


@op("(...,d),(n,d),(d)->(...)", scale=positive, zero_diagonal=flag, scratch="(...,n)",
    result=finite)
def low_rank_energy(xi, X, b=0.0, /, *, scale=1.0, zero_diagonal=False):
    r"""Energy for W = hebbian(X), without forming W.  Source: blog eqs. (1), (3) [CB-3, CB-8].

    .. math:: E = -\tfrac{s}{2} \left(\|X \xi\|^2 - \sum_i (X^T X)_{ii} \xi_i^2\right) + \xi^T b

    Parameters
    ----------
    scale : s, the factor of the weights
    zero_diagonal : whether the diagonal of W is set to 0, which adds the second term

    Notes
    -----
    The second term is not subtracted: the products of a site with itself are omitted from the sum.

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
    r"""Synchronous update for W = hebbian(X), without forming W.

    Source: blog eqs. (4), (5), (6) [CB-8, CB-9].

    .. math:: \xi^{new} = \mathrm{sgn}(s X^T (X \xi) - b)

    Parameters
    ----------
    scale : s, the factor of the weights
    ties : at zero field "keep" the component, or set it to 1 ("plus")

    Notes
    -----
    The result equals that of `update` for integers, and its field up to rounding for other numbers.
    With ``zero_diagonal`` the contribution of a site to its own field is omitted from the sums, not
    subtracted from them.  The cost is O(N d) for each state, or O(N d log d) with
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
    r"""Asynchronous update for W = hebbian(X), without forming W.  Source: [CB-4, CB-8].

    .. math:: h_i = s\,(X^T m)_i - b_i, \quad m = X \xi, \quad m \leftarrow m + \Delta\xi_i X_{:,i}

    Parameters
    ----------
    order : sites in the order in which they are updated
    scale : s, the factor of the weights
    ties : at zero field "keep" the component, or set it to 1 ("plus")

    Notes
    -----
    The overlaps m are updated after each flip.  They are exact for integers; for other numbers
    their error is a few roundings of |X| |xi|, including the contribution of the site itself.  Each
    site takes O(N) operations.

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
    """The state and its overlaps after the update of one site."""
    xp = namespace(X)
    xi, m = state
    x, old = xp.take(X, site, axis=1), xp.take(xi, site, axis=-1)
    h = scale * (m @ x - xp.take(diagonal, site) * old) - xp.take(b, site)
    new = ties(h, old, states)
    return (xp.where(here == site, new, xi), m + (new - old) * x[:, 0]), None


@op("(...,d),(d,d),(d)->(...,d)", order=sites("(k)", below="d"), uniforms=uniform("(...,k)"),
    beta=positive, states=states, **of_weights)
def glauber_update(xi, W, b=0.0, /, *, order, uniforms, beta=1.0, states="polar"):
    r"""Glauber dynamics of the sites in ``order``, at temperature 1/beta.

    Source: Glauber 1963 [CB-4].

    .. math:: \xi_i \leftarrow 1 \;\text{if}\; u < \sigma(\beta\, \Delta\, h_i(\xi)),
        \quad \sigma(z) = 1 / (1 + e^{-z})

    Otherwise the site takes the other value.  Delta is the distance between the two values, 2
    (polar) or 1 (binary).

    Parameters
    ----------
    order : sites in the order in which they are updated
    uniforms : random numbers u in [0, 1), one for each update of each state
    beta : inverse temperature

    Notes
    -----
    For W = W.T and w_ii = 0 each update satisfies detailed balance and leaves the Boltzmann
    distribution exp(-beta E)/Z invariant; no energy decreases at every update.  As beta increases
    the rule tends to `asynchronous_update`, except that ties are random.  `dynamics.glauber` draws
    the random numbers.

    >>> from hopref import classical
    >>> classical.glauber_update([1.0], [[0.0]], order=[0], uniforms=[0.5])
    array([-1.])
    """
    rule = partial(_glauber_value, beta=beta, low=states)
    return in_turn(rule, xi, W, b, order, uniforms[..., None])


def _glauber_value(h, value, u, *, beta, low):
    """1 with probability sigmoid(beta Delta h), otherwise the other value."""
    return keep(sigmoid(beta * ((1 - low) * h)) - u, low, low)


@op("(...,d),(d,d),(d)->(...,d)", k=count, precondition=no_more_winners_than_sites, **of_weights)
def winners_update(xi, W, b=0.0, /, *, k):
    r"""Synchronous k-winners-take-all update of binary states.  Source: Amari 1989 [CB-12].

    .. math:: \xi^{new}_i = 1 \;\text{if}\; h_i \text{ is among the } k \text{ largest of }
        h = W \xi - b, \text{ else } 0

    Parameters
    ----------
    k : number of active sites of the result

    Notes
    -----
    Among equal fields those of lowest index are chosen, so that exactly k sites are active.  A NaN
    among the fields may be among the largest or not, and makes all sites of the state NaN.  No
    energy is known to decrease under this synchronous update.

    >>> from hopref import classical
    >>> classical.winners_update([1.0, 0.0, 0.0], [[0.0] * 3, [2.0] * 3, [2.0] * 3], k=1)
    array([0., 1., 0.])
    """
    return winners(xi @ W.T - b, k)


@op("(...,d),(e,d)->(...,e)", x=binary, W=binary)
def willshaw_update(x, W, /):
    r"""One-step recall from clipped weights: a unit is active if all active inputs connect to it.

    Source: Willshaw, Buneman and Longuet-Higgins 1969 [CB-13].

    .. math:: y = H(W x - |x|_1), \quad H(z) = 1 \;\text{if}\; z \ge 0, \text{ else } 0

    Parameters
    ----------
    x : cues, binary
    W : binary weights, as from `storage.willshaw` or `storage.willshaw_pairs`

    Notes
    -----
    For a stored cue, or a part of it, every unit of the stored pattern is active.  Each other unit
    is active by error with probability about p^|x|, where p is the fraction of ones in W
    (`theory.willshaw_load`).  The rule is a single step and has no energy.

    >>> from hopref import classical
    >>> classical.willshaw_update([1.0, 1.0, 0.0], [[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    array([1., 0.])
    """
    theta = namespace(x).sum(x, axis=-1, keepdims=True)
    return plus(x @ W.T - theta, 0.0, 0.0)

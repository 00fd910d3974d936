r"""Modern networks that map keys to values: read-out, and two ways to iterate it with an energy.

``xi`` (..., d) states, ``X`` (n, d) keys, ``Y`` (n, d) or (n, e) values, a pair a row; ``eta``
(..., e) states of the values.  One step from a cue is attention.  Iterated, it has an energy if
values are positive definite linear functions of their keys; in general it has none, and may end in
a cycle.  With the cue kept, the joint memory of pairs has an energy for all keys and values.

References: Ramsauer et al. 2021, for the step and for the memory of pairs; the energies of the
iterations are derived here.
"""
from hopref.dispatch.domains import finite, inverse_temperature, symmetric
from hopref.dispatch.operation import op
from hopref.maps import dot, logsumexp, overlaps, softmax

__all__ = ["energy", "update", "joint_energy", "joint_update"]


@op("(...,d),(n,d),(d,d),(d)->(...)", G=symmetric, beta=inverse_temperature,
    scratch="(...,n)", result=finite)
def energy(xi, X, G, t=0.0, /, *, beta=1.0):
    r"""Energy of a state, for values that are linear functions of their keys, y = C x + t.

    Source: Ramsauer et al. 2021, eq. (2), for C = 1 [HA-3].

    .. math:: E = \tfrac12 (\xi - t)^T G\, (\xi - t) - \tfrac1\beta \ln \sum_i e^{\beta x_i^T \xi},
        \quad G = C^{-1}

    Parameters
    ----------
    X : keys, one in each row
    G : inverse of C, symmetric
    t : the value of a key of 0

    Notes
    -----
    If G is positive definite, `update` with the values y_i = C x_i + t lowers the energy by
    exactly (xi_new - xi)^T G (xi_new - xi)/2 + KL(p(xi) || p(xi_new))/beta.  With G = 1 and t = 0
    it is `modern.energy` without its constants.

    >>> from hopref import heteroassociation
    >>> float(heteroassociation.energy([2.0], [[1.0]], [[0.5]], [4.0]))     # 4 * 0.5 / 2 - 2
    -1.0
    """
    away = xi - t
    return dot(away @ G, away) / 2 - logsumexp(xi @ X.T, beta=beta)


@op("(...,d),(n,d),(n,d)->(...,d)", beta=inverse_temperature, scratch="(...,n)", result=finite)
def update(xi, X, Y, /, *, beta=1.0):
    r"""Values of the keys that are similar to a state: one step of attention.

    Source: Ramsauer et al. 2021, eq. (10) [HA-1, HA-3, HA-4].

    .. math:: \xi^{new} = Y^T \mathrm{softmax}(\beta X \xi)

    Parameters
    ----------
    X : keys, one in each row
    Y : values, one in each row

    Notes
    -----
    The new state is within diam(Y) (1 - p_i) of the value y_i.  It lowers `energy` if the values
    are y_i = C x_i + t with C positive definite.  For other values the Jacobian is not symmetric,
    no energy is known, and states may be attracted by a cycle.  With Y = X it is `modern.update`.

    >>> from hopref import heteroassociation
    >>> heteroassociation.update([9.0], [[9.0], [-9.0]], [[3.0], [5.0]])
    array([3.])
    """
    return softmax(overlaps(xi, X), beta=beta) @ Y


@op("(...,e),(...,d),(n,d),(n,e)->(...)", beta=inverse_temperature, scratch="(...,n)",
    result=finite)
def joint_energy(eta, xi, X, Y, /, *, beta=1.0):
    r"""Energy of the state of the values, for a cue that is kept.

    Source: Ramsauer et al. 2021, eq. (2), of the patterns (x_i, y_i) [HA-2].

    .. math:: E = \tfrac12 \|\eta\|^2
        - \tfrac1\beta \ln \sum_i e^{\beta (x_i^T \xi + y_i^T \eta)}

    Parameters
    ----------
    eta : state of the values
    xi : cue
    X : keys, one in each row
    Y : values, one in each row

    >>> from hopref import heteroassociation
    >>> float(heteroassociation.joint_energy([2.0], [3.0], [[1.0]], [[1.0]]))     # 2 - (3 + 2)
    -3.0
    """
    return dot(eta, eta) / 2 - logsumexp(xi @ X.T + eta @ Y.T, beta=beta)


@op("(...,e),(...,d),(n,d),(n,e)->(...,e)", beta=inverse_temperature, lowers=joint_energy,
    scratch="(...,n)", result=finite)
def joint_update(eta, xi, X, Y, /, *, beta=1.0):
    r"""One retrieval step of the values, for a cue that is kept.

    Source: Ramsauer et al. 2021, eq. (3), of the patterns (x_i, y_i) [HA-2].

    .. math:: \eta^{new} = Y^T \mathrm{softmax}\bigl(\beta (X \xi + Y \eta)\bigr)

    Parameters
    ----------
    eta : state of the values
    xi : cue
    X : keys, one in each row
    Y : values, one in each row

    Notes
    -----
    The energy decreases by exactly |eta_new - eta|^2/2 + KL(p(eta) || p(eta_new))/beta.  The first
    step from eta = 0 is `update`.

    >>> from hopref import heteroassociation
    >>> heteroassociation.joint_update([0.0], [9.0], [[9.0], [-9.0]], [[3.0], [5.0]])
    array([3.])
    """
    return softmax(overlaps(xi, X) + overlaps(eta, Y), beta=beta) @ Y

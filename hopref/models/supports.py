r"""Supports: which patterns each state may attend to.

A support is a boolean mask (l, n) for a sequence of l states and n patterns.  The union of masks is
``|`` and their intersection ``&``.  State i has position i + n - l among the patterns
(``align="end"``) or position i ("start"), as in attention.  Large supports can be stored as
scipy.sparse arrays, which `listed` converts to pairs of indices.

References: Hu et al. 2025, *Nonparametric Modern Hopfield Models*; Beltagy et al. 2020,
*Longformer*; Zaheer et al. 2020, *Big Bird*.
"""
from hopref.dispatch.domains import choice, count, flag, scores, seed
from hopref.dispatch.listed import listed
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import at_most_n, k_of_n
from hopref.maps import among_largest, end, positions, start

__all__ = ["window", "causal", "random", "global_tokens", "big_bird", "largest", "listed"]

align = choice(end=end, start=start)


@op("->(l,n)", l=count, n=count, width=count, dilation=count, causal=flag, align=align,
    scratch="(l,n)")
def window(l, n, /, *, width, dilation=1, causal=False, align="end"):
    r"""Support of a window around the position of each state.

    Source: Hu et al. 2025, sparse-structured supports; Beltagy et al. 2020 [NP-3].

    .. math:: \mathcal M(i) = \{i + a o : |o| \le w\}

    Parameters
    ----------
    width : w, number of steps of the window to each side
    dilation : a, distance between neighbouring positions of the window
    causal : whether the window extends to the left only
    align : whether the last positions of states and patterns coincide ("end"), or the first
        ("start")

    Returns
    -------
    (l, n) bool array, with at most 2 w + 1 patterns for each state

    >>> from hopref import supports
    >>> supports.window(3, 3, width=1).astype(int)
    array([[1, 1, 0],
           [1, 1, 1],
           [0, 1, 1]])
    """
    i, j = positions(l, n, align)
    offset = j - i
    near = (namespace(j).abs(offset) <= width * dilation) & (offset % dilation == 0)
    return near & (offset * causal <= 0)


@op("->(l,n)", l=count, n=count, align=align, scratch="(l,n)")
def causal(l, n, /, *, align="end"):
    r"""Support of the patterns up to the position of each state.

    Source: Choromanski et al. 2021, eq. (11) [AT-3, NP-3].

    .. math:: \mathcal M(i) = \{j : j \le i\}

    Parameters
    ----------
    align : whether the last positions of states and patterns coincide ("end"), or the first
        ("start")

    Returns
    -------
    (l, n) bool array

    >>> from hopref import supports
    >>> supports.causal(2, 3).astype(int)
    array([[1, 1, 0],
           [1, 1, 1]])
    """
    i, j = positions(l, n, align)
    return j <= i


@op("->(l,n)", l=count, n=count, k=count, rng=seed, precondition=at_most_n("k"), scratch="(l,n)")
def random(l, n, /, *, k, rng):
    r"""Random support of k different patterns for each state, uniform over all such sets.

    Source: Hu et al. 2025, random masked models [NP-3, NP-5].

    .. math:: \mathcal M(i) \sim U\{M \subseteq \{1, \ldots, n\} : |M| = k\}

    Parameters
    ----------
    k : number of patterns of each state

    Returns
    -------
    (l, n) bool array, with k patterns for each state

    Notes
    -----
    One draw is a fixed support, for which there is an energy; there is none if the support is drawn
    again at every step.

    >>> from hopref import supports
    >>> supports.random(3, 5, k=2, rng=0).sum(axis=-1)
    array([2, 2, 2])
    """
    return among_largest(-rng.random((l, n)), k)


@op("->(l,n)", l=count, n=count, tokens=count, align=align, precondition=at_most_n("tokens"),
    scratch="(l,n)")
def global_tokens(l, n, /, *, tokens, align="end"):
    r"""Support of global tokens: all states attend to them, and they attend to all patterns.

    Source: Zaheer et al. 2020, global attention; Hu et al. 2025 [NP-3].

    .. math:: j \in \mathcal M(i) \iff i < g \text{ or } j < g

    Parameters
    ----------
    tokens : g, number of global tokens, which are the first positions
    align : whether the last positions of states and patterns coincide ("end"), or the first
        ("start")

    Returns
    -------
    (l, n) bool array

    >>> from hopref import supports
    >>> supports.global_tokens(3, 3, tokens=1).astype(int)
    array([[1, 1, 1],
           [1, 0, 0],
           [1, 0, 0]])
    """
    i, j = positions(l, n, align)
    return (i < tokens) | (j < tokens)


@op("->(l,n)", l=count, n=count, width=count, tokens=count, k=count, rng=seed, align=align,
    precondition=at_most_n("k", "tokens"), scratch="(l,n)")
def big_bird(l, n, /, *, width, tokens, k, rng, align="end"):
    r"""Union of the supports of a window, global tokens and random patterns.

    Source: Zaheer et al. 2020 [NP-3].

    .. math:: \mathcal M = \mathcal M_{window} \cup \mathcal M_{global} \cup \mathcal M_{random}

    Parameters
    ----------
    width : number of steps of the window to each side
    tokens : number of global tokens, which are the first positions
    k : number of random patterns of each state
    align : whether the last positions of states and patterns coincide ("end"), or the first
        ("start")

    Returns
    -------
    (l, n) bool array

    >>> from hopref import supports
    >>> supports.big_bird(9, 9, width=1, tokens=1, k=1, rng=0)[0].all()
    np.True_
    """
    return (window(l, n, width=width, align=align) | global_tokens(l, n, tokens=tokens, align=align)
            | random(l, n, k=k, rng=rng))


@op("(...,n)->(...,n)", z=scores(), k=count, shape_rule=k_of_n)
def largest(z, /, *, k):
    r"""Support of the k patterns of largest score.

    Source: Hu et al. 2025, top-K models [NP-3].

    .. math:: \mathcal M = \mathrm{top}_k(z)

    Parameters
    ----------
    k : number of patterns of each state

    Returns
    -------
    (..., n) bool array, True for k patterns; among equal scores, as in `maps.top_k`, for those of
        lowest index

    >>> from hopref import supports
    >>> supports.largest([0.0, 1.0, 1.0, 1.0], k=2)
    array([False,  True,  True, False])
    """
    return among_largest(z, k)

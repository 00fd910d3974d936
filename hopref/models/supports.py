r"""Supports: which patterns each state may attend to.

A support is a boolean mask (l, n), of l states in order and n patterns; masks are joined by ``|``
and intersected by ``&``.  State i has position i + n - l among the patterns (``align="end"``) or
position i ("start"), as in attention.  Large supports are stored as scipy.sparse arrays instead,
which `listed` reads.

References: Hu et al. 2025, *Nonparametric Modern Hopfield Models*; Beltagy et al. 2020,
*Longformer*; Zaheer et al. 2020, *Big Bird*.
"""
from hopref.dispatch.domains import choice, count, flag, scores, seed
from hopref.dispatch.listed import listed
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.dispatch.preconditions import k_of_n
from hopref.maps import among_largest, end, positions, start
from hopref.models._preconditions import at_most_n

__all__ = ["window", "causal", "random", "global_tokens", "big_bird", "largest", "listed"]

align = choice(end=end, start=start)


@op("->(l,n)", l=count, n=count, width=count, dilation=count, causal=flag, align=align,
    scratch="(l,n)")
def window(l, n, /, *, width, dilation=1, causal=False, align="end"):
    r"""A window around each state's own position: ``width`` steps of ``dilation`` to both sides.

    Source: Hu et al. 2025, sparse-structured supports; Beltagy et al. 2020 [NP-3].

    .. math:: \mathcal M(i) = \{i + a o : |o| \le w\}

    A causal window extends to the left only.  A state sees up to 2 w + 1 patterns.

    >>> from hopref import supports
    >>> supports.window(3, 3, width=1).astype(int)
    array([[1, 1, 0],
           [1, 1, 1],
           [0, 1, 1]])
    """
    i, j = positions(l, n, align)
    apart = j - i
    near = (namespace(j).abs(apart) <= width * dilation) & (apart % dilation == 0)
    return near & (apart * causal <= 0)


@op("->(l,n)", l=count, n=count, align=align, scratch="(l,n)")
def causal(l, n, /, *, align="end"):
    r"""The patterns up to the own position.

    Source: Choromanski et al. 2021, eq. (11) [AT-3, NP-3].

    .. math:: \mathcal M(i) = \{j : j \le i\}

    >>> from hopref import supports
    >>> supports.causal(2, 3).astype(int)
    array([[1, 1, 0],
           [1, 1, 1]])
    """
    i, j = positions(l, n, align)
    return j <= i


@op("->(l,n)", l=count, n=count, k=count, rng=seed, precondition=at_most_n("k"), scratch="(l,n)")
def random(l, n, /, *, k, rng):
    r"""For each state k different patterns, every set of k as likely as any other.

    Source: Hu et al. 2025, random masked models [NP-3, NP-5].

    .. math:: \mathcal M(i) \sim U\{M \subseteq \{1, \ldots, n\} : |M| = k\}

    Parameters
    ----------
    rng : seed or numpy Generator

    Notes
    -----
    One draw is a fixed support, with an energy; a support drawn anew at every step has none.

    >>> from hopref import supports
    >>> supports.random(3, 5, k=2, rng=0).sum(axis=-1)
    array([2, 2, 2])
    """
    return among_largest(-rng.random((l, n)), k)


@op("->(l,n)", l=count, n=count, tokens=count, align=align, precondition=at_most_n("tokens"),
    scratch="(l,n)")
def global_tokens(l, n, /, *, tokens, align="end"):
    r"""The first patterns are seen by all, and a state at their position sees all.

    Source: Zaheer et al. 2020, global attention; Hu et al. 2025 [NP-3].

    .. math:: j \in \mathcal M(i) \iff i < g \text{ or } j < g

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
    r"""Window, global tokens and random patterns together.

    Source: Zaheer et al. 2020 [NP-3].

    .. math:: \mathcal M = \mathcal M_{window} \cup \mathcal M_{global} \cup \mathcal M_{random}

    >>> from hopref import supports
    >>> supports.big_bird(9, 9, width=1, tokens=1, k=1, rng=0)[0].all()
    np.True_
    """
    return (window(l, n, width=width, align=align) | global_tokens(l, n, tokens=tokens, align=align)
            | random(l, n, k=k, rng=rng))


@op("(...,n)->(...,n)", z=scores(), k=count, shape_rule=k_of_n)
def largest(z, /, *, k):
    r"""The k patterns of largest score; of equal scores those of lowest index, as `maps.top_k`.

    Source: Hu et al. 2025, top-K models [NP-3].

    .. math:: \mathcal M = \mathrm{top}_k(z)

    >>> from hopref import supports
    >>> supports.largest([0.0, 1.0, 1.0, 1.0], k=2)
    array([False,  True,  True, False])
    """
    return among_largest(z, k)

r"""What sparse maps promise: margins, exact retrieval in one step, bounds of the energy.

``X`` (n, d) patterns in rows, N = n of them, M the largest norm.  ``xi`` (n, d) holds a state for
each pattern.  A margin m is the lead over all others, in units of 1/beta, from which a map gives
one entry everything.

References: Blondel, Martins & Niculae 2020, on margins of Fenchel-Young losses; Santos, Niculae,
McNamee & Martins 2024, *Hopfield-Fenchel-Young Networks*.
"""
import math

from hopref import theory
from hopref.domains import Choice, count, positive
from hopref.errors import HoprefError
from hopref.demands import k_of_n
from hopref.maps import dot, half_square, norm, tsallis
from hopref.maps.sparse import above_one, at_least_one
from hopref.namespace import namespace
from hopref.op import op

__all__ = ["margin", "exact_retrieval_separation", "exact_beta", "subset_separation",
           "entmax_energy_bound", "normmax_energy_bound", "k_subsets_energy_bound"]

MARGINS = Choice({"softmax": None, "entmax": ("alpha", at_least_one, lambda alpha: alpha - 1),
                  "sparsemax": 1.0, "normmax": ("gamma", above_one, lambda gamma: 1.0),
                  "k_subsets": 1.0})


def margin(rule, /, *, alpha=1.5, gamma=2.0):
    r"""The margin of a map: the lead of beta z from which the answer is a vertex, and no less.

    Source: Blondel, Martins & Niculae 2020; Santos et al. 2024 [FY-5].

    .. math:: m = \frac{1}{\alpha - 1} \text{ for entmax}, \quad
        m = 1 \text{ for sparsemax, normmax of any } \gamma \text{ and } k\text{-subsets}

    Parameters
    ----------
    rule : "softmax", "entmax", "sparsemax", "normmax" or "k_subsets", of which the k-th score leads
        the next; ``alpha`` is that of entmax, ``gamma`` that of normmax

    Returns: a number; infinite for softmax, which is entmax of alpha = 1.

    Notes: a vertex e_i is the map of z if and only if z - dOmega(e_i) is largest at i; the slope of
    Omega at a vertex is 1/(alpha - 1) along the vertex and 0 across for Tsallis' entropy, 1 and 0
    for every norm of gamma > 1.

    >>> from hopref import theory
    >>> theory.margin("entmax", alpha=3.0), theory.margin("normmax", gamma=5.0)
    (0.5, 1.0)
    """

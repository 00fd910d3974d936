"""Sparse maps of many, tied and distant scores, compared with exact solutions.

The scale is the largest entry of the exact answer, an ulp of it 2^-52 times that; four are allowed.
What is solved is the problem of the machine numbers z, beta, alpha: of the exact products, that is,
which no float64 holds.  Moving one score by an ulp may move an answer by far more.
"""
import numpy as np

from hopref import maps
from tests import exact_sparse as exact
from tests.groups import each

N = 100_000
FAMILIES = {
    "ties to 1e-15": lambda i: 1 + 1e-15 * (i % 9),
    "offset 1e6": lambda i: 1e6 + (i % 12) / 64,
    "steps of 1e-9 at 1e6": lambda i: 1e6 + (i % 5) * 2.0**-30,
    "halves": lambda i: -(2.0 ** -(i % 60)),
    "two levels": lambda i: np.where(i < i[-1], 1e-9, 0.0),
    "an edge of normmax 5": lambda i: np.where(i < i[-1], ((1 - 2.0**-44) / i[-1]) ** 0.8, 0.0),
    "gauss": lambda i: drawn("standard_normal", i),
    "gauss at 1e6": lambda i: 1e6 + drawn("standard_normal", i),
    "crowded gauss": lambda i: drawn("standard_normal", i) / 1024,
    "uniform": lambda i: drawn("random", i),
}
ALPHAS = (1.05, 1.25, 1.5, 2.0, 2.3, 3.0, 5.0, 10.0)
GAMMAS = (1.25, 1.5, 2.0, 3.0, 5.0)


def drawn(how, i):
    return getattr(np.random.default_rng(i.size), how)(i.size)


def right(family, name, option, beta, n):
    z = FAMILIES[family](np.arange(n))
    key = {"entmax": "alpha", "normmax": "gamma", "k_subsets": "k"}[name]
    got = getattr(maps, name)(z, beta=beta, **{key: option})
    rational = name == "entmax" and option == 2
    want = exact.sparsemax(z, beta) if rational else getattr(exact, name)(z, option, beta)
    assert want.supports(got)
    assert want.ulps(got) <= 4


def test_entmax_of_hundreds_is_right_to_four_ulp_of_the_scale():
    for family in FAMILIES:
        for alpha in ALPHAS:
            right(family, "entmax", alpha, 0.3 if alpha == 3 else 1.0, 300)


def test_normmax_of_hundreds_is_right_to_four_ulp_of_the_scale():
    for family in FAMILIES:
        for gamma in GAMMAS:
            right(family, "normmax", gamma, 0.3 if gamma == 3 else 1.0, 300)


def test_subsets_of_hundreds_are_right_to_four_ulp_of_the_scale():
    for family in FAMILIES:
        for k in (1, 2, 7, 150, 299, 300):
            right(family, "k_subsets", k, 0.3, 300)


@each("family, name, option", [
    ("ties to 1e-15", "entmax", 1.05), ("two levels", "entmax", 1 + 1e-9),
    ("crowded gauss", "entmax", 1.5), ("gauss", "entmax", 2.0), ("halves", "entmax", 2.3),
    ("uniform", "entmax", 3.0), ("ties to 1e-15", "entmax", 10.0),
    ("uniform", "normmax", 1.25), ("gauss", "normmax", 2.0), ("offset 1e6", "normmax", 3.0),
    ("halves", "normmax", 5.0), ("ties to 1e-15", "k_subsets", 7),
    ("gauss at 1e6", "k_subsets", 50_000), ("steps of 1e-9 at 1e6", "k_subsets", 99_999)],
    share=7)
def test_a_hundred_thousand_scores_have_the_same_error(family, name, option):
    right(family, name, option, 1.0, N)


def test_rounding_beta_z_alone_would_have_a_larger_error():
    """Of a thousand equal entries and a lone edge, the edge pays for what rounding moves all by."""
    beta, share = 1.1, (1 - 2.0**-30) / 9 / 1000.0**9
    z = np.append(np.full(1000, share / beta), 0.0)
    want = exact.entmax(z, 10.0, beta)
    assert exact.entmax(beta * z, 10.0).ulps(want.near) > 40
    assert want.ulps(maps.entmax(z, alpha=10.0, beta=beta)) <= 4

"""Regularisers, conjugates and Fenchel-Young losses: the identities that tie them to the maps."""
import numpy as np
from hypothesis import strategies as st

from tests.draw import arrays, betas, records
from tests.laws import law
from tests.rounding import close, g

alphas = st.sampled_from([1.0, 1.25, 1.5, 2.0, 3.0])
scores = st.integers(1, 6).flatmap(lambda n: arrays(2, n))


@st.composite
def rivals(draw):
    """Scores, a point of the simplex and one of the hypersimplex, an alpha, a k."""
    z = draw(scores)
    n = z.shape[-1]
    p = draw(arrays(2, n, elements=st.integers(0, 8).map(float)))
    p[:, 0] += 1
    k = draw(st.integers(1, n))
    mu = np.stack([draw(st.permutations([1.0] * k + [0.0] * (n - k))) for _ in range(2)])
    return {"z": z, "p": p / p.sum(-1, keepdims=True), "mu": (mu + mu[::-1]) / 2, "k": k,
            "alpha": draw(alphas), "beta": draw(betas)}


def room(z, beta=1.0, k=1):
    n = z.shape[-1]
    return g(6 * n + 40) * (k * np.abs(z).max(-1) + (k + np.log(n)) / beta)


def families(rules, alpha, k):
    """(map, conjugate, regulariser, loss, options) of each."""
    m = it = rules.maps
    return [(m.entmax, it.entmax_conjugate, it.tsallis, it.entmax_loss, {"alpha": alpha}),
            (m.normmax, it.normmax_conjugate, it.norm, it.normmax_loss, {}),
            (m.k_subsets, it.k_subsets_conjugate, it.half_square, it.k_subsets_loss, {"k": k})]


@law("maps.entmax_conjugate", "maps.normmax_conjugate",
     "maps.k_subsets_conjugate", id="FY-1", over=rivals(),
     kills=["conjugate_without_1_over_beta", "conjugate_adds_the_regulariser",
            "conjugate_is_the_sum_of_the_best"])
def test_the_map_is_the_gradient_of_its_conjugate(rules, z, p, mu, k, alpha, beta):
    """Both bounds of a convex function: y.(z' - z) <= C(z') - C(z) <= y'.(z' - z), near and far."""
    for f, C, _, _, options in families(rules, alpha, k):
        for other in (z[::-1], z + np.eye(z.shape[-1])[0] / 8 / beta):
            y, more = f(z, beta=beta, **options), f(other, beta=beta, **options)
            rise = C(other, beta=beta, **options) - C(z, beta=beta, **options)
            slack = 4 * room(np.concatenate([z, other], -1), beta, k)
            assert np.all((y * (other - z)).sum(-1) - slack <= rise)
            assert np.all(rise <= (more * (other - z)).sum(-1) + slack)


@law("maps.entmax_conjugate", "maps.normmax_conjugate",
     "maps.k_subsets_conjugate", "maps.tsallis", "maps.norm",
     "maps.half_square", id="FY-1", over=rivals(),
     kills=["conjugate_without_1_over_beta", "conjugate_adds_the_regulariser",
            "conjugate_is_the_sum_of_the_best", "tsallis_without_its_constant",
            "tsallis_without_alpha", "norm_squared", "whole_square"])
def test_the_conjugate_is_the_maximum_and_the_map_attains_it(rules, z, p, mu, k, alpha, beta):
    for f, C, Omega, _, options in families(rules, alpha, k):
        y, where = f(z, beta=beta, **options), mu if "k" in options else p
        options_of_omega = {} if "k" in options else options

        def worth(q, Omega=Omega, options=options_of_omega):
            return (q * z).sum(-1) - Omega(q, **options) / beta
        best, slack = C(z, beta=beta, **options), room(z, beta, k)
        close(worth(y), best, slack)
        assert np.all(worth(where) <= best + slack)


@law("maps.entmax_loss", "maps.normmax_loss", "maps.k_subsets_loss", id="FY-1",
     over=rivals(), kills=["loss_without_the_target", "loss_of_the_wrong_sign",
                           "loss_of_the_largest"])
def test_a_loss_is_nought_at_the_map_and_positive_elsewhere(rules, z, p, mu, k, alpha, beta):
    """Omega is 1-strongly convex for alpha <= 2 and for subsets: then L >= |p - y|^2 / 2."""
    for f, _, _, L, options in families(rules, alpha, k):
        y, q, slack = f(z, **options), mu if "k" in options else p, room(z, 1.0, k)
        close(L(z, y, **options), 0.0, slack)
        strong = ("alpha" in options and alpha <= 2) or "k" in options
        assert np.all(L(z, q, **options) >= strong * ((q - y) ** 2).sum(-1) / 2 - slack)


@law("maps.entmax_loss", "maps.tsallis", "maps.norm", "maps.normmax_loss",
     "maps.k_subsets_loss", "maps.half_square", id="FY-1", over=rivals(),
     kills=["loss_without_the_target", "tsallis_without_its_constant", "norm_squared",
            "whole_square", "loss_of_the_largest", "loss_of_the_wrong_sign"])
def test_a_loss_is_regulariser_and_conjugate_less_the_product(rules, z, p, mu, k, alpha, beta):
    for _, C, Omega, L, options in families(rules, alpha, k):
        q, of_omega = (mu, {}) if "k" in options else (p, options)
        whole = Omega(q, **of_omega) + C(z, **options) - (q * z).sum(-1)
        close(L(z, q, **options), whole, 2 * room(z, 1.0, k))


@law("maps.tsallis", "maps.norm", "maps.half_square", id="FY-1",
     over=records(n=st.integers(1, 6), alpha=alphas),
     kills=["tsallis_without_its_constant", "tsallis_without_alpha", "norm_squared",
            "whole_square"])
def test_regularisers_of_a_vertex_and_of_the_centre_are_known(rules, n, alpha):
    it, vertex, centre = rules.maps, np.eye(n)[0], np.full(n, 1 / n)
    assert it.tsallis(vertex, alpha=alpha) == it.norm(vertex) == 0
    assert it.half_square(np.ones(n)) == n / 2
    least = -np.log(n) if alpha == 1 else (n ** (1 - alpha) - 1) / alpha / (alpha - 1)
    close(it.tsallis(centre, alpha=alpha), least, g(4 * n + 20) * (1 + np.log(n)) * 4)
    close(it.norm(centre), n**-0.5 - 1, g(2 * n + 8))

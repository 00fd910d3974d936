"""Laws of regularisers, conjugates and Fenchel-Young losses: what ties them to their maps."""
from types import SimpleNamespace

import numpy as np

from hopref.check.cases.draws import integers, records, sampled
from hopref.check.cases.scores import targets
from hopref.check.laws import at_most, equal, law

CONJUGATES = ("maps.entmax_conjugate", "maps.normmax_conjugate", "maps.k_subsets_conjugate")
REGULARISERS = ("maps.tsallis", "maps.norm", "maps.half_square")
LOSSES = ("maps.entmax_loss", "maps.normmax_loss", "maps.k_subsets_loss")


def family(f, p, mu, k, alpha, gamma):
    """The map, conjugate, regulariser and loss that belong to the judged one, and a target."""
    it, name = f.maps, f.subject
    if "entmax" in name or "tsallis" in name:
        parts = it.entmax, it.entmax_conjugate, it.tsallis, it.entmax_loss, {"alpha": alpha}, p
    elif "norm" in name:
        parts = it.normmax, it.normmax_conjugate, it.norm, it.normmax_loss, {"gamma": gamma}, p
    else:
        parts = it.k_subsets, it.k_subsets_conjugate, it.half_square, it.k_subsets_loss, \
            {"k": k}, mu
    names = "map", "conjugate", "regulariser", "loss", "options", "target"
    own = SimpleNamespace(**dict(zip(names, parts)))
    own.of_regulariser = {} if "k" in own.options else own.options
    return own


@law(*CONJUGATES, id="FY-1", over=targets(),
     kills=("conjugate not divided by beta", "regulariser added to the product",
            "sum of the k largest scores", "k ignored"))
def the_map_is_the_gradient_of_its_conjugate(f, z, p, mu, k, alpha, gamma, beta):
    """y.(z' - z) <= C(z') - C(z) <= y'.(z' - z), for states near and far."""
    own = family(f, p, mu, k, alpha, gamma)
    how = {"beta": beta} | own.options
    first = 1.0 * (np.arange(z.shape[-1]) == 0)
    for other in (z[::-1], z + first / 8 / beta):
        y, more = own.map(z, **how), own.map(other, **how)
        rise = own.conjugate(other, **how) - own.conjugate(z, **how)
        yield at_most(np.sum(y * (other - z), axis=-1), rise)
        yield at_most(rise, np.sum(more * (other - z), axis=-1))


@law(*CONJUGATES, *REGULARISERS, id="FY-1", over=targets(),
     kills=("conjugate not divided by beta", "regulariser added to the product",
            "sum of the k largest scores", "sum of the powers without the 1",
            "divided by alpha - 1 alone", "square of the norm", "square without its half"))
def the_conjugate_is_the_maximum_and_the_map_attains_it(f, z, p, mu, k, alpha, gamma, beta):
    """C(z) = max_q q.z - Omega(q)/beta, at the map of z."""
    own = family(f, p, mu, k, alpha, gamma)
    y = own.map(z, beta=beta, **own.options)
    best = own.conjugate(z, beta=beta, **own.options)

    def value(q):
        return np.sum(q * z, axis=-1) - own.regulariser(q, **own.of_regulariser) / beta
    yield equal(value(y), best)
    yield at_most(value(own.target), best)


@law(*LOSSES, id="FY-1", over=targets(),
     kills=("regulariser of the target dropped", "loss with the wrong sign", "k ignored"))
def a_loss_is_zero_at_the_map_and_positive_elsewhere(f, z, p, mu, k, alpha, gamma, beta):
    """L(z; y) = 0, and L(z; q) >= |q - y|^2 / 2 where Omega is 1-strongly convex: alpha <= 2 and
    subsets."""
    own = family(f, p, mu, k, alpha, gamma)
    y, q = own.map(z, **own.options), own.target
    strong = float("alpha" in own.options and alpha <= 2 or "k" in own.options)
    yield equal(own.loss(z, y, **own.options), 0.0, "at the map")
    yield at_most(strong * np.sum((q - y) ** 2, axis=-1) / 2, own.loss(z, q, **own.options))


@law(*LOSSES, *REGULARISERS, id="FY-1", over=targets(),
     kills=("regulariser of the target dropped", "sum of the powers without the 1",
            "square of the norm", "square without its half", "loss with the wrong sign"))
def a_loss_is_regulariser_and_conjugate_less_the_product(f, z, p, mu, k, alpha, gamma, beta):
    """L(z; q) = Omega(q) + C(z) - q.z."""
    own = family(f, p, mu, k, alpha, gamma)
    q = own.target
    whole = own.regulariser(q, **own.of_regulariser) + own.conjugate(z, **own.options)
    yield equal(own.loss(z, q, **own.options), whole - np.sum(q * z, axis=-1))


@law(*LOSSES, id="FY-1", over=targets(), kills=("hidden classes keep their scores",))
def a_hidden_class_is_an_absent_class(f, z, p, mu, k, alpha, gamma, beta):
    """One more class that is hidden changes no loss, whatever its score and target."""
    own = family(f, p, mu, k, alpha, gamma)
    more = np.concatenate([z, np.max(z, axis=-1, keepdims=True) + 1], axis=-1)
    q = np.concatenate([own.target, own.target[..., :1]], axis=-1)
    seen = np.arange(more.shape[-1]) < z.shape[-1]
    yield equal(own.loss(more, q, where=np.tile(seen, (len(more), 1)), **own.options),
                own.loss(z, own.target, **own.options))


@law(*REGULARISERS, id="FY-1",
     over=records(n=integers(1, 6), alpha=sampled([1.0, 1.25, 1.5, 2.0, 3.0])),
     kills=("sum of the powers without the 1", "divided by alpha - 1 alone", "square of the norm",
            "square without its half"))
def regularisers_of_a_vertex_and_of_the_centre_are_known(f, n, alpha):
    """0 and (n^(1 - alpha) - 1)/(alpha (alpha - 1)), 0 and n^(-1/2) - 1; 1/2 and 1/(2 n)."""
    wide = np.longdouble(n)
    vertex, centre = np.eye(n)[0], np.full(n, 1 / wide)
    if f.subject == "maps.half_square":
        yield equal(f(vertex), 0.5, "vertex")
        yield equal(f(centre), 1 / wide / 2, "centre")
        return
    how = {"alpha": alpha} if f.subject == "maps.tsallis" else {}
    least = wide**-0.5 - 1 if not how else -np.log(wide) if alpha == 1 else \
        (wide ** (1 - np.longdouble(alpha)) - 1) / alpha / (alpha - 1)
    yield equal(f(vertex, **how), 0.0, "vertex")
    yield equal(f(centre, **how), least, "centre")

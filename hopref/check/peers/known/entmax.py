"""entmax: sparse maps of torch tensors, and their gradients."""
from hopref.check.engine.candidate import NotOffered
from hopref.check.peers.known.torch import pulled_back
from hopref.check.peers.peer import Peer, Profile

__all__ = ["PEERS"]


def mapped(name, z, where, **options):
    """A map of the package, which returns NaN, or raises, for a fully masked row."""
    import entmax
    z = z if where is None else z.masked_fill(~where, -float("inf"))
    if not z.numel():
        raise NotOffered("an empty batch")
    if not (z > -float("inf")).any(dim=-1).all():
        raise NotOffered("a fully masked row")
    return getattr(entmax, name)(z, dim=-1, **options)


def sparsemax(z, *, beta=1.0, where=None):
    """entmax.sparsemax of beta z, by sorting."""
    return mapped("sparsemax", beta * z, where)


def sparsemax_bisect(z, *, beta=1.0, where=None):
    """entmax.sparsemax_bisect of beta z."""
    return mapped("sparsemax_bisect", beta * z, where)


def entmax_maps(z, *, beta=1.0, alpha=1.5, where=None):
    """entmax.entmax15 of beta z at alpha = 1.5, entmax.entmax_bisect elsewhere."""
    if alpha == 1:
        raise NotOffered("alpha = 1, the softmax")
    if alpha == 1.5:
        return mapped("entmax15", beta * z, where)
    return mapped("entmax_bisect", beta * z, where, alpha=alpha)


def normmax(z, *, beta=1.0, gamma=2.0, where=None):
    """entmax.normmax_bisect of beta z."""
    return mapped("normmax_bisect", beta * z, where, alpha=gamma)


def budget(z, *, k, beta=1.0, where=None):
    """entmax.budget_bisect of beta z, whose entries sum to k."""
    return mapped("budget_bisect", beta * z, where, budget=k)


def sparsemax_gradient(g, z, *, beta=1.0):
    """The gradient of entmax.sparsemax."""
    return pulled_back(lambda z: sparsemax(z, beta=beta), g, z)[0]


def entmax_gradient(g, z, *, beta=1.0, alpha=1.5):
    """The gradients of entmax.entmax15 and entmax.entmax_bisect."""
    return pulled_back(lambda z: entmax_maps(z, beta=beta, alpha=alpha), g, z)[0]


def normmax_gradient(g, z, *, beta=1.0, gamma=2.0):
    """The gradient of entmax.normmax_bisect."""
    return pulled_back(lambda z: normmax(z, beta=beta, gamma=gamma), g, z)[0]


def judged(name, like, adapter, *, gradient=False, remark=""):
    returns = {"returns": ("z",)} if gradient else {}
    return Peer(f"entmax.{name}", like, f"{__name__}:{adapter}", "entmax",
                call={"array": "torch", **returns},
                profile=Profile(mask="-inf hides", empty_row="NaN, or an error"), remark=remark)


WIDE = ("Where adjacent float32 numbers near the largest score are further apart than the interval "
        "of the bisection, all weights are 0/0: those of (1e8, 0, 0) in float32 are NaN, right is "
        "(1, 0, 0).")
PEERS = (
    judged("sparsemax", "maps.sparsemax", "sparsemax"),
    judged("sparsemax_bisect", "maps.sparsemax", "sparsemax_bisect", remark=WIDE),
    judged("entmax15 and entmax_bisect", "maps.entmax", "entmax_maps", remark=WIDE),
    judged("normmax_bisect", "maps.normmax", "normmax", remark=WIDE),
    judged("budget_bisect", "maps.k_subsets", "budget",
           remark="Its 50 bisections start from an interval as wide as the scores: the weights of "
                  "(64, 0) with the budget 2 are 1 and 1 - 5.7e-14, right is 1 and 1 (with "
                  "n_iter=80 the error is 1.1e-16).  A score of -inf makes all weights NaN."),
    judged("sparsemax, gradient", "gradients.maps.sparsemax", "sparsemax_gradient", gradient=True),
    judged("entmax15 and entmax_bisect, gradient", "gradients.maps.entmax", "entmax_gradient",
           gradient=True,
           remark="At alpha = 10 it divides by the power 8 of weights that have the error of the "
                  "bisection: for (0.1, -0.18, 0.2) and the incoming gradient (1, 0, 0) it returns "
                  "(1.164, 0, -1.165), right is (1.098, 0, -1.098) by an evaluation in 60 digits.  "
                  "The tolerance allows it, as of any threshold that is rounded: the smaller "
                  "weight, .0116, is the ninth root of 4e-18.  "
                  "Where the weights are NaN, so are the gradients."),
    judged("normmax_bisect, gradient", "gradients.maps.normmax", "normmax_gradient",
           gradient=True),
)

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


def judged(name, like, adapter, *, gradient=False):
    returns = {"returns": ("z",)} if gradient else {}
    return Peer(f"entmax.{name}", like, f"{__name__}:{adapter}", "entmax",
                call={"array": "torch", **returns},
                profile=Profile(mask="-inf hides", empty_row="NaN, or an error"))


PEERS = (
    judged("sparsemax", "maps.sparsemax", "sparsemax"),
    judged("sparsemax_bisect", "maps.sparsemax", "sparsemax_bisect"),
    judged("entmax15 and entmax_bisect", "maps.entmax", "entmax_maps"),
    judged("normmax_bisect", "maps.normmax", "normmax"),
    judged("budget_bisect", "maps.k_subsets", "budget"),
    judged("sparsemax, gradient", "gradients.maps.sparsemax", "sparsemax_gradient", gradient=True),
    judged("entmax15 and entmax_bisect, gradient", "gradients.maps.entmax", "entmax_gradient",
           gradient=True),
    judged("normmax_bisect, gradient", "gradients.maps.normmax", "normmax_gradient",
           gradient=True),
)

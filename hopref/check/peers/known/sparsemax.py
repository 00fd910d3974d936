"""sparsemax: a module of torch."""
from hopref.check.peers.peer import Peer

__all__ = ["PEERS"]


def sparsemax(z, *, beta=1.0):
    """sparsemax.Sparsemax of beta z."""
    from sparsemax import Sparsemax
    return Sparsemax(dim=-1)(beta * z)


def sparsemax_gradient(g, z, *, beta=1.0):
    """The gradient of sparsemax.Sparsemax."""
    from hopref.check.peers.known.torch import pulled_back
    return pulled_back(lambda z: sparsemax(z, beta=beta), g, z)[0]


HIDDEN = ("A score of -inf makes all weights of its row NaN: (1, 0, -inf) has the weights "
          "(1, 0, 0).  It raises for a single vector, without a batch.")
PEERS = (
    Peer("sparsemax.Sparsemax", "maps.sparsemax", f"{__name__}:sparsemax", "sparsemax",
         call={"array": "torch"}, remark=HIDDEN),
    Peer("sparsemax.Sparsemax, gradient", "gradients.maps.sparsemax",
         f"{__name__}:sparsemax_gradient", "sparsemax",
         call={"array": "torch", "returns": ("z",)}, remark=HIDDEN),
)

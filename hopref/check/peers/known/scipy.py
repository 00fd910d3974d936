"""scipy.special: softmax and its logarithmic sum."""
import numpy as np

from hopref.check.peers.peer import Peer

__all__ = ["PEERS"]


def softmax(z, *, beta=1.0):
    """scipy.special.softmax of beta z."""
    from scipy.special import softmax
    return softmax(z.dtype.type(beta) * z, axis=-1)


def logsumexp(z, *, beta=1.0):
    """scipy.special.logsumexp of beta z, divided by beta."""
    from scipy.special import logsumexp
    return np.asarray(logsumexp(z.dtype.type(beta) * z, axis=-1) / z.dtype.type(beta))


PEERS = (
    Peer("scipy.special.softmax", "maps.softmax", f"{__name__}:softmax", "scipy"),
    Peer("scipy.special.logsumexp", "maps.logsumexp", f"{__name__}:logsumexp", "scipy"),
)

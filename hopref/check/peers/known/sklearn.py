"""scikit-learn: random Fourier features and a softmax."""
import numpy as np

from hopref.check.peers.peer import Peer, Uncovered

__all__ = ["PEERS", "UNCOVERED"]


def gaussian_estimate(x, y, m, *, rng):
    """sklearn.kernel_approximation.RBFSampler: estimates of exp(-|x - y|^2 / 2)."""
    from sklearn.kernel_approximation import RBFSampler
    sampler = RBFSampler(gamma=0.5, n_components=m, random_state=rng).fit(x)
    return np.sum(sampler.transform(x) * sampler.transform(y), axis=-1)


def softmax(z, *, beta=1.0):
    """sklearn.utils.extmath.softmax of beta z, for a matrix."""
    from sklearn.utils.extmath import softmax
    return softmax(z.dtype.type(beta) * z)


PEERS = (
    Peer("sklearn RBFSampler", "estimators.gaussian", f"{__name__}:gaussian_estimate", "sklearn",
         "scikit-learn", dtypes=("float64",)),
    Peer("sklearn.utils.extmath.softmax", "maps.softmax", f"{__name__}:softmax", "sklearn",
         "scikit-learn", call={"lead": 1}),
)
UNCOVERED = (
    Uncovered("sklearn Nystroem", "sklearn", "it projects to chosen points, which is no unbiased "
                                             "estimate of a kernel, so no law of hopref applies"),
)

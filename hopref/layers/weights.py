"""The parameters of a Hopfield layer as one record."""
from typing import Any, NamedTuple

__all__ = ["Norm", "Weights"]


class Norm(NamedTuple):
    """Parameters of a layer normalisation: gain (d) and shift (d), and eps."""
    gain: Any = 1.0
    shift: Any = 0.0
    eps: float = 1e-5


class Weights(NamedTuple):
    """Weights of a Hopfield layer of h heads; without any, it associates what it is given.

    W_q (h, a, d), W_k (h, a, e), W_v (h, v, p) and biases b_q (h, a), b_k (h, a), b_v (h, v):
    projections of state, stored pattern and pattern projection.  None: static, the same for every
    head.  W_o (h, o, v), b_o (o): output.  None: the heads side by side.
    norm_state, norm_stored, norm_projection: a `Norm` before the projection, None for none;
    norm_space: one for Q and for K, after it.
    """
    W_q: Any = None
    W_k: Any = None
    W_v: Any = None
    W_o: Any = None
    b_q: Any = 0.0
    b_k: Any = 0.0
    b_v: Any = 0.0
    b_o: Any = 0.0
    norm_state: Norm | None = None
    norm_stored: Norm | None = None
    norm_projection: Norm | None = None
    norm_space: Norm | None = None


BARE = Weights()        # no weights: patterns are associated as they are

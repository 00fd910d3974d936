"""The parameters of a Hopfield layer as one record."""
from typing import Any, NamedTuple

__all__ = ["Norm", "Weights"]


class Norm(NamedTuple):
    """Parameters of a layer normalisation.

    Attributes
    ----------
    gain, shift : (d,) arrays or numbers, the factor and the summand of each component
    eps : float >= 0, added to the variance
    """
    gain: Any = 1.0
    shift: Any = 0.0
    eps: float = 1e-5


class Weights(NamedTuple):
    """Weights of a Hopfield layer of h heads.

    Without any weight the layer associates the patterns as they are given.

    Attributes
    ----------
    W_q, W_k, W_v : arrays (h, a, d), (h, a, e) and (h, v, p), the projections of the states, of the
        stored patterns and of the pattern projection.  An input whose matrix is None is static:
        every head uses it unchanged.
    W_o : (h, o, v) array, the output matrix; None concatenates the heads
    b_q, b_k, b_v, b_o : arrays (h, a), (h, a), (h, v) and (o,), the biases; 0 for none
    norm_state, norm_stored, norm_projection : `Norm` applied before the projection, or None
    norm_space : `Norm` applied to Q and to K, after the projection, or None
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


NO_WEIGHTS = Weights()      # patterns are associated as they are

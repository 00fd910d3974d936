r"""Random feature maps: phi(q) phi(k) estimates a kernel.  Others are in `deterministic`.

``x`` (..., d) queries or keys, ``omega`` (m, d) drawn rows (see `projections`), ``beta`` the
inverse temperature of the softmax kernel exp(beta x.y): every map sees sqrt(beta) x.

Every map is computed from its logarithm.  A logarithm beyond the range of float64, from about
beta |x|^2 = 3e308 on, is refused; attention and retrieval by exponential features compare such rows
all the same, as long as sqrt(beta) |x| < 1.8e308.  An exponent errs by its rounding, 2^-53 of
beta |x|^2.
"""
from hopref.features import deterministic
from hopref.features.exponential import derf, gerf, log_derf, log_gerf
from hopref.features.projected import (
    PAIRED,
    Feature,
    Height,
    feature_logs,
    general,
    hyperbolic,
    log_general,
    log_hyperbolic,
    log_positive,
    log_relu,
    log_trigonometric,
    positive,
    random_features,
    relu,
    trigonometric,
)

__all__ = ["Feature", "Height", "general", "log_general", "positive", "log_positive", "hyperbolic",
           "log_hyperbolic", "trigonometric", "log_trigonometric", "relu", "log_relu", "gerf",
           "log_gerf", "derf", "log_derf", "deterministic"]

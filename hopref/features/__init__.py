r"""Random feature maps: phi(q).phi(k) is an estimate of a kernel.

``x`` (..., d) queries or keys, ``omega`` (m, d) random directions (see `projections`), ``beta`` the
inverse temperature of the softmax kernel exp(beta x.y): every map is applied to sqrt(beta) x.  Maps
without randomness are in `deterministic`.

Every map is computed from its logarithm.  A logarithm beyond the range of float64, which occurs for
beta |x|^2 above about 3e308, is an error; attention and retrieval by exponential features are still
computed for such rows as long as sqrt(beta) |x| < 1.8e308.  The error of an exponent is its
rounding, 2^-53 of beta |x|^2.
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

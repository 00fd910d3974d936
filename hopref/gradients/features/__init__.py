r"""Vector-Jacobian products of the random feature maps.

``g`` is the cotangent of the features; ``x`` (..., d), ``omega`` (m, d) and ``beta`` are those of
`hopref.features`.  domega and the derivatives with respect to numbers are sums over all rows of x.
"""
from hopref.gradients.features import deterministic
from hopref.gradients.features.exponential import derf, gerf, log_derf, log_gerf
from hopref.gradients.features.projected import (
    general,
    hyperbolic,
    log_general,
    log_hyperbolic,
    log_positive,
    log_relu,
    log_trigonometric,
    positive,
    relu,
    trigonometric,
)

__all__ = ["general", "log_general", "positive", "log_positive", "hyperbolic", "log_hyperbolic",
           "trigonometric", "log_trigonometric", "relu", "log_relu", "gerf", "log_gerf", "derf",
           "log_derf", "deterministic"]

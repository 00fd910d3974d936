r"""Vector-Jacobian products of `maps`, of `features` and of the models.

``gradients.modern.update(g, xi, X, beta=2.0)`` takes the arguments of ``modern.update(xi, X,
beta=2.0)`` after the cotangent of its result: for a function F of the result, ``g`` holds the
derivatives of F with respect to the result.  The return value is a tuple of the derivatives of F
with respect to the operands in order, then to array modifiers (``bias``, ``S``), then to numbers
(``beta``, ``alpha``, ``scale``).  The derivative with respect to an argument without leading axes
is summed over the leading axes.  If there is only one derivative, it is returned without a tuple.
An operation with several results takes one cotangent for each.  Signs, masks and thresholds are
constants.

Where an operation is not differentiable (at the boundary of a support, or at a tie), the gradient
is that of the branch that the operation evaluates.
"""
from hopref.gradients import (
    attention,
    dense,
    energy_transformer,
    epanechnikov,
    feature_memory,
    features,
    gated,
    graded,
    heteroassociation,
    kernelized,
    layers,
    maps,
    modern,
    performer,
    sigmoid,
    sinks,
    sparse,
    structured,
)

__all__ = ["maps", "features", "gated", "graded", "dense", "energy_transformer", "epanechnikov",
           "modern", "sparse", "attention", "performer", "feature_memory", "heteroassociation",
           "kernelized", "layers", "sigmoid", "sinks", "structured"]

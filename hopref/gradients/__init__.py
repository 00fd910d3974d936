r"""Vector-Jacobian products: the counterparts of `maps`, `features` and the models.

``gradients.modern.update(g, xi, X, beta=2.0)`` is called as ``modern.update(xi, X, beta=2.0)``,
with the cotangent of its result first: for a function F of the result, ``g`` holds the derivatives
of F with respect to the result, and the function returns a tuple of its derivatives with respect to
the arguments: operands in order, array modifiers (``bias``, ``S``), then numbers (``beta``,
``alpha``, ``scale``).  For an argument without leading axes the derivative is summed over them.
For a rule with a single argument the result is its derivative, not a tuple.
A rule with several results takes one cotangent for each; signs, masks and thresholds are constants.

Where a rule is not differentiable (the edge of a support, a tie) the result is the derivative of
the piece that the rule selects.
"""
from hopref.gradients import (
    attention,
    dense,
    features,
    graded,
    layers,
    maps,
    modern,
    performer,
    sparse,
    structured,
)

__all__ = ["maps", "features", "graded", "dense", "modern", "sparse", "attention", "performer",
           "layers", "structured"]

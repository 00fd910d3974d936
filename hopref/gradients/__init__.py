r"""Vector-Jacobian products: the twins of `maps`, `features` and of the models.

``gradients.modern.update(g, xi, X, beta=2.0)`` is called as ``modern.update(xi, X, beta=2.0)``,
with the cotangent of its result first: for a function F of the result, ``g`` holds the derivatives
of F with respect to the result, and what comes back is a tuple of its derivatives with respect to
the arguments: operands in order, array modifiers (``bias``, ``S``), then numbers (``beta``,
``alpha``, ``scale``).  An argument without the leading axes of the others gets the sum over them.
What has one argument alone is answered with its derivative, not with a tuple of one.
A rule with several results takes one cotangent for each; signs, masks and thresholds are constants.

Where a rule has a kink (the edge of a support, a tie) the answer is the derivative of the piece
that the rule itself chose.
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

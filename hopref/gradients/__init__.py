r"""Vector-Jacobian products: the twins of the operations, under the same names.

``gradients.layers.associate(g, ...)`` is called as ``layers.associate(...)``, with the cotangent of
its result first, and answers the cotangents of its arguments: arrays in their order, then numbers.
An argument without the leading axes of the others gets the sum over them.
"""
from hopref.gradients import layers

__all__ = ["layers"]

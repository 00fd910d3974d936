"""Hopfield layers as functions of explicit weights.

`hopfield`, `hopfield_pooling` and `hopfield_layer` are forward passes with all their options; they
are made of the operations `layer_norm`, `project`, `associations` and `read_out`, of which
`associate` is the plain composition.
"""
from hopref.layers.association import associate, associations, layer_norm, project, read_out

__all__ = ["layer_norm", "project", "associations", "read_out", "associate"]

"""Hopfield layers as functions of explicit weights.

`hopfield`, `hopfield_pooling` and `hopfield_layer` are forward passes with all their options, of
`Weights`; `settle` runs the states until they stand still.  They are made of the operations
`layer_norm`, `project`, `associations` and `read_out`, of which `associate` is the plain
composition.  `weights_of` reads a module of hflayers.
"""
from hopref.layers.association import associate, associations, layer_norm, project, read_out
from hopref.layers.forward import Settled, hopfield, hopfield_layer, hopfield_pooling, settle
from hopref.layers.hflayers import weights_of
from hopref.layers.weights import Norm, Weights

__all__ = ["hopfield", "hopfield_pooling", "hopfield_layer", "settle", "Weights", "Norm", "Settled",
           "weights_of", "layer_norm", "project", "associations", "read_out", "associate"]

"""Hopfield layers as functions of explicit weights.

`hopfield`, `hopfield_pooling` and `hopfield_layer` are forward passes with all options, as
functions of `Weights`; `iterate` updates the states until they converge.  They are composed of the
operations `layer_norm`, `project`, `associations` and `read_out`; `associate` is this composition
without options.  `weights_of` converts a module of hflayers.
"""
from hopref.layers.association import associate, associations, layer_norm, project, read_out
from hopref.layers.forward import Iteration, hopfield, hopfield_layer, hopfield_pooling, iterate
from hopref.layers.hflayers import weights_of
from hopref.layers.weights import Norm, Weights

__all__ = ["hopfield", "hopfield_pooling", "hopfield_layer", "iterate", "Weights", "Norm",
           "Iteration", "weights_of", "layer_norm", "project", "associations", "read_out",
           "associate"]

"""Hierarchical memories over the whole catalogue of Lagrangians, and what they refuse."""
import numpy as np
import pytest

from hopref import hierarchy, lagrangian
from hopref.check.tolerance.expected import honest
from hopref.errors import ShapeError
from hopref.maps import CATALOGUE

OPTIONS = {"n": 3, "gain": 0.5, "eps": 0.25}
X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5], [-0.75, 1.0, 0.125]])
W = np.array([[[0.5, -0.25, 0.0], [1.0, 0.5, -0.5], [0.25, 0.75, -1.0]]] * 2)


def drop(layer, x, new):
    """L(x') - L(x) - g(x).(x' - x), with its tolerance."""
    L = [honest(lagrangian.potential, rows, layer=layer, **OPTIONS) for rows in (x, new)]
    g = honest(lagrangian.output, x, layer=layer, **OPTIONS)
    return L[1] - L[0] - np.sum(g * (new - x), axis=-1)


@pytest.mark.parametrize("layer", CATALOGUE)
def test_alternate_layers_of_every_lagrangian_lower_the_energy_by_its_divergence(layer):
    """Of the odd layer, between two quadratic ones whose outputs are exact."""
    own = lagrangian.Lagrangian.named(layer, **OPTIONS)
    new = hierarchy.update(X, W, parity="odd", odd=own)
    E = [honest(hierarchy.energy, x, W, odd=own) for x in (X, new)]
    gap, expected = E[0] - E[1], drop(layer, X[1:2], new[1:2])[0]
    assert np.abs(gap.value - expected.value) <= gap.radius + expected.radius
    assert expected.value > expected.radius


def test_layers_and_weights_must_fit():
    with pytest.raises(ShapeError, match="l-1 must be 2 for 3 layers; got W with 1"):
        hierarchy.energy(X, W[:1])
    with pytest.raises(ShapeError, match="at least two layers; got 1"):
        hierarchy.energy(X[:1], W[:0])

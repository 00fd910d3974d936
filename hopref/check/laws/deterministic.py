"""Laws of the features of the second-order exponential and of cosFormer: their kernels."""
import numpy as np

from hopref.check.cases.draws import arrays, composed, integers, sampled
from hopref.check.laws import at_most, equal, law

__all__ = []


@composed
def rows(draw):
    """Some rows, a temperature whose root is exact, and a length of at least their number."""
    s = draw(integers(1, 5))
    return {"x": draw(arrays(s, draw(integers(1, 4)))), "beta": draw(sampled([0.0625, 0.25, 1.0])),
            "length": draw(sampled([None, s, s + 3]))}


def inner(phi):
    """The kernels of all pairs of rows."""
    return phi @ np.swapaxes(phi, -1, -2)


@law("features.deterministic.taylor", id="TF-1", over=rows(),
     kills=("products without 1/sqrt(2)", "products of different components once",
            "features without the 1", "products without beta", "beta ignored"))
def the_kernel_is_the_exponential_to_the_second_order(f, x, beta, length):
    """phi(q).phi(k) = 1 + z + z^2/2 = (1 + (1 + z)^2)/2 >= 1/2 for z = beta q.k."""
    z = beta * (x @ x.T)
    kernel = inner(f(x, beta=beta))
    yield equal(kernel, (1 + (1 + z) ** 2) / 2)
    yield at_most(0.5, kernel, "never below 1/2")


@law("features.deterministic.taylor", id="TF-1", over=rows(),
     kills=("products without 1/sqrt(2)", "features without the 1", "beta ignored"))
def the_kernel_is_within_the_remainder_of_the_exponential(f, x, beta, length):
    """|e^z - phi(q).phi(k)| <= |z|^3 e^max(z, 0) / 6."""
    z = beta * (x @ x.T)
    size = np.abs(z)
    away = np.abs(np.exp(z) - inner(f(x, beta=beta)))
    yield at_most(away, size * size * size * np.exp(np.maximum(z, 0.0)) / 6)


@law("features.deterministic.cosformer", id="TF-2", over=rows(),
     kills=("angles of a whole turn", "components not rectified", "length ignored"))
def the_kernel_falls_with_the_distance_of_the_positions(f, x, beta, length):
    """phi(x_i).phi(x_j) = [x_i]_+.[x_j]_+ cos(pi (i - j)/(2 M)) >= 0 for |i - j| <= M."""
    i, half, positive = np.arange(len(x)), np.arctan2(np.longdouble(1), 0), np.maximum(x, 0.0)
    cosines = np.cos(half * (i[:, None] - i) / (length or len(x)))
    kernel = inner(f(x, length=length))
    yield equal(kernel, (positive @ positive.T) * cosines)
    yield at_most(0.0, kernel, "never negative")


@law("features.deterministic.cosformer", id="TF-2", over=rows(),
     kills=("cosines and sines exchanged", "components not rectified"))
def the_first_position_is_not_turned(f, x, beta, length):
    """phi(x_0) = ([x_0]_+, 0)."""
    first = f(x, length=length)[0]
    yield equal(first, np.concatenate([np.maximum(x[0], 0.0), 0 * x[0]]))

"""Bugs of separations, of the betas that they require, and of energy and error bounds."""
import numpy as np

from hopref.check.bugs import bug, run, wrong_call

__all__ = []

BY_SCORES = ("theory.separation", "theory.smallest_beta", "theory.required_separation",
             "theory.exact_retrieval_separation", "theory.subset_separation",
             "theory.entmax_energy_bound", "theory.normmax_energy_bound",
             "theory.k_subsets_energy_bound", "theory.support_separation",
             "theory.support_gap_bound", "theory.support_error_bound", "theory.cue_separation",
             "theory.exact_beta", "theory.dominant_pattern")


@wrong_call("patterns scaled to length 1", *BY_SCORES)
def patterns_normalised(op, given):
    length = np.sqrt(np.sum(given["X"] ** 2, axis=-1, keepdims=True))
    return run(op, given | {"X": given["X"] / np.where(length > 0, length, 1)})


@wrong_call("beta applied twice", "theory.required_separation", "theory.support_gap_bound",
            "theory.exact_retrieval_separation", "theory.support_error_bound",
            "theory.entmax_energy_bound", "theory.normmax_energy_bound",
            "theory.k_subsets_energy_bound")
def beta_twice(op, given):
    return run(op, given | {"beta": given["beta"] ** 2})


@bug("nearest pattern by distance", "theory.dominant_pattern")
def nearest_by_distance(xi, X, /):
    return np.argmin(np.sum((xi[:, None] - X) ** 2, axis=-1), axis=-1)


@bug("the pattern itself among its rivals", "theory.separation", "theory.cue_separation")
def among_its_rivals(*arrays):
    xi, X = arrays[0], arrays[-1]
    return np.sum(xi * X, axis=-1) - np.max(xi @ X.T, axis=-1, initial=-np.inf)


@wrong_call("the diagonal not as asked", "theory.unstable_sites")
def diagonal_not_as_asked(op, given):
    return run(op, given | {"zero_diagonal": not given["zero_diagonal"]})

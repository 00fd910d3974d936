"""`hopref.models.feature_memory` by the kernels of softmax attention.

The directions are the keys.  The logs of the sums are the bias of few states; for many, they are a
further component of the directions, and every state has the component 1, so that no array of M x m
numbers is formed.
"""
import math

import numpy as np

from hopref.fast.numba._heads import log_sums as logs_of
from hopref.fast.numba._retrieval import retrieved, weighted
from hopref.fast.numba._softmax import FEW, NO_BEST, absent, attend
from hopref.models import feature_memory

__all__ = ["energy", "update"]


def energy(xi, omega, log_sums, /, *, beta=1.0):
    def energies(states, directions, beta, few):
        logs = log_sums.astype(states.dtype, copy=False)
        sums = _weighted(states, directions, directions[:, :0], logs, beta, few)[1]
        squares = np.vecdot(states, states, dtype=np.float64)
        return (squares - logs_of(sums, 1.0) / beta).astype(states.dtype)[:, None]

    def formula(states, directions, beta):
        return feature_memory.energy.formula(states, directions, log_sums, beta=beta)
    return retrieved(formula, energies, xi, xi, omega, beta).reshape(xi.shape[:-1])


def update(xi, omega, log_sums, /, *, beta=1.0, step=0.5):
    def steps(states, directions, beta, few):
        logs = log_sums.astype(states.dtype, copy=False)
        means = _weighted(states, directions, directions, logs, beta, few)[0]
        own, drawn = map(states.dtype.type, (1 - 2 * step, step / math.sqrt(beta)))
        return own * states + drawn * means

    def formula(states, directions, beta):
        return feature_memory.update.formula(states, directions, log_sums, beta=beta, step=step)
    return retrieved(formula, steps, xi, xi, omega, beta).reshape(xi.shape)


def _weighted(states, directions, values, log_sums, beta, few):
    real, root, values = states.dtype.type, math.sqrt(beta), np.ascontiguousarray(values)
    if not few:
        queries = np.column_stack([real(root) * states, np.ones(len(states), real)])
        return weighted(queries, np.column_stack([directions, log_sums]), values, 1.0, few)
    M, v = len(states), values.shape[1]
    means, sums = np.empty((M, v), real), np.empty((M, 3), real)
    for q in range(0, M, FEW):
        block = slice(q, min(M, q + FEW))
        bias = np.repeat(log_sums[None], block.stop - q, axis=0)
        attend(states[block], directions, values, root, few, absent(bool), bias, len(directions),
               means[block], sums[block], NO_BEST)
    return means, sums

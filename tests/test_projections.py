"""The draws: Haar moments, orthogonality in blocks, norms, seeds."""
import numpy as np
import pytest

from tests.laws import law
from tests.rounding import close, g

DRAWS, D = 4000, 3


def frames(rules, draw="orthogonal"):
    """Many draws of one block, with rows of length one."""
    rng = np.random.default_rng(11)
    omega = np.stack([getattr(rules.projections, draw)(D, D, rng=rng) for _ in range(DRAWS)])
    return omega / np.sqrt((omega**2).sum(-1, keepdims=True))


def averages(sample, want):
    """The mean of independent draws (axis 0), within six standard errors, as sampled."""
    close(sample.mean(0), want, 6 * sample.std(0) / np.sqrt(len(sample)) + 1e-300)


@law("projections.orthogonal", "projections.regularized", id="RF-4",
     kills=["qr_without_sign", "qr_without_sign_smreg", "orthogonal_fixed_frame",
            "orthogonal_is_iid"])
def test_directions_are_haar(rules):
    """First and second moments of a Haar frame Q: E Q = 0, E q_i q_i = 1/d, E q_i^4 = 3/d(d+2),
    E Q_11 Q_22 = E Q_11^3 Q_22 = 0, E Q_11^2 Q_22^2 = (d+1)/(d-1)d(d+2)."""
    d = D
    for draw in ("orthogonal", "regularized"):
        Q = frames(rules, draw)
        averages(Q, 0.0)
        averages(Q**2, 1 / d)
        averages(Q**4, 3 / (d * (d + 2)))
        averages(Q[:, 0, 0] * Q[:, 1, 1], 0.0)
        averages(Q[:, 0, 0] ** 2 * Q[:, 1, 1] ** 2, (d + 1) / ((d - 1) * d * (d + 2)))
        averages(np.linalg.det(Q), 0.0)


@law("projections.orthogonal", "projections.regularized", id="RF-4",
     kills=["orthogonal_is_iid", "givens_with_replacement", "blocks_identical"])
def test_rows_of_a_block_are_orthogonal_and_blocks_are_independent(rules):
    """A QR factor is orthogonal to about d u times a small constant; g(100) leaves room for it."""
    for draw in ("orthogonal", "regularized"):
        for m, d in ((7, 3), (2, 5), (1, 1), (8, 4)):
            omega = getattr(rules.projections, draw)(m, d, rng=3)
            assert omega.shape == (m, d)
            for block in np.split(omega, range(d, m, d)):
                gram = block @ block.T
                norms = np.sqrt(np.diagonal(gram))
                close(gram, np.diag(np.diagonal(gram)), g(100) * np.outer(norms, norms))
            if m > d > 1:
                assert np.abs(omega[:1] @ omega[d:].T).max() > 1e-6
                direction = omega / np.sqrt((omega**2).sum(-1, keepdims=True))
                assert np.abs(direction[0] - direction[d]).max() > 1e-6


@law("projections.orthogonal", "projections.iid", "projections.regularized", id="RF-4",
     kills=["orthogonal_unit_norms", "smreg_norm_one", "smreg_norm_d", "smreg_chi_norms",
            "iid_unit_rows", "iid_uniform", "iid_rows_identical"])
def test_rows_have_the_norms_that_they_should(rules):
    """chi_d for Gaussian rows, iid or orthogonal: E r^2 = d, Var r^2 = 2d, a normal component's
    fourth moment 3; exactly sqrt(d) for regularised ones."""
    for draw in ("iid", "orthogonal"):
        rows = getattr(rules.projections, draw)(DRAWS, D, rng=5)[::D]      # one of a block
        averages((rows**2).sum(-1), D)
        averages(((rows**2).sum(-1) - D) ** 2, 2 * D)
        averages(rows**4, 3.0)
        averages(rows, 0.0)
        averages(rows[1:] * rows[:-1], 0.0)
    squares = (rules.projections.regularized(7, D, rng=5) ** 2).sum(-1)
    close(squares, D, g(100) * D)


@law("projections.iid", "projections.orthogonal", "projections.regularized", id="RF-2",
     kills=["seed_ignored"])
def test_a_seed_names_a_draw_and_a_generator_moves_on(rules):
    for draw in ("iid", "orthogonal", "regularized"):
        rows = getattr(rules.projections, draw)
        assert np.all(rows(5, 3, rng=1) == rows(5, 3, rng=1))
        assert not np.any(rows(5, 3, rng=1) == rows(5, 3, rng=2))
        rng = np.random.default_rng(1)
        first = rows(5, 3, rng=rng)
        assert np.all(first == rows(5, 3, rng=1)) and not np.any(first == rows(5, 3, rng=rng))


def test_a_qr_factor_without_its_signs_is_not_haar():
    """LAPACK's first row has a negative mean: what most published constructions draw."""
    rng = np.random.default_rng(0)
    Q = np.stack([np.linalg.qr(rng.standard_normal((D, D)))[0] for _ in range(DRAWS)])
    assert np.all(Q[:, 0, 0] <= 0)
    with pytest.raises(AssertionError):
        averages(Q, 0.0)

"""The draws: statistics of many draws, and what each statement needs; laws are the kit's."""
import numpy as np
import pytest

from hopref import projections
from tests.rounding import close, g

DRAWS, D = 4000, 3


def frames(draw="orthogonal"):
    """Many draws of one block, with rows of length one."""
    rng = np.random.default_rng(11)
    omega = np.stack([getattr(projections, draw)(D, D, rng=rng) for _ in range(DRAWS)])
    return omega / np.sqrt((omega**2).sum(-1, keepdims=True))


def averages(sample, want):
    """The mean of independent draws (axis 0), within six standard errors, as sampled."""
    close(sample.mean(0), want, 6 * sample.std(0) / np.sqrt(len(sample)) + 1e-300)


def test_directions_are_haar():
    """First and second moments of a Haar frame Q: E Q = 0, E q_i q_i = 1/d, E q_i^4 = 3/d(d+2),
    E Q_11 Q_22 = E Q_11^3 Q_22 = 0, E Q_11^2 Q_22^2 = (d+1)/(d-1)d(d+2)."""
    d = D
    for draw in ("orthogonal", "regularized"):
        Q = frames(draw)
        averages(Q, 0.0)
        averages(Q**2, 1 / d)
        averages(Q**4, 3 / (d * (d + 2)))
        averages(Q[:, 0, 0] * Q[:, 1, 1], 0.0)
        averages(Q[:, 0, 0] ** 2 * Q[:, 1, 1] ** 2, (d + 1) / ((d - 1) * d * (d + 2)))
        averages(np.linalg.det(Q), 0.0)


def test_rows_of_a_block_are_orthogonal_and_blocks_are_independent():
    """A QR factor is orthogonal to about d u times a small constant; g(100) includes it."""
    for draw in ("orthogonal", "regularized"):
        for m, d in ((7, 3), (2, 5), (1, 1), (8, 4)):
            omega = getattr(projections, draw)(m, d, rng=3)
            assert omega.shape == (m, d)
            for block in np.split(omega, range(d, m, d)):
                gram = block @ block.T
                norms = np.sqrt(np.diagonal(gram))
                close(gram, np.diag(np.diagonal(gram)), g(100) * np.outer(norms, norms))
            if m > d > 1:
                assert np.abs(omega[:1] @ omega[d:].T).max() > 1e-6
                direction = omega / np.sqrt((omega**2).sum(-1, keepdims=True))
                assert np.abs(direction[0] - direction[d]).max() > 1e-6


def test_rows_have_the_norms_that_they_should():
    """chi_d for Gaussian rows, iid or orthogonal: E r^2 = d, Var r^2 = 2d, a normal component's
    fourth moment 3; exactly sqrt(d) for regularised ones."""
    for draw in ("iid", "orthogonal"):
        rows = getattr(projections, draw)(DRAWS, D, rng=5)[::D]      # one of a block
        averages((rows**2).sum(-1), D)
        averages(((rows**2).sum(-1) - D) ** 2, 2 * D)
        averages(rows**4, 3.0)
        averages(rows, 0.0)
        averages(rows[1:] * rows[:-1], 0.0)
    squares = (projections.regularized(7, D, rng=5) ** 2).sum(-1)
    close(squares, D, g(100) * D)


def test_a_seed_names_a_draw_and_a_generator_moves_on():
    for draw in ("iid", "orthogonal", "regularized", "simplex", "givens", "qmc"):
        rows = getattr(projections, draw)
        assert np.all(rows(5, 3, rng=1) == rows(5, 3, rng=1))
        assert not np.any(rows(5, 3, rng=1) == rows(5, 3, rng=2))
        rng = np.random.default_rng(1)
        first = rows(5, 3, rng=rng)
        assert np.all(first == rows(5, 3, rng=1)) and not np.any(first == rows(5, 3, rng=rng))
    one, same, other = (projections.hadamard(9, 8, rng=seed) for seed in (1, 1, 2))
    assert np.all(one == same) and np.any(one != other)          # few values: some are the same


def test_a_qr_factor_without_its_signs_is_not_haar():
    """LAPACK's first row has a negative mean: what most published constructions draw."""
    rng = np.random.default_rng(0)
    Q = np.stack([np.linalg.qr(rng.standard_normal((D, D)))[0] for _ in range(DRAWS)])
    assert np.all(Q[:, 0, 0] <= 0)
    with pytest.raises(AssertionError):
        averages(Q, 0.0)


# -- structured rows ----------------------------------------------------------------------------

STRUCTURED = ("simplex", "hadamard", "givens", "qmc")
FEW = 1000


def test_every_draw_has_mean_0_and_covariance_1():
    """E omega = 0 and E omega omega^T = I exactly, row by row; six standard errors, as sampled."""
    for draw in STRUCTURED:
        rng = np.random.default_rng(17)
        omega = np.stack([getattr(projections, draw)(4, 3, rng=rng) for _ in range(FEW)])
        averages(omega, 0.0)
        averages(omega[..., :, None] * omega[..., None, :], np.eye(3))
        averages(omega[..., :1] * omega[..., 1:2] * omega, 0.0)


def test_rows_of_a_block_point_to_the_corners_of_a_simplex():
    """u_i . u_j = -1/(d - 1), whatever the draw; lengths are chi_d; blocks are independent."""
    for m, d in ((5, 3), (2, 6), (4, 2), (8, 8)):
        omega = projections.simplex(m, d, rng=3)
        u = omega / np.sqrt((omega**2).sum(-1, keepdims=True))
        for block in np.split(u, range(d, m, d)):
            want = np.where(np.eye(len(block)) > 0, 1.0, -1 / (d - 1))
            close(block @ block.T, want, g(100))
        assert m <= d or np.abs(u[0] - u[d]).max() > 1e-6
    squares = (projections.simplex(DRAWS, 3, rng=5)[::3] ** 2).sum(-1)
    averages(squares, 3.0)
    averages((squares - 3.0) ** 2, 6.0)


def hadamard_by_hand(d, signs):
    """H D_1 H D_2 H D_3 / d, from Sylvester's construction."""
    H = np.ones((1, 1))
    while len(H) < d:
        H = np.block([[H, H], [H, -H]])
    return H * signs[0] @ H * signs[1] @ H * signs[2] / d


def test_hadamard_rows_are_orthogonal_to_the_last_bit_and_of_known_fourth_moments():
    """d = 2^k: integers over d, so omega omega^T = d I exactly.  d = 4: the fourth moments are the
    mean over all 4096 choices of signs; they are not those of a sphere, 3 d/(d + 2)."""
    for d in (1, 2, 8):
        omega = projections.hadamard(3 * d - d // 2, d, rng=2)
        for i in range(0, len(omega), d):
            block = omega[i:i + d]
            assert np.all(block @ block.T == d * np.eye(len(block)))
            assert np.all(block * d == np.round(block * d))
        assert d == 1 or np.any(omega[:d] != omega[d:2 * d])
    everything = np.array(np.meshgrid(*[[-1.0, 1.0]] * 12)).reshape(3, 4, -1)
    exact = np.mean([hadamard_by_hand(4, everything[..., i]) ** 4 for i in range(4096)], axis=0)
    rng = np.random.default_rng(11)
    sample = np.stack([projections.hadamard(4, 4, rng=rng) for _ in range(DRAWS)])
    averages(sample**4, exact)
    assert np.abs(exact - 3 * 4 / 6).max() > 0.2


def test_padded_hadamard_rows_have_the_right_mean_square():
    """d = 5 columns of 8: |omega|^2 = d in the mean; its spread is that of all signs, sampled by
    the construction by hand."""
    rng = np.random.default_rng(11)
    ours = np.stack([projections.hadamard(8, 5, rng=rng) for _ in range(DRAWS)])
    signs = rng.choice([-1.0, 1.0], size=(DRAWS, 3, 8))
    hand = np.stack([hadamard_by_hand(8, s)[:, :5] for s in signs])
    averages((ours**2).sum(-1), 5.0)
    averages(((ours**2).sum(-1) - 5) ** 2 - ((hand**2).sum(-1) - 5) ** 2, 0.0)


def test_structured_rows_have_the_lengths_that_were_asked_for():
    for rows in (projections.hadamard, projections.givens):
        close((rows(9, 4, rng=0, lengths="fixed") ** 2).sum(-1), 4.0, g(400))
        squares = (rows(DRAWS, 4, rng=0, lengths="chi") ** 2).sum(-1)[::4]
        averages(squares, 4.0)
        averages((squares - 4) ** 2, 8.0)


def test_givens_rows_are_orthogonal_and_tend_to_haar_at_the_known_rate():
    """E sum u_a^4 = 3/(d + 2) + lambda^K (1 - 3/(d + 2)): one round mixes the squares of a random
    matching.  40 rounds of planes round each entry 120 times: g(400) includes them."""
    givens = projections.givens
    for d, rate in ((4, 3 * 2 / (4 * 3)), (5, 13 / 20), (2, 0.0)):
        omega = givens(2 * d, d, rng=1, rounds=40, lengths="fixed")
        for block in np.split(omega, 2):
            close(block @ block.T, d * np.eye(d), g(400) * d)
        assert np.abs(omega[:d] - omega[d:]).max() > 1e-6
        for rounds in (1, 2, 5):
            rng = np.random.default_rng(13)
            u = np.stack([givens(1, d, rng=rng, rounds=rounds, lengths="fixed")
                          for _ in range(FEW)]) / np.sqrt(d)
            averages((u**4).sum(-1), 3 / (d + 2) + rate**rounds * (1 - 3 / (d + 2)))


def test_by_default_givens_rows_are_haar_to_a_hundredth_in_the_fourth_moment():
    """d = 64, where 2 log2(d) rounds leave twice the fourth moment of a Haar row."""
    rng = np.random.default_rng(13)
    u = np.stack([projections.givens(1, 64, rng=rng, lengths="fixed")
                  for _ in range(FEW)])[:, 0] / 8
    moment = (u**4).sum(-1)
    close(moment.mean(), 3 / 66, 0.01 * 3 / 66 + 6 * moment.std() / np.sqrt(FEW))


def test_scrambled_sobol_rows_are_stratified_in_every_column():
    """Of m = 2^k points every column has exactly one in each m-th part of the distribution."""
    from scipy.special import ndtr
    for m, d in ((64, 5), (1, 3), (8, 1)):
        cell = np.floor(ndtr(projections.qmc(m, d, rng=4)) * m)
        assert np.all(np.sort(cell, axis=0) == np.arange(m)[:, None])


def test_every_quasi_random_row_is_gaussian():
    """So positive features are unbiased row by row: E exp(omega.z - |z|^2/2) = 1."""
    z = np.array([0.6, -0.5, 0.4])
    for sequence in ("sobol", "halton"):
        rng = np.random.default_rng(19)
        omega = np.stack([projections.qmc(3, 3, rng=rng, sequence=sequence)
                          for _ in range(FEW)])
        averages(np.exp(omega @ z - z @ z / 2), 1.0)
        averages(omega**4, 3.0)


# -- what each statement needs ------------------------------------------------------------------

def test_hadamard_rows_are_biased_at_every_finite_d():
    """So they share no test of unbiasedness with orthogonal rows: for d = 2 all 64 choices of signs
    give rows (+-1, +-1) sqrt(2) / sqrt(2) or its turns, and E cos(omega.z) is cos(1)^2 or so."""
    everything = np.array(np.meshgrid(*[[-1.0, 1.0]] * 6)).reshape(3, 2, -1)
    rows = np.stack([hadamard_by_hand(2, everything[..., i]) for i in range(64)]).reshape(-1, 2)
    z = np.array([1.0, 1.0])
    mean = np.mean(np.exp(rows @ z))
    assert abs(mean / np.exp(z @ z / 2) - 1) > 0.05           # a Gaussian row
    from scipy.special import i0
    assert abs(mean / i0(2.0) - 1) > 0.001                    # one of length sqrt(2)


def test_a_simplex_needs_two_dimensions():
    from hopref.errors import DomainError
    with pytest.raises(DomainError, match="d must be an integer >= 2; got d=1"):
        projections.simplex(3, 1, rng=0)


def test_sobol_points_have_a_last_dimension():
    from scipy.stats.qmc import Sobol

    from hopref.errors import DomainError
    assert Sobol.MAXDIM == 21201
    with pytest.raises(DomainError, match="projections.qmc: d must be at most 21201 with"):
        projections.qmc(1, 21202, rng=0)

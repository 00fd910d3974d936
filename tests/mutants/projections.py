"""Random draws, wrong."""
import numpy as np

from hopref import projections
from tests.mutants import mutant


def haar(d, rng, signs=True):
    Q, R = np.linalg.qr(rng.standard_normal((d, d)))
    return Q * np.sign(np.diagonal(R)) if signs else Q


def blocks(m, d, frame):
    return np.concatenate([frame() for _ in range(-(-m // d))])[:m]


def chi(m, d, rng):
    return np.sqrt(rng.chisquare(d, (m, 1)))


@mutant("projections.orthogonal")
def qr_without_sign(m, d, /, *, rng):
    """LAPACK's Q as it comes: not Haar, positive features biased"""
    rng = np.random.default_rng(rng)
    return chi(m, d, rng) * blocks(m, d, lambda: haar(d, rng, signs=False))


@mutant("projections.orthogonal")
def blocks_identical(m, d, /, *, rng):
    """one frame for all blocks, from one seed"""
    rng = np.random.default_rng(rng)
    frame = haar(d, rng)
    return chi(m, d, rng) * blocks(m, d, lambda: frame)


@mutant("projections.orthogonal")
def orthogonal_unit_norms(m, d, /, *, rng):
    """rows of length one"""
    rng = np.random.default_rng(rng)
    return blocks(m, d, lambda: haar(d, rng))


@mutant("projections.orthogonal")
def orthogonal_is_iid(m, d, /, *, rng):
    """not orthogonal at all"""
    return np.random.default_rng(rng).standard_normal((m, d))


@mutant("projections.orthogonal")
def orthogonal_fixed_frame(m, d, /, *, rng):
    """the coordinate axes"""
    rng = np.random.default_rng(rng)
    return chi(m, d, rng) * blocks(m, d, lambda: np.eye(d))


@mutant("projections.orthogonal")
def givens_with_replacement(m, d, /, *, rng):
    """rotations in planes (i, i) too, which scale a row"""
    rng = np.random.default_rng(rng)

    def frame():
        Q = np.eye(d)
        for _ in range(4 * d):
            (i, j), a = rng.integers(d, size=2), rng.uniform(0, np.pi)
            Q[i], Q[j] = np.cos(a) * Q[i] + np.sin(a) * Q[j], np.cos(a) * Q[j] - np.sin(a) * Q[i]
        return Q
    return chi(m, d, rng) * blocks(m, d, frame)


@mutant("projections.regularized")
def qr_without_sign_smreg(m, d, /, *, rng):
    """LAPACK's Q as it comes, times sqrt(d)"""
    rng = np.random.default_rng(rng)
    return np.sqrt(d) * blocks(m, d, lambda: haar(d, rng, signs=False))


@mutant("projections.regularized")
def smreg_norm_one(m, d, /, *, rng):
    """rows of length 1 for sqrt(d)"""
    return projections.regularized(m, d, rng=rng) / np.sqrt(d)


@mutant("projections.regularized")
def smreg_norm_d(m, d, /, *, rng):
    """rows of length d for sqrt(d)"""
    return projections.regularized(m, d, rng=rng) * np.sqrt(d)


@mutant("projections.regularized")
def smreg_chi_norms(m, d, /, *, rng):
    """Gaussian lengths: the unregularised draw"""
    return projections.orthogonal(m, d, rng=rng)


@mutant("projections.iid")
def iid_uniform(m, d, /, *, rng):
    """uniform numbers"""
    return np.random.default_rng(rng).uniform(-1, 1, (m, d))


@mutant("projections.iid")
def iid_unit_rows(m, d, /, *, rng):
    """rows scaled to length sqrt(d)"""
    omega = projections.iid(m, d, rng=rng)
    return omega / np.sqrt((omega**2).mean(-1, keepdims=True))


@mutant("projections.iid")
def iid_rows_identical(m, d, /, *, rng):
    """one row, repeated"""
    return np.repeat(projections.iid(1, d, rng=rng), m, 0)


@mutant("projections.iid")
def seed_ignored(m, d, /, *, rng):
    """a new generator whatever was given"""
    return np.random.default_rng(0).standard_normal((m, d))


# -- structured draws ---------------------------------------------------------------------------

def corners(d):
    """A simplex as the SimRF paper writes it."""
    ones = np.append(np.ones(d - 1), 0.0)
    S = np.sqrt(d / (d - 1)) * np.eye(d) - (np.sqrt(d) + 1) / (d - 1) ** 1.5 * ones
    S[-1] = ones / np.sqrt(d - 1)
    return S


@mutant("projections.simplex")
def simplex_without_rotation(m, d, /, *, rng):
    """the same corners in every draw"""
    rng = np.random.default_rng(rng)
    return chi(m, d, rng) * blocks(m, d, lambda: corners(d))


@mutant("projections.simplex")
def simplex_unit_lengths(m, d, /, *, rng):
    """chi lengths missing"""
    rng = np.random.default_rng(rng)
    return blocks(m, d, lambda: corners(d) @ haar(d, rng))


@mutant("projections.simplex")
def simplex_is_orthogonal(m, d, /, *, rng):
    """right angles"""
    return projections.orthogonal(m, d, rng=rng)


@mutant("projections.simplex")
def simplex_corners_not_centred(m, d, /, *, rng):
    """the corners e_i themselves, less their mean, not scaled to length one"""
    rng = np.random.default_rng(rng)
    return chi(m, d, rng) * blocks(m, d, lambda: (np.eye(d) - 1 / d) @ haar(d, rng))


@mutant("projections.simplex")
def simplex_blocks_identical(m, d, /, *, rng):
    """one rotation for all blocks"""
    rng = np.random.default_rng(rng)
    frame = corners(d) @ haar(d, rng)
    return chi(m, d, rng) * blocks(m, d, lambda: frame)


def hadamard_matrix(p):
    H = np.ones((1, 1))
    while len(H) < p:
        H = np.block([[H, H], [H, -H]])
    return H


def structured(m, d, rng, factors=3, last=True, same=False, scale=1.0):
    rng = np.random.default_rng(rng)
    p = 1 << (d - 1).bit_length()
    H, made = hadamard_matrix(p), []
    for _ in range(-(-m // p)):
        block = np.sqrt(p) * np.eye(p)
        for k in range(factors):
            signs = rng.choice([-1.0, 1.0], p)
            block = block @ H / np.sqrt(p) * (signs if last or k < factors - 1 else 1.0)
        made.append(block[:, :d] if not same or not made else made[0])
    return scale * np.concatenate(made)[:m]


def scaled(rows, m, d, lengths, rng):
    return rows * (chi(m, d, np.random.default_rng(rng)) / np.sqrt(d) if lengths == "chi" else 1)


@mutant("projections.hadamard")
def hadamard_last_signs_missing(m, d, /, *, rng, lengths="fixed"):
    """H D H D H: the last D missing"""
    return scaled(structured(m, d, rng, last=False), m, d, lengths, rng)


@mutant("projections.hadamard")
def hadamard_of_length_one(m, d, /, *, rng, lengths="fixed"):
    """no factor sqrt(d)"""
    return scaled(structured(m, d, rng, scale=d**-0.5), m, d, lengths, rng)


@mutant("projections.hadamard")
def hadamard_two_factors(m, d, /, *, rng, lengths="fixed"):
    """H D H D"""
    return scaled(structured(m, d, rng, factors=2), m, d, lengths, rng)


@mutant("projections.hadamard")
def hadamard_blocks_identical(m, d, /, *, rng, lengths="fixed"):
    """one set of signs for all blocks"""
    return scaled(structured(m, d, rng, same=True), m, d, lengths, rng)


@mutant("projections.hadamard")
def hadamard_padding_unscaled(m, d, /, *, rng, lengths="fixed"):
    """length sqrt(d) of the padded rows: too short once they are cut"""
    p = 1 << (d - 1).bit_length()
    return scaled(structured(m, d, rng, scale=(d / p) ** 0.5), m, d, lengths, rng)


@mutant("projections.hadamard")
def lengths_swapped(m, d, /, *, rng, lengths="fixed"):
    """chi for fixed, fixed for chi"""
    other = {"chi": "fixed", "fixed": "chi"}[lengths]
    return projections.hadamard(m, d, rng=rng, lengths=other)


def planes(d, rng, rounds, turn=2 * np.pi, replace=False):
    Q = np.eye(d)[rng.permutation(d)] * rng.choice([-1.0, 1.0], (d, 1))
    for _ in range(rounds):
        order = rng.integers(d, size=d) if replace else rng.permutation(d)
        for i, j in zip(order[:d // 2], order[d // 2:2 * (d // 2)], strict=True):
            a = rng.uniform(0, turn)
            x, y = Q[:, i].copy(), Q[:, j].copy()
            Q[:, i], Q[:, j] = np.cos(a) * x - np.sin(a) * y, np.sin(a) * x + np.cos(a) * y
    return Q


def turned(m, d, rng, lengths, rounds, **wrong):
    rng = np.random.default_rng(rng)
    rows = blocks(m, d, lambda: planes(d, rng, 20 if rounds is None else rounds, **wrong))
    return rows * (chi(m, d, rng) if lengths == "chi" else np.sqrt(d))


@mutant("projections.givens")
def pairs_with_replacement(m, d, /, *, rng, lengths="chi", rounds=None):
    """planes (i, i) too, which scale a column"""
    return turned(m, d, rng, lengths, rounds, replace=True)


@mutant("projections.givens")
def givens_angles_below_one(m, d, /, *, rng, lengths="chi", rounds=None):
    """random numbers taken for angles"""
    return turned(m, d, rng, lengths, rounds, turn=1.0)


@mutant("projections.givens")
def givens_blocks_identical(m, d, /, *, rng, lengths="chi", rounds=None):
    """the same seed for every block"""
    frame = turned(d, d, rng, "fixed", rounds)
    rng = np.random.default_rng(rng)
    size = chi(m, d, rng) / np.sqrt(d) if lengths == "chi" else 1.0
    return blocks(m, d, lambda: frame) * size


@mutant("projections.givens")
def givens_rounds_ignored(m, d, /, *, rng, lengths="chi", rounds=None):
    """always twenty rounds"""
    return turned(m, d, rng, lengths, 20)


@mutant("projections.givens")
def givens_too_few_rounds(m, d, /, *, rng, lengths="chi", rounds=None):
    """d ln d rotations, as published"""
    few = int(2 * np.ceil(np.log(d))) if rounds is None else rounds
    return projections.givens(m, d, rng=rng, lengths=lengths, rounds=few)


@mutant("projections.givens")
def givens_unit_lengths(m, d, /, *, rng, lengths="chi", rounds=None):
    """rows of length one"""
    return projections.givens(m, d, rng=rng, lengths="fixed", rounds=rounds) / np.sqrt(d)


def quasi(m, d, rng, kind="Sobol", scramble=True, skip=0):
    from scipy.special import ndtri
    from scipy.stats import qmc
    points = getattr(qmc, kind)(d, scramble=scramble, rng=np.random.default_rng(rng))
    return ndtri(points.random(2 ** int(skip + m).bit_length())[skip:skip + m])


@mutant("projections.qmc")
def qmc_unscrambled(m, d, /, *, rng, sequence="sobol"):
    """the Sobol points themselves, without the origin"""
    return quasi(m, d, rng, scramble=False, skip=1)


@mutant("projections.qmc")
def halton_unscrambled(m, d, /, *, rng, sequence="sobol"):
    """the Halton points themselves, without the origin"""
    return quasi(m, d, rng, "Halton", scramble=False, skip=1)


@mutant("projections.qmc")
def qmc_first_point_skipped(m, d, /, *, rng, sequence="sobol"):
    """scrambled, and the first point left out: no longer a net"""
    return quasi(m, d, rng, skip=1)


@mutant("projections.qmc")
def qmc_uniform_numbers(m, d, /, *, rng, sequence="sobol"):
    """uniform numbers of variance 1 in place of Gaussian ones"""
    from scipy.special import ndtr
    return (ndtr(projections.qmc(m, d, rng=rng, sequence=sequence)) - 0.5) * np.sqrt(12)


@mutant("projections.qmc")
def qmc_is_iid(m, d, /, *, rng, sequence="sobol"):
    """independent rows"""
    return projections.iid(m, d, rng=rng)

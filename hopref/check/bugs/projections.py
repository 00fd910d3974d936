"""Bugs of random draws: frames that are not Haar, lengths, blocks, seeds."""
import numpy as np

from hopref import projections
from hopref.check.bugs import bug, variant

__all__ = ["without_signs"]


def haar(d, rng, signs=True):
    Q, R = np.linalg.qr(rng.standard_normal((d, d)))
    return Q * np.sign(np.diagonal(R)) if signs else Q


def blocks(m, d, frame):
    return np.concatenate([frame() for _ in range(-(-m // d))])[:m]


def chi(m, d, rng):
    return np.sqrt(rng.chisquare(d, (m, 1)))


def repeated(m, d, block):
    """One block in place of several."""
    return np.concatenate([block] * -(-m // d))[:m]


# -- independent rows -----------------------------------------------------------------------------

@bug("uniform numbers", "projections.iid")
def uniform(m, d, /, *, rng):
    return np.random.default_rng(rng).uniform(-1, 1, (m, d))


@bug("rows of the one length sqrt(d)", "projections.iid")
def of_one_length(m, d, /, *, rng):
    omega = projections.iid(m, d, rng=rng)
    return omega / np.sqrt(np.mean(omega**2, axis=-1, keepdims=True))


@bug("one row, repeated", "projections.iid")
def one_row(m, d, /, *, rng):
    return np.repeat(projections.iid(1, d, rng=rng), m, axis=0)


# -- orthogonal rows ------------------------------------------------------------------------------

@bug("QR without sign correction", "projections.orthogonal")
def without_signs(m, d, /, *, rng):
    rng = np.random.default_rng(rng)
    return chi(m, d, rng) * blocks(m, d, lambda: haar(d, rng, signs=False))


@bug("same seed for every block", "projections.orthogonal")
def blocks_identical(m, d, /, *, rng):
    return repeated(m, d, projections.orthogonal(min(m, d), d, rng=rng))


@bug("rows of length 1", "projections.orthogonal")
def of_length_one(m, d, /, *, rng):
    omega = projections.orthogonal(m, d, rng=rng)
    return omega / np.linalg.norm(omega, axis=-1, keepdims=True)


@bug("one length for the rows of a block", "projections.orthogonal")
def one_length_a_block(m, d, /, *, rng):
    rows = projections.regularized(m, d, rng=rng)
    lengths = np.linalg.norm(projections.iid(-(-m // d), d, rng=rng), axis=-1, keepdims=True)
    return rows * np.repeat(lengths, d, axis=0)[:m] / np.sqrt(d)


@bug("coordinate axes in every draw", "projections.orthogonal")
def axes(m, d, /, *, rng):
    rng = np.random.default_rng(rng)
    return chi(m, d, rng) * blocks(m, d, lambda: np.eye(d))


@bug("planes (i, i) too, which scale a row", "projections.orthogonal")
def rotations_with_replacement(m, d, /, *, rng):
    rng = np.random.default_rng(rng)

    def frame():
        Q = np.eye(d)
        for _ in range(4 * d):
            (i, j), a = rng.integers(d, size=2), rng.uniform(0, np.pi)
            Q[i], Q[j] = np.cos(a) * Q[i] + np.sin(a) * Q[j], np.cos(a) * Q[j] - np.sin(a) * Q[i]
        return Q
    return chi(m, d, rng) * blocks(m, d, frame)


@bug("QR without sign correction", "projections.regularized")
def regularized_without_signs(m, d, /, *, rng):
    rng = np.random.default_rng(rng)
    return np.sqrt(d) * blocks(m, d, lambda: haar(d, rng, signs=False))


@bug("rows of length 1", "projections.regularized")
def regularized_of_length_one(m, d, /, *, rng):
    return projections.regularized(m, d, rng=rng) / np.sqrt(d)


@bug("rows of length d", "projections.regularized")
def regularized_of_length_d(m, d, /, *, rng):
    return projections.regularized(m, d, rng=rng) * np.sqrt(d)


# -- simplex --------------------------------------------------------------------------------------

def corners(d):
    """A simplex as the SimRF paper writes it."""
    ones = np.append(np.ones(d - 1), 0.0)
    S = np.sqrt(d / (d - 1)) * np.eye(d) - (np.sqrt(d) + 1) / (d - 1) ** 1.5 * ones
    S[-1] = ones / np.sqrt(d - 1)
    return S


@bug("the same corners in every draw", "projections.simplex")
def simplex_without_rotation(m, d, /, *, rng):
    return chi(m, d, np.random.default_rng(rng)) * blocks(m, d, lambda: corners(d))


@bug("rows of length 1", "projections.simplex")
def simplex_of_length_one(m, d, /, *, rng):
    rng = np.random.default_rng(rng)
    return blocks(m, d, lambda: corners(d) @ haar(d, rng))


@bug("corners not scaled to length 1", "projections.simplex")
def simplex_not_scaled(m, d, /, *, rng):
    rng = np.random.default_rng(rng)
    return chi(m, d, rng) * blocks(m, d, lambda: (np.eye(d) - 1 / d) @ haar(d, rng))


@bug("same seed for every block", "projections.simplex")
def simplex_blocks_identical(m, d, /, *, rng):
    rng = np.random.default_rng(rng)
    frame = corners(d) @ haar(d, rng)
    return chi(m, d, rng) * blocks(m, d, lambda: frame)


# -- Hadamard -------------------------------------------------------------------------------------

def hadamard_matrix(p):
    H = np.ones((1, 1))
    while len(H) < p:
        H = np.block([[H, H], [H, -H]])
    return H


def structured(m, d, rng, lengths="fixed", factors=3, last=True, same=False, scale=1.0):
    """H D H D H D / d with a factor missing or another scale."""
    rng = np.random.default_rng(rng)
    p = 1 << (d - 1).bit_length()
    H, made = hadamard_matrix(p), []
    for _ in range(-(-m // p)):
        block = np.sqrt(p) * np.eye(p)
        for k in range(factors):
            signs = rng.choice([-1.0, 1.0], p)
            block = block @ H / np.sqrt(p) * (signs if last or k < factors - 1 else 1.0)
        made.append(block[:, :d] if not same or not made else made[0])
    size = chi(m, d, rng) / np.sqrt(d) if lengths == "chi" else 1.0
    return scale * size * np.concatenate(made)[:m]


@bug("rows of length 1", "projections.hadamard")
def hadamard_of_length_one(m, d, /, *, rng, lengths="fixed"):
    return structured(m, d, rng, lengths, scale=d**-0.5)


@bug("length sqrt(d) before the columns are cut", "projections.hadamard")
def hadamard_padding_unscaled(m, d, /, *, rng, lengths="fixed"):
    p = 1 << (d - 1).bit_length()
    return structured(m, d, rng, lengths, scale=(d / p) ** 0.5)


@bug("lengths exchanged", "projections.hadamard")
def hadamard_lengths_exchanged(m, d, /, *, rng, lengths="fixed"):
    other = {"chi": "fixed", "fixed": "chi"}[lengths]
    return projections.hadamard(m, d, rng=rng, lengths=other)


# -- Givens ---------------------------------------------------------------------------------------

def rotations(m, d, rng, lengths="chi", rounds=None, turn=2 * np.pi, replace=False, same=False):
    """Rounds of rotations in planes, by angles below ``turn``."""
    rng = np.random.default_rng(rng)

    def frame():
        Q = np.eye(d)[rng.permutation(d)] * rng.choice([-1.0, 1.0], (d, 1))
        for _ in range(20 if rounds is None else rounds):
            order = rng.integers(d, size=d) if replace else rng.permutation(d)
            for i, j in zip(order[:d // 2], order[d // 2:]):
                a = rng.uniform(0, turn)
                x, y = Q[:, i].copy(), Q[:, j].copy()
                Q[:, i], Q[:, j] = np.cos(a) * x - np.sin(a) * y, np.sin(a) * x + np.cos(a) * y
        return Q
    rows = repeated(m, d, frame()) if same else blocks(m, d, frame)
    return rows * (chi(m, d, rng) if lengths == "chi" else np.sqrt(d))


@bug("d ln d rotations by default", "projections.givens")
def givens_too_few_rounds(m, d, /, *, rng, lengths="chi", rounds=None):
    few = int(2 * np.ceil(np.log(d))) if rounds is None else rounds
    return projections.givens(m, d, rng=rng, lengths=lengths, rounds=max(1, few))


@bug("rows of length 1", "projections.givens")
def givens_of_length_one(m, d, /, *, rng, lengths="chi", rounds=None):
    return projections.givens(m, d, rng=rng, lengths="fixed", rounds=rounds) / np.sqrt(d)


# -- quasi-Monte Carlo ----------------------------------------------------------------------------

def quasi(m, d, rng, sequence="sobol", scramble=True, skip=0):
    from scipy.special import ndtri
    from scipy.stats import qmc
    kind = {"sobol": qmc.Sobol, "halton": qmc.Halton}[sequence]
    points = kind(d, scramble=scramble, rng=np.random.default_rng(rng))
    return ndtri(points.random(2 ** int(skip + m).bit_length())[skip:skip + m])


@bug("points not scrambled", "projections.qmc")
def qmc_unscrambled(m, d, /, *, rng, sequence="sobol"):
    """The unscrambled points without the origin."""
    return quasi(m, d, rng, sequence, scramble=False, skip=1)


@bug("uniform numbers of variance 1", "projections.qmc")
def qmc_uniform_numbers(m, d, /, *, rng, sequence="sobol"):
    from scipy.special import ndtr
    return (ndtr(projections.qmc(m, d, rng=rng, sequence=sequence)) - 0.5) * np.sqrt(12)


@bug("rows independent", "projections.qmc")
def qmc_is_iid(m, d, /, *, rng, sequence="sobol"):
    return projections.iid(m, d, rng=rng)


REGISTERED = [
    variant("seed ignored", "projections.iid", projections.iid, rng=0),
    variant("rows independent, not orthogonal", "projections.orthogonal", projections.iid),
    variant("rows of the one length sqrt(d)", "projections.orthogonal", projections.regularized),
    variant("seed ignored", "projections.orthogonal", projections.orthogonal, rng=3),
    variant("rows of chi length", "projections.regularized", projections.orthogonal),
    variant("right angles, not those of a simplex", "projections.simplex", projections.orthogonal),
    variant("last signs missing", "projections.hadamard", structured, last=False),
    variant("two factors HD in place of three", "projections.hadamard", structured, factors=2),
    variant("same signs for every block", "projections.hadamard", structured, same=True),
    variant("planes (i, i) too, which scale a column", "projections.givens", rotations,
            replace=True),
    variant("random numbers below 1 for angles", "projections.givens", rotations, turn=1.0),
    variant("same seed for every block", "projections.givens", rotations, same=True),
    variant("rounds ignored", "projections.givens", projections.givens, rounds=20),
    variant("first point left out: no net", "projections.qmc", quasi, skip=1),
]

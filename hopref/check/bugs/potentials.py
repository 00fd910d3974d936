"""Bugs of regularisers, conjugates and Fenchel-Young losses."""
import numpy as np

from hopref import maps
from hopref.check.bugs import bug, run, wrong_argument, wrong_call

__all__ = []

CONJUGATES = ("maps.entmax_conjugate", "maps.normmax_conjugate", "maps.k_subsets_conjugate")
LOSSES = ("maps.entmax_loss", "maps.normmax_loss", "maps.k_subsets_loss")
MAPS = {"entmax": (maps.entmax, maps.tsallis, ("alpha",)),
        "normmax": (maps.normmax, maps.norm, ("gamma",)),
        "k_subsets": (maps.k_subsets, maps.half_square, ())}


def regularised(op, given, y):
    """The regulariser that belongs to a conjugate or a loss, of y."""
    _, regulariser, options = MAPS[op.name.removeprefix("maps.").rpartition("_")[0]]
    return regulariser.formula(y, **{k: given[k] for k in options})


def mapped(op, given):
    separation = MAPS[op.name.removeprefix("maps.").rpartition("_")[0]][0]
    return run(separation, {k: v for k, v in given.items() if k != "p"})


@bug("sum of the powers without the 1", "maps.tsallis")
def tsallis_without_its_constant(p, /, *, alpha=1.5):
    return np.sum(p**alpha, axis=-1) / (alpha * (alpha - 1)) if alpha > 1 else None


@wrong_call("divided by alpha - 1 alone", "maps.tsallis")
def tsallis_without_alpha(op, given):
    return given["alpha"] * run(op, given) if given["alpha"] > 1 else None


@wrong_call("square of the norm", "maps.norm")
def norm_squared(op, given):
    return (run(op, given) + 1) ** 2 - 1


@wrong_call("square without its half", "maps.half_square")
def whole_square(op, given):
    return 2 * run(op, given)


@wrong_call("conjugate not divided by beta", *CONJUGATES)
def conjugate_without_one_over_beta(op, given):
    return given["beta"] * run(op, given)


@wrong_call("regulariser added to the product", *CONJUGATES)
def conjugate_adds_the_regulariser(op, given):
    y = mapped(op, given)
    return run(op, given) + 2 * regularised(op, given, y) / given["beta"]


@wrong_call("sum of the k largest scores", "maps.k_subsets_conjugate")
def sum_of_the_largest(op, given):
    return np.sum(np.sort(given["z"], axis=-1)[..., -given["k"]:], axis=-1)


@wrong_call("regulariser of the target dropped", *LOSSES)
def loss_without_the_target(op, given):
    return run(op, given) - regularised(op, given, given["p"])


@wrong_call("loss with the wrong sign", *LOSSES)
def loss_of_the_wrong_sign(op, given):
    return -run(op, given)


REGISTERED = [
    wrong_argument("hidden classes keep their scores", *LOSSES, where=True),
    wrong_argument("k ignored", "maps.k_subsets_conjugate", "maps.k_subsets_loss", k=1),
]

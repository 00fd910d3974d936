"""Bugs of attention with capped scores."""
import numpy as np

from hopref import maps
from hopref.check.bugs import estimated, run, wrong_call
from hopref.check.bugs.attention import scale_of, seen_by, transposed, valued
from hopref.models import attention

__all__ = []

OP = "attention.softcapped_attention"


def scaled(given):
    """Scaled scores without a bias."""
    return scale_of(given) * (given["Q"] @ transposed(given["K"]))


def answered(op, given, z):
    """The result of these scores, over the visible keys."""
    A = maps.softmax.formula(np.where(seen_by(op, given), z, -np.inf))
    return valued(A, given) if given["empty_row"] in ("zeros", 0.0) else None


@wrong_call("softcap ignored", OP)
def not_capped(op, given):
    options = {k: given[k] for k in ("scale", "mask", "bias", "causal", "align", "empty_row")}
    return attention.softmax_attention.formula(given["Q"], given["K"], given["V"], **options)


@wrong_call("scores capped before the scale", OP)
def capped_before_the_scale(op, given):
    products = given["Q"] @ transposed(given["K"])
    z = scale_of(given) * maps.softcapped(products, given["softcap"])
    return answered(op, given, z + given["bias"])


@wrong_call("scores capped before the scale and not scaled", OP)
def not_scaled(op, given):
    products = given["Q"] @ transposed(given["K"])
    return answered(op, given, maps.softcapped(products, given["softcap"]) + given["bias"])


@wrong_call("hidden scores capped", OP)
def capped_after_the_mask(op, given):
    """A hidden key has the score -c, and a weight."""
    z = np.where(seen_by(op, given), scaled(given) + given["bias"], -np.inf)
    return valued(maps.softmax.formula(maps.softcapped(z, given["softcap"])), given)


@wrong_call("bias capped too", OP)
def bias_capped(op, given):
    z = scaled(given) + given["bias"]
    return answered(op, given, np.where(z > -np.inf, maps.softcapped(z, given["softcap"]), z))


@wrong_call("cap not multiplied again", OP)
def cap_not_multiplied(op, given):
    return answered(op, given, np.tanh(scaled(given) / given["softcap"]) + given["bias"])


@wrong_call("clipped at the cap", OP)
def clipped(op, given):
    z = np.clip(scaled(given), -given["softcap"], given["softcap"])
    return answered(op, given, z + given["bias"])


@estimated("softcap is multiplied by {}", OP, neutral=1.0)
def softcap_multiplied(op, given, number):
    return run(op, given | {"softcap": number * given["softcap"]})

r"""What the papers state as formulas, to be held against what is measured."""
import math

__all__ = ["estimator_mse"]


def estimator_mse(x, y, *, m, features="positive", draw="iid"):
    r"""Mean squared error of an estimate of exp(x.y) from m rows [RF-1 to RF-5].

    Choromanski et al. 2021, Lemma 2; pairs within a block of orthogonal rows, and rows of one
    length, by confluent hypergeometric functions.
    """
    from scipy.special import hyp0f1, hyp1f1
    d, s, gap = len(x), float((x + y) @ (x + y)), float((x - y) @ (x - y))
    kernel, norms = math.exp(float(x @ y)), float(x @ x + y @ y)
    blocks = [min(d, m - i) for i in range(0, m, d)]
    pairs = 0 if draw == "iid" else sum(n * (n - 1) for n in blocks) / m**2
    if draw == "regularized":
        one, two, four = (float(hyp0f1(d / 2, k * d * s / 4)) for k in (1, 2, 4))
        spread = math.exp(-norms) * ((four - one**2) / m + pairs * (two - one**2))
        return spread + (math.exp(-norms / 2) * one - kernel)**2
    if features == "trigonometric":
        return math.exp(s) / kernel**2 * math.expm1(-gap)**2 / 2 / m
    alone = kernel**2 * math.exp(s) * -math.expm1(-s) / m
    half = -math.expm1(-s) / 2 if features == "hyperbolic" else 1.0
    return alone * half + pairs * math.exp(-norms) * (float(hyp1f1(d, d / 2, s / 2)) - math.exp(s))

"""What can be known about stored patterns without running anything: X (n, d) holds them as rows.

A state that starts at pattern i is pulled to pattern j by the score x_i . x_j.  Where another
score beats x_i . x_i, pattern i is lost at every beta; where none does, some beta keeps it.

Of random features, what their estimates are worth: bias, variance, and how many an error takes.
"""
import math

from hopref.dispatch.domains import Array, count, flag, positive, share
from hopref.dispatch.namespace import namespace
from hopref.dispatch.operation import op
from hopref.errors import DomainError, naming
from hopref.maps import dot
from hopref.theory.budgets import (
    features_needed,
    ratio_bias,
    ratio_variance,
    uniform_features,
)
from hopref.theory.capacity import (
    bit_error,
    bits_per_synapse,
    capacity_projection,
    capacity_sparse,
    capacity_storkey,
    capacity_with_errors,
    capacity_without_errors,
    information_capacity,
    spin_glass_load,
)
from hopref.theory.convergence import (
    basin_radius,
    distance_bound,
    energy_bounds,
    hull_energy_bound,
    smallest_step_bound,
)
from hopref.theory.diagnosis import Diagnosis, diagnose
from hopref.theory.estimators import (
    arc_cosine_kernel,
    estimator_bias,
    estimator_mse,
    estimator_variance,
    kernel_covariance,
    log_relative_mse,
    orthogonal_mse_bound,
    regularized_ratio,
)
from hopref.theory.exponential import (
    SphereCapacity,
    capacity_exponential,
    capacity_modern,
    rate_function,
)
from hopref.theory.metastable import (
    Kinds,
    classify,
    effective_patterns,
    group_error_bound,
    group_jacobian_bound,
    group_separation,
    group_sphere,
)
from hopref.theory.networks import (
    critical_beta,
    descent_margin,
    flips_bound,
    graded_contraction_factor,
)
from hopref.theory.optima import (
    Derf,
    derf_log_second_moment,
    derf_parameters,
    gerf_parameter,
    mean_squared_sum,
)
from hopref.theory.retrieval import (
    contraction_factor,
    contraction_factor_about_mean,
    diameter,
    fixed_point_distance_bound,
    gap_error_bound,
    jacobian_bound,
    jacobian_norm_bound,
    near_error_bound,
    retrieval_error_bound,
    separation_error_bound,
    softmax_slope_bound,
    sphere_radius,
)
from hopref.theory.sparse import (
    entmax_energy_bound,
    exact_beta,
    exact_retrieval_separation,
    k_subsets_energy_bound,
    margin,
    normmax_energy_bound,
    subset_separation,
    support_size_bound,
)
from hopref.theory.spectra import jacobian, jacobian_spectrum, spectrum
from hopref.theory.structured import support_error_bound, support_gap_bound, support_separation

__all__ = ["separation", "cue_separation", "captor", "smallest_beta", "required_separation",
           "unstable_sites", "willshaw_load", "spin_glass_load", "capacity_with_errors",
           "bit_error", "capacity_without_errors", "capacity_storkey", "capacity_projection",
           "information_capacity", "bits_per_synapse", "capacity_sparse", "rate_function",
           "capacity_exponential", "capacity_modern", "SphereCapacity", "diameter", "sphere_radius",
           "retrieval_error_bound", "gap_error_bound", "separation_error_bound", "near_error_bound",
           "fixed_point_distance_bound", "jacobian_bound", "jacobian_norm_bound",
           "softmax_slope_bound", "contraction_factor", "contraction_factor_about_mean",
           "energy_bounds", "hull_energy_bound", "smallest_step_bound", "distance_bound",
           "basin_radius", "group_separation", "group_sphere", "group_error_bound",
           "group_jacobian_bound", "effective_patterns", "classify", "Kinds", "flips_bound",
           "descent_margin", "critical_beta", "graded_contraction_factor", "support_separation",
           "support_gap_bound", "support_error_bound", "margin", "exact_retrieval_separation",
           "exact_beta", "subset_separation", "support_size_bound", "entmax_energy_bound",
           "normmax_energy_bound",
           "k_subsets_energy_bound", "diagnose", "Diagnosis",
           "arc_cosine_kernel", "estimator_bias", "estimator_variance", "estimator_mse",
           "log_relative_mse", "kernel_covariance", "orthogonal_mse_bound", "regularized_ratio",
           "features_needed", "ratio_bias", "ratio_variance", "uniform_features", "gerf_parameter",
           "mean_squared_sum", "derf_parameters", "derf_log_second_moment", "Derf",
           "jacobian", "spectrum", "jacobian_spectrum"]

polar = Array(description="-1 or +1", holds=lambda xp, x: xp.abs(x) == 1)
HALVINGS = 64           # of a bracket of numbers below 2**11: down to the last bit


@op("(n,d)->(n)", scratch="(n,n)")
def separation(X, /):
    r"""How far each pattern's own score lies above its strongest rival's.
    Source: Ramsauer et al. 2021, definition 2 (eq. 5) [MH-9].

    .. math:: \Delta_i = x_i^T x_i - \max_{j \neq i} x_i^T x_j

    Returns: (n,); negative where another pattern captures x_i, 0 for a repeated pattern of largest
    score, infinite for a lone pattern.

    Notes: by Cauchy and Schwarz it is negative only if the captor's norm is the larger one:
    patterns of equal norm are never captured.

    >>> from hopref import theory
    >>> theory.separation([[1.0, 0.0], [3.0, 4.0]])
    array([-2., 22.])
    """
    return cue_separation(X, X)


@op("(n,d),(n,d)->(n)", scratch="(n,n)")
def cue_separation(xi, X, /):
    r"""How far the score of pattern i lies above its strongest rival's, seen from cue i.
    Source: after Ramsauer et al. 2021, definition 2 (eq. 5), with a cue for the pattern [MH-9].

    .. math:: \Delta_i(\xi_i) = \xi_i^T x_i - \max_{j \neq i} \xi_i^T x_j

    >>> from hopref import theory
    >>> theory.cue_separation([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [3.0, 4.0]])
    array([-2.,  4.])
    """
    xp = namespace(X)
    scores, own = xi @ X.T, dot(xi, X)
    return own - xp.max(xp.where(_own(xp, X), -math.inf, scores), axis=-1)


@op("(n,d),(n,d)->(n)", scratch="(n,n)")
def captor(xi, X, /):
    r"""The pattern with the largest score from cue i: where a large beta leads; the first of ties.
    Source: the limit of large beta of Ramsauer et al. 2021, eq. (3) [MH-12].

    .. math:: \arg\max_j \xi_i^T x_j

    >>> from hopref import theory
    >>> theory.captor([[1.0, 0.0], [3.0, 4.0]], [[1.0, 0.0], [3.0, 4.0]])
    array([1, 1])
    """
    return namespace(X).argmax(xi @ X.T, axis=-1)


@op("(n,d),(n,d)->(n)", tolerance=share, scratch="(n,n)")
def smallest_beta(xi, X, /, *, tolerance=0.01):
    r"""The beta from which on cue i gives pattern i all but ``tolerance`` of the softmax.
    Source: the weights of Ramsauer et al. 2021, eq. (3), solved for beta [MH-9].

    .. math:: \beta_i = \min \{ \beta : \sum_{j \neq i} e^{-\beta (\xi_i^T x_i - \xi_i^T x_j)}
                         \leq \epsilon / (1 - \epsilon) \}

    Returns: (n,); infinite where the separation is not positive, 0 where the tolerance leaves room
    for the plain mean.

    Notes: in units of 1 / Delta_i the answer lies between ln((1 - eps) / eps) and the same of
    (n - 1) (1 - eps) / eps; the sum falls strictly, so the bracket is halved down to the last bit.
    One update then ends within tolerance * max_j |x_j - x_i| of x_i.

    >>> from hopref import theory
    >>> X = [[1.0, 0.0], [-1.0, 0.0]]
    >>> float(theory.smallest_beta(X, X, tolerance=0.5)[0])
    0.0
    >>> round(float(theory.smallest_beta(X, X, tolerance=0.1)[0]), 12)      # ln(9) / 2
    1.098612288668
    """
    xp, own = namespace(X), _own(namespace(X), X)
    gaps = dot(xi, X)[:, None] - xi @ X.T
    delta = xp.min(xp.where(own, math.inf, gaps), axis=-1)
    unit = xp.where((delta > 0) & (delta < math.inf), delta, 1.0)
    gaps = xp.minimum(gaps / unit[:, None], xp.finfo(gaps.dtype).max)
    least = math.log1p(-tolerance) - math.log(tolerance)
    most = math.log(max(X.shape[0] - 1, 1)) + least
    low, high = max(least, 0.0) + 0.0 * unit, max(most, 0.0) + 0.0 * unit
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        rest = xp.where(own, 0.0, xp.exp(-middle[:, None] * gaps))
        enough = xp.sum(rest, axis=-1) <= math.exp(-least)
        low, high = xp.where(enough, low, middle), xp.where(enough, middle, high)
    return xp.where(delta == math.inf, 0.0, xp.where(delta > 0, high / unit, math.inf))


def _told(xp, given):
    if given["X"].shape[0] < 2 or not bool(xp.any(given["X"] != 0)):
        return f"X must hold two patterns or more, not all 0; got shape {given['X'].shape}"


@op("(n,d)->()", beta=positive, precondition=_told)
def required_separation(X, /, *, beta=1.0):
    r"""The separation from which on a pattern surely has a fixed point of its own beside it.
    Source: Ramsauer et al. 2021, lemma A5 and eq. (8): "well separated" [MH-9].

    .. math:: \frac{2}{\beta n} + \frac{1}{\beta} \ln(2 (n - 1) n \beta M^2),
              \qquad M = \max_i \|x_i\|

    Notes: sufficient, not necessary.

    >>> from hopref import theory
    >>> round(float(theory.required_separation([[1.0], [-1.0]], beta=2.0)), 12)   # 1/2 + ln(8)/2
    1.53972077084
    """
    xp, n = namespace(X), X.shape[0]
    square = xp.max(dot(X, X))
    return 2 / (beta * n) + (math.log(2 * (n - 1) * n * beta) + xp.log(square)) / beta


@op("(n,d)->(n)", X=polar, zero_diagonal=flag, scratch="(n,n)")
def unstable_sites(X, /, *, zero_diagonal=False):
    r"""How many components of each polar pattern the Hebbian sign rule would flip at once.
    Source: blog eqs. (1) and (2), signal against crosstalk [CB-9].

    .. math:: \#\{k : x_{ik} (W x_i)_k < 0\}, \qquad W = X^T X

    Returns: (n,); 0 means that the pattern is a fixed point.  Ties keep the component.

    Notes: W is never formed: O(n^2 d) time, O(n d) memory.

    >>> from hopref import theory
    >>> theory.unstable_sites([[1.0, 1.0], [1.0, -1.0], [1.0, -1.0]], zero_diagonal=True)
    array([2, 0, 0])
    """
    xp = namespace(X)
    diagonal = X.shape[0] if zero_diagonal else 0
    flips = X * ((X @ X.T) @ X - diagonal * X) < 0
    return xp.sum(xp.astype(flips, xp.int64), axis=-1)


def willshaw_load(pairs, /, *, active, sites):
    r"""The share of ones expected in a clipped memory of random pairs.
    Source: Willshaw, Buneman and Longuet-Higgins 1969 [CB-13].

    .. math:: p = 1 - \left(1 - \frac{k_x k_y}{d_x d_y}\right)^N

    Parameters
    ----------
    pairs : N, how many are stored; of independent supports
    active : k_x, k_y units of each pair that are active
    sites : d_x, d_y units in all

    Notes: for pairs x -> y; patterns stored with themselves have more on the diagonal, less beside
    it.  One-step recall from a whole cue is wrong at a silent unit with probability about p^k_x.

    >>> from hopref import theory
    >>> theory.willshaw_load(2, active=(1, 1), sites=(2, 1))
    0.75
    """
    with naming("hopref.theory.willshaw_load"):
        pairs = count.validate("pairs", pairs)
        (k_x, k_y), (d_x, d_y) = _two("active", active), _two("sites", sites)
        if k_x > d_x or k_y > d_y:
            raise DomainError(f"active must be at most sites; got active={active!r}")
    clipped = (k_x / d_x) * (k_y / d_y)
    return -math.expm1(pairs * math.log1p(-clipped)) if clipped < 1 else 1.0


def _two(name, values):
    if not isinstance(values, (tuple, list)) or len(values) != 2:
        raise DomainError(f"{name} must be a pair of integers >= 1; got {name}={values!r}")
    return [count.validate(f"{name}[{i}]", v) for i, v in enumerate(values)]


def _own(xp, X):
    return xp.eye(X.shape[0], dtype=xp.bool)

"""Bounds, capacities, separation and diagnosis, computed without running a network.

For random features the module gives the bias and variance of kernel estimates, and the number of
features that reaches a given error.
"""
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
    willshaw_load,
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
    capacity_with_margin,
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
    unstable_sites,
)
from hopref.theory.optima import (
    Derf,
    derf_log_second_moment,
    derf_parameters,
    gerf_parameter,
    mean_squared_sum,
)
from hopref.theory.perceptron import perceptron_capacity, stability
from hopref.theory.random_energy import (
    capacity_exponential_typical,
    capacity_feature_memory,
    capacity_random_energy,
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
from hopref.theory.separability import (
    cue_separation,
    dominant_pattern,
    required_separation,
    separation,
    smallest_beta,
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

__all__ = ["separation", "cue_separation", "dominant_pattern", "smallest_beta",
           "required_separation", "unstable_sites", "willshaw_load", "spin_glass_load",
           "capacity_with_errors", "bit_error", "capacity_without_errors", "capacity_storkey",
           "capacity_projection",
           "information_capacity", "bits_per_synapse", "capacity_sparse", "rate_function",
           "capacity_exponential", "capacity_exponential_typical", "capacity_random_energy",
           "capacity_feature_memory", "capacity_modern", "capacity_with_margin", "SphereCapacity",
           "diameter", "sphere_radius",
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
           "jacobian", "spectrum", "jacobian_spectrum", "stability", "perceptron_capacity"]

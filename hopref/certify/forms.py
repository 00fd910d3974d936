"""The table of the operations that have a certified form, and the record of a certified value."""
from typing import Any, NamedTuple

__all__ = ["Certified", "FORMS"]

# The operations with a certified form, by module, listed here so that flint need not be imported.
# Every gradient of one of them is certified as well, by differentiation of the form.
FORMS = {
    "attention": ("association", "causal_linear_attention", "key_state", "linear_attention",
                  "linear_weights", "log_causal_linear_attention", "log_linear_attention",
                  "softcapped_attention", "softmax_attention", "softmax_logsumexp",
                  "softmax_weights"),
    "bam": ("backward", "energy", "forward"),
    "classical": ("asynchronous_update", "energy", "field", "glauber_update", "greedy_update",
                  "low_rank_asynchronous_update", "low_rank_energy", "low_rank_update",
                  "two_step_energy", "update", "willshaw_update", "winners_update"),
    "dense": ("asynchronous_update", "energy", "first_order_update", "log_energy", "update"),
    "energy_transformer": ("energy", "flow"),
    "epanechnikov": ("energy", "update"),
    "feature_memory": ("energy", "log_sums", "update"),
    "features": ("derf", "general", "gerf", "hyperbolic", "log_derf", "log_general", "log_gerf",
                 "log_hyperbolic", "log_positive", "log_relu", "log_trigonometric", "positive",
                 "relu", "trigonometric"),
    "features.deterministic": ("cosformer", "elu", "exponential", "identity", "quadratic", "relu",
                               "softmax_keys", "taylor"),
    "gated": ("linear_attention",),
    "graded": ("asynchronous_update", "energy", "flow", "thresholded_update", "two_step_energy",
               "update"),
    "heteroassociation": ("energy", "joint_energy", "joint_update", "update"),
    "hierarchy": ("energy", "update"),
    "kernelized": ("energy", "update"),
    "lagrangian": ("energy", "flow", "legendre", "output", "potential", "reduced_energy",
                   "update"),
    "layers": ("associate", "associations", "layer_norm", "project", "read_out"),
    "maps": ("entmax", "entmax_conjugate", "entmax_loss", "entmax_threshold", "half_square",
             "k_subsets", "k_subsets_conjugate", "k_subsets_loss", "logsumexp", "norm", "normmax",
             "normmax_conjugate", "normmax_loss", "sink_softmax", "softmax", "sparsemax", "top_k",
             "tsallis"),
    "modern": ("energy", "jacobian", "thresholded_update", "update", "weights"),
    "performer": ("attention", "causal_attention", "expected_update", "generalized_attention",
                  "stabilized_attention", "stabilized_features", "thresholded_update", "update",
                  "weights"),
    "sequences": ("update",),
    "sigmoid": ("attention", "attention_weights", "energy", "update"),
    "sinks": ("attention", "attention_weights", "energy", "update"),
    "sparse": ("energy", "k_subsets_energy", "k_subsets_update", "k_subsets_weights",
               "layer_norm_energy", "layer_norm_update", "normalized_energy",
               "normalized_update", "normmax_energy", "normmax_update", "normmax_weights",
               "update", "weights"),
    "storage": ("bam", "covariance", "hebbian", "perceptron", "projection", "storkey", "willshaw",
                "willshaw_pairs"),
    "structured": ("energy", "linear_update", "listed_update", "pair_update",
                   "random_feature_update", "top_k_energy", "top_k_update", "top_k_weights",
                   "update", "weights", "window_update"),
    "supports": ("causal", "global_tokens", "largest", "window"),
    "theory": ("bit_error", "bits_per_synapse", "capacity_exponential",
               "capacity_exponential_typical", "capacity_feature_memory", "capacity_projection",
               "capacity_random_energy", "capacity_sparse", "capacity_storkey",
               "capacity_with_margin", "capacity_without_errors",
               "contraction_factor", "contraction_factor_about_mean", "cue_separation",
               "diameter", "distance_bound", "dominant_pattern", "effective_patterns",
               "energy_bounds", "entmax_energy_bound", "exact_beta",
               "exact_retrieval_separation", "fixed_point_distance_bound", "flips_bound",
               "gap_error_bound", "group_error_bound", "group_jacobian_bound",
               "group_separation", "group_sphere", "hull_energy_bound", "information_capacity",
               "jacobian_bound", "jacobian_norm_bound", "k_subsets_energy_bound",
               "near_error_bound", "normmax_energy_bound", "perceptron_capacity", "rate_function",
               "required_separation", "retrieval_error_bound", "separation",
               "separation_error_bound", "smallest_step_bound", "softmax_slope_bound",
               "sphere_radius", "spin_glass_load", "stability", "subset_separation",
               "support_error_bound", "support_gap_bound", "support_separation",
               "unstable_sites"),
}


class Certified(NamedTuple):
    """A value with a proved bound on its error.

    Attributes
    ----------
    value : array of the shape of the result, or a tuple of arrays for several results
    bound : array or tuple of arrays of the same shapes, with ``abs(value - exact) <= bound`` entry
        by entry for the given machine numbers; a bound below the smallest subnormal number is
        rounded up to it, and it is infinite where the exact result is beyond the range of float64
    method : "exact" (no rounding but that of the value), "balls", "double-double" or
        "float64-bound"
    """
    value: Any
    bound: Any
    method: str

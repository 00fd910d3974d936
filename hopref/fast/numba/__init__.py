"""Compiled paths, chosen by ``backend="numba"``, with one file for each model.

The functions have the names of the formulas.  Their arguments are C-contiguous, writeable arrays of
one dtype, float32 or float64, and resolved options.  They run in the thread of the caller.
"""
__all__ = ["PATHS"]

# The operations that have this path, by module, listed here so that numba need not be imported.
PATHS = {
    "attention": ("association", "causal_linear_attention", "key_state", "linear_attention",
                  "log_causal_linear_attention", "log_linear_attention", "softcapped_attention",
                  "softmax_attention", "softmax_logsumexp"),
    "classical": ("asynchronous_update", "glauber_update", "low_rank_asynchronous_update",
                  "low_rank_update", "update", "willshaw_update"),
    "dense": ("asynchronous_update", "update"),
    "feature_memory": ("energy", "update"),
    "features": ("general", "gerf", "hyperbolic", "log_gerf", "log_hyperbolic", "log_positive",
                 "positive", "relu", "trigonometric"),
    "features.deterministic": ("elu", "exponential"),
    "gated": ("linear_attention",),
    "graded": ("asynchronous_update",),
    "gradients.attention": ("association", "causal_linear_attention", "key_state",
                            "linear_attention", "softcapped_attention", "softmax_attention"),
    "gradients.features": ("general", "hyperbolic", "positive", "relu", "trigonometric"),
    "gradients.features.deterministic": ("elu", "exponential"),
    "gradients.gated": ("linear_attention",),
    "gradients.maps": ("entmax", "k_subsets", "normmax", "sparsemax", "top_k"),
    "gradients.modern": ("thresholded_update", "update"),
    "gradients.performer": ("attention", "thresholded_update", "update"),
    "gradients.sinks": ("attention", "update"),
    "gradients.sparse": ("energy", "k_subsets_energy", "k_subsets_update", "k_subsets_weights",
                         "normmax_energy", "normmax_update", "normmax_weights", "update",
                         "weights"),
    "maps": ("entmax", "k_subsets", "normmax", "sparsemax", "top_k"),
    "modern": ("energy", "thresholded_update", "update"),
    "performer": ("attention", "causal_attention", "expected_update", "generalized_attention",
                  "stabilized_attention", "thresholded_update", "update"),
    "sigmoid": ("attention", "update"),
    "sinks": ("attention", "energy", "update"),
    "sparse": ("energy", "k_subsets_energy", "k_subsets_update", "k_subsets_weights",
               "layer_norm_update", "normalized_update", "normmax_energy", "normmax_update",
               "normmax_weights", "update", "weights"),
    "structured": ("linear_update", "listed_update", "pair_update", "random_feature_update",
                   "top_k_update", "update", "window_update"),
}

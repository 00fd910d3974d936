"""Paths on a CUDA device, chosen by ``backend="cupy"``, with one file for each model.

The functions have the names of the formulas.  Their arguments are CuPy arrays of one dtype, float32
or float64, or for some float16 or bfloat16 with arithmetic in float32, which the results keep, and
resolved options.  They neither synchronise nor copy to the host, and CuPy is imported when they are
called.
"""
__all__ = ["PATHS", "PARTS", "HALF", "FINITE"]

# The operations that have this path, by module, listed here so that cupy need not be imported.
PATHS = {
    "attention": ("association", "causal_linear_attention", "key_state", "linear_attention",
                  "log_causal_linear_attention", "log_linear_attention", "softmax_attention"),
    "classical": ("asynchronous_update", "glauber_update", "low_rank_update", "update"),
    "dense": ("asynchronous_update", "update"),
    "features": ("general", "gerf", "hyperbolic", "log_gerf", "log_hyperbolic", "log_positive",
                 "log_relu", "positive", "relu", "trigonometric"),
    "features.deterministic": ("elu", "exponential", "quadratic", "relu"),
    "gradients.attention": ("association", "causal_linear_attention", "key_state",
                            "linear_attention", "log_causal_linear_attention",
                            "log_linear_attention", "softmax_attention"),
    "gradients.features": ("general", "hyperbolic", "positive", "relu", "trigonometric"),
    "gradients.features.deterministic": ("elu", "exponential"),
    "gradients.maps": ("entmax", "k_subsets", "normmax", "sparsemax", "top_k"),
    "gradients.modern": ("thresholded_update", "update"),
    "gradients.performer": ("attention", "causal_attention", "thresholded_update", "update"),
    "gradients.sparse": ("energy", "k_subsets_energy", "k_subsets_update", "k_subsets_weights",
                         "normmax_energy", "normmax_update", "normmax_weights", "update",
                         "weights"),
    "maps": ("entmax", "k_subsets", "normmax", "sparsemax", "top_k"),
    "modern": ("energy", "thresholded_update", "update", "weights"),
    "performer": ("attention", "causal_attention", "expected_update", "generalized_attention",
                  "stabilized_attention", "thresholded_update", "update"),
    "sparse": ("energy", "k_subsets_energy", "k_subsets_update", "k_subsets_weights",
               "layer_norm_update", "normalized_update", "normmax_energy", "normmax_update",
               "normmax_weights", "update", "weights"),
    "structured": ("linear_update", "listed_update", "pair_update", "random_feature_update",
                   "top_k_energy", "top_k_update", "update", "window_update"),
}

# The operations whose partial results of chunks have this path (see `hopref.parts`).
PARTS = ("modern.update", "modern.thresholded_update", "modern.energy", "structured.update",
         "attention.softmax_attention", "attention.key_state", "attention.linear_attention",
         "attention.log_linear_attention", "performer.attention", "performer.update")

# The operations that take arrays of half precision, and convert them tile by tile.
HALF = ("modern.update", "modern.weights", "structured.update", "attention.softmax_attention")

# The operations in which a hidden value that is not finite would have an effect: their path does
# not take ``nonfinite="propagate"``.
FINITE = ("attention.softmax_attention", "structured.pair_update", "structured.update",
          "structured.window_update")

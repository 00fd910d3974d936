"""Mergeable partial results ("parts") for patterns or keys that are divided into chunks.

The chunks may be read from files or computed in other processes.  `stream` applies an operation to
chunks.  Its three steps are `from_chunk`, `merge` and `value`, for use where the chunks are in
different processes; `merge_all` merges parts by a tree, also with dask; `scan` applies causal
attention chunk by chunk.  `upload` copies chunks to CUDA devices while earlier ones are processed.

A kind of parts is a module with a ``State`` and four functions: ``empty`` returns the state of no
data, ``from_chunk`` that of one chunk, ``merge`` that of two states together, and ``value`` the
result.  ``merge`` is associative up to rounding.  It is commutative except for `causal`, `gated`
and `top_k`, which depend on the order.  These functions do not validate their arguments.  The kinds
are:

========== ====================================================================================
softmax    modern retrieval, attention, logsumexp
energy     the modern energy
linear     linear attention and the Performer, with one log scale for each feature
causal     causal linear attention; the result depends on the order of the chunks
gated      linear attention with gates or the delta rule; the result depends on the order
sums       Hebb's rule, pairs, association, sigmoid attention
covariance the covariance rule
gram       the projection rule
clipped    Willshaw's rule; the merge is idempotent
supports   sparse retrieval: entmax (alpha > 1), normmax, k-subsets
top_k      the k largest scores; the first of equal scores are taken
========== ====================================================================================

Storkey's rule has no parts, because the contribution of a pattern depends on earlier patterns.
"""
import importlib
from typing import Any

# The operations of each kind, listed here because the modules of the kinds import operations.
KINDS = {
    "softmax": ("modern.update", "modern.thresholded_update", "structured.update",
                "attention.softmax_attention", "attention.softmax_logsumexp", "sinks.update",
                "sinks.attention", "dense.log_energy", "maps.logsumexp", "feature_memory.log_sums"),
    "energy": ("modern.energy",),
    "linear": ("attention.key_state", "attention.linear_attention",
               "attention.log_linear_attention", "structured.linear_update",
               "structured.random_feature_update", "performer.attention", "performer.update",
               "performer.thresholded_update"),
    "causal": ("attention.causal_linear_attention", "attention.log_causal_linear_attention",
               "performer.causal_attention"),
    "gated": ("gated.linear_attention",),
    "sums": ("storage.hebbian", "storage.bam", "attention.association", "sigmoid.update",
             "sigmoid.attention"),
    "covariance": ("storage.covariance",),
    "gram": ("storage.projection",),
    "clipped": ("storage.willshaw", "storage.willshaw_pairs"),
    "supports": ("sparse.update", "sparse.normmax_update", "sparse.k_subsets_update"),
    "top_k": ("structured.top_k_update",),
}

__all__ = ["stream", "scan", "from_chunk", "merge", "merge_all", "value", "chunks_of", "upload",
           "Part", *KINDS]

_MODULES = {"chunks_of": "chunks", "upload": "uploading"}      # of functions


def __getattr__(name: str) -> Any:
    """Import kinds and functions when they are first used."""
    if name in KINDS:
        return importlib.import_module(f"hopref.parts.{name}")
    if name in __all__:
        module = _MODULES.get(name, "streaming")
        value = getattr(importlib.import_module(f"hopref.parts.{module}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'hopref.parts' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

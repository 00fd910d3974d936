"""Parts that merge: answers from patterns or keys that come in chunks, from files, cores, machines.

`stream` takes an operation and chunks; `of`, `merge` and `value` are its three steps, for whoever
carries parts from where the chunks are; `merge_all` is a tree of merges, serial or dask's; `scan`
hands causal attention on from chunk to chunk.

Underneath lies one small algebra.  A kind of parts is a module with a record of arrays and four
verbs: ``none`` is the state of nothing, ``of`` that of one chunk, ``merge`` that of two states
together, ``value`` the answer.  ``merge`` is associative up to rounding, and commutative but for
`causal` and `top_k`, which count positions.  The kinds, which take their arguments as admitted:

========== ====================================================================================
softmax    modern retrieval, attention, logsumexp
energy     the modern energy
linear     linear attention and the Performer, one log scale a feature
causal     causal linear attention; the order of the chunks matters
sums       Hebb's rule, pairs, association; exact for integers
covariance the covariance rule
gram       the projection rule
clipped    Willshaw's rule; merging twice changes nothing
supports   sparse retrieval: entmax (alpha > 1), normmax, k-subsets
top_k      the k best scores; of equals those of the first chunk
========== ====================================================================================

Storkey's rule has no parts: what a pattern adds depends on those before it.
"""
import importlib
from typing import Any

# The operations that each kind serves: known without importing a kind, which imports operations.
KINDS = {
    "softmax": ("modern.update", "modern.thresholded_update", "structured.update",
                "attention.softmax_attention", "dense.log_energy", "maps.logsumexp"),
    "energy": ("modern.energy",),
    "linear": ("attention.key_state", "attention.linear_attention",
               "attention.log_linear_attention", "structured.linear_update",
               "structured.random_feature_update", "performer.attention", "performer.update",
               "performer.thresholded_update"),
    "causal": ("attention.causal_linear_attention", "attention.log_causal_linear_attention",
               "performer.causal_attention"),
    "sums": ("storage.hebbian", "storage.bam", "attention.association"),
    "covariance": ("storage.covariance",),
    "gram": ("storage.projection",),
    "clipped": ("storage.willshaw", "storage.willshaw_pairs"),
    "supports": ("sparse.update", "sparse.normmax_update", "sparse.k_subsets_update"),
    "top_k": ("structured.top_k_update",),
}

__all__ = ["stream", "scan", "of", "merge", "merge_all", "value", "chunks_of", "Part", *KINDS]


def __getattr__(name: str) -> Any:
    """Kinds and functions are imported when first asked for."""
    if name in KINDS:
        return importlib.import_module(f"hopref.parts.{name}")
    if name in __all__:
        module = "chunks" if name == "chunks_of" else "streaming"
        value = getattr(importlib.import_module(f"hopref.parts.{module}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'hopref.parts' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

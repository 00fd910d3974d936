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
from hopref.parts import (
    causal,
    clipped,
    covariance,
    energy,
    gram,
    linear,
    softmax,
    sums,
    supports,
    top_k,
)
from hopref.parts.chunks import chunks_of
from hopref.parts.streaming import Part, merge, merge_all, of, scan, stream, value

__all__ = ["stream", "scan", "of", "merge", "merge_all", "value", "chunks_of", "Part", "softmax",
           "energy", "linear", "causal", "sums", "covariance", "gram", "clipped", "supports",
           "top_k"]

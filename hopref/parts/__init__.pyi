# What `hopref.parts.__all__` names, for type checkers; tests/test_typing.py compares the two.
from hopref.parts import causal as causal
from hopref.parts import clipped as clipped
from hopref.parts import covariance as covariance
from hopref.parts import energy as energy
from hopref.parts import gated as gated
from hopref.parts import gram as gram
from hopref.parts import linear as linear
from hopref.parts import softmax as softmax
from hopref.parts import sums as sums
from hopref.parts import supports as supports
from hopref.parts import top_k as top_k
from hopref.parts.chunks import chunks_of as chunks_of
from hopref.parts.streaming import Part as Part
from hopref.parts.streaming import from_chunk as from_chunk
from hopref.parts.streaming import merge as merge
from hopref.parts.streaming import merge_all as merge_all
from hopref.parts.streaming import scan as scan
from hopref.parts.streaming import stream as stream
from hopref.parts.streaming import value as value
from hopref.parts.uploading import upload as upload

KINDS: dict[str, tuple[str, ...]]

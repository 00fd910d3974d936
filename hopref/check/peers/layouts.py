"""Axes of arrays in the layout of a candidate: order, joined axes, groups of heads, packing.

A layout such as "b l (h d)" names the axes of the op in the order of the candidate; axes in
parentheses are joined, and 1 is an axis of length one.  The leading axes are b, h, e, ...; where a
layout has g in place of h, each head of this array serves several heads of the others.

Packed sequences "(b l)", with their offsets, and groups of heads are extended by entries that are
discarded: a first sequence of another length, and for each head a second one at alternating
places.  So a candidate that takes all lengths to be equal, or groups the heads in another order,
returns something else.
"""
import re
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Layout", "LEADING", "letters_of", "parsed"]

LEADING = "bhgfe"
MEMBERS = 2             # query heads for each head of keys, where heads are grouped


def parsed(text):
    """"b l (h d)" as [["b"], ["l"], ["h", "d"]]; [] if it cannot be read."""
    if not re.fullmatch(r"\s*((\w+|\(\s*\w+(\s+\w+)*\s*\))\s*)+", text):
        return []
    return [word.strip("()").split() for word in re.findall(r"\([^)]*\)|\w+", text)]


def letters_of(text):
    """The axes of a layout in order, without its parentheses."""
    return [a for group in parsed(text) for a in group]


@dataclass
class Layout:
    """The axes of one call.

    Attributes
    ----------
    texts : dictionary from an argument, or "out", to its layout
    sizes : dictionary from axes to their sizes
    packed : axes of which the offsets are passed
    """
    texts: dict
    sizes: dict = field(default_factory=dict)
    packed: tuple = ()

    @property
    def grouped(self):
        """Whether heads share keys: a layout has g, and none has h before it."""
        return any("g" in letters_of(t) and "h" not in letters_of(t) for t in self.texts.values())

    def prefix(self, axis):
        """The length of the additional first sequence."""
        return -(-self.sizes[axis] // 2)

    def offsets(self, axis):
        """Where the packed sequences begin, and the end of the last."""
        first, n = self.prefix(axis), self.sizes[axis]
        return np.array([0, *(first + n * i for i in range(self.sizes["b"] + 1))], np.int32)

    def outward(self, k, v, dims):
        """An array of the op in the layout of the candidate."""
        ours, text = letters(dims, v.ndim), self.texts.get(k)
        self.sizes.update(zip(ours, v.shape))
        theirs = letters_of(text) if text else ours
        if self.grouped and "h" in ours and "g" not in theirs:
            v = with_members(v, ours.index("h"))
        if text is None:
            return v
        theirs = ["h" if a == "g" and "g" not in ours else a for a in theirs]
        v = np.transpose(v, [ours.index(a) for a in theirs if a != "1"])
        size = dict(zip([a for a in theirs if a != "1"], v.shape)) | {"1": 1}
        groups = [["h" if a == "g" and "g" not in ours else a for a in g] for g in parsed(text)]
        v = v.reshape([int(np.prod([size[a] for a in g])) for g in groups])
        for at, g in enumerate(groups):
            if self.packs(g):
                v = np.concatenate([np.take(v, range(self.prefix(g[1])), at), v], axis=at)
        return v

    def inward(self, y, dims, ndim):
        """A result of the candidate in the layout of the op; unchanged if its shape is another."""
        text = self.texts.get("out")
        ours = letters(dims, ndim)
        if text is not None:
            groups, size = parsed(text), self.sizes | {"1": 1}
            size |= {"h": MEMBERS * size["h"]} if self.grouped else {}
            if any(a not in size for g in groups for a in g) or y.ndim != len(groups):
                return y
            for at, g in enumerate(groups):
                if self.packs(g):
                    y = np.take(y, range(self.prefix(g[1]), y.shape[at]), at)
            shape = [size[a] for g in groups for a in g]
            if np.prod(shape) != y.size or sorted(ours) != sorted(set(letters_of(text)) - {"1"}):
                return y
            y = y.reshape([n for a, n in zip(letters_of(text), shape) if a != "1"])
            theirs = [a for a in letters_of(text) if a != "1"]
            y = np.transpose(y, [theirs.index(a) for a in ours])
        if self.grouped and "h" in ours and y.ndim == len(ours):
            heads = MEMBERS * np.arange(self.sizes["h"]) + np.arange(self.sizes["h"]) % MEMBERS
            at = ours.index("h")
            y = np.take(y, heads, at) if y.shape[at] == MEMBERS * self.sizes["h"] else y
        return y

    def packs(self, group):
        """Whether joined axes are packed sequences, whose offsets are passed."""
        return len(group) == 2 and group[0] == "b" and group[1] in self.packed


def letters(dims, ndim):
    """The letters of all axes; leading axes are b, h, g, ..."""
    core = [d for d in dims if d != "..."]
    return list(LEADING[:ndim - len(core)]) + core


def with_members(v, at):
    """Each head twice: itself, and its negative if it is finite, in alternating order."""
    other = -v if v.dtype.kind == "f" and np.all(np.isfinite(v)) else v
    pair = np.stack([v, other], axis=at + 1)
    odd = (slice(None),) * at + (slice(1, None, 2),)
    pair[odd] = np.flip(pair[odd], axis=at + 1)
    return pair.reshape(*v.shape[:at], MEMBERS * v.shape[at], *v.shape[at + 1:])

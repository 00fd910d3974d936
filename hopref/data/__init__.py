"""Pictures to store and retrieve: the 24 that ship with hopref, or the user's own.

`pictures` and `load_images` return grey levels, uint8 of shape (N, rows, columns).
`normalise` turns grey levels into patterns, `corrupt` turns patterns into cues:

    values   = normalise(images, "none")            # [-1, 1]
    patterns = normalise(values, "unit")            # what is stored
    cues     = normalise(corrupt(values, "mask:0.5"), "unit")

so a cue is normalised by what can be seen of it, and knows nothing of what was hidden.
"""
from hopref.data.pictures import load_images, picture_names, pictures
from hopref.data.prepare import CORRUPTIONS, NORMALISATIONS, corrupt, normalise

__all__ = ["pictures", "picture_names", "load_images", "normalise", "corrupt",
           "NORMALISATIONS", "CORRUPTIONS"]

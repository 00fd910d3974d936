"""Pictures to store and retrieve: the 24 distributed with hopref, or those of a directory.

`pictures` and `load_images` return grey levels, uint8 arrays of shape (N, rows, columns).
`normalise` turns grey levels into patterns, and `corrupt` turns patterns into cues:

    values   = normalise(images, "none")            # [-1, 1]
    patterns = normalise(values, "unit")            # what is stored
    cues     = normalise(corrupt(values, "mask:0.5"), "unit")

A cue that is computed in this way is normalised by its visible part and does not depend on the
hidden part.
"""
from hopref.data.pictures import load_images, picture_names, pictures
from hopref.data.prepare import CORRUPTIONS, NORMALISATIONS, corrupt, normalise

__all__ = ["pictures", "picture_names", "load_images", "normalise", "corrupt",
           "NORMALISATIONS", "CORRUPTIONS"]

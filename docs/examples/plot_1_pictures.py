r"""
Six pictures, half hidden
=========================

Six of the pictures distributed with hopref are stored, and each is retrieved from its upper half by
one update. The classical network stores their signs, Eqs. (1) and (2) of the blog; the modern
network stores their grey levels, centred and of unit norm, Eq. (21).
"""

import matplotlib.pyplot as plt
import numpy as np

from hopref import classical, modern
from hopref.data import corrupt, normalise, picture_names, pictures

images = normalise(pictures(6), "none").reshape(6, -1)        # grey levels in [-1, 1]
cues = corrupt(images, "mask:0.5")                            # the lower half becomes 0
X, xi = normalise(images, "centred-unit"), normalise(cues, "centred-unit")

signs, cue_signs = (np.where(x > 0, 1.0, -1.0) for x in (images, cues))
by_sign = classical.low_rank_update(cue_signs, signs)
by_softmax = modern.update(xi, X, beta=25.0)

# %%
# The pictures are correlated, so that the result of the classical rule is a mixture. The modern
# rule separates scores that differ by more than a few units of :math:`1/\beta` and retrieves the
# pictures, except for the checkerboard, whose visible half is too small a part of it.

rows = {"stored": X, "cue": cues, "classical": by_sign, "modern": by_softmax}
fig, axes = plt.subplots(4, 6, figsize=(7.2, 4.9), gridspec_kw={"wspace": 0.06, "hspace": 0.06})
for (label, patterns), line in zip(rows.items(), axes, strict=True):
    for ax, pattern in zip(line, patterns, strict=True):
        ax.imshow(pattern.reshape(64, 64))
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    line[0].set_ylabel(label)
for ax, name in zip(axes[0], picture_names(6), strict=True):
    ax.set_title(name, loc="center", fontsize=8)

# %%
# The weights of the modern rule:

weights = modern.weights(xi, X, beta=25.0)
for name, own in zip(picture_names(6), weights.diagonal(), strict=True):
    print(f"{name:12s} weight of the stored picture {own:.3f}")

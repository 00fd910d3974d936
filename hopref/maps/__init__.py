"""Maps along the last axis: separation maps, their potentials, and the pieces formulas are made of.

Separation maps turn scores into weights: softmax, and the sparse ones with exact zeros; potentials
are their regularisers, conjugates and losses.  Models hold equations only: what an option or an
absent mask means, every loop and every branch, is decided here.
"""
from hopref.maps.entries import (
    centred,
    column,
    common_unit,
    dot,
    each,
    fold,
    in_turn,
    mean,
    of_length_one,
    outer,
    power,
    ratio,
    rows,
    scan,
    standard_error,
    summed,
    table,
    xlog,
)
from hopref.maps.lists import band, listed_once, over_rows
from hopref.maps.overlaps import (
    SMALL,
    biased,
    listed_overlaps,
    moved,
    overlaps,
    pair_overlaps,
    shorter,
    squared_unit,
)
from hopref.maps.pivots import definite, solved
from hopref.maps.potentials import (
    entmax_conjugate,
    entmax_loss,
    half_square,
    k_subsets_conjugate,
    k_subsets_loss,
    norm,
    normmax_conjugate,
    normmax_loss,
    tsallis,
)
from hopref.maps.powers import bend, raised, raised_log
from hopref.maps.scales import (
    balanced,
    evened,
    finite_or_zero,
    over,
    rescaled,
    shifted_exp,
    tame,
    times,
)
from hopref.maps.signs import (
    above,
    below,
    itself,
    keep,
    plus,
    relu,
    sigmoid,
    size,
    strongest,
    winners,
)
from hopref.maps.soft import (
    among,
    default_scale,
    empty_rows,
    end,
    feature_scale,
    guarded,
    key_visible,
    log_of_mean,
    logmeanexp,
    logsumexp,
    masked,
    otherwise,
    seen_scores,
    softmax,
    softmax_among,
    something_visible,
    start,
    taking_part,
    unhidden,
    visible,
    zero_denominators,
)
from hopref.maps.sparse import among_largest, entmax, k_subsets, normmax, seen, sparsemax, top_k

__all__ = ["softmax", "logsumexp", "sparsemax", "entmax", "normmax", "k_subsets", "top_k",
           "tsallis", "norm", "half_square", "entmax_conjugate", "normmax_conjugate",
           "k_subsets_conjugate", "entmax_loss", "normmax_loss", "k_subsets_loss"]

"""Maps along the last axis: separation maps, their potentials, and array functions for formulas.

Separation maps turn scores into weights: softmax, and sparse maps with exact zeros.  Potentials are
their regularisers, conjugates and losses.  Formulas of models contain no loops and no branches;
those, and the interpretation of options and of absent masks, are implemented here.
"""
from hopref.maps.entries import (
    NEAR,
    balanced,
    centred,
    dot,
    finite_or_zero,
    in_common_unit,
    lengths,
    mean,
    odd_part,
    of_length_one,
    others,
    outer,
    power,
    power_gain,
    power_remainder,
    raised,
    raised_log,
    ratio,
    rescaled,
    rows,
    shifted_exp,
    standard_error,
    summed,
    table,
    unit_of,
    xlog,
)
from hopref.maps.loops import (
    band,
    column,
    each,
    fold,
    in_turn,
    listed_once,
    over_rows,
    positions,
    scan,
    solved,
)
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
from hopref.maps.potentials import (
    entmax_conjugate,
    entmax_loss,
    half_square,
    half_square_excess,
    k_subsets_conjugate,
    k_subsets_loss,
    log_cosh,
    log_cosh_transform,
    logsumexp_transform,
    norm,
    norm_excess,
    normmax_conjugate,
    normmax_loss,
    tsallis,
    tsallis_excess,
)
from hopref.maps.preconditions import something_visible
from hopref.maps.ranges import evened, over, tame, times
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
    log_of_mean,
    logmeanexp,
    logsumexp,
    masked,
    mean_gain,
    otherwise,
    seen_scores,
    softmax,
    softmax_among,
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

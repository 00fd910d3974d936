"""Bugs of parts whose values are weighted by scores."""
import numpy as np

from hopref import maps
from hopref.check.bugs import bug
from hopref.parts import causal, energy, linear, softmax, supports, top_k

__all__ = []

# -- softmax ------------------------------------------------------------------------------------


def brought_to(top, a, b, beta=None):
    """The sum of two softmax states, rescaled to a given maximum."""
    x, y = (np.exp((s.beta if beta is None else beta) * (s.top - top)) for s in (a, b))
    return softmax.State(np.maximum(a.top, b.top), x * a.total + y * b.total,
                         x[..., None] * a.weighted + y[..., None] * b.weighted, a.beta)


@bug("totals added without rescaling", "parts.softmax.merge")
def totals_added_as_they_are(a, b, /):
    return softmax.State(np.maximum(a.top, b.top), a.total + b.total, a.weighted + b.weighted,
                         a.beta)


@bug("rescaled by the first maximum", "parts.softmax.merge")
def brought_to_the_first_maximum(a, b, /):
    return brought_to(maps.finite_or_zero(a.top), a, b)


@bug("beta left out of the rescaling", "parts.softmax.merge")
def beta_left_out_of_the_rescale(a, b, /):
    return brought_to(maps.finite_or_zero(np.maximum(a.top, b.top)), a, b, beta=1.0)


@bug("NaN where both are empty", "parts.softmax.merge")
def empty_parts_meet_in_nan(a, b, /):
    return brought_to(np.maximum(a.top, b.top), a, b)


@bug("values rescaled and totals not", "parts.softmax.merge")
def values_rescaled_and_totals_not(a, b, /):
    return softmax.merge(a, b)._replace(total=a.total + b.total)


@bug("one maximum for the whole batch", "parts.softmax.from_chunk")
def one_maximum_for_all_rows(z, V, /, *, beta=1.0):
    top = np.full(z.shape[:-1], np.max(z, initial=-np.inf))
    e = np.exp(beta * (z - maps.finite_or_zero(top)[..., None]))
    return softmax.State(top, e.sum(-1), e @ V, beta)


@bug("log2 in place of ln", "parts.softmax.value")
def sums_lse_to_the_base_two(state, /):
    answer = softmax.value(state)
    return answer._replace(lse=state.top + (answer.lse - maps.finite_or_zero(state.top))
                           / np.log(2))


@bug("log of the total not divided by beta", "parts.softmax.value")
def sums_lse_without_beta(state, /):
    total = np.where(state.total > 0, state.total, 1.0)
    return softmax.value(state)._replace(lse=state.top + np.log(total))


@bug("the maximum not added to the logsumexp", "parts.softmax.value")
def sums_forget_their_maximum(state, /):
    total = np.where(state.total > 0, state.total, 1.0)
    return softmax.value(state)._replace(lse=np.log(total) / state.beta)


@bug("nothing with the maximum 0", "parts.softmax.empty")
def nothing_has_the_maximum_zero(z, V, /, *, beta=1.0):
    none = softmax.empty(z, V, beta=beta)
    return none._replace(top=np.zeros_like(none.top))


@bug("nothing with the total 1", "parts.softmax.empty")
def nothing_counts_as_one(z, V, /, *, beta=1.0):
    none = softmax.empty(z, V, beta=beta)
    return none._replace(top=np.zeros_like(none.top), total=np.ones_like(none.total))


# -- the energy ---------------------------------------------------------------------------------

@bug("M^2 added", "parts.energy.merge")
def longest_added(a, b, /):
    return energy.merge(a, b)._replace(longest=a.longest + b.longest)


@bug("M^2 of the last part", "parts.energy.merge")
def longest_of_the_last_part(a, b, /):
    return energy.merge(a, b)._replace(longest=b.longest)


@bug("patterns of one part counted", "parts.energy.merge")
def patterns_not_counted(a, b, /):
    return energy.merge(a, b)._replace(count=max(a.count, b.count))


@bug("the leader of the first part kept", "parts.energy.merge")
def first_leader_kept(a, b, /):
    return energy.merge(a, b)._replace(dominant=a.dominant if a.count else b.dominant)


@bug("expm1 sums rescaled like sums of exp", "parts.energy.merge")
def lack_added_as_it_is(a, b, /):
    _, x, y = softmax.rescaling(a, b)
    return energy.merge(a, b)._replace(total_m1=x * a.total_m1 + y * b.total_m1)


@bug("log2 in place of ln", "parts.energy.value")
def energy_lse_to_the_base_two(state, xi, /):
    none = 0 * state.total
    mean = energy.value(state._replace(total=none + state.count, total_m1=none), xi)
    return mean + (energy.value(state, xi) - mean) / np.log(2)


@bug("nothing as a pattern at the origin", "parts.energy.empty")
def nothing_is_a_pattern_at_the_origin(xi, X, /, *, beta=1.0):
    return energy.from_chunk(xi, 0 * X[:1], beta=beta)


# -- linear -------------------------------------------------------------------------------------

def at_scale(c, a, b):
    """The sum of two linear states, rescaled to a given scale."""
    zero = maps.finite_or_zero(c)
    x, y = np.exp(a.c - zero), np.exp(b.c - zero)
    return linear.State(x[..., None] * a.S + y[..., None] * b.S, x * a.z + y * b.z, c)


@bug("totals added without rescaling", "parts.linear.merge")
def linear_totals_added_as_they_are(a, b, /):
    return linear.State(a.S + b.S, a.z + b.z, np.maximum(a.c, b.c))


@bug("rescaled by the smaller scale", "parts.linear.merge")
def brought_to_the_smaller_scale(a, b, /):
    return at_scale(np.minimum(a.c, b.c), a, b)


@bug("the largest scale of all features for each", "parts.linear.merge")
def merged_by_one_scale(a, b, /):
    top = max(a.c.max(), b.c.max())
    return at_scale(np.full_like(a.c, top), a, b)


@bug("NaN where both are empty", "parts.linear.merge")
def linear_parts_meet_in_nan(a, b, /):
    c = np.maximum(a.c, b.c)
    x, y = np.exp(a.c - c), np.exp(b.c - c)
    x, y = (w + 0 * (s.c - s.c) for w, s in ((x, a), (y, b)))
    return linear.State(x[..., None] * a.S + y[..., None] * b.S, x * a.z + y * b.z, c)


@bug("values rescaled and z not", "parts.linear.merge")
def values_rescaled_and_z_not(a, b, /):
    return linear.merge(a, b)._replace(z=a.z + b.z)


@bug("one scale for all features", "parts.linear.from_chunk")
def one_scale_for_all_features(log_k, V, /, *, sign_k=1.0):
    c = np.full(log_k.shape[-1], np.max(log_k, initial=-np.inf))
    keys = np.exp(log_k - maps.finite_or_zero(c))
    return linear.State(keys.T @ V, keys.sum(0), c)


@bug("the scale left out of the query", "parts.linear.value")
def query_ignores_the_scale(state, query, /):
    return linear.value(state._replace(c=np.zeros_like(state.c)), query)


@bug("nothing with the scale 1", "parts.linear.empty")
def nothing_has_the_scale_one(log_k, V, /):
    none = linear.empty(log_k, V)
    return none._replace(c=np.zeros_like(none.c))


# -- causal -------------------------------------------------------------------------------------

@bug("each chunk sees itself alone", "parts.causal.merge")
def chunks_forget_the_past(a, b, /):
    none = linear.from_chunk(b.keys.c[None, :][:0], b.keys.S[:0])
    merged = causal.merge(a._replace(keys=none), b)
    return merged._replace(keys=linear.merge(a.keys, b.keys))


@bug("results depend on later positions", "parts.causal.merge")
def the_past_lies_behind(a, b, /):
    late = softmax.merge(linear.read(b.keys, a.query), a.sums)
    none = linear.from_chunk(b.keys.c[None, :][:0], b.keys.S[:0])
    merged = causal.merge(a._replace(keys=none, sums=late), b)
    return merged._replace(keys=linear.merge(a.keys, b.keys))


@bug("state without the last chunk", "parts.causal.merge")
def state_without_the_last_chunk(a, b, /):
    return causal.merge(a, b)._replace(keys=a.keys)


@bug("positions see their whole chunk", "parts.causal.from_chunk")
def positions_see_their_whole_chunk(query, keys, V, /):
    segment = causal.from_chunk(query, keys, V)
    return segment._replace(sums=linear.read(segment.keys, query))


@bug("own position left out", "parts.causal.from_chunk")
def own_position_left_out(query, keys, V, /):
    def earlier(a):
        return np.concatenate([np.full_like(a[:1], -np.inf), a[:-1]])
    earlier_keys = earlier(keys[0]), keys[1]
    late = causal.from_chunk(query, earlier_keys, np.concatenate([0 * V[:1], V[:-1]]))
    return causal.from_chunk(query, keys, V)._replace(sums=late.sums)


@bug("nothing as one position", "parts.causal.empty")
def nothing_has_a_position(query, keys, V, /):
    hidden = np.full_like(keys[0][:1], -np.inf)
    return causal.from_chunk(tuple(q[:1] for q in query), (hidden, keys[1][:1]), V[:1])


# -- supports and the best ------------------------------------------------------------------------

@bug("only the strongest kept", "parts.supports.from_chunk")
def only_the_strongest_kept(z, V, /, weigh):
    best = np.unique(z.argmax(-1)) if z.shape[-1] else slice(0)
    return supports.State(z[..., best], V[best], weigh)


@bug("values halved", "parts.supports.merge")
def answers_averaged(a, b, /):
    if not len(a.values) or not len(b.values):
        return supports.merge(a, b)
    merged = supports.merge(a, b)
    return merged._replace(values=np.concatenate([a.values, b.values])[:len(merged.values)] / 2)


@bug("the later part alone", "parts.supports.merge")
def candidates_of_the_last(a, b, /):
    return b


@bug("supports cut before they merge", "parts.supports.merge")
def cut_before_they_merge(a, b, /):
    def cut(s):
        keep = np.argsort(-s.scores.max(0, initial=-np.inf))[:max(1, len(s.values) // 2)]
        return s._replace(scores=s.scores[:, keep], values=s.values[keep])
    return supports.merge(cut(a) if len(a.values) else a, cut(b) if len(b.values) else b)


@bug("nothing as a pattern at zero", "parts.supports.empty")
def nothing_is_a_pattern_at_zero(z, V, /, weigh):
    return supports.State(0 * z[..., :1], 0 * V[:1], weigh)


@bug("ties to the last index", "parts.top_k.merge")
def ties_to_the_last_index(a, b, /):
    both = top_k.merge(a._replace(k=10**6), b._replace(k=10**6))
    order = np.argsort(-both.score[..., ::-1], axis=-1, kind="stable")[..., :a.k]
    return _picked(both, np.sort(both.score.shape[-1] - 1 - order, axis=-1), a.k)


def _picked(state, place, k):
    take = np.take_along_axis
    return top_k.State(take(state.score, place, -1), take(state.index, place, -1),
                       take(state.values, place[..., None], -2), state.count, k)


@bug("every chunk counted from 0", "parts.top_k.merge")
def indices_begin_anew(a, b, /):
    return top_k.merge(a._replace(count=0), b)._replace(count=a.count + b.count)


@bug("merged the other way round", "parts.top_k.merge")
def the_last_come_first(a, b, /):
    return top_k.merge(b, a)


@bug("k + 1 kept", "parts.top_k.merge")
def one_too_many(a, b, /):
    return top_k.merge(a._replace(k=a.k + 1), b)._replace(k=a.k)


@bug("nothing with an index", "parts.top_k.empty")
def nothing_has_an_index(z, V, /, *, k):
    return top_k.from_chunk(0 * z[..., :1], 0 * V[:1], k=k)

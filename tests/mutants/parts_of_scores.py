"""What is drawn by scores, from parts that do not merge as they should."""
import numpy as np

from hopref import maps
from hopref.parts import causal, energy, linear, softmax, supports, top_k
from tests.mutants import mutant

# -- softmax ------------------------------------------------------------------------------------


def brought_to(top, a, b, beta=None):
    """Two softmax states brought to any maximum and added."""
    x, y = (np.exp((s.beta if beta is None else beta) * (s.top - top)) for s in (a, b))
    return softmax.State(np.maximum(a.top, b.top), x * a.total + y * b.total,
                         x[..., None] * a.drawn + y[..., None] * b.drawn, a.beta)


@mutant("parts.softmax.merge")
def totals_added_as_they_are(a, b, /):
    """no rescale"""
    return softmax.State(np.maximum(a.top, b.top), a.total + b.total, a.drawn + b.drawn, a.beta)


@mutant("parts.softmax.merge")
def brought_to_the_first_maximum(a, b, /):
    """rescaled by the maximum of the one part, named by that of both"""
    return brought_to(maps.finite_or_zero(a.top), a, b)


@mutant("parts.softmax.merge")
def beta_left_out_of_the_rescale(a, b, /):
    """exp of the difference of the maxima, without beta"""
    return brought_to(maps.finite_or_zero(np.maximum(a.top, b.top)), a, b, beta=1.0)


@mutant("parts.softmax.merge")
def empty_parts_meet_in_nan(a, b, /):
    """-inf - (-inf) where both have seen nothing"""
    return brought_to(np.maximum(a.top, b.top), a, b)


@mutant("parts.softmax.merge")
def values_rescaled_and_totals_not(a, b, /):
    """only what was drawn is rescaled"""
    return softmax.merge(a, b)._replace(total=a.total + b.total)


@mutant("parts.softmax.of")
def one_maximum_for_all_rows(z, V, /, *, beta=1.0):
    """the largest score of the batch, of which a weak row underflows"""
    top = np.full(z.shape[:-1], np.max(z, initial=-np.inf))
    e = np.exp(beta * (z - maps.finite_or_zero(top)[..., None]))
    return softmax.State(top, e.sum(-1), e @ V, beta)


@mutant("parts.softmax.value")
def sums_lse_to_the_base_two(state, /):
    """log2"""
    answer = softmax.value(state)
    return answer._replace(lse=state.top + (answer.lse - maps.finite_or_zero(state.top))
                           / np.log(2))


@mutant("parts.softmax.value")
def sums_lse_without_beta(state, /):
    """the log of the total not divided by beta"""
    total = np.where(state.total > 0, state.total, 1.0)
    return softmax.value(state)._replace(lse=state.top + np.log(total))


@mutant("parts.softmax.value")
def sums_forget_their_maximum(state, /):
    """ln l in place of m + ln l / beta"""
    total = np.where(state.total > 0, state.total, 1.0)
    return softmax.value(state)._replace(lse=np.log(total) / state.beta)


@mutant("parts.softmax.none")
def nothing_has_the_maximum_zero(z, V, /, *, beta=1.0):
    """(0, 0, 0) in place of (-inf, 0, 0)"""
    none = softmax.none(z, V, beta=beta)
    return none._replace(top=np.zeros_like(none.top))


@mutant("parts.softmax.none")
def nothing_counts_as_one(z, V, /, *, beta=1.0):
    """a total of 1 at the score 0, so as not to divide by 0"""
    none = softmax.none(z, V, beta=beta)
    return none._replace(top=np.zeros_like(none.top), total=np.ones_like(none.total))


# -- the energy ---------------------------------------------------------------------------------

@mutant("parts.energy.merge")
def longest_added(a, b, /):
    """M^2 added like a sum"""
    return energy.merge(a, b)._replace(longest=a.longest + b.longest)


@mutant("parts.energy.merge")
def longest_of_the_last_part(a, b, /):
    """M^2 of whichever came last"""
    return energy.merge(a, b)._replace(longest=b.longest)


@mutant("parts.energy.merge")
def patterns_not_counted(a, b, /):
    """N of one part"""
    return energy.merge(a, b)._replace(count=max(a.count, b.count))


@mutant("parts.energy.merge")
def first_leader_kept(a, b, /):
    """the pattern of the first part stays when its maximum does not"""
    return energy.merge(a, b)._replace(leader=a.leader if a.count else b.leader)


@mutant("parts.energy.merge")
def lack_added_as_it_is(a, b, /):
    """the sum of expm1 rescaled like a sum of exp"""
    _, x, y = softmax.shrunk(a, b)
    return energy.merge(a, b)._replace(lack=x * a.lack + y * b.lack)


@mutant("parts.energy.value")
def energy_lse_to_the_base_two(state, xi, /):
    """log2"""
    none = 0 * state.total
    mean = energy.value(state._replace(total=none + state.count, lack=none), xi)
    return mean + (energy.value(state, xi) - mean) / np.log(2)


@mutant("parts.energy.none")
def nothing_is_a_pattern_at_the_origin(xi, X, /, *, beta=1.0):
    """one pattern, 0"""
    return energy.of(xi, 0 * X[:1], beta=beta)


# -- linear -------------------------------------------------------------------------------------

def at_scale(c, a, b):
    """Two linear states brought to any scale and added."""
    zero = maps.finite_or_zero(c)
    x, y = np.exp(a.c - zero), np.exp(b.c - zero)
    return linear.State(x[..., None] * a.S + y[..., None] * b.S, x * a.z + y * b.z, c)


@mutant("parts.linear.merge")
def linear_totals_added_as_they_are(a, b, /):
    """no rescale"""
    return linear.State(a.S + b.S, a.z + b.z, np.maximum(a.c, b.c))


@mutant("parts.linear.merge")
def brought_to_the_smaller_scale(a, b, /):
    """rescaled by the wrong maximum: a small scale blows the other up"""
    return at_scale(np.minimum(a.c, b.c), a, b)


@mutant("parts.linear.merge")
def merged_by_one_scale(a, b, /):
    """the largest scale of all features for each"""
    top = max(a.c.max(), b.c.max())
    return at_scale(np.full_like(a.c, top), a, b)


@mutant("parts.linear.merge")
def linear_parts_meet_in_nan(a, b, /):
    """-inf - (-inf) where neither has a key"""
    c = np.maximum(a.c, b.c)
    x, y = np.exp(a.c - c), np.exp(b.c - c)
    x, y = (w + 0 * (s.c - s.c) for w, s in ((x, a), (y, b)))
    return linear.State(x[..., None] * a.S + y[..., None] * b.S, x * a.z + y * b.z, c)


@mutant("parts.linear.merge")
def values_rescaled_and_z_not(a, b, /):
    """only S is rescaled"""
    return linear.merge(a, b)._replace(z=a.z + b.z)


@mutant("parts.linear.of")
def one_scale_for_all_features(log_k, V, /, *, sign_k=1.0):
    """a scalar c: features that are small beside the largest underflow"""
    c = np.full(log_k.shape[-1], np.max(log_k, initial=-np.inf))
    keys = np.exp(log_k - maps.finite_or_zero(c))
    return linear.State(keys.T @ V, keys.sum(0), c)


@mutant("parts.linear.value")
def query_ignores_the_scale(state, query, /):
    """c not absorbed into the query's logs"""
    return linear.value(state._replace(c=np.zeros_like(state.c)), query)


@mutant("parts.linear.none")
def nothing_has_the_scale_one(log_k, V, /):
    """c = 0 in place of -inf"""
    none = linear.none(log_k, V)
    return none._replace(c=np.zeros_like(none.c))


# -- causal -------------------------------------------------------------------------------------

@mutant("parts.causal.merge")
def chunks_forget_the_past(a, b, /):
    """each chunk attends to itself alone"""
    none = linear.of(b.keys.c[None, :][:0], b.keys.S[:0])
    merged = causal.merge(a._replace(keys=none), b)
    return merged._replace(keys=linear.merge(a.keys, b.keys))


@mutant("parts.causal.merge")
def the_past_lies_behind(a, b, /):
    """the earlier part sees the later one"""
    late = softmax.merge(linear.read(b.keys, a.query), a.sums)
    none = linear.of(b.keys.c[None, :][:0], b.keys.S[:0])
    merged = causal.merge(a._replace(keys=none, sums=late), b)
    return merged._replace(keys=linear.merge(a.keys, b.keys))


@mutant("parts.causal.merge")
def state_without_the_last_chunk(a, b, /):
    """the state handed on is that before the chunk"""
    return causal.merge(a, b)._replace(keys=a.keys)


@mutant("parts.causal.of")
def positions_see_their_whole_chunk(query, keys, V, /):
    """inclusive of the chunk's own future"""
    segment = causal.of(query, keys, V)
    return segment._replace(sums=linear.read(segment.keys, query))


@mutant("parts.causal.of")
def own_position_left_out(query, keys, V, /):
    """an exclusive scan: off by one"""
    def earlier(a):
        return np.concatenate([np.full_like(a[:1], -np.inf), a[:-1]])
    segment = causal.of(query, keys, V)
    late = causal.of(query, (earlier(keys[0]), keys[1]), np.concatenate([0 * V[:1], V[:-1]]))
    return segment._replace(sums=late.sums)


@mutant("parts.causal.none")
def nothing_has_a_position(query, keys, V, /):
    """one position of no key"""
    hidden = np.full_like(keys[0][:1], -np.inf)
    return causal.of(tuple(q[:1] for q in query), (hidden, keys[1][:1]), V[:1])


# -- supports and the best ------------------------------------------------------------------------

@mutant("parts.supports.of")
def only_the_strongest_kept(z, V, /, weigh):
    """the best of each state instead of all that weigh"""
    best = np.unique(z.argmax(-1)) if z.shape[-1] else slice(0)
    return supports.State(z[..., best], V[best], weigh)


@mutant("parts.supports.merge")
def answers_averaged(a, b, /):
    """the chunks' answers, halved: two supports that were never one"""
    if not len(a.values) or not len(b.values):
        return supports.merge(a, b)
    merged = supports.merge(a, b)
    return merged._replace(values=np.concatenate([a.values, b.values])[:len(merged.values)] / 2)


@mutant("parts.supports.merge")
def candidates_of_the_last(a, b, /):
    """the later candidates replace the earlier"""
    return b


@mutant("parts.supports.merge")
def cut_before_they_merge(a, b, /):
    """each support is cut to half its size before the two meet"""
    def cut(s):
        keep = np.argsort(-s.scores.max(0, initial=-np.inf))[:max(1, len(s.values) // 2)]
        return s._replace(scores=s.scores[:, keep], values=s.values[keep])
    return supports.merge(cut(a) if len(a.values) else a, cut(b) if len(b.values) else b)


@mutant("parts.supports.none")
def nothing_is_a_pattern_at_zero(z, V, /, weigh):
    """the pattern 0, of score 0"""
    return supports.State(0 * z[..., :1], 0 * V[:1], weigh)


@mutant("parts.top_k.merge")
def ties_to_the_last_index(a, b, /):
    """of equal scores those of highest index"""
    both = top_k.merge(a._replace(k=10**6), b._replace(k=10**6))
    order = np.argsort(-both.score[..., ::-1], axis=-1, kind="stable")[..., :a.k]
    return _picked(both, np.sort(both.score.shape[-1] - 1 - order, axis=-1), a.k)


def _picked(state, place, k):
    take = np.take_along_axis
    return top_k.State(take(state.score, place, -1), take(state.index, place, -1),
                       take(state.drawn, place[..., None], -2), state.count, k)


@mutant("parts.top_k.merge")
def indices_begin_anew(a, b, /):
    """every chunk counts from 0"""
    return top_k.merge(a._replace(count=0), b)._replace(count=a.count + b.count)


@mutant("parts.top_k.merge")
def the_last_come_first(a, b, /):
    """merged the other way round"""
    return top_k.merge(b, a)


@mutant("parts.top_k.merge")
def one_too_many(a, b, /):
    """k + 1 kept"""
    return top_k.merge(a._replace(k=a.k + 1), b)._replace(k=a.k)


@mutant("parts.top_k.none")
def nothing_has_an_index(z, V, /, *, k):
    """a score of 0 at the index 0"""
    return top_k.of(0 * z[..., :1], 0 * V[:1], k=k)

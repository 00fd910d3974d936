"""Laws of sinks: one more pattern of zeros, a factor of the usual result, the exact descent."""
import numpy as np

from hopref import attention, maps, modern
from hopref.check.cases.draws import arrays, composed, eighths, integers, sampled
from hopref.check.cases.heads import heads
from hopref.check.cases.problems import problems
from hopref.check.laws import at_most, equal, law
from hopref.check.laws.modern import square

__all__ = []

FAR = 2.0**20           # of scores that overflow without a maximum, and of sinks that take nothing
scores_of_sinks = sampled([-2.0, -0.25, 0.0, 1.0, 3.0])


def logistic(x):
    """1 / (1 + e^-x); 0 for -inf."""
    e = np.exp(-np.abs(x))
    return np.where(x > 0, 1.0, e) / (1.0 + e)


@composed
def rows_with_sinks(draw):
    """Rows of scores, and a sink for each."""
    m, n = draw(integers(1, 3)), draw(integers(1, 5))
    return {"z": draw(arrays(m, n)), "sink": draw(arrays(m, elements=eighths)),
            "beta": draw(sampled([0.25, 1.0, 3.0]))}


@composed
def heads_with_sinks(draw):
    """Two heads with sinks of their own, a mask that may hide all keys of a query, and a scale."""
    one, sink = draw(heads(masked=True)), draw(arrays(2, elements=eighths))
    two = {k: np.stack([one[k], draw(arrays(*one[k].shape))]) for k in ("Q", "K", "V")}
    mask = np.stack([one["mask"], np.roll(one["mask"], 1, axis=-2)])
    mask[0, 0] = draw(sampled([mask[0, 0], False]))
    return two | {"sink": sink, "mask": mask, "scale": one["scale"]}


@composed
def memories(draw):
    """States, patterns, an inverse temperature and a sink."""
    return draw(problems()) | {"sink": draw(scores_of_sinks)}


# -- the map ---------------------------------------------------------------------------------------

@law("maps.sink_softmax", id="SK-1", over=rows_with_sinks(),
     kills=("maximum subtracted from the scores, not from the sink", "sink multiplied by beta",
            "sink ignored", "sink with the wrong sign", "1 in place of e^s"))
def a_sink_takes_its_share_of_the_weight(f, z, sink, beta):
    """p = softmax(beta z) / (1 + e^(s - lse)), and the weights sum to 1 / (1 + e^(s - lse))."""
    lse = np.max(beta * z, axis=-1)
    lse = lse + np.log(np.sum(np.exp(beta * z - lse[:, None]), axis=-1))
    p, share = f(z, sink, beta=beta), logistic(lse - sink)
    yield equal(p, f.exact(maps.softmax, z, beta=beta) * share[:, None], "weights")
    yield equal(np.sum(p, axis=-1), share, "their sum")


@law("maps.sink_softmax", id="SK-5", over=rows_with_sinks(),
     kills=("maximum subtracted from the scores, not from the sink", "sink ignored",
            "sink counted twice"))
def a_sink_of_zero_is_one_more_score_of_zero(f, z, sink, beta):
    """softmax_1(z) is softmax(z, 0) without its last entry."""
    zero = np.zeros((z.shape[0], 1))
    yield equal(f(z, 0 * sink, beta=beta),
                f.exact(maps.softmax, np.concatenate([z, zero], axis=-1), beta=beta)[..., :-1])


@law("maps.sink_softmax", id="SK-6, SK-7", over=rows_with_sinks(),
     kills=("exponentials without a maximum", "sink ignored"))
def scores_and_sinks_of_any_size_are_compared(f, z, sink, beta):
    """Scores and sink increased together leave the weights; a sink far above takes them all, one
    far below takes nothing."""
    plain = f(z, sink, beta=beta)
    for shift in (-FAR, FAR):
        yield equal(f(z, sink + shift, beta=beta, bias=np.full(z.shape, shift)), plain, "shifted")
    yield equal(f(z, sink + FAR, beta=beta), 0.0, "far above")
    yield equal(f(z, sink - FAR, beta=beta), f.exact(maps.softmax, z, beta=beta), "far below")


# -- attention -------------------------------------------------------------------------------------

@law("sinks.attention", "sinks.attention_weights", id="SK-1", over=heads_with_sinks(),
     kills=("maximum subtracted from the scores, not from the sink", "sink scaled like the scores",
            "one sink for all heads", "sink ignored", "empty rows answer NaN",
            "sink hidden with the keys"))
def a_head_with_a_sink_is_damped_by_its_logsumexp(f, Q, K, V, sink, mask, scale):
    """A = softmax(z) / (1 + e^(s - lse)) for each head; 0 where no key is visible, whatever s."""
    how = {"scale": scale, "mask": mask}
    z = Q @ np.swapaxes(K, -1, -2) * maps.default_scale(scale, K)
    z = np.where(mask, z, -np.inf)
    share = logistic(f.exact(maps.logsumexp, z) - sink[:, None])[..., None]
    A = f.exact(attention.softmax_weights, Q, K, **how) * share
    yield equal(f.sinks.attention_weights(Q, K, sink, **how), A, "weights")
    yield equal(f.sinks.attention(Q, K, V, sink, **how), A @ V, "answers")


@law("sinks.attention", id="SK-5", over=heads(),
     kills=("maximum subtracted from the scores, not from the sink", "sink counted twice"))
def a_sink_of_zero_is_a_key_and_a_value_of_zeros(f, Q, K, V, scale):
    """softmax_1 attention is attention to one more key of zeros."""
    keys, values = (np.concatenate([x, 0 * x[:1]]) for x in (K, V))
    scale = maps.default_scale(scale, K)
    yield equal(f(Q, K, V, np.float64(0.0), scale=scale),
                f.exact(attention.softmax_attention, Q, keys, values, scale=scale))


@law("sinks.attention", id="SK-3", over=heads_with_sinks(),
     kills=("sink counted twice", "one sink for all heads", "sink scaled like the scores"))
def halves_of_the_keys_merge_with_the_sink_counted_once(f, Q, K, V, sink, mask, scale):
    """With the sums (l, o) of each half without sink: Z = (o_1 + o_2) / (l_1 + l_2 + e^s)."""
    z = Q @ np.swapaxes(K, -1, -2) * maps.default_scale(scale, K)
    e = np.where(mask, np.exp(np.where(mask, z, 0.0)), 0.0)
    cut = K.shape[-2] // 2
    o = e[..., :cut] @ V[..., :cut, :] + e[..., cut:] @ V[..., cut:, :]
    total = np.sum(e[..., :cut], axis=-1) + np.sum(e[..., cut:], axis=-1)
    yield equal(f(Q, K, V, sink, mask=mask, scale=scale),
                o / (total + np.exp(sink)[:, None])[..., None])


@law("sinks.attention", id="SK-8", over=heads_with_sinks(),
     kills=("maximum subtracted from the scores, not from the sink", "sink counted twice",
            "sink scaled like the scores", "one sink for all heads"))
def what_a_sink_breaks_is_a_change_of_the_sink(f, Q, K, V, sink, mask, scale):
    """Values of 1 give the share of the keys, 1 - p_s, not 1; keys twice are a sink lower by ln 2,
    and a bias of 1 in all scores is a sink lower by 1."""
    how, ones = {"scale": scale}, np.ones_like(V.value)
    z = np.where(mask, Q @ np.swapaxes(K, -1, -2) * maps.default_scale(scale, K), -np.inf)
    share = logistic(f.exact(maps.logsumexp, z) - sink[:, None])[..., None]
    yield equal(f(Q, K, ones, sink, mask=mask, **how), share, "values of 1")
    twice = [np.concatenate([x, x], axis=-2) for x in (K, V)]
    yield equal(f(Q, *twice, sink, mask=np.concatenate([mask, mask], axis=-1), **how),
                f(Q, K, V, sink - np.log(np.longdouble(2.0)), mask=mask, **how), "keys twice")
    yield equal(f(Q, K, V, sink, mask=mask, bias=np.ones(mask.shape), **how),
                f(Q, K, V, sink - 1.0, mask=mask, **how), "bias")


# -- the memory ------------------------------------------------------------------------------------

def with_zero(X):
    return np.concatenate([X, 0 * X[:1]])


def log_weights(xi, X, beta, sink):
    """log of the weights of the patterns and, last, of the sink."""
    s = np.concatenate([beta * (xi @ X.T), np.full((xi.shape[0], 1), sink)], axis=-1)
    s = s - np.max(s, axis=-1, keepdims=True)
    return s - np.log(np.sum(np.exp(s), axis=-1, keepdims=True))


@law("sinks.update", id="SK-4", over=memories(),
     kills=("sink multiplied by beta", "sink ignored", "state in place of the sink's pattern",
            "maximum subtracted from the scores, not from the sink"))
def the_new_state_is_a_mean_of_the_patterns_and_zero(f, xi, X, beta, sink):
    """f(xi) = sum_i p_i x_i with p = softmax(beta X xi, s) without the last entry."""
    p = np.exp(log_weights(xi, X, beta, sink))
    yield equal(f(xi, X, beta=beta, sink=sink), p @ with_zero(X))


@law("sinks.update", "sinks.energy", id="SK-5", over=problems(),
     kills=("sink ignored", "log N without the sink"))
def a_sink_of_zero_is_a_pattern_of_zeros(f, xi, X, beta):
    """With s = 0 update and energy are those of the modern network on X and 0."""
    X_0 = with_zero(X)
    yield equal(f.sinks.update(xi, X, beta=beta, sink=0.0),
                f.exact(modern.update, xi, X_0, beta=beta), "update")
    yield equal(f.sinks.energy(xi, X, beta=beta, sink=0.0),
                f.exact(modern.energy, xi, X_0, beta=beta), "energy")


@law("sinks.energy", id="SK-4", over=memories(),
     kills=("log N without the sink", "sink multiplied by beta", "energy without M^2/2",
            "sink's share not divided by beta"))
def the_energy_is_a_density_of_patterns_and_zero(f, xi, X, beta, sink):
    """E = -1/beta log of the mean of exp(-beta/2 (|x - xi|^2 + M^2 - |x|^2)) over N patterns and
    e^s zeros."""
    X_0 = with_zero(X)
    cost = square(X_0 - xi[:, None]) + np.max(square(X)) - square(X_0)
    count = np.append(np.ones(len(X)), np.exp(np.longdouble(sink)))
    least = np.min(cost, axis=-1, keepdims=True)
    mean = np.exp(-beta / 2 * (cost - least)) @ (count / np.sum(count))
    yield equal(f(xi, X, beta=beta, sink=sink), least[:, 0] / 2 - np.log(mean) / beta)


@law("sinks.energy", "sinks.update", id="SK-4", over=memories(),
     kills=("sink ignored", "energy of the modern network", "sink multiplied by beta",
            "maximum subtracted from the scores, not from the sink"))
def a_step_with_a_sink_lowers_the_energy_by_an_exact_amount(f, xi, X, beta, sink):
    """E(xi) - E(xi') = |xi' - xi|^2/2 + KL(p || p')/beta, where KL is over N + 1 outcomes."""
    how = {"beta": beta, "sink": sink}
    new = f.sinks.update(xi, X, **how)
    stored = f.machine(new)                 # what E is asked for; the identity holds for any xi'
    step, log_p = stored - xi, log_weights(xi, X, beta, sink)
    kl = np.sum(np.exp(log_p) * (log_p - log_weights(stored, X, beta, sink)), axis=-1) / beta
    fall = square(step) / 2 + kl + np.sum((new - stored) * step, axis=-1)
    drop = f.sinks.energy(xi, X, **how) - f.sinks.energy(stored, X, **how)
    yield equal(drop, fall)


@law("sinks.energy", id="SK-4", kills=("energy without M^2/2",))
def the_energy_with_a_sink_is_never_below_its_bound(f, xi, X, *, beta=1.0, sink=0.0):
    """(M - |xi|)^2 / 2 <= E."""
    longest, own = np.sqrt(np.max(square(X))), np.sqrt(square(xi))
    yield at_most((longest - own) ** 2 / 2, f(xi, X, beta=beta, sink=sink))


@law("sinks.update", "sinks.energy", id="SK-6", over=problems(),
     kills=("sink ignored", "sink with the wrong sign"))
def a_sink_far_below_takes_nothing_and_one_far_above_all(f, xi, X, beta):
    """s -> -inf: the modern network; s -> inf: the new state is 0."""
    yield equal(f.sinks.update(xi, X, beta=beta, sink=-FAR),
                f.exact(modern.update, xi, X, beta=beta), "update, far below")
    yield equal(f.sinks.energy(xi, X, beta=beta, sink=-FAR),
                f.exact(modern.energy, xi, X, beta=beta), "energy, far below")
    yield equal(f.sinks.update(xi, X, beta=beta, sink=FAR), 0.0 * xi, "far above")

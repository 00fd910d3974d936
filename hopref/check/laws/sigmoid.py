"""Laws of sigmoid attention and of its memory: separate keys, the exact descent, bounds."""
import numpy as np

from hopref import maps
from hopref.check.cases.draws import composed, sampled
from hopref.check.cases.heads import heads
from hopref.check.cases.problems import problems
from hopref.check.laws import at_most, equal, law
from hopref.check.laws.modern import square
from hopref.check.laws.sinks import logistic
from hopref.models import sinks

__all__ = []

offsets = sampled([-2.0, -0.5, 0.0, 1.0])


def softplus(z):
    return np.where(z > 0, z, 0.0) + np.log1p(np.exp(-np.abs(z)))


@composed
def masked_heads(draw):
    """Queries, keys and values with a mask and an offset."""
    return draw(heads(masked=True)) | {"offset": draw(offsets)}


@composed
def memories(draw):
    """States, patterns, an inverse temperature and an offset."""
    return draw(problems()) | {"offset": draw(offsets)}


def bernoulli(z, new):
    """The divergence of Bernoulli variables with the logits z from those with the logits new."""
    return logistic(z) * (z - new) - softplus(z) + softplus(new)


@law("sigmoid.attention", "sigmoid.attention_weights", id="SG-1", over=masked_heads(),
     kills=("offset ignored", "offset scaled like the scores", "softmax in place of the sigmoid",
            "hidden keys have the weight of a score of 0", "weights normalised",
            "1/sqrt(d) on top of the scale"))
def the_weight_of_a_key_is_the_sigmoid_of_its_score(f, Q, K, V, mask, scale, offset):
    """A = sigma(c Q K^T + b) for visible keys and 0 for hidden ones, and Z = A V."""
    how = {"scale": scale, "mask": mask, "offset": offset}
    z = Q @ K.T * maps.default_scale(scale, K) + offset
    A = np.where(mask, logistic(z), 0.0)
    yield equal(f.sigmoid.attention_weights(Q, K, **how), A, "weights")
    yield equal(f.sigmoid.attention(Q, K, V, **how), A @ V, "answers")


@law("sigmoid.attention", id="SG-1", over=masked_heads(),
     kills=("softmax in place of the sigmoid", "weights normalised",
            "offset of -log n of the keys that are given"))
def results_of_separate_keys_are_added(f, Q, K, V, mask, scale, offset):
    """Z is the sum of the results for each key alone, with one offset for all."""
    how = {"scale": scale, "offset": offset}
    alone = sum(f(Q, K[j:j + 1], V[j:j + 1], mask=mask[:, j:j + 1], **how) for j in range(len(K)))
    yield equal(f(Q, K, V, mask=mask, **how), alone)


@law("sigmoid.attention", id="SG-3", over=heads(max_s=1),
     kills=("offset with the wrong sign", "softmax in place of the sigmoid"))
def one_key_is_attention_with_a_sink_of_minus_the_offset(f, Q, K, V, scale):
    """sigma(z + b) = e^z / (e^z + e^-b)."""
    yield equal(f(Q, K, V, scale=scale, offset=0.75),
                f.exact(sinks.attention, Q, K, V, np.float64(-0.75), scale=scale))


# -- the memory ------------------------------------------------------------------------------------

@law("sigmoid.update", "sigmoid.energy", id="SG-2", over=memories(),
     kills=("offset ignored", "softmax in place of the sigmoid", "energy of the softmax",
            "energy without 1/beta", "offset scaled like the scores"))
def a_step_of_separate_neurons_lowers_the_energy_by_an_exact_amount(f, xi, X, beta, offset):
    """E(xi) - E(xi') = |xi' - xi|^2/2 + sum_i KL(Bern(p_i) || Bern(p_i'))/beta."""
    how = {"beta": beta, "offset": offset}
    new = f.sigmoid.update(xi, X, **how)
    stored = f.machine(new)                 # what E is asked for; the identity holds for any xi'
    z, after = (beta * (x @ X.T) + offset for x in (xi, stored))
    step = stored - xi
    fall = square(step) / 2 + np.sum(bernoulli(z, after), axis=-1) / beta
    fall = fall + np.sum((new - stored) * step, axis=-1)
    drop = f.sigmoid.energy(xi, X, **how) - f.sigmoid.energy(stored, X, **how)
    yield equal(drop, fall)


@law("sigmoid.update", "sigmoid.energy", id="SG-2", over=memories(),
     kills=("offset with the wrong sign", "energy without the half", "energy of the softmax",
            "softmax in place of the sigmoid"))
def update_and_energy_are_sums_over_patterns(f, xi, X, beta, offset):
    """f = sum_i sigma(z_i) x_i, and E = |xi|^2/2 - sum_i ln(1 + e^z_i)/beta."""
    z = beta * (xi @ X.T) + offset
    how = {"beta": beta, "offset": offset}
    yield equal(f.sigmoid.update(xi, X, **how), logistic(z) @ X, "update")
    yield equal(f.sigmoid.energy(xi, X, **how),
                square(xi) / 2 - np.sum(softplus(z), axis=-1) / beta, "energy")


@law("sigmoid.energy", id="SG-2", over=memories(), kills=("energy without 1/beta",))
def the_energy_of_separate_neurons_is_bounded_below(f, xi, X, beta, offset):
    """E >= -(sum |x_i|)^2/2 - N ln(1 + e^b)/beta."""
    lengths = np.sum(np.sqrt(square(X)))
    least = -(lengths * lengths) / 2 - len(X) * softplus(np.longdouble(offset)) / beta
    yield at_most(least, f(xi, X, beta=beta, offset=offset))

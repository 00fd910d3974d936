"""Networks of two layers, wrong: the bidirectional memory and the layers with Lagrangians."""
import numpy as np

from hopref import bam, lagrangian, storage
from hopref.models.lagrangian import LAGRANGIANS
from tests.mutants import mutant


def sign(h, old):
    return np.where(h > 0, 1.0, np.where(h < 0, -1.0, old))


# -- bidirectional associative memory -----------------------------------------------------------

@mutant("bam.energy")
def bam_energy_with_a_half(y, x, W, /):
    """-y W x / 2, as if each weight stood twice"""
    return bam.energy(y, x, W) / 2


@mutant("bam.energy")
def bam_energy_of_agreement(y, x, W, /):
    """y W x"""
    return -bam.energy(y, x, W)


@mutant("bam.forward")
def forward_ties_become_plus(y, x, W, /, *, ties="keep"):
    """+1 at a tie"""
    return bam.forward(y, x, W, ties="plus")


@mutant("bam.forward")
def forward_takes_the_old_answer(y, x, W, /, *, ties="keep"):
    """W y where it fits: the layers mixed up"""
    return bam.forward(y, y if len(y) == len(x) else -x, W, ties=ties)


@mutant("bam.forward")
def forward_against_its_field(y, x, W, /, *, ties="keep"):
    """sgn(-W x)"""
    return bam.forward(y, -x, W, ties=ties)


@mutant("bam.backward")
def backward_ties_become_minus(x, y, W, /, *, ties="keep"):
    """-1 at a tie"""
    return np.where(y @ W > 0, 1.0, -1.0)


@mutant("bam.backward")
def backward_against_its_field(x, y, W, /, *, ties="keep"):
    """sgn(-W^T y)"""
    return bam.backward(x, -y, W, ties=ties)


@mutant("storage.bam")
def bam_weights_the_other_way_round(X, Y, /):
    """X^T Y"""
    return X.T @ Y


@mutant("storage.bam")
def bam_weights_of_the_mean(X, Y, /):
    """divided by the number of pairs"""
    return storage.bam(X, Y) / len(X)


# -- Lagrangians --------------------------------------------------------------------------------

@mutant("lagrangian.update")
def hidden_beta_twice(v, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    """softmax(beta^2 h)"""
    return LAGRANGIANS[hidden].g(LAGRANGIANS[visible].g(v, beta) @ X.T, beta**2) @ X


@mutant("lagrangian.update")
def hidden_not_normalised(v, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    """exp in place of softmax"""
    if hidden != "softmax":
        return lagrangian.update(v, X, visible=visible, hidden=hidden, beta=beta)
    return np.exp(beta * (LAGRANGIANS[visible].g(v, beta) @ X.T)) @ X


@mutant("lagrangian.update")
def tanh_without_its_gain(v, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    """tanh(v)"""
    inner = 1.0 if visible == "tanh" else beta
    return LAGRANGIANS[hidden].g(LAGRANGIANS[visible].g(v, inner) @ X.T, beta) @ X


@mutant("lagrangian.update")
def update_against_the_synapses(v, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    """-X^T f"""
    return -lagrangian.update(v, X, visible=visible, hidden=hidden, beta=beta)


@mutant("lagrangian.reduced_energy")
def visible_term_with_its_half_only(v, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    """-L_v in place of v g - L_v"""
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    return lagrangian.reduced_energy(v, X, **how) - v @ LAGRANGIANS[visible].g(v, beta)


@mutant("lagrangian.reduced_energy")
def reduced_energy_without_beta(v, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    """lse without 1/beta"""
    g = LAGRANGIANS[visible].g(v, beta)
    own = v @ g - LAGRANGIANS[visible].L(v, beta)
    return own - (beta if hidden == "softmax" else 1.0) * LAGRANGIANS[hidden].L(g @ X.T, beta)


@mutant("lagrangian.reduced_energy")
def log_cosh_without_its_gain(v, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    """sum log cosh(beta v), not divided by beta"""
    extra = (beta - 1) * LAGRANGIANS["tanh"].L(v, beta) if visible == "tanh" else 0.0
    return lagrangian.reduced_energy(v, X, visible=visible, hidden=hidden, beta=beta) - extra


@mutant("lagrangian.energy")
def hidden_term_forgotten(v, h, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    """no h f - L_h"""
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    f = LAGRANGIANS[hidden].g(h, beta)
    return lagrangian.energy(v, h, X, **how) - (h @ f - LAGRANGIANS[hidden].L(h, beta))


@mutant("lagrangian.energy")
def synapses_counted_half(v, h, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    """f X g / 2"""
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    g, f = LAGRANGIANS[visible].g(v, beta), LAGRANGIANS[hidden].g(h, beta)
    return lagrangian.energy(v, h, X, **how) + f @ X @ g / 2


@mutant("lagrangian.energy")
def visible_legendre_turned_round(v, h, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    """L_v - v g"""
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    own = v @ LAGRANGIANS[visible].g(v, beta) - LAGRANGIANS[visible].L(v, beta)
    return lagrangian.energy(v, h, X, **how) - 2 * own


@mutant("lagrangian.flow")
def time_constants_swapped(v, h, X, /, *, tau_v=1.0, tau_h=1.0, **how):
    """tau_h for the visible layer"""
    return lagrangian.flow(v, h, X, tau_v=tau_h, tau_h=tau_v, **how)


@mutant("lagrangian.flow")
def flow_without_its_leak(v, h, X, /, *, tau_v=1.0, tau_h=1.0, **how):
    """no -v"""
    dv, dh = lagrangian.flow(v, h, X, tau_v=tau_v, tau_h=tau_h, **how)
    return dv + v / tau_v, dh


@mutant("lagrangian.reduced_energy")
def reduced_energy_by_subtraction(v, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    """v g - L_v(v) and |a| + log1p(e^-2|a|) - log 2 as they are written"""
    g = LAGRANGIANS[visible].g(v, beta)
    return v @ g - as_written(visible, v, beta) - as_written(hidden, g @ X.T, beta)


@mutant("lagrangian.energy")
def layer_energy_by_subtraction(v, h, X, /, *, visible="quadratic", hidden="softmax", beta=1.0):
    """both terms as they are written"""
    g, f = LAGRANGIANS[visible].g(v, beta), LAGRANGIANS[hidden].g(h, beta)
    own = v @ g - as_written(visible, v, beta) + h @ f - as_written(hidden, h, beta)
    return own - f @ X @ g


def as_written(name, u, beta):
    a = np.abs(beta * u)
    return np.sum(a + np.log1p(np.exp(-2 * a)) - np.log(2), axis=-1) / beta if name == "tanh" \
        else LAGRANGIANS[name].L(u, beta)

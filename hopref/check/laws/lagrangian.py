"""Laws of two layers with Lagrangians: what reduces to which network."""
import numpy as np

from hopref.check.cases.draws import arrays, composed, constant, eighths, integers, records, sampled
from hopref.check.cases.networks import layers
from hopref.check.laws import at_most, equal, law
from hopref.models import graded, modern
from hopref.storage import hebbian

NAMES = ("quadratic", "repu", "exponential", "rectified_exponential", "tanh", "sigmoid", "softmax",
         "ghostmax", "layer_norm", "spherical")


def quadratic(u, beta):
    return np.sum(u * u, axis=-1) / 2


def log_cosh(u, beta):
    a = np.abs(beta * u)
    return np.sum(a + np.log1p(np.exp(-2 * a)) - np.log(np.longdouble(2)), axis=-1) / beta


def lse(u, beta):
    top = np.max(u, axis=-1)
    return top + np.log(np.sum(np.exp(beta * (u - top)), axis=-1)) / beta


def softmax(u, beta):
    e = np.exp(beta * (u - np.max(u, axis=-1)))
    return e / np.sum(e, axis=-1)


L = {"quadratic": quadratic, "tanh": log_cosh, "softmax": lse}
GRADIENT = {"quadratic": lambda u, beta: u, "tanh": lambda u, beta: np.tanh(beta * u),
            "softmax": softmax}


def legendre(layer, u, beta):
    """u.g(u) - L(u), the layer's own term of the energy."""
    return np.sum(u * GRADIENT[layer](u, beta)) - L[layer](u, beta)


# -- definitions ----------------------------------------------------------------------------------

@law("lagrangian.energy", id="DA-4", over=layers(),
     kills=("hidden term left out", "synaptic term halved", "visible term with the wrong sign"))
def each_layer_adds_its_legendre_transform(f, v, h, X, beta, visible, hidden):
    """E = v.g - L_v(v) + h.f - L_h(h) - f X g."""
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    synapses = np.sum(GRADIENT[hidden](h, beta) * (X @ GRADIENT[visible](v, beta)))
    own = legendre(visible, v, beta) + legendre(hidden, h, beta)
    yield equal(f(v, h, X, **how), own - synapses)


@law("lagrangian.update", id="DA-4", over=layers(),
     kills=("beta applied twice in the hidden layer", "hidden softmax not normalised",
            "tanh without its gain", "field with the wrong sign"))
def visible_neurons_take_the_field_of_hidden_ones_at_rest(f, v, h, X, beta, visible, hidden):
    """v' = X^T f(X g(v))."""
    at_rest = X @ GRADIENT[visible](v, beta)
    new = f(v, X, visible=visible, hidden=hidden, beta=beta)
    yield equal(new, GRADIENT[hidden](at_rest, beta) @ X)


@law("lagrangian.flow", id="DA-4",
     over=records(case=layers(), tau_v=sampled([0.5, 2.0]), tau_h=sampled([0.25, 4.0])).map(
         lambda it: {**it.pop("case"), **it}),
     kills=("time constants exchanged", "no decay of the visible layer"))
def a_step_of_its_time_constant_brings_a_layer_to_rest(f, v, h, X, beta, visible, hidden, tau_v,
                                                       tau_h):
    """v + tau_v dv/dt = X^T f(h), and h + tau_h dh/dt = X g(v)."""
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    dv, dh = f(v, h, X, tau_v=tau_v, tau_h=tau_h, **how)
    yield equal(v + tau_v * dv, GRADIENT[hidden](h, beta) @ X, "visible")
    yield equal(h + tau_h * dh, X @ GRADIENT[visible](v, beta), "hidden")


# -- known networks -------------------------------------------------------------------------------

@law("lagrangian.update", "lagrangian.reduced_energy", id="DA-4",
     over=layers(constant("quadratic"), constant("softmax")),
     kills=("beta applied twice in the hidden layer", "hidden softmax not normalised",
            "visible Lagrangian in place of its Legendre transform",
            "hidden Lagrangian without 1/beta"))
def quadratic_and_softmax_layers_are_the_modern_network(f, v, h, X, beta, visible, hidden):
    """The update is modern's; E = E_modern - log(n)/beta - M^2/2."""
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    new = f.exact(modern.update, v, X, beta=beta)
    yield equal(f.lagrangian.update(v, X, **how), new, "update")
    constants = np.log(np.longdouble(len(X))) / beta + np.max(np.sum(X * X, axis=-1)) / 2
    E = f.exact(modern.energy, v, X, beta=beta)
    yield equal(f.lagrangian.reduced_energy(v, X, **how), E - constants, "energy")


@law("lagrangian.update", "lagrangian.reduced_energy", id="DA-4",
     over=layers(constant("tanh"), constant("quadratic")),
     kills=("tanh without its gain", "log cosh without 1/beta",
            "visible Lagrangian in place of its Legendre transform"))
def tanh_and_quadratic_layers_are_the_graded_hebbian_network(f, v, h, X, beta, visible, hidden):
    """With xi = tanh(beta v): v' = W xi, and E is the graded energy of xi, W = hebbian(X)."""
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    xi, W = np.tanh(beta * v), f.exact(hebbian, X)
    yield equal(f.lagrangian.update(v, X, **how), xi @ W.T, "update")
    yield equal(f.lagrangian.reduced_energy(v, X, **how), f.exact(graded.energy, xi, W, beta=beta),
                "energy")


# -- energies -------------------------------------------------------------------------------------

@law("lagrangian.energy", "lagrangian.reduced_energy", id="DA-4", over=layers(),
     kills=("hidden term left out", "synaptic term halved", "log cosh without 1/beta"))
def hidden_neurons_at_rest_leave_the_reduced_energy(f, v, h, X, beta, visible, hidden):
    """E(v, X g(v)) is the reduced energy of v."""
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    at_rest = X @ GRADIENT[visible](v, beta)
    yield equal(f.lagrangian.energy(v, at_rest, X, **how), f.lagrangian.reduced_energy(v, X, **how))


@law("lagrangian.energy", id="DA-4", over=layers(),
     kills=("synaptic term halved", "visible term with the wrong sign"))
def a_visible_update_lowers_the_energy_by_a_bregman_divergence(f, v, h, X, beta, visible, hidden):
    """E(v', h) - E(v, h) = -(L(v') - L(v) - (v' - v).g(v)) <= 0 at v' = X^T f(h)."""
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    new = GRADIENT[hidden](h, beta) @ X
    own = L[visible]
    paid = own(new, beta) - own(v, beta) - np.sum((new - v) * GRADIENT[visible](v, beta))
    change = f(new, h, X, **how) - f(v, h, X, **how)
    yield equal(change, -paid)
    yield at_most(change, 0.0)


@law("lagrangian.update", "lagrangian.reduced_energy", id="DA-4", over=layers(),
     kills=("hidden softmax not normalised", "field with the wrong sign"))
def fast_hidden_neurons_never_raise_the_reduced_energy(f, v, h, X, beta, visible, hidden):
    """E(v') <= E(v) for every convex Lagrangian."""
    how = {"visible": visible, "hidden": hidden, "beta": beta}
    new, E = f.lagrangian.update(v, X, **how), f.lagrangian.reduced_energy
    yield at_most(E(new, X, **how), E(v, X, **how))


# -- the catalogue of Lagrangians -----------------------------------------------------------------

@composed
def neurons(draw):
    """Two rows of neurons, the name of a Lagrangian and its options."""
    d = draw(integers(1, 5))
    return {"x": draw(arrays(2, d, elements=eighths)), "layer": draw(sampled(NAMES)),
            "beta": draw(sampled([0.25, 1.0, 3.0])), "n": draw(integers(2, 4)),
            "gain": draw(sampled([0.5, 2.0])), "eps": draw(sampled([0.0, 0.25, 1.0]))}


def length(x, c, eps):
    """sqrt(|x|^2/c + eps) of each row."""
    return np.sqrt(np.sum(x * x, axis=-1, keepdims=True) / c + eps)


def defined(x, layer, beta, n, gain, eps):
    """L and g, row by row, as they are printed."""
    u, positive = beta * x, np.where(x > 0, x, 0.0)
    v, d = beta * positive, x.shape[-1]
    zero = np.concatenate([x, 0 * x[..., :1]], axis=-1)
    centred = x - np.sum(x, axis=-1, keepdims=True) / d
    if layer in ("layer_norm", "spherical"):
        x, c = (centred, d) if layer == "layer_norm" else (x, 1)
        s = length(x, c, eps)
        return c * gain * s[..., 0], gain * x / s
    if layer in ("softmax", "ghostmax"):
        x = zero if layer == "ghostmax" else x
        top = np.max(x, axis=-1, keepdims=True)
        e = np.exp(beta * (x - top))
        total = np.sum(e, axis=-1, keepdims=True)
        return (top + np.log(total) / beta)[..., 0], (e / total)[..., :d]
    power = 1.0
    for _ in range(n - 1):
        power = power * positive
    parts, g = {
        "quadratic": lambda: (x * x / 2, x),
        "repu": lambda: (power * positive / n, power),
        "exponential": lambda: (np.exp(u) / beta, np.exp(u)),
        "rectified_exponential": lambda: ((np.exp(v) - 1 - v) / beta, np.exp(v) - 1),
        "tanh": lambda: (np.log((np.exp(u) + np.exp(-u)) / 2) / beta, np.tanh(u)),
        "sigmoid": lambda: (np.log(1 + np.exp(u)) / beta, 1 / (1 + np.exp(-u))),
    }[layer]()
    return np.sum(parts, axis=-1), g


OF_LAYERS = ("lagrangian.potential", "lagrangian.output", "lagrangian.legendre")


@law(*OF_LAYERS, id="LG-1, LG-2", over=neurons(),
     kills=("beta applied twice", "L in place of x.g - L", "degree ignored", "eps ignored",
            "gain ignored", "norms of neurons that are not centred", "L without 1/beta",
            "the zero of ghostmax left out", "output of another sign"))
def a_layer_is_its_lagrangian_the_slope_and_their_transform(f, x, layer, **options):
    """L, g and x.g - L, as they are printed."""
    L, g = defined(x, layer, **options)
    yield equal(f.lagrangian.potential(x, layer=layer, **options), L, "L")
    yield equal(f.lagrangian.output(x, layer=layer, **options), g, "g")
    yield equal(f.lagrangian.legendre(x, layer=layer, **options),
                np.sum(x * g, axis=-1) - L, "transform")


@law("lagrangian.potential", "lagrangian.output", id="LG-1", over=neurons(),
     kills=("output of another sign", "L without 1/beta", "beta applied twice"))
def a_lagrangian_is_above_its_tangents(f, x, layer, **options):
    """L(y) >= L(x) + g(x).(y - x), for every pair of rows."""
    L = f.lagrangian.potential(x, layer=layer, **options)
    g = f.lagrangian.output(x, layer=layer, **options)
    step = x - x[:, None]                               # from row i to row j
    yield at_most(L[:, None] + np.sum(g[:, None] * step, axis=-1), L)

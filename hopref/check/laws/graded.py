"""Laws of the continuous classical network."""
import numpy as np

from hopref.check.cases.networks import CURVATURE, analog, visits
from hopref.check.cases.problems import thresholded
from hopref.check.laws import at_most, equal, law, toleranced
from hopref.check.laws.classical import along
from hopref.check.laws.modern import kept
from hopref.models import classical, graded

F = {"tanh": np.tanh, "sigmoid": lambda a: 1 / (1 + np.exp(-a)), "identity": lambda a: a}
POTENTIAL = {   # the integral of f from the place where f is 0, in a form that cannot overflow
    "tanh": lambda a: abs(a) + np.log1p(np.exp(-2 * abs(a))) - np.log(np.longdouble(2)),
    "sigmoid": lambda a: np.maximum(a, 0.0) + np.log1p(np.exp(-abs(a))),
    "identity": lambda a: a * a / 2}


def integrals(f, xi, **how):
    """sum_i leak_i G(xi_i) / beta, which is the energy without weights."""
    return f.graded.energy(xi, np.zeros((xi.shape[-1],) * 2), **how)


# -- identities -----------------------------------------------------------------------------------

@law("graded.update", id="CC-2", over=analog(leaks=True),
     kills=("beta ignored", "beta applied twice", "threshold with the wrong sign", "leak left out",
            "threshold outside the gain", "field with the wrong sign", "sigmoid in place of tanh",
            "resistance in place of the conductance"))
def the_new_state_is_the_activation_of_the_field(f, xi, W, b, activation, beta, leak):
    """xi' = f(beta (W xi - b) / leak)."""
    want = F[activation](beta * (xi @ W.T - b) / leak)
    yield equal(f(xi, W, b, activation=activation, beta=beta, leak=leak), want)


@law("graded.update", id="CC-2", kills=("beta applied twice", "beta ignored"))
def the_gain_may_move_into_the_weights(f, xi, W, b=0.0, *, beta=1.0, **options):
    """f(W/2, b/2; 2 beta) = f(W, b; beta)."""
    yield equal(f(xi, W / 2, b / 2 if np.ndim(b) else b, beta=2 * beta, **options),
                f(xi, W, b, beta=beta, **options))


@law("graded.energy", id="CC-1", kills=("beta ignored", "beta times the integral"))
def the_gain_scales_the_energy(f, xi, W, b=0.0, *, beta=1.0, **options):
    """E(2 W, 2 b; beta/2) = 2 E(W, b; beta)."""
    yield equal(f(xi, 2 * W, 2 * b, beta=beta / 2, **options),
                2 * f(xi, W, b, beta=beta, **options))


@law("graded.energy", "graded.two_step_energy", id="CC-1", over=analog(leaks=True),
     kills=("leak left out", "resistance in place of the conductance"))
def each_site_pays_its_own_leak(f, xi, W, b, activation, beta, leak):
    """E(leak) - E(1) = sum_i (leak_i - 1) G(xi_i) / beta, and L(xi, xi) = 2 E(xi)."""
    how = {"activation": activation, "beta": beta}
    sites = [integrals(f, xi[:, i:i + 1], **how) for i in range(xi.shape[-1])]
    E = f.graded.energy(xi, W, b, leak=leak, **how)
    yield equal(E, f.graded.energy(xi, W, b, **how)
                + along(np.stack(sites, axis=-1), leak - 1), "energy")
    yield equal(f.graded.two_step_energy(xi, xi, W, b, leak=leak, **how), 2 * E, "two steps")


@law("graded.energy", id="CC-6", over=analog(activations=("tanh", "sigmoid"), leaks=True),
     kills=("beta times the integral", "threshold with the wrong sign"))
def at_high_gain_the_energy_is_classical_for_any_leak(f, xi, W, b, activation, beta, leak):
    """0 <= E - E_classical <= ln 2 sum_i leak_i / beta for tanh, and the negative for the sigmoid.
    """
    high = 2.0**12 * beta
    left = f(xi, W, b, activation=activation, beta=high, leak=leak) \
        - f.exact(classical.energy, xi, W, b)
    left = left if activation == "tanh" else -left
    yield at_most(0.0, left)
    yield at_most(left, np.log(np.longdouble(2)) * np.sum(leak) / high)


@law("graded.energy", id="CC-1", kills=("energy without the half of the quadratic term",
                                        "threshold with the wrong sign"))
def without_its_integral_it_is_the_classical_energy(f, xi, W, b=0.0, **options):
    """E(W, b) - E(0, 0) is the classical energy."""
    bare = f(xi, 0 * W, **options)
    yield equal(f(xi, W, b, **options) - bare, f.exact(classical.energy, xi, W, b))


@law("graded.update", "graded.energy", id="CC-2", over=analog(leaks=True),
     kills=("beta ignored", "beta applied twice", "beta times the integral", "leak left out",
            "integral of f in place of that of its inverse", "threshold with the wrong sign"))
def the_new_state_minimises_the_convexified_energy(f, xi, W, b, activation, beta, leak):
    """CCCP: leak G(y)/beta - h y is minimal at y = xi', where it is -leak F(beta h/leak)/beta,
    F' = f, at each site."""
    how = {"activation": activation, "beta": beta, "leak": leak}
    h = xi @ W.T - b
    least = -along(leak, POTENTIAL[activation](beta * h / leak)) / beta
    new = f.graded.update(xi, W, b, **how)
    yield equal(integrals(f, new, **how) - along(h, new), least)
    for y in (xi, f.machine(new / 2)):
        yield at_most(least, integrals(f, y, **how) - along(h, y))


@law("graded.two_step_energy", id="CC-3", kills=("only one of the two states",
                                                 "bilinear term halved",
                                                 "integral of one state only"))
def the_graded_two_step_energy_is_symmetric(f, xi, previous, W, b=0.0, **options):
    """L(xi, previous) = L(previous, xi), and L(xi, xi) = 2 E(xi)."""
    yield equal(f(xi, previous, W, b, **options), f(previous, xi, W, b, **options), "symmetric")
    yield equal(f(xi, xi, W, b, **options), 2 * f.exact(graded.energy, xi, W, b, **options),
                "twice the energy")


# -- descent --------------------------------------------------------------------------------------

@law("graded.update", "graded.energy", id="CC-2", over=analog(descends=True, leaks=True),
     kills=("beta ignored", "beta applied twice", "threshold with the wrong sign",
            "field with the wrong sign"))
def synchronous_updates_lower_the_energy_if_the_weights_are_not_too_negative(
        f, xi, W, b, activation, beta, leak):
    """E - E' >= D.(W + c leak/beta) D / 2, which is >= 0 for W >= -c min(leak)/beta; G'' >= c."""
    how = {"activation": activation, "beta": beta, "leak": leak}
    new, E = f.graded.update(xi, W, b, **how), f.graded.energy
    step = new - xi
    least = along(step @ W, step) / 2 + CURVATURE[activation] / beta * along(leak * step, step) / 2
    yield at_most(least, E(xi, W, b, **how) - E(new, W, b, **how))


@law("graded.asynchronous_update", "graded.energy", id="CC-4", over=visits(analog(descends=True)),
     kills=("beta applied twice", "threshold with the wrong sign"))
def one_site_lowers_the_energy_by_its_own_weight_and_a_bregman_divergence(
        f, xi, W, b, activation, beta, order):
    """E - E' >= (w_ii + c/beta) delta^2 / 2 where G'' >= c."""
    how, i = {"activation": activation, "beta": beta}, order[0]
    new, E = f.graded.asynchronous_update(xi, W, b, order=order[:1], **how), f.graded.energy
    step = (new - xi)[:, i]
    least = (W[i, i] + CURVATURE[activation] / beta) * step * step / 2
    yield at_most(least, E(xi, W, b, **how) - E(new, W, b, **how))


@law("graded.two_step_energy", "graded.update", id="CC-3", over=analog(leaks=True),
     kills=("bilinear term halved", "integral of one state only", "beta ignored",
            "field with the wrong sign", "leak left out"))
def synchronous_updates_never_raise_the_graded_two_step_energy(
        f, xi, W, b, activation, beta, leak):
    """L(t+1) - L(t) = G(xi(t+1)) - G(xi(t-1)) - h(t).(xi(t+1) - xi(t-1)) <= 0, any symmetric W."""
    how = {"activation": activation, "beta": beta, "leak": leak}
    update, L = f.graded.update, f.graded.two_step_energy
    now = update(xi, W, b, **how)
    after = update(now, W, b, **how)
    rise = L(after, now, W, b, **how) - L(now, xi, W, b, **how)
    paid = integrals(f, after, **how) - integrals(f, xi, **how)
    yield equal(rise, paid - along(now @ W.T - b, after - xi))
    yield at_most(rise, 0.0)


# -- one site at a time ---------------------------------------------------------------------------

@law("graded.asynchronous_update", id="CC-4", over=visits(analog()),
     kills=("asynchronous sweep done synchronously", "last visit left out", "beta applied twice",
            "visits sorted by site"))
def each_visited_site_takes_the_activation_of_its_field_now(
        f, xi, W, b, activation, beta, order):
    """xi_i <- f(beta h_i(xi)) for i in order, each field that of the state so far."""
    want = xi
    for i in order:
        new = F[activation](beta * (want @ W[i] - b[i]))
        want = np.where(np.arange(xi.shape[-1]) == i, new[:, None], want)
    yield equal(f(xi, W, b, order=order, activation=activation, beta=beta), want)


# -- the flow -------------------------------------------------------------------------------------

@law("graded.flow", id="CC-5",
     kills=("time constant ignored", "beta ignored", "velocity reversed", "no decay"))
def an_euler_step_of_tau_is_the_update(
        f, u, W, b=0.0, *, beta=1.0, tau=1.0, leak=1.0, activation="tanh"):
    """leak u + tau du/dt = W f(beta u) - b: with a leak of 1, u + tau du/dt is the field."""
    landed = F[activation](beta * u) @ W.T - b
    velocity = f(u, W, b, beta=beta, tau=tau, leak=leak, activation=activation)
    yield equal(leak * u + tau * velocity, landed)


@law("graded.flow", "graded.energy", id="CC-5",
     over=analog(activations=("tanh", "sigmoid"), leaks=True),
     kills=("velocity reversed", "no decay", "beta ignored", "leak left out"))
def along_the_flow_the_energy_falls_at_its_rate(f, xi, W, b, activation, beta, leak):
    """dE/dt = -tau beta sum f'(beta u_i) u'_i^2 <= 0, over a short step s of u.

    The rest is s^2/2 times d^2E/ds^2 <= beta (leak + beta |W| + beta |leak u - h|) |u'|^2, as |f'|,
    |f''| <= 1, and leak u - h = -tau u' changes little: twice is enough.
    """
    how, s = {"activation": activation, "beta": beta, "leak": leak}, 2.0**-20
    E, velocity = f.graded.energy, f.graded.flow(xi, W, b, **how)
    v = f.machine(velocity)
    here, there = F[activation](beta * xi), F[activation](beta * (xi + s * v))
    slope = 1 - here * here if activation == "tanh" else here * (1 - here)
    size = np.sum(np.abs(W.value)) + np.max(np.abs(v.value))
    rest = s**2 * beta * (np.max(leak.value) + beta * size) * along(v.value, v.value)
    fall = -s * beta * along(slope * velocity, v)
    yield equal(E(there, W, b, **how) - E(here, W, b, **how),
                toleranced(fall.value, fall.radius + rest.astype(float)))


# -- symmetries and limits ------------------------------------------------------------------------

@law("graded.update", id="CC-6", over=analog(), kills=("last neuron never updated",))
def relabelling_sites_relabels_the_answer_and_a_batch_is_its_rows(f, xi, W, b, activation, beta):
    """f(xi P, P^T W P, P b) = f(xi, W, b) P, and row i of the result is that of row i."""
    how, turn = {"activation": activation, "beta": beta}, np.arange(len(b))[::-1]
    new = f(xi, W, b, **how)
    yield equal(f(xi[:, turn], W[turn][:, turn], b[turn], **how)[:, turn], new, "permuted")
    for i in range(len(xi)):
        yield equal(f(xi[i], W, b, **how), new[i], "a row")


@law("graded.update", "graded.energy", id="CC-6", over=analog(activations=("tanh", "identity")),
     kills=("sigmoid in place of tanh",))
def without_a_threshold_an_odd_network_is_odd(f, xi, W, b, activation, beta):
    """f(-xi) = -f(xi), and E(-xi) = E(xi), for b = 0."""
    how = {"activation": activation, "beta": beta}
    yield equal(f.graded.update(-xi, W, **how), -f.graded.update(xi, W, **how))
    yield equal(f.graded.energy(-xi, W, **how), f.graded.energy(xi, W, **how))


@law("graded.update", id="CC-6", over=analog(activations=("tanh", "sigmoid")),
     kills=("beta ignored", "field with the wrong sign", "threshold with the wrong sign"))
def at_infinite_gain_sites_take_the_sign_of_their_field(f, xi, W, b, activation, beta):
    """Fields are multiples of 1/64; at gain 2^12 a non-zero one is at least 64: f is its limit up
    to exp(-64), of 1 / (1 + exp(-64)); tanh is nearer."""
    h, low = (xi @ W.T - b).value, {"tanh": -1.0, "sigmoid": 0.0}[activation]
    want = np.where(h == 0, (1 + low) / 2, np.where(h > 0, 1.0, low))
    got = f(xi, W, b, activation=activation, beta=2.0**12)
    yield equal(got, toleranced(want, np.exp(-64.0)))


@law("graded.update", id="CC-6", over=analog(activations=("tanh",)),
     kills=("beta ignored",))
def below_unit_gain_every_state_decays_to_the_origin(f, xi, W, b, activation, beta):
    """|tanh'| <= 1: with b = 0 a step contracts by beta |W|, here made 1/2 in the maximum norm."""
    strongest = float(np.max(np.sum(np.abs(W.value), axis=-1)))
    new = f(xi, W, beta=0.5 / 2.0 ** int(np.ceil(np.log2(max(1 / 16, strongest)))))
    yield at_most(np.max(np.abs(new), axis=-1), np.max(np.abs(xi), axis=-1) / 2)


# -- thresholded patterns, eq. (20) ---------------------------------------------------------------

@law("graded.thresholded_update", id="CC-7", over=thresholded(),
     kills=("theta itself dropped", "threshold on the wrong side", "state compared whole",
            "thresholded patterns in the outer product too"))
def only_what_lies_beyond_theta_is_compared_and_theta_itself_is_kept(
        f, xi, X, beta, theta, side):
    """xi' = f(beta X^T S(X) S(xi)), S_theta with the components beyond theta set to 0."""
    z = kept(xi, theta, side) @ kept(X, theta, side).T
    for activation in ("identity", "tanh"):
        how = {"theta": theta, "side": side, "activation": activation, "beta": beta}
        want = F[activation](beta * (z @ X))
        yield equal(f(xi, X, **how), want, activation)

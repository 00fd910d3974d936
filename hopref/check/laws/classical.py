"""Laws of the classical network and of its storage."""
import numpy as np

from hopref.check.laws import at_most, equal, law
from hopref.models import classical

RULES = ("classical.update", "classical.low_rank_update", "classical.asynchronous_update",
         "classical.low_rank_asynchronous_update", "classical.greedy_update")
SWEEPS = ("classical.asynchronous_update", "classical.low_rank_asynchronous_update")


@law(*RULES, id="CB-2", kills=("sign(0) = 0",))
def states_keep_their_alphabet(f, xi, *memory, states="polar", **options):
    """A new state consists of -1 and 1 (polar) or of 0 and 1 (binary)."""
    new, low = f(xi, *memory, states=states, **options).value, -1.0 if states == "polar" else 0.0
    yield equal(np.where(new > (1 + low) / 2, 1.0, low), new)


@law("classical.update", id="CB-2", kills=("threshold with the wrong sign",))
def a_new_state_agrees_with_its_field(f, xi, W, b=0.0, **options):
    """No component of the new state is opposed to its field."""
    h = f.exact(classical.field, xi, W, b)
    new = f(xi, W, b, **options)
    low = -1.0 if options.get("states", "polar") == "polar" else 0.0
    yield equal(np.where(h > 0, 1.0, np.where(h < 0, low, new)), new)


@law(*SWEEPS, id="CB-4", kills=("asynchronous sweep done synchronously",))
def sites_are_visited_one_after_another(f, xi, *memory, order, **options):
    """Visiting sites in one call is visiting them call by call."""
    new = xi
    for site in order:
        new = f.machine(f(new, *memory, order=np.array([site]), **options))
    whole = f(xi, *memory, order=order, **options)
    if np.all(whole.radius == 0):
        yield equal(whole, new)


@law(*SWEEPS, id="CB-4", kills=("order ignored",))
def sites_left_out_keep_their_value(f, xi, *memory, order, **options):
    """Only the sites of the order change."""
    away = ~np.isin(np.arange(xi.shape[-1]), order)
    yield equal(f(xi, *memory, order=order, **options)[..., away], xi[..., away])


@law("classical.asynchronous_update", id="CB-4", kills=("asynchronous sweep done synchronously",))
def a_sweep_never_raises_the_energy(f, xi, W, b=0.0, *, order, **options):
    """E(xi') <= E(xi) for symmetric W with a diagonal >= 0, here 0."""
    W = W * (1 - np.eye(W.shape[0]))
    new = f(xi, W, b, order=order, **options)
    if not np.any(new.radius):
        lower, upper = (f.exact(classical.energy, x, W, b) for x in (f.machine(new), xi))
        yield at_most(lower, upper)


@law("classical.energy", id="CB-4", kills=("energy without the half of the quadratic term",
                                           "threshold with the wrong sign"))
def a_flip_changes_the_energy_by_its_field(f, xi, W, b=0.0):
    """E(xi + D e_i) - E(xi) = -D h_i - w_ii D^2 / 2, here for D = -2 xi_i."""
    flipped = np.concatenate([-xi[..., :1], xi[..., 1:]], axis=-1)
    h = f.exact(classical.field, xi, W, b)[..., 0]
    change = -2 * xi[..., 0]
    yield equal(f(flipped, W, b) - f(xi, W, b), -change * h - W[0, 0] * change * change / 2)


@law("classical.two_step_energy", id="CB-6", kills=("only one of the two states",))
def two_steps_may_change_places(f, xi, previous, W, b=0.0):
    """L(xi, previous) = L(previous, xi), and L(xi, xi) = 2 E(xi)."""
    yield equal(f(xi, previous, W, b), f(previous, xi, W, b), "symmetric")
    yield equal(f(xi, xi, W, b), 2 * f.exact(classical.energy, xi, W, b), "twice the energy")


@law("storage.hebbian", id="CB-1", kills=("patterns normalised on the way",))
def storage_is_additive(f, X, **options):
    """hebbian of all patterns is the sum of hebbian of each."""
    if X.shape[0] > 1:
        yield equal(f(X, **options), f(X[:1], **options) + f(X[1:], **options))


@law("storage.hebbian", id="CB-1", kills=("diagonal not as asked",))
def the_diagonal_is_as_asked(f, X, **options):
    """zero_diagonal=True has a diagonal of 0 and nothing else changed."""
    options = {k: v for k, v in options.items() if k != "zero_diagonal"}
    kept, gone = f(X, **options), f(X, zero_diagonal=True, **options)
    off = ~np.eye(X.shape[1], dtype=bool)
    yield equal(gone, np.where(off, kept, 0.0))

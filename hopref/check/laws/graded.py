"""Laws of the continuous classical network."""
import numpy as np

from hopref.check.laws import equal, law
from hopref.models import classical, graded


@law("graded.update", id="CC-2", kills=("beta applied twice", "beta ignored"))
def the_gain_may_move_into_the_weights(f, xi, W, b=0.0, *, beta=1.0, **options):
    """f(W/2, b/2; 2 beta) = f(W, b; beta)."""
    yield equal(f(xi, W / 2, b / 2 if np.ndim(b) else b, beta=2 * beta, **options),
                f(xi, W, b, beta=beta, **options))


@law("graded.energy", id="CC-1", kills=("beta ignored", "activation without its gain"))
def the_gain_scales_the_energy(f, xi, W, b=0.0, *, beta=1.0, **options):
    """E(2 W, 2 b; beta/2) = 2 E(W, b; beta)."""
    yield equal(f(xi, 2 * W, 2 * b, beta=beta / 2, **options),
                2 * f(xi, W, b, beta=beta, **options))


@law("graded.energy", id="CC-1", kills=("energy without the half of the quadratic term",
                                        "threshold with the wrong sign"))
def without_its_integral_it_is_the_classical_energy(f, xi, W, b=0.0, **options):
    """E(W, b) - E(0, 0) is the classical energy."""
    bare = f(xi, 0 * W, **options)
    yield equal(f(xi, W, b, **options) - bare, f.exact(classical.energy, xi, W, b))


@law("graded.flow", id="CC-5",
     kills=("time constant ignored", "gain beta missing inside the activation"))
def an_euler_step_of_tau_is_the_update(f, u, W, b=0.0, *, beta=1.0, tau=1.0, **options):
    """u + tau du/dt = W f(beta u) - b."""
    activation = f.op.domains["activation"].resolve(options.get("activation", "tanh"))
    landed = activation.f(beta * u) @ W.T - b
    yield equal(u + tau * f(u, W, b, beta=beta, tau=tau, **options), landed)


@law("graded.two_step_energy", id="CC-3", kills=("only one of the two states",))
def two_graded_steps_may_change_places(f, xi, previous, W, b=0.0, **options):
    """L(xi, previous) = L(previous, xi), and L(xi, xi) = 2 E(xi)."""
    yield equal(f(xi, previous, W, b, **options), f(previous, xi, W, b, **options), "symmetric")
    yield equal(f(xi, xi, W, b, **options), 2 * f.exact(graded.energy, xi, W, b, **options),
                "twice the energy")

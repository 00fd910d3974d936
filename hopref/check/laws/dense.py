"""Laws of dense and bidirectional memories, and of the learning rules beyond Hebb's."""
import numpy as np

from hopref.check.laws import equal, law
from hopref.models import bam, dense


@law("dense.energy", "storage.bam", id="DA-1", kills=("divided by the number of patterns",))
def every_pattern_adds_its_own_part(f, *arrays, **options):
    """What all patterns give is the sum of what each gives."""
    state, parts = (arrays[:1], arrays[1:]) if f.op.name == "dense.energy" else ((), arrays)
    if len(parts[0]) > 1:
        first, rest = [x[:1] for x in parts], [x[1:] for x in parts]
        both = f(*state, *first, **options) + f(*state, *rest, **options)
        yield equal(f(*arrays, **options), both)


@law("dense.update", id="DA-2", kills=("own part of the overlap not left out",))
def each_site_does_what_it_would_do_alone(f, xi, X, **options):
    """Site i of the new state is that of a visit of i alone."""
    new = f(xi, X, **options)
    for i in range(xi.shape[-1]):
        alone = f.exact(dense.asynchronous_update, xi, X, order=np.array([i]), **options)
        yield equal(new[..., i], alone[..., i])


@law("dense.asynchronous_update", id="DA-2", kills=("asynchronous sweep done synchronously",))
def dense_sites_are_visited_one_after_another(f, xi, X, *, order, **options):
    """Visiting sites in one call is visiting them call by call."""
    new = xi
    for site in order:
        new = f.machine(f(new, X, order=np.array([site]), **options))
    whole = f(xi, X, order=order, **options)
    if np.all(whole.radius == 0):
        yield equal(whole, new)


@law("bam.energy", id="CB-14", kills=("energy of pairs with a half",))
def an_answer_lowers_the_energy_by_what_it_heard(f, y, x, W):
    """E(y', x) - E(y, x) = -|y' - y| |W x| for y' = sgn(W x)."""
    new = f.machine(f.exact(bam.forward, y, x, W))
    heard = x @ W.T
    yield equal(f(new, x, W) - f(y, x, W), -np.sum((new - y) * heard, axis=-1))


@law("storage.willshaw", "storage.willshaw_pairs", id="CB-13", kills=("weights not clipped",))
def clipped_weights_are_0_or_1(f, *patterns):
    """Whatever is stored, however often."""
    W = f(*patterns)
    yield equal(W, np.where(W.value > 0.5, 1.0, 0.0))


@law("storage.projection", id="CB-10", kills=("inverse of the Gram matrix missing",))
def stored_patterns_are_projected_onto_themselves(f, X):
    """W x = x for every pattern."""
    yield equal(f(X) @ X.T, X.T)


@law("storage.storkey", id="CB-11", kills=("local fields missing",))
def the_first_pattern_is_learnt_by_hebb_and_the_next_through_its_field(f, X):
    """W of (x, x) is not twice W of x: h = W x enters."""
    d = X.shape[1]
    W = f(X[:1])
    off = 1.0 - np.eye(d)
    H = (W @ X[:1].T) - W * X[:1]
    change = X[:1].T * X[:1] - X[:1].T * H.T - H * X[:1]
    yield equal(f(np.concatenate([X[:1], X[:1]])), (W + change / d) * off)

"""Laws of the bidirectional memory.  Integers: they hold without rounding."""
import numpy as np

from hopref.check.cases.networks import associations
from hopref.check.laws import equal, holds, law
from hopref.models import classical


def joint(W):
    """The network of both layers, y first, without weights inside a layer."""
    e, d = W.shape
    rows = np.concatenate([np.zeros((e, e)), W.value], axis=1), \
        np.concatenate([W.value.T, np.zeros((d, d))], axis=1)
    return np.concatenate(rows)


@law("bam.energy", id="CB-14", over=associations(),
     kills=("energy of pairs with a half", "energy with the wrong sign"))
def a_bam_is_a_network_of_two_layers(f, y, x, W):
    """E(y, x) = -y W x is the energy of the state (y, x) with weights (0 W; W^T 0)."""
    both = np.concatenate([y, x])
    yield equal(f(y, x, W), f.exact(classical.energy, both, joint(W)))


@law("bam.forward", "bam.backward", id="CB-14", over=associations(),
     kills=("a tie always gives 1", "sign(0) = -1", "the old state in place of the cue",
            "the other tie rule", "field with the wrong sign"))
def a_layer_answers_as_its_sites_would_in_turn(f, y, x, W):
    """The update of a layer is that of each of its sites; with ties="plus" it is 1 at a tie."""
    both, e, weights = np.concatenate([y, x]), len(y), joint(W)
    for ties in ("keep", "plus"):
        visit = {"ties": ties}
        in_turn = f.exact(classical.asynchronous_update, both, weights, order=np.arange(e), **visit)
        yield equal(f.bam.forward(y, x, W, **visit), in_turn[:e], f"forward, {ties}")
        order = np.arange(e, len(both))
        in_turn = f.exact(classical.asynchronous_update, both, weights, order=order, **visit)
        yield equal(f.bam.backward(x, y, W, **visit), in_turn[e:], f"backward, {ties}")


@law("bam.forward", "bam.energy", id="CB-14", over=associations(),
     kills=("energy of pairs with a half", "field with the wrong sign",
            "energy with the wrong sign"))
def an_answer_lowers_the_energy_by_its_fields(f, y, x, W):
    """E(y', x) - E(y, x) = -sum_i |y'_i - y_i| |W x|_i for y' = sgn(W x)."""
    new, E = f.bam.forward(y, x, W), f.bam.energy
    yield equal(E(new, x, W) - E(y, x, W), -np.sum(np.abs(new - y) * np.abs(x @ W.T)))


@law("bam.forward", "bam.backward", id="CB-14", over=associations(),
     kills=("field with the wrong sign",))
def answering_in_turn_ends_in_a_pair_that_both_keep(f, y, x, W):
    """Every flip lowers the energy by 2 at least, and |E| <= sum |w_ij|."""
    for _ in range(int(np.sum(np.abs(W.value))) + 2):
        old, y = y, f.bam.forward(y, x, W)
        cue, x = x, f.bam.backward(x, y, W)
        kept = np.array_equal(old.value, y.value) and np.array_equal(cue.value, x.value)
        if kept:
            break
    yield holds(kept, "a pair that both keep")

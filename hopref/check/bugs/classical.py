"""Bugs of networks with weights: of classical ones, and those that graded and dense ones share."""
import numpy as np

from hopref.check.bugs import bug, run, wrong_argument, wrong_call
from hopref.dispatch.operation import load
from hopref.models import classical
from hopref.storage import hebbian, hebbian_field

__all__ = []

SIGNS = ("classical.update", "classical.low_rank_update")
SWEEPS = ("classical.asynchronous_update", "classical.low_rank_asynchronous_update")
IN_ORDER = (*SWEEPS, "classical.glauber_update", "graded.asynchronous_update",
            "dense.asynchronous_update")
LOW = {"polar": -1.0, "binary": 0.0}


def field_of(op, given):
    if "W" in given:
        return classical.field.formula(given["xi"], given["W"], given["b"])
    h = hebbian_field(given["xi"], given["X"], given["scale"], given["zero_diagonal"])
    return h - given["b"]


def kept(h, xi, low=-1.0):
    return np.where(h > 0, 1.0, np.where(h < 0, low, xi))


# -- fields and energies --------------------------------------------------------------------------

@wrong_call("energy without the half of the quadratic term", "classical.energy", "graded.energy")
def quadratic_energy_without_the_half(op, given):
    return run(op, given) - np.sum((given["xi"] @ given["W"].T) * given["xi"], axis=-1) / 2


@wrong_call("threshold with the wrong sign", "classical.energy", "classical.field",
            "graded.update", "graded.asynchronous_update", "graded.energy", *SIGNS, *SWEEPS)
def threshold_with_the_wrong_sign(op, given):
    return run(op, given | {"b": -1.0 * given["b"]})


@wrong_call("W transposed", "classical.field", "classical.update", "classical.greedy_update",
            "classical.asynchronous_update", "classical.glauber_update", "classical.winners_update",
            "classical.willshaw_update", "graded.update", "graded.asynchronous_update",
            "graded.flow", "bam.forward", "bam.backward", "layers.read_out")
def transposed(op, given):
    return run(op, given | {"W": np.swapaxes(given["W"], -1, -2)})


@wrong_call("field with the wrong sign", "graded.update", "bam.forward", "bam.backward",
            "classical.glauber_update", "lagrangian.update")
def field_with_the_wrong_sign(op, given):
    if op.name == "lagrangian.update":
        return -run(op, given)
    b = {"b": -1.0 * given["b"]} if "b" in given else {}
    return run(op, given | {"W": -given["W"]} | b)


@wrong_call("diagonal of W left out", "classical.energy")
def diagonal_left_out(op, given):
    return run(op, given | {"W": given["W"] - np.diag(np.diag(given["W"]))})


@wrong_call("only one of the two states", "classical.two_step_energy", "graded.two_step_energy")
def only_one_of_the_two_states(op, given):
    return run(op, given | {"previous": given["xi"]})


@wrong_call("bilinear term halved", "classical.two_step_energy", "graded.two_step_energy")
def bilinear_term_halved(op, given):
    return run(op, given | {"W": given["W"] / 2})


@bug("threshold of one state only", "classical.two_step_energy")
def threshold_of_one_state(xi, previous, W, b=0.0, /):
    return np.sum(b * xi - (previous @ W.T) * xi, axis=-1)


# -- ties and values ------------------------------------------------------------------------------

@wrong_call("sign(0) = 0", *SIGNS)
def sign_of_zero(op, given):
    return np.where(field_of(op, given) == 0, 0.0, run(op, given | {"ties": "plus"}))


@wrong_call("sign(0) = -1", *SIGNS)
def sign_of_zero_is_low(op, given):
    return np.where(field_of(op, given) > 0, 1.0, LOW[given["states"]])


@bug("sign(0) = -1", "bam.backward")
def answer_of_zero_is_low(x, y, W, /, *, ties="keep"):
    return np.where(y @ W > 0, 1.0, -1.0)


@wrong_call("the other tie rule", *SIGNS, *SWEEPS, "classical.greedy_update", "bam.forward",
            "bam.backward")
def the_other_tie_rule(op, given):
    return run(op, given | {"ties": {"keep": "plus", "plus": "keep"}[given["ties"]]})


@wrong_call("a tie changes the state", *SIGNS)
def a_tie_changes_the_state(op, given):
    low = LOW[given["states"]]
    h = field_of(op, given)
    return kept(h, np.where(given["xi"] == 1, low, 1.0) if given["ties"] == "keep" else 1.0, low)


@bug("a field below 1e-15 taken for a tie", "classical.update")
def a_small_field_is_a_tie(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    h = xi @ W.T - b
    return kept(np.where(np.abs(h) < 1e-15, 0.0, h), xi if ties == "keep" else 1.0, LOW[states])


@wrong_call("states written as -1 and 1 whatever they are", *SIGNS, *SWEEPS,
            "classical.glauber_update")
def always_polar(op, given):
    if given["states"] == "polar":
        return None
    new = run(op, given)
    visited = np.isin(np.arange(new.shape[-1]), given.get("order", np.arange(new.shape[-1])))
    if "uniforms" not in given:         # a tie keeps the 0 that it finds
        visited = visited & ((field_of(op, given) != 0) | (new != given["xi"]))
    return np.where(visited & (new == 0), -1.0, new)


# -- all sites at once ----------------------------------------------------------------------------

@wrong_call("last neuron never updated", *SIGNS, *SWEEPS, "graded.update")
def last_neuron_never_updated(op, given):
    new = np.array(run(op, given))
    new[..., -1] = given["xi"][..., -1]
    return new


@wrong_call("first half of the sites updated before the second", "classical.update")
def updated_by_halves(op, given):
    first = np.arange(given["xi"].shape[-1]) < given["xi"].shape[-1] // 2
    half = np.where(first, run(op, given), given["xi"])
    return np.where(first, half, run(op, given | {"xi": half}))


@bug("one field for the whole batch", "classical.update")
def one_field_for_the_batch(xi, W, b=0.0, /, *, ties="keep", states="polar"):
    h = xi @ W.T - b
    if h.ndim < 2 or not h.size:
        return None
    first = h.reshape(-1, h.shape[-1])[0] + 0 * h
    return kept(first, xi if ties == "keep" else 1.0, LOW[states])


@bug("the number of patterns taken off the diagonal", "classical.low_rank_update")
def number_taken_off_the_diagonal(xi, X, b=0.0, /, *, scale=1.0, zero_diagonal=False, ties="keep",
                                  states="polar"):
    if not zero_diagonal:
        return None
    W = scale * (X.T @ X - len(X) * np.eye(X.shape[1]))
    return classical.update.formula(xi, W, b, ties=ties, states=states)


@wrong_call("the own part subtracted from what it has swamped", "classical.low_rank_update",
            "classical.low_rank_energy")
def own_part_subtracted(op, given):
    if not given["zero_diagonal"]:
        return None
    xi, X = (np.asarray(given[k], dtype=float) for k in ("xi", "X"))
    h = given["scale"] * ((xi @ X.T) @ X - np.sum(X * X, axis=0) * xi)
    if op.name == "classical.low_rank_energy":
        return np.sum((given["b"] - h / 2) * xi, axis=-1)
    return kept(h - given["b"], xi if given["ties"] == "keep" else 1.0, LOW[given["states"]])


@bug("rounded weights in place of a scaled field", "classical.low_rank_update")
def rounded_weights(xi, X, b=0.0, /, *, scale=1.0, zero_diagonal=False, ties="keep",
                    states="polar"):
    X = np.asarray(X, dtype=float)
    W = hebbian.formula(X, scale=scale, zero_diagonal=zero_diagonal)
    return classical.update.formula(xi, W, b, ties=ties, states=states)


# -- one site at a time ---------------------------------------------------------------------------

@wrong_call("asynchronous sweep done synchronously", *SWEEPS, "graded.asynchronous_update",
            "dense.asynchronous_update")
def sweep_done_synchronously(op, given):
    once = {k: v for k, v in given.items() if k != "order"}
    rule = load()[op.name.replace("asynchronous_", "")]
    visited = np.isin(np.arange(given["xi"].shape[-1]), given["order"])
    return np.where(visited, run(rule, once), given["xi"])


@wrong_call("order ignored", *SWEEPS)
def order_ignored(op, given):
    return run(op, given | {"order": np.arange(given["xi"].shape[-1])})


@wrong_call("visits sorted by site", *IN_ORDER)
def visits_sorted(op, given):
    return run(op, given | {"order": np.sort(given["order"])})


@wrong_call("last visit left out", *SWEEPS, "graded.asynchronous_update",
            "dense.asynchronous_update")
def last_visit_left_out(op, given):
    return run(op, given | {"order": np.asarray(given["order"])[:-1]})


# -- one site of all ------------------------------------------------------------------------------

def largest(urge):
    """Where the first largest entry of each row is, if it is above 0."""
    first = np.argmax(urge, axis=-1)[..., None] == np.arange(urge.shape[-1])
    return first & (urge > 0)


@wrong_call("the largest field of all, stable or not", "classical.greedy_update")
def greedy_by_all_fields(op, given):
    new = run(classical.update, given)
    return np.where(largest(np.abs(field_of(op, given))), new, given["xi"])


@wrong_call("the least unstable site flipped", "classical.greedy_update")
def greedy_by_the_smallest_field(op, given):
    new, h = run(classical.update, given), np.abs(field_of(op, given))
    urge = np.where((new != given["xi"]) & (h > 0), 1 / np.where(h > 0, h, 1.0), 0.0)
    return np.where(largest(urge), new, given["xi"])


@wrong_call("every unstable site flipped", "classical.greedy_update")
def greedy_flips_all(op, given):
    return run(classical.update, given)


# -- sparse binary states -------------------------------------------------------------------------

@bug("threshold exceeded strictly", "classical.willshaw_update")
def threshold_exceeded_strictly(x, W, /):
    return 1.0 * (x @ W.T > np.sum(x, axis=-1, keepdims=True))


@bug("threshold of three active units", "classical.willshaw_update")
def fixed_threshold(x, W, /):
    return 1.0 * (x @ W.T >= 3)


@bug("half of the cue suffices", "classical.willshaw_update")
def half_of_the_cue(x, W, /):
    return 1.0 * (x @ W.T >= np.sum(x, axis=-1, keepdims=True) / 2)


def winners(h, k):
    rank = np.argsort(np.argsort(-h, axis=-1, kind="stable"), axis=-1, kind="stable")
    return 1.0 * (rank < k)


@wrong_call("of equal fields the last win", "classical.winners_update")
def last_of_equal_fields(op, given):
    return winners(field_of(op, given)[..., ::-1], given["k"])[..., ::-1]


@wrong_call("all fields as large as the k-th win", "classical.winners_update")
def all_as_large_as_the_kth(op, given):
    h = field_of(op, given)
    return 1.0 * (h >= np.sort(h, axis=-1)[..., -given["k"], None])


@wrong_call("the smallest fields win", "classical.winners_update")
def smallest_fields_win(op, given):
    return winners(-field_of(op, given), given["k"])


@wrong_call("k winners for the whole batch", "classical.winners_update")
def winners_of_the_batch(op, given):
    h = field_of(op, given)
    return winners(h.reshape(-1), given["k"]).reshape(h.shape)


REGISTERED = [
    wrong_argument("threshold ignored", "classical.update", "classical.glauber_update",
                   "classical.winners_update", b=0.0),
    wrong_argument("a tie always gives 1", *SIGNS, *SWEEPS, "bam.forward", "bam.backward",
                   ties="plus"),
    wrong_argument("scale ignored", "classical.low_rank_update", "classical.low_rank_energy",
                   "classical.low_rank_asynchronous_update", scale=1.0),
    wrong_argument("zero_diagonal ignored", "storage.hebbian", "storage.covariance",
                   "classical.low_rank_update", "classical.low_rank_energy",
                   "classical.low_rank_asynchronous_update", zero_diagonal=False),
]

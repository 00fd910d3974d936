"""Bugs of gated linear attention: the order of a step, gates, strengths, memories, chunks."""
import numpy as np

from hopref import maps
from hopref.check.bugs import estimated, named, run, wrong_argument, wrong_call

__all__ = []

OP = "gated.linear_attention"


def full(given):
    """Logs of the decays (..., l, d), strengths (..., l, 1), and the memory in full size."""
    K, V = given["K"], given["V"]
    zeros = np.zeros(K.shape[:-1], K.dtype)
    gates = (given["log_decay"] + zeros)[..., None] + given["log_gates"] + 0 * K
    S = given["S"] + np.zeros((*K.shape[:-2], K.shape[-1], V.shape[-1]), K.dtype)
    return gates, (given["beta"] + zeros)[..., None], S


def token_by_token(step, op, given):
    """The results and the memory of a wrong step: (S, q, k, v, decay, write, erase) -> (S, o)."""
    gates, write, S = full(given)
    Q, K, V, decay = given["Q"], given["K"], given["V"], np.exp(gates)
    erase, rows = named(op, "rule", given).erased, [V[..., :0, :]]
    for t in range(V.shape[-2]):
        q, k, v, a, b = (x[..., t, :] for x in (Q, K, V, decay, write))
        S, o = step(S, q, k, v, a[..., None], b, erase)
        rows.append(o[..., None, :])
    scale = maps.default_scale(given["scale"], K)
    return scale * np.concatenate(rows, axis=-2), S


def read(S, k):
    return (k[..., None, :] @ S)[..., 0, :]


def pair(k, v):
    return k[..., :, None] * v[..., None, :]


def stepwise(name):
    """Declare a wrong step of the recurrence."""
    def declare(step):
        wrong_call(name, OP)(lambda op, given: token_by_token(step, op, given))
        return step
    return declare


# -- the order of a step ---------------------------------------------------------------------------

@stepwise("decay after the write")
def decay_after_the_write(S, q, k, v, decay, write, erase):
    S = decay * (S + pair(k, write * (v - erase * read(S, k))))
    return S, read(S, q)


@stepwise("prediction of the memory before its decay")
def undecayed_prediction(S, q, k, v, decay, write, erase):
    S = decay * S + pair(k, write * (v - erase * read(S, k)))
    return S, read(S, q)


@stepwise("memory read before the write")
def read_before_the_write(S, q, k, v, decay, write, erase):
    S = decay * S
    return S + pair(k, write * (v - erase * read(S, k))), read(S, q)


@stepwise("prediction erased without the strength of the write")
def strength_of_the_value_alone(S, q, k, v, decay, write, erase):
    S = decay * S
    S = S + pair(k, write * v - erase * read(S, k))
    return S, read(S, q)


@stepwise("prediction erased by the linear rule")
def always_corrected(S, q, k, v, decay, write, erase):
    S = decay * S
    S = S + pair(k, write * (v - read(S, k)))
    return S, read(S, q)


@stepwise("keys of the past erased")
def memory_replaced(S, q, k, v, decay, write, erase):
    S = (1 - erase * write[..., None]) * decay * S + pair(k, write * v)
    return S, read(S, q)


# -- gates and strengths ---------------------------------------------------------------------------

@wrong_call("gates shifted by one token", OP)
def gates_shifted(op, given):
    gates, *_ = full(given)
    later = np.concatenate([np.zeros_like(gates[..., :1, :]), gates[..., :-1, :]], axis=-2)
    return run(op, given | {"log_decay": 0.0, "log_gates": later})


@wrong_call("decay in place of its logarithm", OP)
def decay_not_exponentiated(op, given):
    """The given logarithms are used as factors."""
    def step(S, q, k, v, decay, write, erase):
        S = np.log(decay) * S
        S = S + pair(k, write * (v - erase * read(S, k)))
        return S, read(S, q)
    return token_by_token(step, op, given)


@wrong_call("gates of the entries ignored", OP)
def mean_of_the_gates(op, given):
    """Each token has the mean of its decays."""
    gates, *_ = full(given)
    return run(op, given | {"log_decay": np.mean(gates, axis=-1), "log_gates": 0.0})


@wrong_call("factors e^G and e^-G apart", OP)
def factors_apart(op, given):
    """Queries times e^G and keys times e^-G, in float64, for the linear rule."""
    gates, write, S = full(given)
    if named(op, "rule", given).erased or np.any(gates == -np.inf):
        return None
    G = np.cumsum(gates, axis=-2).astype(float)
    q, k = np.exp(G) * given["Q"], np.exp(-G) * given["K"]
    A = np.tril(q @ np.swapaxes(k, -1, -2))
    O = maps.default_scale(given["scale"], k) * (q @ S + A @ (write * given["V"]))
    return O, run(op, given)[1]


# -- the memory and the scale ----------------------------------------------------------------------

@wrong_call("memory holds scaled keys", OP)
def scale_inside_the_memory(op, given):
    O, S = run(op, given)
    return O, maps.default_scale(given["scale"], given["K"]) * S


@wrong_call("memory without its last token", OP)
def memory_of_the_last_token_but_one(op, given):
    """The memory that is passed on lacks the last token."""
    if given["V"].shape[-2] == 0:
        return None
    tokens = {k: given[k][..., :-1, :] for k in ("Q", "K", "V", "log_gates") if np.ndim(given[k])}
    tokens |= {k: given[k][..., :-1] for k in ("log_decay", "beta") if np.ndim(given[k])}
    return run(op, given)[0], run(op, given | tokens)[1]


@wrong_call("1/sqrt(v) in place of 1/sqrt(d)", OP)
def scale_of_the_values(op, given):
    return run(op, given | {"scale": maps.default_scale(given["scale"], given["V"])})


@wrong_call("keys divided by their length", OP)
def unit_keys(op, given):
    size = np.sqrt(np.sum(given["K"] ** 2, axis=-1, keepdims=True))
    return run(op, given | {"K": given["K"] / np.where(size > 0, size, 1)})


@wrong_call("denominator of kernel attention", OP)
def with_a_denominator(op, given):
    O, S = run(op, given)
    ones = given | {"V": np.ones_like(given["V"]), "S": 0.0}
    return maps.ratio(O, run(op, ones)[0], 0.0), S


@estimated("keys are multiplied by {}", OP, neutral=1.0)
def keys_multiplied(op, given, number):
    return run(op, given | {"K": number * given["K"]})


REGISTERED = [
    wrong_argument("memory passed in is dropped", OP, S=0.0),
    wrong_argument("strength of the write ignored", OP, beta=1.0),
    wrong_argument("values written in place of errors", OP, rule="linear"),
]

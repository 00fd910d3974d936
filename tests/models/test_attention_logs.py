"""Kernel attention of features given by their logs: nothing under- or overflows."""
import numpy as np
import pytest
from hypothesis import strategies as st

from hopref import attention, performer
from hopref.errors import ShapeError
from tests import rounding
from tests.draw import arrays, feature_heads
from tests.laws import law
from tests.rounding import close, g

logs = st.integers(-64, 64).map(lambda k: k / 8)


@st.composite
def log_heads(draw, far=0.0):
    """Log features within 8 of each other, perhaps around a common value far away; values."""
    l, r, v = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    return {"log_q": draw(arrays(l, r, elements=logs)) + far,
            "log_k": draw(arrays(l, r, elements=logs)) - far, "V": draw(arrays(l, v))}


@law("attention.log_linear_attention", id="MO-2", over=log_heads(),
     kills=["log_scale_unabsorbed", "log_scale_a_key", "log_with_eps"])
def test_in_the_log_domain_it_is_the_same_attention(rules, log_q, log_k, V):
    want = rules.attention.linear_attention(np.exp(log_q), np.exp(log_k), V)
    got = rules.attention.log_linear_attention(log_q, log_k, V)
    allowed = (rounding.linear_attention(np.exp(log_q), np.exp(log_k), V)
               + 2 * rounding.log_linear_attention(log_q, log_k, V))
    close(got, want, allowed)


@law("attention.log_linear_attention", "attention.log_causal_linear_attention", id="MO-2",
     over=log_heads(far=2.0**20),
     kills=["log_leaves_the_log_domain",
            "log_causal_leaves_the_log_domain"])
def test_no_size_of_the_features_matters(rules, log_q, log_k, V):
    """Features of e^(+-10^6): shifted by a power of two, the eighths stay exact."""
    near_q, near_k = log_q - 2.0**20, log_k + 2.0**20
    allowed = 2 * rounding.log_linear_attention(near_q, near_k, V)
    close(rules.attention.log_linear_attention(log_q, log_k, V),
          rules.attention.log_linear_attention(near_q, near_k, V), allowed)
    past = np.tri(len(V), dtype=bool)
    close(rules.attention.log_causal_linear_attention(log_q, log_k, V)[0],
          rules.attention.log_causal_linear_attention(near_q, near_k, V)[0],
          2 * rounding.log_linear_attention(near_q, near_k, V, past))


@law("attention.log_linear_attention", id="MO-2", over=log_heads(),
     kills=["log_scale_one_for_all"])
def test_features_may_live_on_scales_of_their_own(rules, log_q, log_k, V):
    """q_r by e^a_r, k_r by e^-a_r: each feature's product is unmoved, however far apart the a_r."""
    apart = 4096.0 * np.arange(log_q.shape[1])
    close(rules.attention.log_linear_attention(log_q + apart, log_k - apart, V),
          rules.attention.log_linear_attention(log_q, log_k, V),
          2 * rounding.log_linear_attention(log_q, log_k, V))


@law("attention.log_causal_linear_attention", id="AT-3", over=log_heads(),
     kills=["log_causal_unshrunk", "log_causal_strict"])
def test_each_causal_answer_in_the_log_domain_is_that_of_its_past_alone(rules, log_q, log_k, V):
    Z = rules.attention.log_causal_linear_attention(log_q, log_k, V)[0]
    for i in range(len(V)):
        past = slice(0, i + 1)
        want = rules.attention.log_linear_attention(log_q[i:i + 1], log_k[past], V[past])
        rescaled = g(8 * (i + 1)) * np.abs(V).max()        # an exponential and a product a step
        close(Z[i], want[0],
              3 * rounding.log_linear_attention(log_q[i:i + 1], log_k[past], V[past])[0] + rescaled)


@law("attention.log_causal_linear_attention", id="MO-3", over=log_heads(),
     kills=["log_causal_scale_dropped"])
def test_a_causal_sequence_in_the_log_domain_may_be_cut_anywhere(rules, log_q, log_k, V):
    """To the last bit: the scale c is a running maximum, the cut only names it."""
    attend = rules.attention.log_causal_linear_attention
    whole = attend(log_q, log_k, V)
    for cut in range(1, len(V)):
        head, S, z, c = attend(log_q[:cut], log_k[:cut], V[:cut])
        tail, S, z, c = attend(log_q[cut:], log_k[cut:], V[cut:], S=S, z=z, c=c)
        for got, want in zip((np.vstack([head, tail]), S, z, c), whole, strict=True):
            close(got, want, 0.0)


def test_a_state_without_its_scale_is_refused():
    q, V = np.zeros((2, 1)), np.ones((2, 1))
    _, S, z, c = attention.log_causal_linear_attention(q, q + 3, V)
    with pytest.raises(ShapeError, match="c must come with S and z, .* got no c"):
        attention.log_causal_linear_attention(q, q, V, S=S, z=z)
    with pytest.raises(ShapeError, match="c must come with S and z"):
        performer.causal_attention(q, q, V, [[1.0]], S=S, z=z)
    assert np.all(attention.log_causal_linear_attention(q, q, 0 * V, S=S, z=z, c=c)[0] > 0.9)


@law("attention.log_linear_attention", "attention.log_causal_linear_attention", id="AT-2",
     over=feature_heads(low=-16, square=True),
     kills=["log_signs_ignored", "log_causal_signs_ignored"])
def test_features_of_both_signs_carry_theirs(rules, phi_q, phi_k, V):
    """Logs below 4 in size, rounded, shifted and exponentiated, leave each feature right to 40 u,
    as if every product were rounded 40 times; a query whose kernels cancel is left out."""
    past = np.tri(len(V), dtype=bool)
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(phi_q)), np.log(np.abs(phi_k))
    signs = {"sign_q": np.sign(phi_q), "sign_k": np.sign(phi_k)}
    whole = rules.attention.log_linear_attention(*logs, V, **signs)
    causal = rules.attention.log_causal_linear_attention(*logs, V, **signs)[0]
    for got, seen in ((whole, past | True), (causal, past)):
        A = phi_q @ phi_k.T * seen
        sound = A.sum(-1) != 0                               # eighths: exact
        allowed = 40 * rounding.linear_attention(phi_q[sound], phi_k, V, seen[sound])
        close(got[sound], (A @ V)[sound] / A.sum(-1)[sound, None], allowed)


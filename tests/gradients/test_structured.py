"""Supports on the way back: what is out of sight is as if it were not there; features by twins."""
import numpy as np
from hypothesis import strategies as st

from hopref import gradients, supports
from tests.draw import arrays, betas, problems, records
from tests.gradients.test_numbers import agree, seeds, wide
from tests.laws import law


@st.composite
def in_sight(draw):
    """A problem, cotangents, and which patterns one support for all states leaves in sight."""
    problem = draw(problems())
    xi, X = problem["xi"], problem["X"]
    return {"xi": xi, "X": X, "support": draw(arrays(len(X), elements=st.booleans())) > 0,
            "g": draw(arrays(*xi.shape)), "beta": draw(betas)}


@law("gradients.structured.update", "gradients.structured.energy", id="GR-2, NP-3",
     over=in_sight(), kills=["hidden_patterns_leak", "longest_of_the_hidden"])
def test_what_is_out_of_sight_might_as_well_not_be(rules, xi, X, support, g, beta):
    """Gradients of the modern network with the patterns in sight alone, exactly 0 of the others."""
    few, every = X[support], np.tile(support, (len(xi), 1))
    for name, cotangent in ("update", g), ("energy", g[..., 0]):
        pull = getattr(rules.gradients.structured, name)
        dxi, dX, dbeta = pull(*wide(cotangent, xi, X), every, beta=beta)
        assert not np.any(dX[~support])
        if len(few):
            right = getattr(gradients.modern, name)(*wide(cotangent, xi, few), beta=beta)
            args = (cotangent, xi, few)
            agree((dxi, dX[support], dbeta), right, getattr(gradients.modern, name), args,
                  {"beta": beta})
        else:
            assert np.array_equal(dxi, cotangent[..., None] * xi if name == "energy" else 0 * xi)


@law("gradients.structured.top_k_update", id="GR-2, NP-3",
     over=records(seed=seeds, k=st.integers(1, 5), beta=st.sampled_from([0.25, 3.0])),
     kills=["step_through_all_scores"])
def test_the_k_chosen_are_a_support(rules, seed, k, beta):
    rng = np.random.default_rng(seed)
    g, xi, X = (rng.standard_normal(shape) for shape in ((3, 4), (3, 4), (6, 4)))
    args = wide(g, xi, X)
    chosen = supports.largest(xi @ X.T, k=k)
    agree(rules.gradients.structured.top_k_update(*args, k=k, beta=beta),
          gradients.structured.update(*args, chosen, beta=beta),
          gradients.structured.update, (g, xi, X, chosen), {"beta": beta})


@law("gradients.features.gerf", "gradients.features.log_gerf", id="GR-6, RF-7",
     over=records(seed=seeds, A=st.sampled_from([0.0, 0.109375, -0.75]),      # s = 1, 3/4, 2
                  beta=st.sampled_from([0.5, 2.0])),
     kills=["gerf_without_the_determinant", "log_gerf_without_the_determinant"])
def test_one_number_is_a_diagonal_of_equals(rules, seed, A, beta):
    """GERF is DERF at a = A, B = s I with s^2 = 1 - 4A: ds = -2 dA/s."""
    rng, s = np.random.default_rng(seed), np.sqrt(1 - 4 * A)
    g, x, omega = (rng.standard_normal(shape) for shape in ((2, 5), (2, 3), (5, 3)))
    a, B = np.full(3, A), s * np.eye(3)
    for name, twin in ("gerf", "derf"), ("log_gerf", "log_derf"):
        pull = getattr(gradients.features, twin)
        dx, domega, da, dB, dbeta = pull(*wide(g, x, omega, a, B), beta=beta)
        dA = np.sum(da) - 2 / s * np.trace(dB)
        got = getattr(rules.gradients.features, name)(*wide(g, x, omega), A=A, beta=beta)
        agree(got, (dx, domega, dA, dbeta), getattr(gradients.features, name), (g, x, omega),
              {"A": A, "beta": beta})

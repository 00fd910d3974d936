"""Normalisation and corruption follow their tables."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hopref.data import CORRUPTIONS, NORMALISATIONS, corrupt, normalise, pictures
from hopref.errors import DomainError, DTypeError, RangeError, ShapeError

U = np.finfo(float).eps / 2
values = hnp.arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 6)),
                    elements=st.integers(-32, 32).map(lambda k: k / 8))


def norm(X):
    return np.sqrt((X * X).sum(-1))


def test_grey_levels_become_values_between_minus_one_and_one():
    levels = np.arange(256, dtype=np.uint8)[None]
    X = normalise(levels)
    assert X[0, 0] == -1.0 and X[0, -1] == 1.0 and np.all(np.diff(X) > 0)


@given(values)
def test_the_normalisation_none_leaves_values_unchanged(X):
    np.testing.assert_array_equal(normalise(X, "none"), X)


@given(values)
def test_unit_patterns_have_norm_one_and_their_direction(X):
    unit, d = normalise(X, "unit"), X.shape[1]
    seen = norm(X) > 0
    # two divisions, d squares and sums, one root: d/2 + 4 roundings
    np.testing.assert_allclose(norm(unit)[seen], 1.0, rtol=(d / 2 + 4) * 2 * U)
    np.testing.assert_allclose(unit * norm(X)[:, None], X, rtol=(d + 8) * 2 * U, atol=0)
    assert np.all(unit[~seen] == 0)


@given(values)
def test_centred_patterns_have_mean_zero(X):
    d = X.shape[1]
    for how in ("centred", "centred-unit", "standardised"):
        Y = normalise(X, how)
        # eighths sum exactly; the mean has one rounding of its own, each component one more
        assert np.all(np.abs(Y.mean(-1)) <= 4 * d * U * max(1.0, np.abs(Y).max()) + d * U * 4)


@given(values)
def test_standardised_patterns_have_variance_one_or_zero(X):
    d, Y = X.shape[1], normalise(X, "standardised")
    flat = np.ptp(X, axis=1) == 0
    # a mean that rounds leaves a flat picture at most 1 ulp from zero, which is not contrast:
    # eighths below 4 have exact sums, so their mean is off by half an ulp at the most
    np.testing.assert_allclose(norm(Y)[~flat], np.sqrt(d), rtol=(d + 8) * 2 * U)


def test_the_norms_are_those_of_the_table():
    X = pictures(5)
    d = X[0].size
    norms = {how: norm(normalise(X, how).reshape(5, -1)) for how in NORMALISATIONS}
    for how, most in [("none", d**0.5), ("centred", d**0.5), ("fourth-root-d", d**0.25),
                      ("root-d", 1.0)]:
        assert np.all(norms[how] <= most), how
    for how, exactly in [("unit", 1.0), ("centred-unit", 1.0), ("standardised", d**0.5),
                         ("polar", d**0.5)]:
        np.testing.assert_allclose(norms[how], exactly, rtol=4 * d * U, err_msg=how)


def test_polar_makes_bright_minus_one_from_128_up():
    levels = np.array([[0, 127, 128, 129, 255]], np.uint8)
    np.testing.assert_array_equal(normalise(levels, "polar"), [[1, 1, 1, -1, -1]])


def test_a_picture_keeps_its_shape_and_does_not_depend_on_the_others():
    X = pictures(3)
    for how in NORMALISATIONS:
        assert normalise(X, how).shape == X.shape
        np.testing.assert_array_equal(normalise(X, how)[1], normalise(X[1:2], how)[0])


def test_huge_and_tiny_values_are_normalised_without_overflow():
    np.testing.assert_allclose(normalise([[3e300, 4e300], [3e-300, 4e-300]], "unit"),
                               [[0.6, 0.8]] * 2, rtol=8 * U)


@pytest.mark.parametrize("X, error, message", [
    (np.ones((1, 4), bool), DTypeError, "real numbers; got bool"),
    (np.ones((1, 4), complex), DTypeError, "real numbers; got complex128"),
    (np.ones(4), ShapeError, r"shape \(N, ...\) .* got \(4,\)"),
    (np.ones((2, 0)), ShapeError, r"at least one pixel a picture; got \(2, 0\)"),
    (np.array([[0, 256]]), DomainError, "grey levels from 0 to 255 .* got 0 to 256"),
    (np.array([[-1, 1]]), DomainError, "grey levels from 0 to 255 .* got -1 to 1"),
    (np.array([[0.0, np.nan]]), DomainError, "finite"),
])
def test_an_array_without_pictures_is_refused(X, error, message):
    with pytest.raises(error, match=rf"hopref\.data\.normalise: X must .*{message}"):
        normalise(X)


@pytest.mark.parametrize("how", ["Unit", "", None, ["unit"]])
def test_an_unknown_normalisation_is_refused(how):
    with pytest.raises(DomainError, match="how must be one of 'none', 'unit', .*; got how="):
        normalise([[1.0]], how)


# --- corruption ----------------------------------------------------------------------------------

def test_a_mask_hides_the_lower_rows():
    X = np.ones((2, 4, 3))
    cue = corrupt(X, "mask:0.5", fill=7.0)
    assert np.all(cue[:, :2] == 1) and np.all(cue[:, 2:] == 7) and np.all(X == 1)


@pytest.mark.parametrize("share, hidden", [("0", 0), ("0.25", 16), ("0.484375", 31), ("1", 64)])
def test_the_share_of_hidden_rows_is_the_requested_one(share, hidden):
    cue = corrupt(np.ones((1, 64, 2)), f"mask:{share}")
    assert (cue == 0).sum() == 2 * hidden


def test_noise_has_the_requested_standard_deviation():
    gap = corrupt(np.zeros((1, 40_000)), "noise:0.3", rng=1)
    # the deviation of 40000 normal numbers has standard error 0.3 / sqrt(80000); six of them
    assert abs(gap.std() - 0.3) < 6 * 0.3 / np.sqrt(80_000)


def test_a_flip_changes_signs_with_the_requested_probability():
    X = np.where(np.arange(40_000) % 2, 1.0, -1.0)[None]
    flipped = corrupt(X, "flip:0.1", rng=2) * X
    assert set(np.unique(flipped)) == {-1.0, 1.0}
    assert abs((flipped < 0).mean() - 0.1) < 6 * np.sqrt(0.1 * 0.9 / 40_000)
    np.testing.assert_array_equal(corrupt(X, "flip:1"), -X)


@pytest.mark.parametrize("how", ["noise:0.2", "flip:0.2"])
def test_the_same_seed_gives_the_same_cues(how):
    X = np.ones((2, 50))
    np.testing.assert_array_equal(corrupt(X, how, rng=3), corrupt(X, how, rng=3))
    assert np.any(corrupt(X, how, rng=3) != corrupt(X, how, rng=4))


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_no_corruption_is_the_pattern_itself(kind):
    X = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(corrupt(X, f"{kind}:0"), X)


@pytest.mark.parametrize("how", ["mask", "mask:", "mask:1.1", "mask:-0.1", "mask:nan", "noise:inf",
                                 "noise:-1", "flip:2", "blur:0.1", "", None, "mask:0.5:0.5"])
def test_an_unknown_corruption_is_refused(how):
    with pytest.raises(DomainError, match=r"hopref\.data\.corrupt: how must be 'mask:SHARE'"):
        corrupt([[1.0]], how)


def test_noise_beyond_the_range_of_float64_is_refused():
    with pytest.raises(RangeError, match=r"cues must be in the range of float64; got how='noise"):
        corrupt(np.zeros((4, 40)), "noise:1.7e308")


def test_a_single_pattern_without_its_axis_is_refused():
    with pytest.raises(ShapeError, match=r"X must have shape \(N, \.\.\.\); got \(3,\)"):
        corrupt([1.0, 2.0, 3.0], "mask:0.5")

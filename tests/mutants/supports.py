"""Supports, wrong."""
import numpy as np

from hopref import supports
from tests.mutants import mutant


def gaps(l, n, align):
    return np.arange(n) - np.arange(l)[:, None] - (n - l) * (align == "end")


@mutant("supports.window")
def support_window_one_too_wide(l, n, /, *, width, dilation=1, causal=False, align="end"):
    """one step too many"""
    return supports.window(l, n, width=width + 1, dilation=dilation, causal=causal, align=align)


@mutant("supports.window")
def support_window_by_distance(l, n, /, *, width, dilation=1, causal=False, align="end"):
    """width as a distance, whatever the dilation"""
    gap = gaps(l, n, align)
    return (gap % dilation == 0) & (np.abs(gap) <= width) & (~np.bool_(causal) | (gap <= 0))


@mutant("supports.window")
def support_window_sees_ahead(l, n, /, *, width, dilation=1, causal=False, align="end"):
    """causal without effect"""
    return supports.window(l, n, width=width, dilation=dilation, align=align)


@mutant("supports.window")
def support_window_from_the_start(l, n, /, *, width, dilation=1, causal=False, align="end"):
    """align without effect"""
    return supports.window(l, n, width=width, dilation=dilation, causal=causal, align="start")


@mutant("supports.causal")
def causal_hides_the_present(l, n, /, *, align="end"):
    """the own position hidden"""
    return gaps(l, n, align) < 0


@mutant("supports.causal")
def causal_support_from_the_start(l, n, /, *, align="end"):
    """align without effect"""
    return gaps(l, n, "start") <= 0


@mutant("supports.global_tokens")
def global_tokens_are_not_seen(l, n, /, *, tokens, align="end"):
    """rows alone"""
    return np.broadcast_to(gaps(l, n, align)[:, :1] > -tokens, (l, n))


@mutant("supports.global_tokens")
def global_tokens_do_not_see(l, n, /, *, tokens, align="end"):
    """columns alone"""
    return np.broadcast_to(np.arange(n) < tokens, (l, n))


@mutant("supports.global_tokens")
def global_tokens_from_the_start(l, n, /, *, tokens, align="end"):
    """align without effect"""
    return supports.global_tokens(l, n, tokens=tokens, align="start")


@mutant("supports.random")
def random_with_replacement(l, n, /, *, k, rng):
    """k draws, some of them equal"""
    mask = np.zeros((l, n), bool)
    mask[np.arange(l)[:, None], np.random.default_rng(rng).integers(0, n, (l, k))] = True
    return mask


@mutant("supports.random")
def random_same_for_all_rows(l, n, /, *, k, rng):
    """one draw, repeated"""
    return np.repeat(supports.random(1, n, k=k, rng=rng), l, axis=0)


@mutant("supports.random")
def random_deaf_to_seeds(l, n, /, *, k, rng):
    """a seed of its own"""
    return supports.random(l, n, k=k, rng=7)


@mutant("supports.big_bird")
def big_bird_without_window(l, n, /, *, width, tokens, k, rng, align="end"):
    """no window"""
    return supports.global_tokens(l, n, tokens=tokens, align=align) | supports.random(
        l, n, k=k, rng=rng)


@mutant("supports.big_bird")
def big_bird_without_tokens(l, n, /, *, width, tokens, k, rng, align="end"):
    """no global tokens"""
    return supports.window(l, n, width=width, align=align) | supports.random(l, n, k=k, rng=rng)


@mutant("supports.big_bird")
def big_bird_without_random(l, n, /, *, width, tokens, k, rng, align="end"):
    """no random patterns"""
    return supports.window(l, n, width=width, align=align) | supports.global_tokens(
        l, n, tokens=tokens, align=align)


@mutant("supports.largest")
def largest_takes_all_ties(z, /, *, k):
    """everything that ties with the k-th"""
    return z >= np.sort(z, -1)[..., -k, None]


@mutant("supports.largest")
def largest_takes_the_last_of_equals(z, /, *, k):
    """a stable sort read from its end"""
    mask = np.zeros(z.shape, bool)
    np.put_along_axis(mask, np.argsort(z, -1, kind="stable")[..., -k:], True, -1)
    return mask

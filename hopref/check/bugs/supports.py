"""Bugs of supports; those of windows are in `hopref.check.bugs.listed`."""
import numpy as np

from hopref.check.bugs import bug, run, variant, wrong_call
from hopref.check.bugs.listed import gaps
from hopref.models import supports

__all__ = []


@bug("own position hidden", "supports.causal")
def own_position_hidden(l, n, /, *, align="end"):
    return gaps(l, n, align) < 0


@bug("global tokens see all and are not seen", "supports.global_tokens")
def tokens_not_seen(l, n, /, *, tokens, align="end"):
    return np.broadcast_to(gaps(l, n, align)[:, :1] > -tokens, (l, n)).copy()


@bug("global tokens are seen and do not see all", "supports.global_tokens")
def tokens_see_nothing(l, n, /, *, tokens, align="end"):
    return np.broadcast_to(np.arange(n) < tokens, (l, n)).copy()


@bug("k draws with replacement", "supports.random")
def with_replacement(l, n, /, *, k, rng):
    mask = np.zeros((l, n), bool)
    mask[np.arange(l)[:, None], np.random.default_rng(rng).integers(0, n, (l, k))] = True
    return mask


@bug("one draw for all rows", "supports.random")
def same_for_all_rows(l, n, /, *, k, rng):
    return np.repeat(supports.random(1, n, k=k, rng=rng), l, axis=0)


def joined(given, *names):
    """The union of some of the three parts."""
    parts = {"window": lambda: run(supports.window, chosen(given, "l", "n", "width", "align")),
             "tokens": lambda: run(supports.global_tokens,
                                   chosen(given, "l", "n", "tokens", "align")),
             "random": lambda: run(supports.random, chosen(given, "l", "n", "k", "rng"))}
    return np.any([parts[name]() for name in names], axis=0)


def chosen(given, *names):
    return {k: given[k] for k in names}


@wrong_call("no window", "supports.big_bird")
def no_window(op, given):
    return joined(given, "tokens", "random")


@wrong_call("no global tokens", "supports.big_bird")
def no_tokens(op, given):
    return joined(given, "window", "random")


@wrong_call("no random patterns", "supports.big_bird")
def no_random_patterns(op, given):
    return joined(given, "window", "tokens")


@bug("all scores that tie with the k-th", "supports.largest")
def all_ties(z, /, *, k):
    return z >= np.sort(z, axis=-1)[..., [-k]]


@bug("of equal scores the last", "supports.largest")
def last_of_equals(z, /, *, k):
    mask = np.zeros(z.shape, bool)
    np.put_along_axis(mask, np.argsort(z, axis=-1, kind="stable")[..., -k:], True, -1)
    return mask


@bug("the k smallest scores", "supports.largest")
def smallest(z, /, *, k):
    return supports.largest.formula(-z, k=k)


REGISTERED = [
    variant("seed ignored", "supports.random", supports.random, rng=7),
]

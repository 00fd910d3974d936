"""Benign and adversarial arguments, and the containment of certified results in 600-bit balls.

    python -m tests.certify.families [ENTRIES]

counts violations over so many entries; ``tox -e certify`` takes 1,000,000.
"""
import sys

import numpy as np
from flint import arb

from hopref.certify import certify
from hopref.certify.balls import precision
from hopref.certify.calls import called
from hopref.certify.evaluation import form_of, given_to
from hopref.dispatch.operation import load
from hopref.errors import CertificationError

BITS = 600
LOOSE = 1e200           # max_ulp with which each method returns what it reaches
METHODS = ("balls", "double-double", "float64-bound")


def retrieval(rng, scale=1.0, beta=1.0, states=8, n=6, d=5):
    """The arguments of `modern.update`."""
    X = rng.standard_normal((n, d)) * scale
    return "modern.update", (rng.standard_normal((states, d)) * scale, X), {"beta": beta}


def gauss(rng):
    return retrieval(rng)


def steep(rng):
    return retrieval(rng, beta=1e6)


def flat(rng):
    return retrieval(rng, beta=1e-6)


def norms(rng):
    size = 10.0 ** rng.uniform(-150, 150)
    return retrieval(rng, size, max(1e-300, 1 / size / size))


def large_scores(rng):
    return retrieval(rng, 1e8)


def subnormal(rng):
    return retrieval(rng, 1e-309)


def ties(rng):
    op, (xi, X), options = retrieval(rng)
    return op, (xi, np.repeat(X[:3], 2, axis=0)), options


def one_ulp_apart(rng):
    op, (xi, X), _ = retrieval(rng)
    X = X[:1] * (1 + 2.0**-52 * np.arange(len(X)))[:, None]
    return op, (xi, X), {"beta": 2.0}


def cancelling(rng):
    """Patterns in pairs x and nearly -x, so that the new states cancel."""
    op, (xi, X), _ = retrieval(rng)
    return op, (xi, np.concatenate([X[:3], -X[:3] * (1 + 2.0**-50)])), {"beta": 1e-3}


def offset(rng):
    op, (xi, X), options = retrieval(rng)
    return op, (xi, X + 1e6), options


def heads(rng, s=7):
    """Queries, keys and values of softmax attention."""
    return rng.standard_normal((5, 4)), rng.standard_normal((s, 4)), rng.standard_normal((s, 3))


def masks(rng):
    return "attention.softmax_attention", heads(rng), {"mask": rng.random((5, 7)) < 0.5}


def empty_rows(rng):
    mask = rng.random((5, 7)) < 0.5
    mask[::2] = False
    return "attention.softmax_attention", heads(rng), {"mask": mask}


def hidden_by_bias(rng):
    bias = np.where(rng.random((5, 7)) < 0.3, -np.inf, rng.standard_normal((5, 7)) * 1e3)
    return "attention.softmax_attention", heads(rng), {"bias": bias, "causal": True}


def log_sums(rng):
    z = rng.standard_normal((40, 9)) * 10.0 ** rng.uniform(-3, 3, (40, 1))
    return "maps.logsumexp", (z,), {"beta": 10.0 ** rng.uniform(-2, 2)}


def log_sums_near_zero(rng):
    """Scores with sum exp near 1, so that the logarithm cancels."""
    z = np.log(rng.dirichlet(np.ones(6), 40))
    return "maps.logsumexp", (z,), {}


def kernels(rng):
    Q, K, V = heads(rng)
    return "attention.linear_attention", (np.abs(Q), np.abs(K), V), {}


def kernels_of_both_signs(rng):
    return "attention.linear_attention", heads(rng), {}


FAMILIES = [gauss, steep, flat, norms, large_scores, subnormal, ties, one_ulp_apart, cancelling,
            offset, masks, empty_rows, hidden_by_bias, log_sums, log_sums_near_zero, kernels,
            kernels_of_both_signs]


def enclosure(name, args, options, bits=BITS):
    """The result in balls of so many bits."""
    op = load()[name]
    with precision(bits):
        return called(op, form_of(name), given_to(op, args, options))


def violations(found, balls):
    """How many entries are farther from the ball than their bound, and how many are certified."""
    with precision(2 * BITS):
        off = [abs(arb(v) - ball) > arb(bound) for v, bound, ball in
               zip(np.ravel(found.value).tolist(), np.ravel(found.bound).tolist(), np.ravel(balls),
                   strict=True) if not isinstance(ball, float)]
    return sum(off), np.size(found.value)


def counted(family, rng, methods=METHODS):
    """{method: (violations, entries, bounds of at most 0.51 ulp)} of one draw of a family."""
    name, args, options = family(rng)
    balls, counts = enclosure(name, args, options), {}
    for method in methods:
        try:
            found = certify(name, *args, max_ulp=LOOSE, method=method, **options)
        except CertificationError:
            continue
        tight = int(np.sum(found.bound <= 0.51 * np.spacing(np.abs(found.value))))
        counts[method] = (*violations(found, balls), tight)
    return counts


def main(wanted):
    totals = {}
    rng = np.random.default_rng(0)
    while sum(row[1] for row in totals.values()) < wanted:
        for family in FAMILIES:
            for method, count in counted(family, rng).items():
                key = family.__name__, method
                totals[key] = np.add(totals.get(key, 0), count)
    for (family, method), (wrong, entries, tight) in sorted(totals.items()):
        print(f"{family:24s} {method:14s} {entries:8d} entries, {wrong} not contained, "
              f"{100 * tight / entries:.2f} % within 0.51 ulp")
    return sum(row[0] for row in totals.values())


if __name__ == "__main__":
    raise SystemExit(bool(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20000)))

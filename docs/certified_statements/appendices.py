"""Further statements of the papers, in balls; the numbers of lemmas are those that were read."""
import numpy as np
from flint import acb, arb

from docs.certified_statements import declared, statement
from docs.certified_statements.errata import least, length
from hopref.certify import maps, modern, sparse, theory
from hopref.certify.balls import ball, dot, greatest, sqrt
from hopref.certify.maps import softmax

__all__ = ["STATEMENTS"]

FIRST, INSTANCES = len(declared), 40
RAMSAUER, CHOROMANSKI = "Ramsauer et al. 2021", "Choromanski et al. 2021"
SANTOS = "Santos et al. 2024, as in the catalogue"


def instances(inside=False):
    """(xi, X, beta): states, if so of the convex hull, and 3 to 5 patterns of two components."""
    rng = np.random.default_rng(20)
    for i in range(INSTANCES):
        X = ball(rng.integers(-24, 25, (3 + i % 3, 2)) / 8)
        weights = ball(rng.integers(1, 9, len(X)))
        xi = weights @ X / np.sum(weights) if inside else ball(rng.integers(-16, 17, 2) / 8)
        yield xi, X, arb(2) ** (i % 7 - 3)


def below(value, bound):
    """The relative margin by which a value is below its bound."""
    return 1 - value / bound


def spread(xi, X, beta):
    """m = max p_i (1 - p_i) of the weights."""
    return greatest([p * (1 - p) for p in softmax(xi @ X.T, beta=beta)])


def norm_of(J):
    """The spectral norm of a symmetric semi-definite matrix of two rows."""
    trace, determinant = J[0, 0] + J[1, 1], J[0, 0] * J[1, 1] - J[0, 1] * J[1, 0]
    return (trace + sqrt(greatest([trace * trace - 4 * determinant, arb(0)]))) / 2


def jacobian_margin(bound):
    """The relative margin of a bound on |J|."""
    return least(below(norm_of(modern.jacobian(xi, X, beta=beta)), bound(xi, X, beta))
                 for xi, X, beta in instances())


# -- Ramsauer et al. ------------------------------------------------------------------------------

@statement(f"{RAMSAUER}, Lemma A1", "0 <= E on the hull of the patterns")
def _():
    return least(modern.energy(xi, X, beta=beta) for xi, X, beta in instances(inside=True))


@statement(f"{RAMSAUER}, Lemma A1", "E <= 2 M^2, and E <= log(N)/beta + M^2/2, on the hull")
def _():
    return least(theory.hull_energy_bound(X, beta=beta) - modern.energy(xi, X, beta=beta)
                    for xi, X, beta in instances(inside=True))


@statement(f"{RAMSAUER}, proof of Theorem 1", "E falls in a step that is not 0")
def _():
    def fall(xi, X, beta):
        new = modern.update(xi, X, beta=beta)
        return modern.energy(xi, X, beta=beta) - modern.energy(new, X, beta=beta)
    return least(fall(*given) for given in instances())


@statement(f"{RAMSAUER}, Lemma A2", "|J| <= 2 beta N M^2 m with m = max p_i (1 - p_i)")
def _():
    return jacobian_margin(lambda xi, X, beta: 2 * beta * len(X) * modern.squared_radius(X)
                           * spread(xi, X, beta))


@statement(f"{RAMSAUER}, Lemma A2", "|J| <= 2 beta N M^2 e (1 - e) for weights 1 - e >= 1/2")
def _():
    def margins():
        for xi, X, beta in instances():
            e = 1 - greatest(list(softmax(xi @ X.T, beta=beta)))
            if e < arb(1) / 2:
                J = modern.jacobian(xi, X, beta=beta)
                yield below(norm_of(J), 2 * beta * len(X) * modern.squared_radius(X) * e * (1 - e))
    return least(margins())


@statement(f"{RAMSAUER}, Lemma A3", "|J| <= beta max |x_i - mean|^2")
def _():
    return jacobian_margin(lambda xi, X, beta: theory.contraction_factor_about_mean(X, beta=beta))


@statement(f"{RAMSAUER}, Lemma A4", "|x_i - f(xi)| <= 2 (N - 1) exp(-beta c) M")
def _():
    def margin(xi, X, beta):
        z, new = xi @ X.T, modern.update(xi, X, beta=beta)
        M = sqrt(modern.squared_radius(X))
        return least(below(length(new - X[i]), 2 * (len(X) - 1) * M
                           * (-beta * (z[i] - others_of(z, i))).exp()) for i in range(len(X)))
    return least(margin(*given) for given in instances())


def others_of(z, i):
    return greatest([v for j, v in enumerate(z) if j != i])


@statement(f"{RAMSAUER}, Theorem 5, second half",
           "the error near a pattern is at most 2 e (N - 1) M exp(-beta Delta)")
def _():
    def margin(X, beta):
        M = sqrt(modern.squared_radius(X))
        xi = X[0] + X[1] / (2 * beta * M * M)           # no farther than 1/(2 beta M)
        gap = dot(X[0], X[0]) - others_of(X @ X[0], 0)
        bound = 2 * arb(1).exp() * (len(X) - 1) * M * (-beta * gap).exp()
        return below(length(modern.update(xi, X, beta=beta) - X[0]), bound)
    return least(margin(X, beta) for _, X, beta in instances())


@statement(f"{RAMSAUER}, Lemma A8", "|J| <= beta ((1 - g) m^2 + 2 g (2 - g) M^2) for a group")
def _():
    def margin(xi, X, beta):
        bound = theory.group_jacobian_bound(xi, X[:2], X[2:], beta=beta)
        return below(norm_of(modern.jacobian(xi, X, beta=beta)), bound)
    return least(margin(*given) for given in instances())


@statement(f"{RAMSAUER}, Lemma A9", "|mean - f(xi)| <= m + 2 g M for a group")
def _():
    def margin(xi, X, beta):
        away = modern.update(xi, X, beta=beta) - np.sum(X[:2], axis=0) / 2
        return below(length(away), theory.group_error_bound(xi, X[:2], X[2:], beta=beta))
    return least(margin(*given) for given in instances())


@statement(f"{RAMSAUER}, Lemma A24", "the norm of the softmax Jacobian is at most 2 m beta")
def _():
    """For three scores; its nonzero eigenvalues have the sum t and the product 3 p_1 p_2 p_3."""
    def margin(xi, X, beta):
        p = softmax(xi @ X[:3].T, beta=beta)
        t, product = np.sum(p * (1 - p)), 3 * p[0] * p[1] * p[2]
        norm = (t + sqrt(greatest([t * t - 4 * product, arb(0)]))) / 2
        return below(norm, 2 * greatest([v * (1 - v) for v in p]))
    return least(margin(*given) for given in instances())


def base(beta, K, d, p):
    """a + log b and c of the capacity."""
    a = arb(2) / (d - 1) * (1 + (2 * beta * K * K * p * (d - 1)).log())
    b = arb(2) * K * K * beta / 5
    u = a + b.log()
    return u, b / u.exp().lambertw(), b


EXAMPLES = (1, 3, 20), (1, 1, 75)


@statement(f"{RAMSAUER}, Theorem 3, examples", "c >= 3.1546 and c >= 1.3718")
def _():
    return least(base(*given, arb(1) / 1000)[1] - arb(printed)
                 for given, printed in zip(EXAMPLES, ("3.1546", "1.3718"), strict=True))


@statement(f"{RAMSAUER}, Theorem 3, examples", "they satisfy c >= (2/sqrt(p))^(4/(d - 1))")
def _():
    p = arb(1) / 1000
    return least(base(*given, p)[1] - (arb(4) / (given[2] - 1) * (2 / p.sqrt()).log()).exp()
                 for given in EXAMPLES)


@statement(f"{RAMSAUER}, Corollary A1, examples", "3.1444 and 1.2585, below c")
def _():
    omega, found = arb(1).lambertw(), []
    for given, printed in zip(EXAMPLES, ("3.1444", "1.2585"), strict=True):
        u, c, b = base(*given, arb(1) / 1000)
        closed = b * (-u / (u + 1) * u.log()).exp() if u > 0 else \
            b / ((omega * u.exp() + 1) / (omega * (1 + omega))).log()
        found += [c - closed, arb("0.0001") - abs(closed - arb(printed))]
    return least(found)


# -- Choromanski et al. ---------------------------------------------------------------------------

def gaussian_mean(f):
    """The mean of f over the normal distribution, to 10^-30: the tails beyond 24 are smaller."""
    def integrand(t, _):
        return f(t) * (-t * t / 2).exp()
    inside = acb.integral(integrand, -24, 24, rel_tol=arb(2) ** -140, abs_tol=arb(2) ** -140)
    return (inside / (2 * acb.pi()).sqrt()).real


WITHIN = arb("1e-25")
X, Y = arb(3) / 4, arb(-1) / 2              # numbers x and y, of one dimension


def kernel():
    return (X * Y).exp()


def one_draw(kind):
    """The estimate of the kernel by one direction w."""
    both, apart, size = acb(X + Y), acb(X - Y), acb(X * X + Y * Y) / 2
    return {"positive": lambda w: (w * both).exp() * (-size).exp(),
            "hyperbolic": lambda w: (w * both).cosh() * (-size).exp(),
            "trigonometric": lambda w: (w * apart).cos() * size.exp()}[kind]


@statement(f"{CHOROMANSKI}, Lemma 1", "positive and hyperbolic features are unbiased")
def _():
    return least(WITHIN - abs(gaussian_mean(one_draw(kind)) - kernel())
                 for kind in ("positive", "hyperbolic"))


@statement(f"{CHOROMANSKI}, Lemma 2", "the three mean squared errors")
def _():
    s, t, square = (X + Y) * (X + Y), (X - Y) * (X - Y), kernel() * kernel()
    positive = s.exp() * square * (1 - (-s).exp())
    printed = {"positive": positive, "hyperbolic": (1 - (-s).exp()) / 2 * positive,
               "trigonometric": s.exp() / square * (1 - (-t).exp()) ** 2 / 2}

    def margin(kind):
        f = one_draw(kind)
        return WITHIN - abs(gaussian_mean(lambda w: f(w) * f(w)) - square - printed[kind])
    return least(margin(kind) for kind in printed)


SUMS = [arb(n) / 8 for n in (1, 8, 32, 72)]         # |x + y|^2
DIMENSIONS = 2, 4, 16, 64


@statement(f"{CHOROMANSKI}, Theorem 1", "SMREG/SM <= 1")
def _():
    return least(1 - regularized(s, d) for s in SUMS for d in DIMENSIONS)


@statement(f"{CHOROMANSKI}, Theorem 1", "SMREG/SM >= 1 - 2/d^(1/3), for s = 4, d = 64 and d = 512")
def _():
    return least(regularized(arb(4), d) - 1 + 2 / arb(d).root(3) for d in (64, 512))


def regularized(s, d):
    """The ratio of the regularised softmax kernel to the softmax kernel."""
    return (d * s / 4).hypgeom_0f1(arb(d) / 2) * (-s / 2).exp()


@statement(f"{CHOROMANSKI}, Theorem 2",
           "orthogonal rows reduce the error by 2 (m - 1)/(m (d + 2)) (SM - Lambda)^2")
def _():
    """Lambda = 1: the covariance of two orthogonal rows is 1F1(d; d/2; s/2) - e^s."""
    def margin(s, d):
        covariance = (s / 2).hypgeom_1f1(d, arb(d) / 2) - s.exp()
        gain = arb(2) / (d + 2) * ((s / 2).exp() - 1) ** 2
        return -covariance - gain
    return least(margin(s, d) for s in SUMS for d in DIMENSIONS)


# -- Santos et al. --------------------------------------------------------------------------------

@statement(SANTOS, "0 <= E for entmax of alpha 1.5 and 2")
def _():
    return least(sparse.energy(xi, X, beta=beta, alpha=alpha) for alpha in (arb(3) / 2, arb(2))
                    for xi, X, beta in instances(inside=True))


@statement(SANTOS,
           "E <= min(2 M^2, M^2/2 - Omega(1/N)/beta)")
def _():
    def margin(xi, X, beta, alpha):
        square = modern.squared_radius(X)
        uniform = maps.tsallis(sparse.uniform(len(X)), alpha=alpha)
        bound = least([2 * square, square / 2 - uniform / beta])
        return bound - sparse.energy(xi, X, beta=beta, alpha=alpha)
    return least(margin(*given, alpha) for alpha in (arb(3) / 2, arb(2))
                    for given in instances(inside=True))


@statement(SANTOS, "a separation of m/beta + 2 M r gives sparsemax a weight of exactly 1")
def _():
    """At distances r, with the least separation that the statement allows."""
    X, margins = ball(np.array([[4.0, 0.0], [-1.0, 2.0]])), []
    for r in (arb(k) / 16 for k in range(1, 9)):
        beta = 1 / (dot(X[0], X[0]) - dot(X[0], X[1]) - 8 * r)
        xi = X[0] + r * (X[1] - X[0]) / 6
        margins.append(WITHIN - abs(maps.sparsemax(xi @ X.T, beta=beta)[0] - 1))
    return least(margins)


@statement(SANTOS, "softmax weights are below 1")
def _():
    return least(1 - greatest(list(softmax(xi @ X.T, beta=beta))) for xi, X, beta in instances())


STATEMENTS = declared[FIRST:]

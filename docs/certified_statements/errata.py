"""The numeric claims of the errata page, in balls; each is named by the heading of its entry."""
from fractions import Fraction

import numpy as np
from flint import acb, arb

from docs.certified_statements import declared
from docs.certified_statements import statement as of_source
from hopref import projections
from hopref.certify import classical, epanechnikov, features, graded, modern
from hopref.certify.balls import ball, dot, exp, greatest, sqrt
from hopref.certify.maps import softmax

__all__ = ["STATEMENTS"]

FIRST = len(declared)
CONFIRMED = {"Eq. (23): the number of draws that beta = 25 requires",
             "ReLU features and the temperature"}


def statement(heading, claim):
    """A claim of an entry of the page, most of which refute what is printed."""
    return of_source(heading, claim, "confirmed" if heading in CONFIRMED else "refuted")


TWO = [[1.0], [-1.0]]


def numbers(*values):
    """The balls of machine numbers."""
    return ball(np.array(values, float))


def rounds_to(value, printed, digits):
    """The margin by which a number is rounded to the printed one with so many decimal digits."""
    half, printed = Fraction(1, 2 * 10**digits), Fraction(printed)
    return exact(half) - abs(value - exact(printed))


def exact(fraction):
    return arb(fraction.numerator) / fraction.denominator


def least(values):
    return -greatest([-v for v in values])


def length(x):
    return sqrt(dot(x, x))


@statement("Eq. (3): descent needs more than symmetric weights", "E increases from 0 to 2")
def _():
    W, b = numbers([-2.0]), numbers(-1.0)
    start, end = (classical.energy(numbers(x), W, b) for x in (1.0, -1.0))
    return end - start


@statement("Eq. (3): the synchronous update may increase the energy", "E increases from 0.5 to 1.5")
def _():
    W, b = numbers([0.0, 1.0], [1.0, 0.0]), numbers(0.5, 0.0)
    start, end = (classical.energy(numbers(*x), W, b) for x in ((-1.0, 1.0), (1.0, -1.0)))
    return end - start


@statement("Eq. (7): sums of outer products", "E increases in one step")
def _():
    W, xi = -3 * numbers([0.0, 1.0], [1.0, 0.0]), numbers(1.0, 0.9)
    new = graded.update(xi, W, activation="tanh")
    return graded.energy(new, W, activation="tanh") - graded.energy(xi, W, activation="tanh")


@statement("Eq. (9): a minus sign is missing", "the sides differ in every component")
def _():
    W, b, xi = numbers([2.0, 0.5], [0.5, 1.0]), numbers(0.3, -0.2), numbers(0.4, -0.1)
    gap = W @ xi - b - (b - W @ xi)             # artanh of the new state is W xi - b
    return least(abs(v) for v in gap)


@statement("Eq. (17): the inverse is missing", "a constant V of 1 becomes 16")
def _():
    q, K = numbers([1.0, 2.0]), numbers([1.0, 0.0], [1.0, 1.0])
    weights = q @ K.T
    return np.sum(weights) * np.sum(weights) - 1


@statement("Eq. (19): the square root of r or of m", "the printed factor halves the kernel")
def _():
    x, omega = numbers(0.3, -0.2, 0.1), ball(projections.iid(2000, 3, rng=0))
    phi = features.trigonometric(x, omega)
    printed = dot(phi, phi) / 2 / exp(dot(x, x))
    return 1 - printed


@statement("Eq. (19): rows cannot be both independent and orthogonal",
           "products of rows are below 1e-14")
def _():
    w = ball(projections.orthogonal(3, 3, rng=0))
    return arb("1e-14") - greatest([abs(dot(w[i], w[j])) for i, j in ((0, 1), (0, 2), (1, 2))])


@statement('Eq. (21): what "beta = 25" means', "p = 0.95 becomes 0.51")
def _():
    X, xi = numbers([1.0, 0.0], [0.6, 0.8]), numbers(0.9, 0.3)
    first, second = (modern.weights(a * xi, a * X, beta=25)[0] for a in (arb(1), arb(1) / 10))
    return least([rounds_to(first, "0.95", 2), rounds_to(second, "0.51", 2)])


@statement("Eq. (23): the expectation of a ratio", "1/2 in the place of a softmax weight of 0.88")
def _():
    return modern.weights(numbers(1.0), numbers(*TWO))[0] - arb(1) / 2


@statement("Eq. (23): the number of draws that beta = 25 requires", "more than 2.5e43")
def _():
    return arb(100).exp() - 1 - arb("2.5e43")


@statement('"A factor 5 higher": capacities in different units', "0.721 and 0.180; 5.2 and 1.3")
def _():
    hetero, auto = (1 / (k * arb(2).log()) for k in (2, 8))
    return least([rounds_to(hetero, "0.721", 3), rounds_to(auto, "0.18", 2),
                      rounds_to(hetero / arb("0.14"), "5.2", 1),
                      rounds_to(auto / arb("0.14"), "1.3", 1)])


@statement('"1 / (p |ln p|)": a factor 2, and what p is', "1.0 and 2.0 of the bound at 1e-200")
def _():
    p = ball(1e-200)
    entropy = -p * p.log() - (1 - p) * (-p).log1p()
    share = [2 * entropy / (k * p * -p.log()) for k in (2, 1)]
    return least([rounds_to(share[0], "1", 2), rounds_to(share[1], "2", 2)])


@statement('"Both keep the result bounded"', "a weight of -7.3")
def _():
    omega = numbers([1.0])
    phi_q, phi_k = (features.trigonometric(numbers(*x), omega)
                    for x in ([[0.0]], [[1.58], [1.56]]))
    kernel = (phi_q @ phi_k.T)[0]
    return rounds_to(kernel[0] / np.sum(kernel), "-7.3", 1)


@statement('"Only in expectation"', "the mean is 1/2, not 0.880797")
def _():
    return arb("0.880797") - arb(1) / 2


@statement("ReLU features and the temperature", "a weight does not change with the scale")
def _():
    q, k, omega = numbers([0.5, -1.0]), numbers([1.0, 0.25], [-0.5, 2.0]), numbers(
        [1.0, 0.0], [-1.0, -0.5], [0.0, -1.0], [0.5, 2.0])
    weights = []
    for scale in (1, 100):
        kernel = (features.relu(scale * q, omega) @ features.relu(scale * k, omega).T)[0]
        weights.append(kernel[0] / np.sum(kernel))
    return arb("1e-12") - abs(weights[0] - weights[1])


@statement('"Three types of energy minima (fixed points of the update)"', "an eigenvalue of -3")
def _():
    return modern.jacobian(numbers(0.0, 0.0), numbers([2.0, 0.0], [-2.0, 0.0]))[0, 0] - 1


@statement('"Retrieves the pattern with one update"', "the other pattern is nearer, by 1")
def _():
    X = numbers([1.0, 0.0], [2.0, 0.1])
    new = modern.update(X[0], X, beta=25)
    return length(new - X[0]) - length(new - X[1])


@statement("The number of points on a sphere with pairwise angles of at least 90 degrees",
           "16 points, of which at most 6 fit")
def _():
    cap = (1 - (arb.pi() / 4).cos()) / 2
    return 16 - 1 / cap


@statement("A worked example without a solution", "-11.3 is below -1/e")
def _():
    alpha = arb(2).log() / 2 - arb(9) / 10
    gamma = 1 + (2 * arb("0.001") * 9).log()
    return -(arb(-1).exp()) - alpha * (-gamma).exp()


@statement("When the softmax contracts", "the norm 0.75 is below 1, and 1.5 above 2 m")
def _():
    p, beta = arb(1) / 2, arb(3) / 2
    m = p * (1 - p)
    return least([(1 - 2 * m * beta), (beta - 2 * m)])


@statement("Spheres that may overlap", "separated as required, radii above half of the distance")
def _():
    x = arb(5) / 16
    apart, beta, n = 2 * x * x, 1, 2
    required = arb(2) / (beta * n) + (2 * (n - 1) * n * beta * x * x).log() / beta
    return least([(apart - required), (2 / (beta * n * x) - 2 * x)])


@statement("The derivative with respect to the stored patterns", "one part alone is off")
def _():
    X, xi, g = numbers([1.0, 0.0], [0.0, 2.0]), numbers(0.5, 0.5), numbers(1.0, -1.0)
    moved = numbers([1.0, 2.0], [-1.0, 0.5])
    p = softmax(xi @ X.T)
    a = X @ g
    w = p * (a - dot(p, a))
    return abs(np.sum(w * (moved @ xi)))                    # the part that is omitted


def mean_over_angles(f):
    """The mean of f(cos t, sin t) over the circle."""
    def integrand(t, _):
        return f(t.cos(), t.sin())
    return (acb.integral(integrand, 0, 2 * acb.pi()) / (2 * acb.pi())).real


def estimate(c):
    """The estimate of one row of norm sqrt(2), of which c is the cosine: |x + y| = 1."""
    return (acb(2).sqrt() * c - arb("4.25")).exp()


@statement("A weight of the others above one half", "|J| = beta exceeds 0.36 beta")
def _():
    J = modern.jacobian(numbers(0.0), numbers(*TWO), beta=1)[0, 0]
    epsilon = arb(9) / 10
    return J - 2 * 2 * epsilon * (1 - epsilon)


@statement("A tail bound below zero", "the bracket is negative")
def _():
    theta = 70
    moment = mean_over_angles(lambda c, s: (theta * estimate(c)).exp())
    return (arb("-8.5")).exp() * theta**4 * arb(2) / 16 - moment * moment


@statement("A tail bound below zero", "and positive, below what it should bound, at another theta")
def _():
    theta = 10
    moment = mean_over_angles(lambda c, s: (theta * estimate(c)).exp())
    both = mean_over_angles(lambda c, s: (theta * (estimate(c) + estimate(-s))).exp())
    bracket = moment * moment - arb("-8.5").exp() * theta**4 * arb(2) / 16
    return least([bracket, (both - bracket)])


@statement("The sign in Chernoff's inequality", "a printed bound of 0.01 for a probability of 1")
def _():
    moment = mean_over_angles(lambda c, s: estimate(c).exp())
    return arb("0.01") - arb(-6).exp() * moment * moment


@statement("Cancellation in the optimal parameter of positive features", "A is negative")
def _():
    s, d = ball(1e-9), 16
    rho = (sqrt((2 * s + d) * (2 * s + d) + 8 * d * s) - 2 * s - d) / (4 * s)
    return -(1 - 1 / rho) / 8


@statement("The error bound of sparse retrieval", "the error exceeds the bound")
def _():
    X, x = numbers([1.0, 0.0], [0.0, 10.0]), numbers(1.0, 1.0)
    gap = dot(X[0], x) - dot(X[0], X[1])
    return length(modern.update(x, X) - X[0]) - 20 * (-gap).exp()


@statement('"Sparse error is at most dense error"', "0.5 against 0")
def _():
    X, x = numbers([0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]), numbers(0.0, 0.0)
    dense, sparse = (modern.update(x, X[:n]) for n in (3, 2))
    return length(sparse) - length(dense)


@statement("A bound that every mean of patterns satisfies", "the bound exceeds the diameter 2 M")
def _():
    return 1 + sqrt(arb(2)) - 2                 # M = 1 and d = 2, where the largest score is alone


@statement("The range of delta in retrieval by the log-sum-ReLU energy",
           "no pattern in the neighbourhood for delta = 0.8; one for 0.4")
def _():
    X, delta = numbers([0.0], [1.0]), [ball(v) for v in (0.8, 0.4)]
    far, near = (epanechnikov.margins(numbers(x), X, 2 / ((1 - of) * (1 - of)))
                 for x, of in zip((0.5, 0.3), delta, strict=True))
    return least([-far[0], -far[1], near[0], -near[1]])


@statement("Centroids of neighbourhoods that are no minima", "the centroid moves by 0.3")
def _():
    X = numbers([0.0], [0.9], [1.0], [1.1])
    centroid = epanechnikov.update(numbers(-0.09), X, beta=2)
    return rounds_to(epanechnikov.update(centroid, X, beta=2)[0] - centroid[0], "0.3", 2)


@statement("Top-K with zeros for the other scores", "0.11 for the best, 0.30 for hidden ones")
def _():
    p = softmax(numbers(-1.0, 0.0, 0.0, 0.0))
    return least([rounds_to(p[0], "0.11", 2), rounds_to(p[1], "0.30", 2)])


@statement("The maximum is subtracted, the 1 is not", "0.578 in the place of 0.064")
def _():
    below = exp(numbers(0.0, -1.0))
    wrong, right = np.sum(below), np.sum(exp(numbers(-3.0, -4.0)))
    return least([rounds_to(wrong / (1 + wrong), "0.578", 3),
                      rounds_to(right / (1 + right), "0.064", 3)])


@statement("Lagrangians that overflow", "cosh(90) exceeds the range of float32")
def _():
    return arb(90).cosh() - arb(2) ** 128


@statement("Beta after the softmax", "1.848 in the place of 0.964")
def _():
    X, xi = numbers([1.0, 0.0], [-1.0, 0.0]), numbers(0.5, 0.0)
    wrong, right = 4 * modern.update(xi, X)[0], modern.update(xi, X, beta=4)[0]
    return least([rounds_to(wrong, "1.848", 3), rounds_to(right, "0.964", 3)])


@statement("A random mask by dropout on the scores", "dropped patterns have 94 %")
def _():
    p = softmax(numbers(-2.0, 0.0, -6.0, 0.0))
    return rounds_to(100 * (p[1] + p[3]), "94", 0)


@statement("A scaling that is inverted", "right below none, none below inverted")
def _():
    """The means of |Psi x + y/Psi|^2 over all pairs, by which the log second moments differ."""
    rng = np.random.default_rng(0)
    sizes = np.array([[[2.0, 1.0, 0.5]], [[0.5, 1.0, 2.0]]])
    X, Y = ball(0.5 * rng.normal(size=(2, 200, 3)) * sizes)
    of_x, of_y = np.sum(X * X, axis=0) / 200, np.sum(Y * Y, axis=0) / 200
    psi = sqrt(of_y / of_x)                     # Psi^2
    right, none, inverted = (np.sum(f * of_x + of_y / f) for f in (psi, psi / psi, 1 / psi))
    return least([none - right, inverted - none])


def published(x, omega, shift):
    """exp(omega z - |z|^2/2 - shift) + 10^-4 of z = x/8^(1/4), with the shift of the scores."""
    z = x / sqrt(sqrt(arb(8)))
    scores = z @ omega.T
    return exp(scores - (dot(z, z) / 2)[:, None] - shift(scores)) + arb("1e-4")


def highest(scores):
    return greatest(list(scores.ravel()))


def highest_of_row(scores):
    return np.array([[greatest(list(row))] for row in scores], object)


def drawn(size):
    """Queries, keys, values and directions of the page, from the draws of NumPy."""
    Q, K, V = np.random.default_rng(0).normal(size=(3, 40, 8))
    return ball(size * Q), ball(size * K), ball(V), ball(projections.orthogonal(64, 8, rng=1))


@statement("A small epsilon in every feature", "every query gets the mean, to 0.01")
def _():
    Q, K, V, omega = drawn(4)
    phi_q, phi_k = published(Q, omega, highest_of_row), published(K, omega, highest)
    away = phi_q @ (phi_k.T @ V) / (phi_q @ np.sum(phi_k, axis=0))[:, None] - np.sum(V, axis=0) / 40
    return arb("0.01") - highest(abs(away))


@statement("A stabiliser that depends on later keys", "earlier results change by 0.6")
def _():
    Q, K, V, omega = drawn(1)
    later, phi_q = K.copy(), published(Q, omega, highest_of_row)
    later[-1] *= 4

    def earlier(K):
        phi_k = published(K, omega, highest)[:-1]
        sums = np.cumsum(phi_k, axis=0)
        pairs = np.cumsum(phi_k[:, :, None] * V[:-1, None, :], axis=0)
        return np.array([q @ S / (q @ z) for q, S, z in zip(phi_q[:-1], pairs, sums, strict=True)],
                        object)
    return rounds_to(highest(abs(earlier(K) - earlier(later))), "0.6", 1)


STATEMENTS = declared[FIRST:]

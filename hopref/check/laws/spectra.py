"""Laws of the spectra of retrieval steps."""
import numpy as np

from hopref import modern, performer, sparse, theory
from hopref.check.cases.draws import arrays, composed, integers, sampled
from hopref.check.cases.problems import problems
from hopref.check.laws import at_most, equal, holds, law, toleranced
from hopref.check.tolerance.expected import honest

U = 2.0**-53
near = integers(-12, 12).map(lambda k: k / 8)


@composed
def projected(draw):
    """States, patterns, a draw omega, a temperature; norms small enough for plain features."""
    m, n, d, r = (draw(integers(1, most)) for most in (2, 4, 4, 5))
    return {"xi": draw(arrays(m, d, elements=near)), "X": draw(arrays(n, d, elements=near)),
            "omega": draw(arrays(r, d, elements=near)), "beta": draw(sampled([0.25, 1.0, 2.0]))}


def spectrum(f, xi, X, beta):
    """The candidate's eigenvalues.  Errors dp of the weights change J by beta |dp| (2 M)^2 (Weyl);
    in addition there is one rounding for each term of the sums, of terms up to that size."""
    size = 4 * np.max(np.sum(X * X, axis=-1)) + 1
    off = np.sum(honest(modern.weights, xi, X, beta=beta).radius, axis=-1)[:, None]
    return toleranced(f(xi, X, beta=beta), beta * size * (8 * off + 40 * X.size * U))


@law("theory.jacobian_spectrum", id="MH-6", over=problems(max_m=2),
     kills=("beta dropped", "p p^T not subtracted"))
def the_spectrum_is_that_of_the_symmetric_jacobian(f, xi, X, beta):
    """Eigenvalues of J, >= 0 and falling."""
    values = spectrum(f, xi, X, beta)
    J = f.modern.jacobian(xi, X, beta=beta).value.astype(float)
    own = 64 * U * np.sqrt(np.sum(J * J, axis=(-2, -1)))[:, None]
    yield equal(values, toleranced(np.linalg.eigvalsh(J)[:, ::-1], own))
    yield holds(np.all(values.value >= 0), "not negative")
    yield holds(np.all(np.diff(values.value, axis=-1) <= 0), "the largest first")


@law("theory.jacobian_spectrum", id="MH-6", over=problems(max_m=2), kills=("p p^T not subtracted",))
def no_eigenvalue_exceeds_its_bounds(f, xi, X, beta):
    """beta diam^2 q (1 - q), and beta max |x_i - mean|^2."""
    values = spectrum(f, xi, X, beta)
    yield at_most(values, honest(theory.jacobian_bound, xi, X, beta=beta)[..., None], "diameter")
    yield at_most(values, honest(theory.contraction_factor_about_mean, X, beta=beta), "mean")


@law("theory.spectrum", id="GR-3", over=projected(), kills=("smallest first",))
def a_spectrum_has_the_trace_of_its_jacobian_and_its_largest_first(f, xi, X, omega, beta):
    """Sums of eigenvalues have errors of d^2 roundings of the norm."""
    for update, memory in ((modern.update, (X,)), (sparse.update, (X,)),
                           (performer.update, (X, omega))):
        J = theory.jacobian(update, xi, *memory, beta=beta)
        values = f(update, xi, *memory, beta=beta)
        size = 1 + np.sqrt(np.sum(J * J, axis=(-2, -1)))
        trace = np.trace(J, axis1=-2, axis2=-1)
        yield equal(toleranced(np.sum(values, axis=-1).real, 200 * U * size), trace, update.name)
        rise = toleranced(np.diff(np.abs(values), axis=-1), 200 * U * size[:, None])
        yield at_most(rise, 0.0, update.name)

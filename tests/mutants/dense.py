"""Dense associative memories, wrong."""
import numpy as np

from hopref import dense
from hopref.models.dense import INTERACTIONS
from tests.mutants import mutant


def F_of(interaction):
    return INTERACTIONS[interaction].F if isinstance(interaction, str) else interaction.F


def others(xi, X):
    return (xi @ X.T)[..., None] - X * xi[..., None, :]


def sign(h, xi, tie=None):
    return np.where(h > 0, 1.0, np.where(h < 0, -1.0, xi if tie is None else tie))


def gain(r, X, F, n):
    return (F(r + X, n) - F(r - X, n)).sum(-2)


def visit(xi, X, order, field, tie=None):
    """One site after another, by the field that ``field(xi)`` gives."""
    for i in order:
        xi = np.where(np.arange(xi.shape[-1]) == i, sign(field(xi), xi, tie), xi)
    return xi


# -- energies -----------------------------------------------------------------------------------

@mutant("dense.energy")
def dense_energy_of_the_mean(xi, X, /, *, interaction="polynomial", n=3):
    """divided by the number of patterns"""
    return dense.energy(xi, X, interaction=interaction, n=n) / len(X)


@mutant("dense.energy")
def rectified_is_not_rectified(xi, X, /, *, interaction="polynomial", n=3):
    """z^n below 0 too"""
    plain = "polynomial" if interaction == "rectified" else interaction
    return dense.energy(xi, X, interaction=plain, n=n)


@mutant("dense.energy")
def degree_ignored(xi, X, /, *, interaction="polynomial", n=3):
    """always z^3"""
    return dense.energy(xi, X, interaction=interaction, n=3)


@mutant("dense.energy")
def quadratic_without_its_half(xi, X, /, *, interaction="polynomial", n=3):
    """-sum z^2"""
    factor = 2 if interaction == "quadratic" else 1
    return factor * dense.energy(xi, X, interaction=interaction, n=n)


@mutant("dense.log_energy")
def log_energy_overflows(xi, X, /):
    """log(sum(exp(z))) as it stands"""
    return -np.log(np.exp(xi @ X.T).sum(-1))


@mutant("dense.log_energy")
def log_energy_of_the_mean(xi, X, /):
    """log mean exp"""
    return dense.log_energy(xi, X) + np.log(len(X))


# -- one site at a time -------------------------------------------------------------------------

@mutant("dense.asynchronous_update")
def dense_takes_the_higher_energy(xi, X, /, *, order, interaction="polynomial", n=3):
    """the sign turned round"""
    F = F_of(interaction)
    return visit(xi, X, order, lambda x: -gain(others(x, X), X, F, n))


@mutant("dense.asynchronous_update")
def dense_ties_become_plus(xi, X, /, *, order, interaction="polynomial", n=3):
    """+1 at a tie"""
    F = F_of(interaction)
    return visit(xi, X, order, lambda x: gain(others(x, X), X, F, n), 1.0)


@mutant("dense.asynchronous_update")
def dense_visit_with_its_own_part(xi, X, /, *, order, interaction="polynomial", n=3):
    """r_i sums over all j, i too"""
    F = F_of(interaction)
    return visit(xi, X, order, lambda x: gain((x @ X.T)[..., None], X, F, n))


@mutant("dense.asynchronous_update")
def dense_async_by_the_slope(xi, X, /, *, order, interaction="polynomial", n=3):
    """the first-order rule, one site at a time"""
    for i in order:
        new = dense.first_order_update(xi, X, interaction=interaction, n=n)
        xi = np.where(np.arange(xi.shape[-1]) == i, new, xi)
    return xi


@mutant("dense.asynchronous_update")
def dense_async_done_synchronously(xi, X, /, *, order, interaction="polynomial", n=3):
    """all gains computed before the first flip"""
    new = dense.update(xi, X, interaction=interaction, n=n)
    return np.where(np.isin(np.arange(xi.shape[-1]), order), new, xi)


@mutant("dense.asynchronous_update")
def dense_async_stale_overlaps(xi, X, /, *, order, interaction="polynomial", n=3):
    """overlaps never updated after a flip"""
    m, F = xi @ X.T, F_of(interaction)
    return visit(xi, X, order, lambda x: gain(m[..., None] - X * x[..., None, :], X, F, n))


@mutant("dense.asynchronous_update")
def dense_async_in_index_order(xi, X, /, *, order, interaction="polynomial", n=3):
    """order ignored"""
    return dense.asynchronous_update(xi, X, order=sorted(order), interaction=interaction, n=n)


@mutant("dense.asynchronous_update")
def powers_overflow_one_by_one(xi, X, /, *, order, interaction="polynomial", n=3):
    """inf - inf, or 0 - 0"""
    F = F_of(interaction)
    return visit(xi, X, order, lambda x: gain(others(x, X), X, F, n))


@mutant("dense.asynchronous_update")
def exponential_overflows(xi, X, /, *, order, interaction="polynomial", n=3):
    """sums of exp compared as they stand"""
    return powers_overflow_one_by_one(xi, X, order=order, interaction=interaction, n=n)


# -- all sites at once --------------------------------------------------------------------------

@mutant("dense.update")
def dense_update_with_its_own_part(xi, X, /, *, interaction="polynomial", n=3):
    """r_i sums over all j, i too"""
    return sign(gain((xi @ X.T)[..., None] + 0 * X, X, F_of(interaction), n), xi)


@mutant("dense.update")
def dense_update_ties_become_plus(xi, X, /, *, interaction="polynomial", n=3):
    """+1 at a tie"""
    return sign(gain(others(xi, X), X, F_of(interaction), n), xi, 1.0)


@mutant("dense.update")
def dense_update_sees_its_flips(xi, X, /, *, interaction="polynomial", n=3):
    """one site after another under the name of all at once"""
    return dense.asynchronous_update(xi, X, order=range(xi.shape[-1]), interaction=interaction, n=n)


@mutant("dense.update")
def powers_overflow(xi, X, /, *, interaction="polynomial", n=3):
    """inf - inf, or 0 - 0"""
    return sign(gain(others(xi, X), X, F_of(interaction), n), xi)


@mutant("dense.update")
def exponential_ties_by_rounding(xi, X, /, *, interaction="polynomial", n=3):
    """exponentials summed in the order of the patterns: equal sums differ in their last bit"""
    r = others(xi, X)
    top = np.abs(r).max(-2, keepdims=True) + np.abs(X).max(-2, keepdims=True)
    return sign((np.exp(r + X - top)).sum(-2) - (np.exp(r - X - top)).sum(-2), xi)


# -- the slope ----------------------------------------------------------------------------------

def followed(xi, X, r, interaction, n, tie=None, factor=None):
    slope = INTERACTIONS[interaction].slope if factor is None else factor
    return sign((X * slope(r, n)).sum(-2), xi, tie)


@mutant("dense.first_order_update")
def first_order_by_the_value(xi, X, /, *, interaction="polynomial", n=3):
    """F in place of its slope"""
    return followed(xi, X, others(xi, X), interaction, n, factor=F_of(interaction))


@mutant("dense.first_order_update")
def first_order_with_its_own_part(xi, X, /, *, interaction="polynomial", n=3):
    """the slope at the whole overlap"""
    return followed(xi, X, (xi @ X.T)[..., None] + 0 * X, interaction, n)


@mutant("dense.first_order_update")
def first_order_ties_become_plus(xi, X, /, *, interaction="polynomial", n=3):
    """+1 at a tie"""
    return followed(xi, X, others(xi, X), interaction, n, 1.0)


@mutant("dense.first_order_update")
def first_order_overflows(xi, X, /, *, interaction="polynomial", n=3):
    """n z^(n-1) as it stands"""
    def plain(z, n):
        z = np.maximum(z, 0) if interaction == "rectified" else z
        return n * np.prod(np.stack([np.ones_like(z), *[z] * (n - 1)]), 0) \
            * (1.0 if interaction == "polynomial" else z > 0)
    return followed(xi, X, others(xi, X), interaction, n, factor=plain)


# -- what cancels ---------------------------------------------------------------------------------

@mutant("dense.update")
def dense_update_by_subtraction(xi, X, /, *, interaction="polynomial", n=3):
    """the site's own part taken off again, and F(r + x) - F(r - x) as it is written"""
    return sign(gain(others(xi, X), X, F_of(interaction), n), xi)


@mutant("dense.asynchronous_update")
def dense_visit_by_subtraction(xi, X, /, *, order, interaction="polynomial", n=3):
    """the same, one site at a time"""
    F = F_of(interaction)
    return visit(xi, X, order, lambda x: gain(others(x, X), X, F, n))

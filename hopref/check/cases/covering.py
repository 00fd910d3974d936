"""Covering arrays: few combinations of levels in which every wanted pair of levels meets."""
from itertools import combinations

__all__ = ["covering", "pairs_of", "wanted_pairs"]


def wanted_pairs(factors, most):
    """All pairs of levels of two factors, for factors with at most ``most`` combinations."""
    return {frozenset({(f, a), (g, b)}) for f, g in combinations(factors, 2)
            if len(factors[f]) * len(factors[g]) <= most
            for a in factors[f] for b in factors[g]}


def pairs_of(row):
    """The pairs of levels that meet in a combination."""
    return {frozenset(pair) for pair in combinations(row.items(), 2)}


def covering(factors, wanted):
    """Combinations, as dictionaries from factors to levels, that cover the wanted pairs.

    Each starts with an uncovered pair; every other factor takes the level that covers most pairs
    which are still wanted, the first of equals.
    """
    left, rows = set(wanted), []
    while left:
        row = dict(min(map(sorted, left)))
        for name in factors:
            if name not in row:
                row[name] = max(factors[name], key=lambda level: sum(
                    frozenset({(name, level), other}) in left for other in row.items()))
        rows.append({name: row[name] for name in factors})
        left -= pairs_of(row)
    return rows

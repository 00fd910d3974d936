"""Numbers that a mask hides from every query, in the arguments of gradients.

A gradient multiplies the weights of hidden keys, which are 0, with their entries and those of their
values; 0 * NaN is NaN.  Where NaN and infinities are to propagate, hidden entries are therefore
replaced by 0 before a path is taken: all rules and all paths have this at one place.
"""
import math
from typing import Any

from hopref.dispatch.namespace import namespace, on_host

__all__ = ["without_hidden"]

Dims = tuple[str, ...]

OF_KEYS = {"phi_k", "log_k", "sign_k", "K", "V"}    # keys that have the same axis as their queries


def without_hidden(op: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The arrays with hidden entries, some of them not finite, with 0 in their place.

    Tokens that are queries and keys in one are left as they are: a hidden token sees others.
    """
    mask = next((k for k, domain in op.array_domains.items() if domain.kind == "bool"), None)
    if mask is None or op.arrays[mask][-1] in op.arrays[mask][:-1]:
        return {}
    key, shown = op.arrays[mask][-1], {}
    for k, dims in op.arrays.items():
        rows = dims if dims[-1:] == (key,) else dims[:-1]
        real = op.array_domains[k].kind == "real" and hasattr(given[k], "shape")
        if not real or rows[-1:] != (key,) or key == "l" and k not in OF_KEYS:
            continue
        xp, x = namespace(given[k]), given[k]
        if not (on_host(x) and bool(xp.all(xp.isfinite(x)))):
            seen = _seen(op, xp, given, mask, rows, k != "bias")
            if seen is not True:
                shown[k] = xp.where(seen if rows == dims else seen[..., None], x, 0.0)
    return shown


def _seen(op: Any, xp: Any, given: dict[str, Any], mask: str, rows: Dims, by_bias: bool) -> Any:
    """Whether a query sees each of the rows: True for all, or an array that is broadcast to them.
    """
    seen, dims, bias = given[mask], op.arrays[mask], given.get("bias", 0.0)
    if given.get("causal"):
        queries, keys = given["Q"].shape[-2], given["K"].shape[-2]
        past = xp.tril(xp.ones((queries, keys), dtype=xp.bool), k=given["align"](queries, keys))
        seen, dims = (past, dims[1:]) if seen is True else (past & seen, dims)
    if by_bias and hasattr(bias, "shape"):
        own, here = bias > -math.inf, op.arrays["bias"]
        seen, dims = own if seen is True else own & _along(xp, seen, dims, here), here
    return seen if seen is True else _along(xp, seen, dims, rows)


def _along(xp: Any, seen: Any, dims: Dims, rows: Dims) -> Any:
    """Whether any entry along the axes that ``rows`` lacks is seen; with the other axes of rows."""
    left = [i - len(dims) for i, dim in enumerate(dims) if dim != "..." and dim not in rows]
    if dims[0] == "..." != rows[0]:
        left += range(-seen.ndim, 1 - len(dims))
    seen = xp.any(seen, axis=tuple(left)) if left else seen
    for i, dim in enumerate(rows):
        if dim not in (*dims, "..."):
            seen = xp.expand_dims(seen, axis=i - len(rows))
    return seen

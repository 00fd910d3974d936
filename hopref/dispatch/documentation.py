"""Docstrings completed from declarations: parameters, results, errors and related functions.

The docstring of a formula states what its declaration does not contain: equation, source,
conditions and examples.  Shapes, domains, defaults and the energy that an update decreases are
written once, in the declaration; this module adds them to ``__doc__``, in the sections of numpydoc.
"""
import inspect
import re
from typing import Any

from hopref.dispatch.domains import Choice, Flag, Seed, Several

__all__ = ["completed", "with_gradient", "MEANINGS"]

# Descriptions of parameters that the docstring of a formula does not describe (docs/notation.md).
MEANINGS = {
    "xi": "states, one in each row", "X": "stored patterns, one in each row", "W": "weights",
    "b": "threshold, subtracted from the field", "beta": "inverse temperature",
    "Q": "queries, one in each row", "K": "keys, one in each row", "V": "values, one in each row",
    "scale": "factor of the scores; None for 1/sqrt(d)", "mask": "True where a key is visible",
    "bias": "added to the scaled scores; -inf hides an entry",
    "causal": "whether later keys are hidden from a query",
    "align": "whether the last positions of queries and keys coincide (\"end\"), or the first "
             "(\"start\")",
    "empty_row": "result of a row without visible entries, or with a denominator of 0",
    "where": "True where an entry is included", "z": "scores", "alpha": "exponent of entmax",
    "gamma": "exponent of the norm", "eps": "stabiliser, added to a denominator or a variance",
    "omega": "random directions, one in each row",
    "omegas": "independent draws of random directions",
    "features": "feature map", "phi_q": "features of the queries",
    "phi_k": "features of the keys", "log_q": "logarithms of the features of the queries",
    "log_k": "logarithms of the features of the keys",
    "sign_q": "signs of the features of the queries", "sign_k": "signs of the features of the keys",
    "S": "sum of the outer products of the features of earlier keys and their values",
    "c": "logarithm of the scale of each feature of the state", "x": "vectors, one in each row",
    "y": "vectors, one in each row", "rng": "seed or Generator of the random numbers",
    "support": "True where a state may attend to a pattern",
    "delta": "difference between the query of a pattern and the pattern",
    "activation": "activation function", "theta": "threshold of the components",
    "side": "which side of the threshold is set to 0", "ties": "value at a field of 0",
    "states": "alphabet of the states", "order": "sites in the order in which they are updated",
    "interaction": "interaction function",
    "zero_diagonal": "whether the diagonal of the weights is set to 0",
    "previous": "states of the previous step",
    "g": "cotangent of the result", "g_S": "cotangent of S", "g_z": "cotangent of z",
    "g_c": "cotangent of c", "steps": "number of updates",
    "per_head": "factor of beta for each head",
    "renormalise": "whether the weights of the visible patterns sum to 1",
    "width": "number of steps of the window to each side",
    "dilation": "distance between neighbouring positions of the window",
    "gain": "factor of each normalised component", "shift": "added to each normalised component",
    "visible": "Lagrangian of the visible neurons", "hidden": "Lagrangian of the hidden neurons",
    "functions": "functions of the projections, by name or as Feature records",
    "h": "factor of the feature map", "Y": "stored patterns of the second layer, one in each row",
    "R": "state patterns, one in each row", "P": "patterns that are read out, one in each row",
    "A": "coefficient of the quadratic term of the exponent",
    "a": "diagonal of the quadratic term of the exponent",
    "B": "matrix of the linear term of the exponent",
    "m": "number of random directions", "d": "number of components", "n": "number of patterns",
    "l": "number of queries", "k": "number of entries", "p": "weights", "tau": "time constant",
    "leak": "conductance 1/R of each site; 1 if it is left out",
    "activity": "mean of the components", "v": "visible neurons",
    "W_q": "projections of the states, one matrix for each head",
    "W_k": "projections of the stored patterns, one matrix for each head",
    "W_v": "projections of the patterns that are read out, one matrix for each head",
    "W_o": "output matrices, one for each head", "b_q": "bias of W_q", "b_k": "bias of W_k",
    "b_v": "bias of W_v", "b_o": "bias of the output",
    "load": "number of patterns per neuron", "errors": "fraction of wrong components of a cue",
    "margin": "difference of scores, in units of 1/beta, at which the map returns one pattern",
    "others": "patterns that are not in the group, one in each row",
    "fixed": "fixed points near the patterns, one for each pattern",
    "tolerance": "weight that the softmax may give to the other patterns",
}
SECTION = re.compile(r"^(Parameters|Returns|Raises|Notes|See Also|References)\n-+\n", re.M)
INLINE = re.compile(r"^(Returns|Notes): +", re.M)
REPEATED = re.compile(r"\A\([^)]*\)( bool)?,? *")      # a shape that the declaration contains
ORDER = ("Parameters", "Returns", "Raises", "See Also", "Notes", "References", "Examples")


def completed(declaration: Any, doc: str | None) -> str | None:
    """The docstring with the sections that the declaration determines; None stays None."""
    if doc is None:
        return None
    text, sections = _parsed(inspect.cleandoc(doc))
    sections["Parameters"] = _parameters(declaration, sections.get("Parameters", ""))
    sections["Returns"] = _returns(declaration, sections.get("Returns", ""))
    if related := _related(declaration):
        sections["See Also"] = "\n".join(filter(None, [sections.get("See Also"), related]))
    parts = [text, *(f"{name}\n{'-' * len(name)}\n{sections[name]}" for name in ORDER
                     if sections.get(name))]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _parsed(doc: str) -> tuple[str, dict[str, str]]:
    """The text before the first section, and a dictionary of the sections."""
    body, examples = _split(doc, re.compile(r"^>>> ", re.M))
    body = INLINE.sub(lambda m: f"{m[1]}\n{'-' * len(m[1])}\n", body)
    found = list(SECTION.finditer(body))
    text = body[:found[0].start()] if found else body
    ends = [*(m.start() for m in found[1:]), len(body)]
    sections: dict[str, str] = {}
    for m, end in zip(found, ends):
        content = body[m.end():end].strip("\n")
        if m[1] == "Returns":           # a later paragraph belongs to the notes
            content, rest = _split(content, re.compile(r"^\n(?=\S)", re.M))
            sections["Notes"] = "\n\n".join(filter(None, [sections.get("Notes"), rest.strip()]))
        if content:
            sections[m[1]] = "\n\n".join(filter(None, [sections.get(m[1]), content]))
    if examples.strip():
        sections["Examples"] = examples
    return text, sections


def _split(text: str, at: "re.Pattern[str]") -> tuple[str, str]:
    found = at.search(text)
    return (text[:found.start()], text[found.start():]) if found else (text, "")


def _parameters(op: Any, written: str) -> str:
    """One entry for each parameter: its type, and its description in the docstring or glossary."""
    known = _entries(written)
    lines = []
    for name, parameter in op.signature.parameters.items():
        group = next((k for k in known if name in re.split(r", *", k)), None)
        meaning = REPEATED.sub("", known[group]) if group else _meaning(op, name)
        lines.append(f"{name} : {_type(op, name, parameter.default)}")
        lines += [f"    {line}".rstrip() for line in meaning.split("\n") if line.strip()]
    return "\n".join(lines)


def _meaning(op: Any, name: str) -> str:
    """The description of a parameter; next to S, z is the denominator of the same state."""
    if name == "z" and "S" in op.signature.parameters:
        return "sum of the features of earlier keys"
    return MEANINGS.get(name, "")


def _entries(written: str) -> dict[str, str]:
    """{names: description} of a Parameters section."""
    found: dict[str, str] = {}
    for line in written.split("\n"):
        head = re.match(r"(\w[\w, ]*?) : ?(.*)", line)
        if head:
            name, found[head[1]] = head[1], head[2]
        elif found:
            found[name] += "\n" + line.strip()
    return found


def _type(op: Any, name: str, default: Any) -> str:
    """Shape and domain of a parameter, and its default."""
    domain = op.domains.get(name)
    if name in op.arrays:
        shape = _shape(op.arrays[name]) if op.arrays[name] else "array"
        shape += " or number" if isinstance(default, float) else ""
        kind = {"bool": "bool", "integer": "integers"}.get(getattr(domain, "kind", ""), "")
        words = kind or getattr(domain, "description", "")
        text = f"{shape}, {words}" if words else shape
    elif isinstance(domain, Choice):
        text = "{" + ", ".join(f'"{k}"' for k in domain.names) + "}"
        text += f" or {domain.record.__name__}" if domain.record else ""
    elif isinstance(domain, Several):
        text = "tuple of {" + ", ".join(f'"{k}"' for k in domain.choice.names) + "}"
    elif isinstance(domain, Flag):
        text = "bool"
    elif isinstance(domain, Seed):
        text = "int, SeedSequence or Generator"
    else:
        text = getattr(domain, "description", "number")
        shapes = "(...) or (..., l)" if op.by_query else "(...)"
        text += f", or an array {shapes} of them" if name in op.by_row else ""
    if default is inspect.Parameter.empty:
        return text
    shown = f'"{default}"' if isinstance(default, str) else repr(default)
    return f"{text}, default {shown}"


def _shape(dims: tuple[str, ...]) -> str:
    return f"({', '.join(dims)}{',' * (len(dims) == 1 and dims[0] != '...')})"


def _returns(op: Any, written: str) -> str:
    """The Returns section of the docstring, or the shapes of the results."""
    if written:
        return written
    shapes = [_shape(dims) for dims in op.outputs]
    if len(shapes) == 1:
        return f"{shapes[0]} array" if op.outputs[0] else "float"
    return f"tuple of arrays {', '.join(shapes)}"


def with_gradient(doc: str, name: str) -> str:
    """The docstring of a rule with its gradient under See Also."""
    line = f"hopref.{name} : vector-Jacobian product\n"
    head = "See Also\n--------\n"
    if head in doc:
        return doc.replace(head, head + line)
    at = re.search(r"^(Notes|References|Examples)\n-", doc, re.M)
    where = at.start() if at else len(doc)
    return f"{doc[:where]}{head}{line}\n{doc[where:]}"


def _related(op: Any) -> str:
    """The energy that an update decreases, and its faster paths."""
    lines = []
    if op.lowers:
        energy, condition = op.lowers
        when = "at every step" if condition == "always" else f"where {condition}"
        lines.append(f"hopref.{energy.name} : the energy, which decreases {when}")
    lines += [f"hopref.fast.{path}.{op.name} : the same on a faster path (``backend=\"{path}\"``)"
              for path in op.paths if path != "formula"]
    return "\n".join(lines)


"""Calling conventions: how the call of a candidate differs from that of the op.

Each difference has one field of `Convention`, and one option of ``hopref check``:

=====================================================  ==========================================
the candidate                                          option
=====================================================  ==========================================
has one value of an option of the op only              ``--set alpha=1.5``
leaves rows without a visible key undefined            ``--set empty_row=undefined``
has another name for a parameter                       ``--map scale=softmax_scale``
takes a mask and a bias in one argument                ``--map mask=attn_mask --map bias=attn_mask``
takes its operands in another order                    ``--order K,Q,V``
takes an option by its place                           ``--order xi,X,beta``
has axes in another order, an axis of length 1         ``--layout "K=b 1 s d"``
joins axes                                             ``--layout "Q=b l (h d)"``
shares keys among groups of query heads                ``--layout "K=b g s d"``
takes packed sequences, with their offsets             ``--layout "Q=(b l) h d"
                                                       --fixed cu_seqlens_q=offsets:l
                                                       --fixed max_seqlen_q=size:l``
takes 2-D arrays or a single state only                ``--lead 0``, the kit loops over the rest
requires leading axes                                  ``--lead 2``
requires sizes                                         ``--size s=l``, ``--size l=1``
means something else by True in a mask                 ``--mask hidden``, ``--mask additive``
takes arrays of another library, or nested lists       ``--array torch``, ``cupy``, ``list``
needs further arguments                                ``--fixed training=False``
is made by a class or a factory                        ``--init dim=8``
returns more than the result, or not all results       ``--returns 0``, ``--returns xi,X``
returns an energy without its constant                 ``--up-to constant``
returns features in another order of the columns       ``--up-to columns``
=====================================================  ==========================================

Two differences need no option: a parameter without a default receives the default of the op, and
nested lists of numbers, as ``.tolist()`` returns them, are arrays.  An adapter expresses what is
left.
"""
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from types import SimpleNamespace

from hopref.check.peers.layouts import LEADING, letters_of, parsed
from hopref.check.tolerance.arithmetic import round_to
from hopref.dispatch.domains import Choice, Scalar, Seed
from hopref.dispatch.operation import load
from hopref.errors import HoprefError, PluginError

__all__ = ["CONVENTIONS", "PLAIN", "Convention", "convention_from", "convention_in_process",
           "convention_of", "in_format", "output_names",
           "own_array", "validated"]

UNDEFINED = "undefined"
UP_TO = ("", "constant", "columns")


@dataclass(frozen=True)
class Convention:
    """Differences between the calls of the op and of the candidate.

    Attributes
    ----------
    names : dictionary from arguments of the op to parameters of the candidate, which are then
        passed by keyword; a mask and a bias with the same name are passed as one array
    order : operands of the op, and options that are passed by place, in the order in which the
        candidate takes them
    layout : dictionary from an argument, or "out", to the axes of the candidate, such as "d n" or
        "b l (h d)" in the letters of the op; the leading axes are named b, h, ... in order
    lead : number of leading axes that the candidate requires; the kit loops over any others
    mask : "visible" (True shows an entry), "hidden" (True hides it) or "additive" (0 and -inf)
    array : "numpy", "torch", "jax", "cupy" or "list"
    dtype : number format of real arrays
    fixed : dictionary of further keyword arguments; "offsets:l" and "size:l" are the offsets of
        packed sequences and the size of an axis
    given : dictionary of options of the op, for which all cases have these values; the value
        "undefined" of ``empty_row`` excludes rows without a visible key from the comparison
    sizes : dictionary from axes to a size, or to another axis of equal size
    returns : for each result of the candidate the name or number of the result of the op, or "-";
        further results are ignored, and those of the op that are missing are not compared
    up_to : "", or the part of the result that is not compared: "constant" or "columns" (their
        order)
    explicit : options that are always passed, since their default differs from that of the op
    exclusive : pairs of options that the candidate does not take together
    init : dictionary of the arguments with which a class or a factory makes the candidate
    optional : arguments whose names, of a published convention, the candidate may lack
    ignored : parameters that no call passes, since they are not of the op, such as one for dropout
    """
    names: dict = field(default_factory=dict)
    order: tuple = ()
    layout: dict = field(default_factory=dict)
    lead: int | None = None
    mask: str = "visible"
    array: str = "numpy"
    dtype: str = ""
    fixed: dict = field(default_factory=dict)
    given: dict = field(default_factory=dict)
    sizes: dict = field(default_factory=dict)
    returns: tuple = ()
    up_to: str = ""
    explicit: tuple = ()
    exclusive: tuple = ()
    init: dict = field(default_factory=dict)
    optional: tuple = ()
    ignored: tuple = ()

    @property
    def undefined_rows(self):
        """Whether rows without a visible key are excluded from the comparison."""
        return self.given.get("empty_row") == UNDEFINED

    @property
    def case_options(self):
        """The values that options have in all cases."""
        return {k: v for k, v in self.given.items() if v != UNDEFINED}


PLAIN = Convention()
TOKENS = {"Q": "b l h d", "K": "b l h d", "V": "b l h v", "log_decay": "b l h",
          "log_gates": "b l h d", "beta": "b l h", "out": "b l h v"}
MEMORY = {"array": "torch", "lead": 2, "layout": TOKENS, "fixed": {"output_final_state": True}}
HEADS_THIRD = {"Q": "b l h d", "K": "b s h d", "V": "b s h v", "out": "b l h v"}
ONE_MASK = {"mask": "attn_mask", "bias": "attn_mask"}
START = {"align": "start", "empty_row": UNDEFINED}
FLAX = ("broadcast_dropout", "dropout_rng", "dropout_rate", "deterministic", "dtype", "precision",
        "module", "force_fp32_for_softmax", "einsum_dot_general", "qk_attn_weights_einsum",
        "attn_weights_value_einsum", "einsum", "promote_dtype")

# Conventions of published attention functions, by their documentation; "undefined" where it does
# not say what a row without a visible key is.  Compared with torch 2.14.1, jax 0.10.2, flax 0.12.8,
# keras 3.15.1, onnx 1.23.2, transformers 5.24.0 and hflayers (commit of 2021); flash-attn by its
# docstring alone.
CONVENTIONS = {
    # torch.nn.functional.scaled_dot_product_attention
    "torch-sdpa": Convention(
        names=ONE_MASK | {"causal": "is_causal"}, array="torch", given=START,
        exclusive=(("causal", "mask"), ("causal", "bias")),
        ignored=("dropout_p", "enable_gqa")),
    # jax.nn.dot_product_attention: values have the dimension of the keys
    "jax": Convention(
        names={"causal": "is_causal"}, layout=HEADS_THIRD, lead=2, array="jax", given=START,
        sizes={"v": "d"},
        ignored=("query_seq_lengths", "key_value_seq_lengths", "local_window_size",
                 "implementation", "return_residual", *FLAX)),
    # flax.linen.dot_product_attention; that of flax.nnx calls that of jax
    "flax": Convention(layout=HEADS_THIRD, lead=2, array="jax", given={"empty_row": UNDEFINED},
                       ignored=FLAX),
    # keras.ops.dot_product_attention: converts arrays; a bias excludes a mask
    "keras": Convention(
        names={"causal": "is_causal"}, layout=HEADS_THIRD, lead=2, given=START, sizes={"v": "d"},
        exclusive=(("bias", "mask"), ("causal", "bias")),
        ignored=("flash_attention", "attn_logits_soft_cap")),
    # onnx.reference.ops.op_attention:_compute_attention, the operator Attention
    "onnx": Convention(
        names=ONE_MASK | {"causal": "is_causal"}, lead=2, given=START, returns=("0",),
        ignored=("past_key", "past_value", "nonpad_kv_seqlen", "q_num_heads", "kv_num_heads",
                 "softmax_precision", "softcap", "qk_matmul_output_mode", "left_window_size",
                 "right_window_size", "_validate_attention25")),
    # flash_attn.flash_attn_func
    "flash-attn": Convention(
        names={"scale": "softmax_scale"}, layout=HEADS_THIRD, lead=2, array="torch",
        sizes={"v": "d"}),
    # the recurrent and chunked rules of flash-linear-attention, with one log decay for each token
    "fla": Convention(names={"log_decay": "g", "S": "initial_state"}, **MEMORY),
    # the same, with one for each entry of a key
    "fla-gates": Convention(names={"log_gates": "g", "S": "initial_state"}, **MEMORY),
    # hflayers.activation.HopfieldCore without projections
    "hflayers": Convention(
        names=ONE_MASK | {"scale": "scaling"}, lead=1, mask="hidden", array="torch",
        layout={"Q": "l b d", "K": "s b d", "V": "s b v", "out": "l b v"}, returns=("0",),
        given={"empty_row": UNDEFINED}, explicit=("scale",)),
    # the attention functions of transformers, such as sdpa_attention_forward; causal masks are
    # passed as masks
    "transformers": Convention(
        names={"Q": "query", "K": "key", "V": "value", "scale": "scaling",
               "mask": "attention_mask", "bias": "attention_mask"},
        lead=2, mask="additive", array="torch", layout={"out": "b l h v"}, returns=("0",),
        given={"causal": False, "align": "end", "empty_row": UNDEFINED},
        fixed={"module": SimpleNamespace(num_key_value_groups=1, training=False),
               "is_causal": False}, ignored=("dropout", "position_bias")),
}


def convention_of(name, op, **own):
    """The named convention as far as the op has its arguments, with the author's own fields."""
    if not name:
        return Convention(**own)
    if name not in CONVENTIONS:
        raise PluginError(f"--convention must be one of {', '.join(CONVENTIONS)}; got {name!r}")
    base = fitted(CONVENTIONS[name], op)
    return replace(base, **{k: getattr(base, k) | v if isinstance(v, dict) else v
                            for k, v in own.items()})


def convention_from(like, record):
    """The convention that a JSON record describes: fields, and the name of a published one."""
    own = {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
    name, number_format = own.pop("convention", ""), own.pop("format", "float64")
    op = load().get(like)
    if op is None:
        stated = [k for k, v in own.items() if k != "dtype" and v not in ("numpy", (), {})]
        if name or stated:
            raise PluginError(f"{like} is called by its laws as it is; {name or stated[0]} states "
                              "how an operation is called")
        return PLAIN
    return validated(op, convention_of(name, op, **own), number_format)


def in_format(record, dtype):
    """A JSON record for arrays of a number format, in which those of other libraries are made."""
    array = record.get("array") or own_array(record.get("convention", ""))
    converted = array != "numpy" or dtype == "bfloat16"
    return {"format": dtype, **record, "array": array, "dtype": dtype if converted else ""}


def own_array(name):
    """The arrays of a named convention."""
    return CONVENTIONS[name].array if name in CONVENTIONS else "numpy"


def convention_in_process(like, convention, given, dtype):
    """The convention of a function in this process: a name, a `Convention` or None, and options."""
    if not isinstance(convention, Convention):
        record = {"convention": convention or "", "given": given or {}}
        return convention_from(like, in_format(record, dtype))
    convention = replace(convention, given=convention.given | (given or {}))
    op = load().get(like)
    return validated(op, convention, dtype) if op is not None else convention


def fitted(base, op):
    """An entry of the table without arguments and axes that the op lacks."""
    has = set(op.signature.parameters) | {"out"}
    dims = {d for axes in op.arrays.values() for d in axes}
    parts = {k: {a: v for a, v in getattr(base, k).items() if a in has}
             for k in ("names", "layout", "given")}
    parts["layout"] = {k: text for k, text in parts["layout"].items()
                       if set(dims_of(op, k)) == set(letters_of(text)) - set(LEADING)}
    sizes = {k: v for k, v in base.sizes.items() if {k, v} <= dims}
    return replace(base, **parts, sizes=sizes, optional=tuple(parts["names"]),
                   explicit=tuple(k for k in base.explicit if k in has))


def validated(op, convention, dtype="float64"):
    """The convention with values in the domains of the op; `HoprefError` for anything unknown.

    Real numbers among the values are rounded to ``dtype``, so that the candidate receives the
    numbers of which the correct result is computed.
    """
    parameters, arrays = tuple(op.signature.parameters), tuple(op.arrays)
    dims = {d for axes in (*op.arrays.values(), *op.outputs) for d in axes} - {"..."}
    for k in convention.names:
        known("--map", k, parameters, op)
    for k in convention.order:
        known("--order", k, parameters, op)
    if len(set(convention.order)) < len(convention.order):
        raise PluginError(f"--order must name an argument once; got {','.join(convention.order)}")
    if convention.lead is not None and convention.lead < 0:
        raise PluginError(f"--lead must be an integer >= 0; got {convention.lead}")
    for k in convention.layout:
        known("--layout", k, (*arrays, "out"), op)
    for k, v in convention.sizes.items():
        known("--size", k, sorted(dims), op)
        if not isinstance(v, int):
            known("--size", v, sorted(dims), op)
        elif v < 1:
            raise PluginError(f"--size {k} must be an integer >= 1; got {v}")
    for item in convention.returns:
        if item != "-":
            known("--returns", item, output_names(op), op)
    if convention.up_to not in UP_TO:
        raise PluginError(f"--up-to must be constant or columns; got {convention.up_to!r}")
    if convention.up_to == "constant" and op.outputs[0] != ("...",):
        raise PluginError(f"--up-to constant needs one number for each state; {op.name} has others")
    if convention.up_to == "columns" and "features" not in op.name:
        raise PluginError(f"--up-to columns needs columns of features; {op.name} has none")
    for k, text in convention.layout.items():
        check_layout(op, k, text)
    given = {k: in_domain(op, k, v) for k, v in convention.given.items()}
    given = {k: float(round_to(v, dtype)) if isinstance(v, float) else v for k, v in given.items()}
    lead = convention.lead
    if lead is None:
        lead = max((sum(a in LEADING for a in letters_of(text) if a not in dims_of(op, k))
                    for k, text in convention.layout.items() if "..." in axes_of(op, k)),
                   default=None)
    return replace(convention, given=given, lead=lead)


def known(option, name, names, op):
    """Check a name that an option mentions."""
    if name not in names:
        near = get_close_matches(str(name), list(map(str, names)), 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise PluginError(f"{option}: {op.name} has no {name!r}{hint}; it has {', '.join(names)}")


def axes_of(op, k):
    return op.outputs[0] if k == "out" else op.arrays[k]


def dims_of(op, k):
    return [d for d in axes_of(op, k) if d != "..."]


def check_layout(op, k, text):
    """Check that a layout names each axis of the argument once."""
    own, found = dims_of(op, k), [a for a in letters_of(text) if a != "1"]
    allowed = [*own, *(LEADING if "..." in axes_of(op, k) else "")]
    wrong = [a for a in found if a not in allowed]
    missing = [d for d in own if d not in found]
    if not parsed(text) or wrong or missing or len(set(found)) < len(found):
        what = (f"unknown axis {wrong[0]}" if wrong else f"axis {missing[0]} is missing" if missing
                else "an axis is named twice" if found else "no axes")
        also = ", and the leading axes b, h, ..." if "..." in axes_of(op, k) else ""
        raise PluginError(f"--layout {k}={text}: {what}; {k} has the axes {' '.join(own)}{also}")


def in_domain(op, k, value):
    """The value of an option of the op, of the right type; `HoprefError` outside of its domain."""
    known("--set", k, sorted(op.domains.keys() & op.defaults.keys() | required(op)), op)
    domain = op.domains[k]
    if k in op.arrays:
        if value != op.defaults[k] or isinstance(value, bool) != isinstance(op.defaults[k], bool):
            raise PluginError(f"--set {k}: an array can only be left out, by {k}={op.defaults[k]}; "
                              f"got {value!r}")
        return value
    if k == "empty_row" and value == UNDEFINED:
        return value
    if value is None and op.defaults.get(k, 0) is None:
        return None
    try:
        valid = domain.validate(k, value)
    except HoprefError as error:
        undefined = ", or 'undefined'" if k == "empty_row" else ""
        raise type(error)(f"--set {str(error).removesuffix('.')}{undefined}") from None
    return value if isinstance(domain, Choice) else valid


def required(op):
    """Options of the op without a default, other than seeds."""
    return {k for k, d in op.domains.items() if k not in op.defaults and k not in op.arrays
            and isinstance(d, Scalar) and not isinstance(d, Seed)}


def output_names(op):
    """The names of the results: their numbers, and for gradients those of the arguments.

    Each result of a gradient is that of the first argument with its axes, the incoming gradients
    excluded, that is not yet named.
    """
    numbers = tuple(map(str, range(len(op.outputs))))
    if not op.name.startswith("gradients."):
        return numbers
    waiting = [k for k, d in op.domains.items() if k != "g" and not k.startswith("g_")
               and (d.kind == "real" if k in op.arrays else isinstance(d, Scalar))]
    waiting.sort(key=list(op.signature.parameters).index)
    named = []
    for dims in op.outputs:
        k = next((k for k in waiting if op.arrays.get(k, ()) == dims), None)
        named.append(k)
        waiting = [other for other in waiting if other != k]
    return (*numbers, *named) if None not in named else numbers

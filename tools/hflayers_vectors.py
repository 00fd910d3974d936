"""Record outputs of the layers of ml-jku/hopfield-layers: ``tests/layers/hflayers.npz``.

    python tools/hflayers_vectors.py tests/layers/hflayers.npz

needs PyTorch and ``hflayers``, https://github.com/ml-jku/hopfield-layers.  Every case is a module
with random weights in double precision, in evaluation; its weights are stored as `layers.Weights`,
its masks as ours.  Arrays are named case/what.
"""
import sys

import numpy as np

from hopref import layers

N, L, S, D = 2, 3, 4, 4
PLAIN = {f"normalize_{of}{more}": False for more in ("", "_affine")
         for of in ("stored_pattern", "state_pattern", "pattern_projection")}
STATIC = {**PLAIN, "state_pattern_as_static": True, "stored_pattern_as_static": True,
          "pattern_projection_as_static": True, "disable_out_projection": True}
PER_HEAD = (0.5, 3.0)

# name: (class, options, masks)
CASES = {
    "default": ("Hopfield", {"num_heads": 2}, ()),
    "all sizes differ": ("Hopfield", {
        "num_heads": 3, "hidden_size": 2, "pattern_size": 3, "output_size": 5,
        "stored_pattern_size": 6, "pattern_projection_size": 7}, ()),
    "masks": ("Hopfield", {"num_heads": 2, "update_steps_max": 2, "update_steps_eps": 1e-9},
              ("mask", "key_mask")),
    "additive mask of every head": ("Hopfield", {"num_heads": 2}, ("bias",)),
    "three updates": ("Hopfield", {"num_heads": 2, "update_steps_max": 3,
                                   "update_steps_eps": 1e-9}, ()),
    "until it stops": ("Hopfield", {"num_heads": 2, "update_steps_max": None}, ()),
    "stopped early": ("Hopfield", {"num_heads": 2, "update_steps_max": 9,
                                   "update_steps_eps": 0.25}, ()),
    "blind states": ("Hopfield", {"num_heads": 2, "update_steps_max": 3,
                                  "update_steps_eps": 1e-3}, ("blind",)),
    "a scaling per head": ("Hopfield", {"num_heads": 2, "scaling": PER_HEAD}, ()),
    "a scaling per head, two updates": ("Hopfield", {
        "num_heads": 2, "scaling": PER_HEAD, "update_steps_max": 2, "update_steps_eps": 1e-9}, ()),
    "normalised association space": ("Hopfield", {
        "num_heads": 2, "hidden_size": 3, "normalize_hopfield_space": True,
        "normalize_hopfield_space_affine": True, "update_steps_max": 1,
        "update_steps_eps": 1e-9}, ()),
    "connected": ("Hopfield", {"num_heads": 2, "pattern_projection_as_connected": True,
                               "normalize_pattern_projection_affine": False}, ()),
    "connected and static": ("Hopfield", {
        "num_heads": 2, "pattern_projection_as_connected": True, **PLAIN,
        "pattern_projection_as_static": True, "disable_out_projection": True}, ()),
    "static states": ("Hopfield", {"num_heads": 2, "hidden_size": D, "input_bias": False,
                                   "state_pattern_as_static": True}, ()),
    "all static": ("Hopfield", {**STATIC, "update_steps_max": 1, "update_steps_eps": 1e-9}, ()),
    "all static, two heads": ("Hopfield", {
        **STATIC, "num_heads": 2, "scaling": PER_HEAD, "update_steps_max": 2}, ()),
    "pooling": ("HopfieldPooling", {"num_heads": 2, "quantity": 2}, ("key_mask",)),
    "lookup": ("HopfieldLayer", {"num_heads": 2, "quantity": 5}, ()),
    "lookup with targets": ("HopfieldLayer", {
        "num_heads": 2, "quantity": 5, "lookup_weights_as_separated": True,
        "pattern_projection_size": 3, "update_steps_max": 1}, ()),
}


def main(file):
    """Record all cases."""
    import hflayers
    import torch
    torch.set_default_dtype(torch.float64)
    kept = {}
    for number, (name, (kind, options, masks)) in enumerate(CASES.items()):
        rng = np.random.default_rng(number)
        options = {"input_size": D, **options}
        if isinstance(options.get("scaling"), tuple):
            options["scaling"] = torch.tensor(options["scaling"])
        module = getattr(hflayers, kind)(**options).eval()
        for parameter in module.parameters():
            parameter.data = torch.from_numpy(rng.standard_normal(tuple(parameter.shape)))
        record = recorded(module, kind, options, masks, rng, torch)
        kept |= {f"{name}/{k}": np.asarray(v) for k, v in record.items()}
    np.savez_compressed(file, **kept)


def recorded(module, kind, options, masks, rng, torch):
    """Inputs, weights, keywords and output of one module."""
    inner, quantity = getattr(module, "hopfield", module), options.get("quantity", 0)
    sizes = {"R": (N, L, D), "Y": (N, S, options.get("stored_pattern_size", D)),
             "P": (N, S, options.get("pattern_projection_size", D))}
    given = {k: rng.standard_normal(shape) for k, shape in sizes.items()}
    own = {"pooling_weights": "states", "lookup_weights": "lookup", "target_weights": "targets"}
    own = {ours: getattr(module, theirs).detach().numpy()[0] for theirs, ours in own.items()
           if getattr(module, theirs, None) is not None}
    taken = {"Hopfield": "YRP", "HopfieldPooling": "YP", "HopfieldLayer": "R"}[kind]
    queries = quantity if kind == "HopfieldPooling" else L
    hidden, ours = masked(masks, queries, options.get("num_heads", 1), rng)
    operands = tuple(torch.from_numpy(given[k]) for k in taken)
    with torch.no_grad():
        output = module(operands if len(operands) > 1 else operands[0],
                        **{k: torch.from_numpy(v) for k, v in hidden.items()}).numpy()
    output = output.reshape(N, queries, -1)         # pooled outputs are flattened
    weights, how = layers.weights_of(inner)
    how["steps"] = how["steps"] or 0                # 0 means no limit
    return {**{k: given[k] for k in taken}, **own, **ours, **flat(weights), **how,
            "output": output}


def masked(masks, queries, h, rng):
    """Masks in the conventions of the module and of `layers.hopfield`."""
    seen = rng.random((queries, S)) < 0.7
    seen[:, 0], keys = True, rng.random((N, S)) < 0.7
    keys[:, 0] = True
    added = rng.standard_normal((N, h, queries, S))
    theirs, ours = {}, {}
    if "blind" in masks:
        seen[1] = False
    if {"mask", "blind"} & set(masks):
        theirs["association_mask"], ours["mask"] = ~seen, seen
    if "key_mask" in masks:
        theirs["stored_pattern_padding_mask"], ours["key_mask"] = ~keys, keys
    if "bias" in masks:
        theirs["association_mask"], ours["bias"] = added.reshape(N * h, queries, S), added
    return theirs, ours


def flat(weights):
    """The fields that are not None; those of norms are named norm_state.gain, ..."""
    there = {k: v for k, v in weights._asdict().items() if v is not None}
    norms = {k: v for k, v in there.items() if isinstance(v, layers.Norm)}
    return {k: v for k, v in there.items() if k not in norms} | {
        f"{k}.{field}": v for k, norm in norms.items() for field, v in norm._asdict().items()}


if __name__ == "__main__":
    main(*sys.argv[1:])

"""From what torch.export writes about a model to the listing of a program."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import torch

from rfcheck.errors import TargetError
from rfcheck.target.exported.arguments import Written, extent, named, tensor_without_data
from rfcheck.target.exported.steps import scopes_of, stack_of, steps_of
from rfcheck.target.listing import Listing

_REMEDY = "to analyse other sizes export it with dynamic_shapes (torch.export.Dim)"


@dataclasses.dataclass(frozen=True, slots=True)
class _Inputs:
    """What a graph receives, by value."""

    parameters: dict[str, str]
    buffers: dict[str, str]
    constants: list[str]
    images: list[str]


def listing_of(document: Written, weights: Mapping[str, Written]) -> Listing:
    """The listing of an exported program.

    Args:
        document: the program as torch.export writes it.
        weights: what it writes about every parameter and buffer, by dotted name.

    Raises:
        TargetError: if it takes several inputs, or does what rfcheck does not follow.
    """
    module = document["graph_module"]
    graph = module["graph"]
    described: Written = graph["tensor_values"]
    inputs = _inputs(module["signature"])
    image = _only_image(inputs.images, module)
    tensors = {**inputs.parameters, **inputs.buffers}
    shared = _shared(weights)
    kept = {value: shared.get(name, name) for value, name in tensors.items()}
    types = _types(graph["nodes"])
    return Listing(
        type=types.pop("", "Program").rpartition(".")[2],
        source="program",
        remedy=_REMEDY,
        input_name=image,
        input_sizes=tuple(extent(size) if "as_int" in size else None for size in described[image]["sizes"]),
        steps=tuple(steps_of(graph)),
        outputs=tuple(_returned(module["signature"])),
        parameters={
            **{kept[value]: tensor_without_data(described[value]) for value in inputs.parameters},
            **_unused(weights, shared, {*tensors.values()}),
        },
        buffers={kept[value]: tensor_without_data(described[value]) for value in inputs.buffers},
        tensors=kept,
        constants={value: tensor_without_data(described[value]) for value in inputs.constants},
        modules={
            entry["fqn"]: types.get(entry["fqn"], "Module")
            for entry in module.get("module_call_graph", ())
            if _is_path(entry["fqn"])
        },
        attributes=_convolutions(graph, tensors),
    )


def _shared(weights: Mapping[str, Written]) -> dict[str, str]:
    """For parameters that are stored where another one is, the name of the other."""
    first: dict[str, str] = {}
    shared: dict[str, str] = {}
    for name, payload in weights.items():
        place = json.dumps([payload["path_name"], payload["tensor_meta"]], sort_keys=True)
        shared[name] = first.setdefault(place, name)
    return shared


def _unused(weights: Mapping[str, Written], shared: Mapping[str, str], used: Set[str]) -> dict[str, torch.Tensor]:
    """Parameters of modules that the program does not call."""
    return {
        name: tensor_without_data(payload["tensor_meta"])
        for name, payload in weights.items()
        if name not in used and shared[name] == name and payload.get("is_param") and payload["tensor_meta"]
    }


def _is_path(name: str) -> bool:
    return bool(name) and "@" not in name


def _inputs(signature: Written) -> _Inputs:
    found = _Inputs({}, {}, [], [])
    for entry in signature["input_specs"]:
        ((kind, spec),) = entry.items()
        if kind == "parameter":
            found.parameters[spec["arg"]["name"]] = spec["parameter_name"]
        elif kind == "buffer":
            found.buffers[spec["arg"]["name"]] = spec["buffer_name"]
        elif kind == "tensor_constant":
            found.constants.append(spec["arg"]["name"])
        elif kind == "user_input":
            name = named(spec["arg"]) if "as_tensor" in spec["arg"] else None
            found.images.append(name or "a number")
        elif kind not in ("constant_input", "token"):
            raise TargetError(f"the program needs an input of the kind {kind}, which rfcheck cannot make")
    return found


def _only_image(images: Sequence[str], module: Written) -> str:
    if len(images) == 1 and images[0] in module["graph"]["tensor_values"]:
        return images[0]
    wrapper = "export a module whose forward takes the image only and supplies the others"
    raise TargetError(f"the program takes {len(images)} inputs ({', '.join(images)}), rfcheck gives it one image; {wrapper}")


def _returned(signature: Written) -> Iterable[str]:
    for entry in signature["output_specs"]:
        given = entry.get("user_output", {}).get("arg", {})
        name = named(given["as_tensor"]) if "as_tensor" in given else None
        if name is not None:
            yield name


def _types(nodes: Iterable[Written]) -> dict[str, str]:
    return {path: kind.rpartition(".")[2] for node in nodes for _, path, kind in stack_of(node)}


def _convolutions(graph: Written, tensors: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What a module of torch.nn says of itself where it makes a convolution."""
    found: dict[str, dict[str, Any]] = {}
    for node in graph["nodes"]:
        given = {entry["name"]: entry["arg"] for entry in node["inputs"]}
        weight = given.get("weight", {}).get("as_tensor", {}).get("name")
        scopes = scopes_of(node)
        if ".conv" not in node["target"] or weight not in tensors or not scopes:
            continue
        sizes = [extent(size) for size in graph["tensor_values"][weight]["sizes"]]
        is_transposed = "transpose" in node["target"] or given.get("transposed", {}).get("as_bool", False)
        groups = given.get("groups", {}).get("as_int", 1)
        channels = sizes[0] if is_transposed else sizes[1] * groups
        found[scopes[-1].path] = {"kernel_size": tuple(sizes[2:]), "in_channels": channels}
    return found

"""From an ONNX graph to the listing of a program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rfcheck.errors import TargetError
from rfcheck.target.listing import Listing, Scope, Step
from rfcheck.target.onnx.code_constants import code_constants
from rfcheck.target.onnx.graph import OnnxContents, attributes_of, contents_of, without_constants
from rfcheck.target.onnx.merging import merged
from rfcheck.target.onnx.names import scopes_of
from rfcheck.target.onnx.parameters import weights_of
from rfcheck.target.onnx.steps import step_of

if TYPE_CHECKING:
    import onnx

_REMEDY = "to analyse other sizes export it with dynamic_axes or dynamic_shapes"
_CONVOLUTIONS = frozenset({"Conv", "ConvTranspose", "FusedConv"})
_USUAL_CHANNELS = (1, 3, 4)
_IMAGE = "image in the order of torch"


def listing_of(model: onnx.ModelProto) -> Listing:
    """The listing of an ONNX model.

    Raises:
        TargetError: if it takes several inputs, or something other than an image.
    """
    graph = model.graph
    contents = contents_of(model)
    nodes = merged(without_constants(graph, contents), contents.tensors, contents.known, contents.shapes)
    scopes = scopes_of(nodes)
    everywhere = list(_with_branches(nodes, scopes, contents))
    constants = code_constants([node for node, _ in everywhere], contents.tensors, contents.constants)
    weights = weights_of(everywhere, contents.tensors, constants, contents.origins)
    image, sizes, first = _image(graph, contents)
    held = {**weights.parameters, **weights.buffers}
    return Listing(
        type="Model",
        source="ONNX model",
        remedy=_REMEDY,
        input_name=image,
        input_sizes=sizes,
        steps=(*first, *(step_of(node, around, contents) for node, around in zip(nodes, scopes, strict=True))),
        outputs=tuple(output.name for output in graph.output),
        parameters={name: contents.tensors[value] for value, name in weights.parameters.items()},
        buffers={name: contents.tensors[value] for value, name in weights.buffers.items()},
        tensors=held,
        constants={name: contents.known.get(name, tensor) for name, tensor in contents.tensors.items() if name not in held},
        attributes=_convolutions(nodes, scopes, contents),
    )


def _image(graph: onnx.GraphProto, contents: OnnxContents) -> tuple[str, tuple[int | None, ...], tuple[Step, ...]]:
    """Name of the image, its sizes in the order of torch, and what brings it into the order of the file."""
    inputs = [value.name for value in graph.input if value.name not in contents.tensors]
    if len(inputs) != 1:
        names = ", ".join(inputs)
        raise TargetError(
            f"the ONNX model takes {len(inputs)} inputs ({names}), rfcheck gives it one image; "
            "export a module whose forward takes the image only and supplies the others"
        )
    sizes = contents.shapes.get(inputs[0])
    if sizes is None or not 3 <= len(sizes) <= 5:
        described = "no shape" if sizes is None else f"{len(sizes)} dimensions"
        raise TargetError(f"the input {inputs[0]} of the ONNX model has {described}; an image has 3 to 5: images, channels, axes")
    if sizes[-1] in _USUAL_CHANNELS and sizes[1] not in _USUAL_CHANNELS:
        last = (0, *range(2, len(sizes)), 1)
        step = Step("input", None, _IMAGE, lambda run: run.values.update({inputs[0]: run.values[_IMAGE].permute(last)}))
        return _IMAGE, (sizes[0], sizes[-1], *sizes[1:-1]), (step,)
    return inputs[0], sizes, ()


def _with_branches(
    nodes: Sequence[onnx.NodeProto], scopes: Sequence[tuple[Scope, ...]], contents: OnnxContents
) -> Iterable[tuple[onnx.NodeProto, tuple[Scope, ...]]]:
    """All nodes, those inside others too, with the module calls around them."""
    for node, around in zip(nodes, scopes, strict=True):
        yield node, around
        for branch in contents.branches.get(next(iter(node.output), ""), {}).values():
            yield from _with_branches(branch.nodes, [around] * len(branch.nodes), contents)


def _convolutions(
    nodes: Sequence[onnx.NodeProto], scopes: Sequence[tuple[Scope, ...]], contents: OnnxContents
) -> dict[str, dict[str, Any]]:
    """What a module of torch.nn says of itself where it makes a convolution."""
    found: dict[str, dict[str, Any]] = {}
    for node, around in zip(nodes, scopes, strict=True):
        weight = contents.tensors.get(node.input[1]) if node.op_type in _CONVOLUTIONS and len(node.input) > 1 else None
        if weight is not None and around and weight.dim() > 2:
            groups = attributes_of(node).get("group", 1)
            channels = weight.shape[0] if node.op_type == "ConvTranspose" else weight.shape[1] * groups
            found[around[-1].path] = {"kernel_size": tuple(weight.shape[2:]), "in_channels": channels}
    return found

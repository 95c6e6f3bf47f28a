"""How operators gather that combine inputs or mix a dimension: joins, concatenation, products of matrices, reductions."""

from __future__ import annotations

import math

from rfcheck.graph.axes import (
    Blend,
    Digit,
    Layout,
    Tokens,
    align,
    axes_held,
    axis_size,
    broadcast,
    digits_of,
    lone_sizes,
    placement,
    plain,
    plain_layout,
    size_of,
    with_extras,
)
from rfcheck.graph.calls import Call, Edge, Gathered, edge_from, mark_gates, mismatch
from rfcheck.graph.operators import (
    Attention,
    Concat,
    Global,
    Join,
    Linear,
    Loss,
    Matmul,
    Mix,
    Pointwise,
    Reduce,
    Rounding,
    Transform,
)
from rfcheck.graph.reach import GLOBAL, IDENTITY, Position, Reach, compose, window
from rfcheck.graph.reading import Reading
from rfcheck.graph.records import COPYING, TensorArg

_KEPT = ("running_mean", "running_var", "running_min", "running_max")
"""Arguments that an operator keeps between calls; that an earlier call has written them from the image adds no context."""

_FLATTENING = frozenset({"view", "_unsafe_view", "reshape"})


def pointwise(meaning: Pointwise, call: Call) -> Gathered:
    """Each position by itself; the result is laid out like the input."""
    state = {id(call.arg(name)) for name in _KEPT}
    images = [t for t in call.images if id(t) not in state] or call.images
    edges = [edge_from(t, {}) for t in images]
    layout = call.layout(images[0])
    layouts = [layout if out.shape == images[0].shape else plain_layout(out.shape) for out in call.record.outputs]
    weights = meaning.weights == "makes" or (meaning.weights == "keeps" and edges[0].value in call.weights)
    return Gathered(layouts, edges[:1], meaning.kind, weights=weights) if len(edges) == 1 else join(Join(), call)


def rounding(_: Rounding, call: Call) -> Gathered:
    """Each position by itself; what else goes in are statistics."""
    x = call.images[0]
    layouts = [call.layout(x) if out.shape == x.shape else plain_layout(out.shape) for out in call.record.outputs]
    return Gathered(layouts, [edge_from(x, {})], "elementwise", weights=x.value in call.weights)


def join(meaning: Join, call: Call) -> Gathered:
    """Inputs meet position by position. A product with weights between 0 and 1 is a gate: the weights' positions do not count."""
    images = call.record.tensors[1:2] if call.record.func._opname in COPYING else call.images
    layouts = tuple(call.layout(t) for t in images)
    same = all(x is layouts[0] for x in layouts) and images[0].shape == call.out_shape  # a constant may have more values
    result = layouts[0] if same else broadcast(layouts, call.out_shape)
    edges = [call.edge(t, Reading(layout), result) for t, layout in zip(images, layouts, strict=True)]
    if meaning.gate:
        mark_gates(edges, call.weights)
    choosing = {getattr(call.arg(name), "value", None) for name in ("condition", "mask")}  # no values of the result, they choose
    weighing = [edge.value in call.weights for edge in edges if edge.value not in choosing]
    weights = bool(weighing) and all(weighing)
    kind = "multiply" if meaning.gate else "join"
    return Gathered([result], edges, kind, note=mismatch(edges), weights=weights)


def concat(_: Concat, call: Call) -> Gathered:
    """Inputs side by side: along channels, along an image axis, or as extra tokens."""
    dim = call.arg("dim", 0) % len(call.out_shape)
    layouts = [call.layout(t) for t in _with_values(call)]
    plain_dim = plain(call.out_shape[dim])
    if call.record.func._schema.name == "aten::stack":
        return _side_by_side(call, [(*layout[:dim], plain_dim, *layout[dim:]) for layout in layouts])
    if any(digits_of(layout[dim]) for layout in layouts):
        return _concat_positions(call, call.record.args[0], dim)
    return _side_by_side(call, [(*layout[:dim], plain_dim, *layout[dim + 1 :]) for layout in layouts])


def _side_by_side(call: Call, layouts: list[Layout]) -> Gathered:
    """Inputs that meet position by position, each in its own part of a dimension without positions."""
    result = layouts[0] if all(layout == layouts[0] for layout in layouts) else broadcast(tuple(layouts), call.out_shape)
    edges = [call.edge(t, Reading(layout), result) for t, layout in zip(_with_values(call), layouts, strict=True)]
    return Gathered([result], edges, "concat", note=mismatch(edges))


def _with_values(call: Call) -> list[TensorArg]:
    """The inputs that depend on the image, without those that hold no values: nothing is read of them."""
    return [t for t in call.images if 0 not in t.shape] or call.images[:1]


def _concat_positions(call: Call, tensors: list[TensorArg], dim: int) -> Gathered:
    """Along a dimension that holds positions."""
    images = _with_values(call)
    holding = [t for t in images if digits_of(call.layout(t)[dim])]
    if len(images) == 1 and images[0].shape == call.out_shape:
        return Gathered([call.layout(images[0])], [edge_from(images[0], {})], "concat")
    tensors = [t for t in tensors if 0 not in t.shape]
    single = Reading(call.layout(holding[0])).single_digit(dim)
    if single is not None and all(t.value is not None or len(t.shape) == len(call.out_shape) for t in tensors):
        others = [t for t in holding[1:] if not _continues(call, t, dim, single)]
        if not others and len(holding) == len(images):
            return _lengthened(call, tensors, dim)
    digits = [Reading(call.layout(t)).single_digit(dim) for t in holding]
    axes = tuple(sorted({digit.axis for digit in digits if digit is not None}))
    if None not in digits and len(axes) == len(holding) == len(tensors):  # rows beside columns: no axis is held there
        layout = call.layout(holding[0])
        result = (*layout[:dim], (Blend(call.out_shape[dim], axes),), *layout[dim + 1 :])
        return Gathered([result], [edge_from(t, {}) for t in holding], "concat")
    if len(holding) == 1:
        return _with_extra_tokens(call, tensors, holding[0], dim)
    dropped: list[Edge] = []
    for t in images:
        reading = Reading(call.layout(t))
        reading.drop(dim)
        dropped.append(edge_from(t, reading.reaches))
    base = Reading(call.layout(holding[0]))
    base.drop(dim)
    base.dims[dim] = plain(call.out_shape[dim])
    return Gathered([base.layout], dropped, "concat")


def _continues(call: Call, tensor: TensorArg, dim: int, first: Digit) -> bool:
    digit = Reading(call.layout(tensor)).single_digit(dim)
    return digit is not None and digit.axis == first.axis


def _lengthened(call: Call, tensors: list[TensorArg], dim: int) -> Gathered:
    """Maps one after another along one image axis: each is read where it lies, and nowhere else."""
    total = call.out_shape[dim]
    edges: list[Edge] = []
    result: Layout | None = None
    offset = 0
    image_count = len(_with_values(call))
    for t in tensors:
        size = t.shape[dim]
        if t.value is not None:
            reading = Reading(call.layout(t))
            reach = window(1, padding=offset) if image_count == 1 else placed(offset, 1, size, total)
            reading.resize(dim, reach, total)
            result = result or reading.layout
            edges.append(edge_from(t, reading.reaches))
        offset += size
    assert result is not None
    return Gathered([result], edges, "concat")


def placed(start: int, step: int, size: int, total: int) -> Reach:
    """Output position ``start + i * step`` reads position i; the others read nothing."""
    first: list[Position] = [math.inf] * total
    last: list[Position] = [-math.inf] * total
    for i in range(size):
        first[start + i * step] = last[start + i * step] = i
    return Reach(total, total // step, tuple(first), tuple(last), finite=True)


def _with_extra_tokens(call: Call, tensors: list[TensorArg], holder: TensorArg, dim: int) -> Gathered:
    """Class and register tokens beside the positions of one map."""
    at = tensors.index(holder)
    before = sum(t.shape[dim] for t in tensors[:at])
    after = sum(t.shape[dim] for t in tensors[at + 1 :])
    layout = call.layout(holder)
    digits = digits_of(layout[dim])
    tokens = with_extras(layout[dim], before, after) or ((Tokens(before, tuple(digits), after),) if len(layout[dim]) == 1 else None)
    if tokens is None:
        return call.unknown("appends to a dimension of positions and channels", "concat")
    result = (*layout[:dim], tokens, *layout[dim + 1 :])
    edges: list[Edge] = []
    for t in _with_values(call):
        if t is holder:
            edges.append(edge_from(t, {}))
        else:
            reading = Reading(call.layout(t))
            reading.drop(dim)
            edges.append(call.edge(t, reading, result))
    return Gathered([result], edges, "concat")


def linear(_: Linear, call: Call) -> Gathered:
    """A linear layer over the last dimension."""
    return _times_constant(call, call.record.args[0], len(call.record.args[0].shape) - 1, call.record.args[1])


def matmul(meaning: Matmul, call: Call) -> Gathered:
    """A product of matrices: a linear layer if one factor is constant, else tokens mixed with weights made from tokens."""
    x, y = call.record.args[meaning.x], call.record.args[meaning.y]
    if y.value is None and x.value is not None:
        return _times_constant(call, x, len(x.shape) - 1, y)
    if x.value is None and y.value is not None:
        return _times_constant(call, y, max(len(y.shape) - 2, 0), x)
    if x.value is None:  # only the added term depends on the image
        return join(Join(), call)
    gathered = product(call, x, call.layout(x), y, call.layout(y))
    if meaning.x and len(call.images) > 2:
        gathered.edges.append(call.edge(call.images[0], Reading(call.layout(call.images[0])), gathered.layouts[0]))
    return gathered


def _times_constant(call: Call, x: TensorArg, mixed: int, weight: TensorArg) -> Gathered:
    """One dimension mixed by constant weights: a 1x1 convolution, or a linear layer over flattened positions."""
    layout = call.layout(x)
    reading = Reading(layout)
    source, at = _unflattened(call, x, mixed)
    repeats = len(digits_of(layout[mixed])) < len(layout[mixed]) and _is_map(call.layout(source), at, call.axes)
    if repeats:
        reading.absorb(mixed)
    positional = bool(digits_of(layout[mixed])) or not axes_held(layout)
    keeps_dim = len(weight.shape) > 1
    extra = len(call.out_shape) - len(x.shape) + (not keeps_dim)
    features = call.out_shape[extra + mixed] if keeps_dim else 1
    reading.multiply(mixed, features)
    if not keeps_dim:
        reading.drop(mixed)
        del reading.dims[mixed]
    outer = [plain(n) for n in call.out_shape[: max(extra, 0)]]
    result = broadcast(((*outer, *reading.dims),), call.out_shape)  # factors of larger batches than the input's
    kind = "linear" if weight.params else "matmul"
    attributes = {"in_channels": x.shape[mixed], "out_channels": features, "over_positions": positional}
    gathered = Gathered([result], [edge_from(x, reading.reaches)], kind, attributes)
    others = [dim for dim in range(1, len(source.shape)) if dim != at]
    gathered.in_sizes = lone_sizes(call.layout(source), source.shape, others)
    gathered.out_sizes = dict(gathered.in_sizes)
    if repeats:
        axis = digits_of(layout[mixed])[0].axis
        gathered.in_sizes[axis], gathered.out_sizes[axis] = x.shape[mixed], features
    return gathered


def _unflattened(call: Call, x: TensorArg, mixed: int) -> tuple[TensorArg, int]:
    """The tensor whose last dimension is mixed, and where that is, before the others were flattened for the product."""
    maker = call.maker(x)
    name = getattr(maker.record.func, "_opname", "") if maker is not None else ""
    if maker is not None and name in _FLATTENING and len(x.shape) in (2, 3) and mixed == len(x.shape) - 1:
        source = maker.images[0]
        if len(source.shape) > len(x.shape) and source.shape[-1:] == x.shape[-1:]:
            return source, len(source.shape) - 1
    return x, mixed


def _is_map(layout: Layout, mixed: int, axes: int) -> bool:
    """Whether the dimension that is mixed is the last of a feature map, each dimension of which holds one axis.

    Then what is there beside the positions are repetitions, or channels that a view has made positions (pixel shuffle); in a
    dimension of any other tensor they may be channels.
    """
    held = [{digit.axis for digit in digits_of(dim)} for dim in layout]
    return mixed == axes + 1 and held == [set(), set(), *({axis} for axis in range(axes))]


def product(call: Call, x: TensorArg, left: Layout, y: TensorArg, right: Layout) -> Gathered:
    """Both factors depend on the image. Rows or columns keep their positions; positions that are summed over are mixed.

    Args:
        call: of the product.
        x: the first factor.
        left: its layout as it enters the product.
        y: the second factor.
        right: its layout as it enters the product.
    """
    if len(left) < 2 or len(left) != len(right):
        return call.all_global("matmul")
    if digits_of(right[-1]) and not digits_of(left[-2]):  # positions in the columns of the result: as if it were turned
        result, edges = _rows_kept(call, y, turned(right), x, turned(left))
        result = turned(result)
    else:
        result, edges = _rows_kept(call, x, left, y, right)
    mark_gates(edges, call.weights)  # attention weights only weigh the values
    return Gathered([result], edges, "matmul", note=mismatch(edges))


def turned(layout: Layout) -> Layout:
    """The layout of matrices with rows and columns exchanged."""
    return (*layout[:-2], layout[-1], layout[-2])


def _rows_kept(call: Call, x: TensorArg, left: Layout, y: TensorArg, right: Layout) -> tuple[Layout, list[Edge]]:
    """A product whose result is laid out by the rows of the first factor; positions in columns of the second are mixed too."""
    reading = Reading(left)
    reading.drop(len(left) - 1)
    dims = reading.dims
    apart = not {digit.axis for digit in digits_of(right[-1])} & {digit.axis for digit in digits_of(left[-2])}
    dims[-1] = right[-1] if apart else plain(size_of(right[-1]))
    for dim in range(len(dims) - 2):  # batch dimensions: positions of either
        if not digits_of(dims[dim]) and digits_of(right[dim]):
            dims[dim] = right[dim]
    result = tuple(dims)
    mixed = [len(right) - 2] if apart else [len(right) - 2, len(right) - 1]
    return result, [call.edge(x, reading, result), _mixed_edge(call, y, right, mixed, result)]


def _mixed_edge(call: Call, y: TensorArg, layout: Layout, mixed: list[int], result: Layout) -> Edge:
    """How a result reads a factor of which it mixes some dimensions: the whole window where the positions are split alike."""
    reading, dropped = Reading(layout), Reading(layout)
    for dim in mixed:
        reading.mix(dim)
        dropped.drop(dim)
    reaches = dict(reading.reaches)
    for axis in range(call.axes):
        if axis in reaches and reaches[axis].is_global:
            continue
        here, there = placement(reading.layout, axis), placement(result, axis)
        if here and sorted(d for _, d in here) == sorted(d for _, d in there):
            continue  # mixed, and split as the result is
        aligned = align(dropped.layout, result, axis)  # windows of other extents than the result's (with a halo, say)
        reaches[axis] = GLOBAL if aligned is None else compose(aligned, dropped.reaches.get(axis, IDENTITY))
    return edge_from(y, reaches)


def attention(meaning: Attention, call: Call) -> Gathered:
    """Every query token reads all value tokens of its window; queries and keys only weigh them."""
    query, key, value = (call.record.args[0],) * 3 if meaning.is_block else call.record.args[:3]
    layout = call.layout(query)
    result = (*layout[:-1], plain(call.out_shape[-1]))
    edges: list[Edge] = []
    for t, weighs in ((query, True), (key, True), (value, False)):
        if t.value is None:
            continue
        if t is query and weighs:
            edges.append(edge_from(t, {}, gate=not meaning.is_block))
        else:
            edge = _mixed_edge(call, t, call.layout(t), [meaning.tokens % len(t.shape)], result)
            edge.gate = weighs
            edges.append(edge)
    others = [plain_layout(out.shape) for out in call.record.outputs[1:]]
    return Gathered([result, *others], edges, "attention", note=mismatch(edges))


def reduce(meaning: Reduce, call: Call) -> Gathered:
    """All values along some dimensions become one."""
    x = call.images[0]
    dims = call.arg(meaning.dims)
    count = len(x.shape)
    gone = range(count) if dims is None or dims == [] else [d % count for d in ([dims] if isinstance(dims, int) else dims)]
    reading = Reading(call.layout(x))
    pools = any(digits_of(reading.dims[d]) for d in gone)
    for dim in gone:
        reading.drop(dim)
    if len(call.out_shape) != count:
        reading.dims = [dim for i, dim in enumerate(reading.dims) if i not in set(gone)]
    layouts = [reading.layout if len(out.shape) == len(reading.dims) else plain_layout(out.shape) for out in call.record.outputs]
    return Gathered(layouts, [edge_from(x, reading.reaches)], "pool" if pools else "reduce")


def mix(meaning: Mix, call: Call) -> Gathered:
    """Every value along a dimension reads the others. Where only some of them stay, the dimension holds no positions any more."""
    dim = call.arg(meaning.dim, -1)
    dim = -1 if dim is None else dim
    readings: list[Reading] = []
    for x in call.images:
        reading = Reading(call.layout(x))
        own = dim + len(x.shape) - len(call.out_shape) if dim >= 0 else dim + len(x.shape)
        if x.shape and own >= 0:
            size = call.out_shape[dim]
            if size == x.shape[own]:
                reading.mix(own)
            else:
                reading.drop(own)
                reading.dims[own] = plain(size)
        readings.append(reading)
    result = readings[0].layout if len(readings) == 1 else broadcast(tuple(r.layout for r in readings), call.out_shape)
    layouts = [result if out.shape == call.out_shape else plain_layout(out.shape) for out in call.record.outputs]
    edges = [call.edge(x, reading, result) for x, reading in zip(call.images, readings, strict=True)]
    return Gathered(layouts, edges, meaning.kind, weights=meaning.weights == "makes", note=mismatch(edges))


def loss(_: Loss, call: Call) -> Gathered:
    """One value for all positions, or one for each where it is not reduced."""
    return join(Join(), call) if call.arg("reduction") == 0 else call.all_global("reduce")


def everywhere(meaning: Global, call: Call) -> Gathered:
    """Every output reads all positions."""
    layout = call.layout(call.images[0])
    gathered = call.all_global("global")
    if len(gathered.layouts) == 1 and call.out_shape == call.images[0].shape:
        gathered.layouts = [layout]
    return gathered


def transform(meaning: Transform, call: Call) -> Gathered:
    """A Fourier transform along some dimensions: every value along them reads all others; the last may change its extent."""
    x = call.images[0]
    dims = [dim % len(x.shape) for dim in call.arg(meaning.dims)]
    reading = Reading(call.layout(x))
    for dim in dims:
        held = digits_of(reading.dims[dim])
        part = any(digit.size < axis_size(reading.layout, digit.axis) for digit in held)
        reading.multiply(dim, call.out_shape[dim])
        if part and digits_of(reading.dims[dim]):  # frequencies of a frame are no positions
            reading.blend(dim)
    kind = "global" if any(digits_of(call.layout(x)[dim]) for dim in dims) else "elementwise"
    return Gathered([reading.layout], [edge_from(x, reading.reaches)], kind)


def axis_sizes(layout: Layout, axes: int) -> tuple[int, ...]:
    """Positions along each image axis."""
    return tuple(axis_size(layout, axis) for axis in range(axes))

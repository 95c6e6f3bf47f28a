"""Recurrent layers: one operator for all steps, layers and directions of a call."""

from __future__ import annotations

from typing import Any

import torch

from rfcheck.graph.axes import (
    Layout,
    axes_held,
    plain,
    plain_layout,
    regroup,
)
from rfcheck.graph.calls import Call, Edge, Gathered, edge_from, moved
from rfcheck.graph.operators import Recurrent
from rfcheck.graph.reading import Reading
from rfcheck.graph.records import TensorArg


def recurrent(_: Recurrent, call: Call) -> Gathered:
    """Every step reads all steps; sequences stay apart, and so do the positions that the batch dimension holds.

    A layer of one direction reads the steps before its own only. Its last step reads all of them, so that its receptive field,
    which is that of the widest unit, is unbounded as well.
    """
    x = call.record.args[0]
    packed = _packed_shape(call)
    layout = call.layout(x) if packed is None else regroup(call.layout(x), packed)
    if layout is None or len(layout) != 3:
        return call.unknown("packs sequences of different lengths", "recurrent")
    sequence = 1 if packed is None and call.arg("batch_first", False) else 0
    batch, features = 1 - sequence, call.out_shape[-1]
    reading = Reading(layout)
    reading.mix(sequence)
    reading.drop(2)
    reading.dims[2] = plain(features)
    result = reading.layout
    edges: list[Edge] = []
    for tensor in call.images:
        if tensor is x:
            edges.append(edge_from(x, reading.reaches))
        elif len(tensor.shape) == 3:  # the state to begin with
            edges.append(_state_edge(call, tensor, batch, result))
    layouts = [result if packed is None else regroup(result, call.out_shape) or plain_layout(call.out_shape)]
    for out in call.record.outputs[1:]:
        is_state = len(out.shape) == 3
        layouts.append((plain(out.shape[0]), layout[batch], plain(out.shape[2])) if is_state else plain_layout(out.shape))
    attributes = {"in_channels": x.shape[-1], "out_channels": features, "over_positions": not axes_held(layout)}
    return Gathered(layouts, edges, "recurrent", attributes)


def _packed_shape(call: Call) -> tuple[int, ...] | None:
    """(steps, sequences, features) where the input is packed: all sequences of a step, step after step."""
    x = call.record.args[0]
    if len(x.shape) != 2:
        return None
    steps = call.record.args[1].shape[0]
    return (steps, x.shape[0] // steps, x.shape[1]) if x.shape[0] % steps == 0 else (0,)


def _state_edge(call: Call, state: TensorArg, batch: int, result: Layout) -> Edge:
    """How every step reads a state (layers, sequences, features) made from the image."""
    reading = Reading(call.layout(state))
    reading.drop(0)
    reading.drop(2)
    reading.dims = [reading.dims[1], (), ()] if batch == 0 else [(), reading.dims[1], ()]
    return call.edge(state, reading, result)


def packed(call: Call, x: TensorArg, layout: Layout) -> Gathered:
    """Sequences of one length put step after step, as recurrent layers read them."""
    steps_first = (layout[1], layout[0], layout[2]) if call.arg("batch_first") else layout
    result = regroup(steps_first, call.out_shape)
    if result is None or len(layout) != 3:
        return call.unknown("packs sequences of different lengths", "rearrange")
    gathered = moved(x, Reading(layout), result)
    gathered.layouts.append(plain_layout(call.record.outputs[1].shape))
    return gathered


def results(func: Any, args: tuple[Any, ...]) -> tuple[torch.Tensor, ...]:
    """What a recurrent layer returns, as tensors without content: the features of every step, and the last states.

    Args:
        func: an overload of ``aten::lstm``, ``aten::gru``, ``aten::rnn_tanh`` or ``aten::rnn_relu``.
        args: its arguments.
    """
    x = args[0]
    is_packed = func._overloadname == "data"
    states, is_bidirectional = (args[2], args[8]) if is_packed else (args[1], args[7])
    states = states if isinstance(states, (list, tuple)) else (states,)
    features = states[0].shape[-1] * (2 if is_bidirectional else 1)
    return (x.new_empty((*x.shape[:-1], features)), *(state.new_empty(state.shape) for state in states))


RECURRENT_LAYERS = frozenset(
    overload
    for name in ("lstm", "gru", "rnn_tanh", "rnn_relu")
    for overload in (getattr(torch.ops.aten, name).input, getattr(torch.ops.aten, name).data)
)
"""Whole recurrent layers, which torch takes apart into steps unless it is kept from that."""

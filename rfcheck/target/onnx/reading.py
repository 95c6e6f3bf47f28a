"""ONNX files without the weights in them: long tensors are passed over, not read.

The format is that of Protocol Buffers: fields one after the other, each with a number, a type and, where it holds a message or
bytes, a length. Numbers of fields are those of onnx.proto.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfcheck.errors import TargetError

if TYPE_CHECKING:
    import onnx

KEPT_BYTES = 4096
"""Tensors up to this size are read: shapes, axes and scales are among them, weights of layers are not."""

_MODEL_GRAPH, _GRAPH_INITIALIZER = 7, 5
_TENSOR_DATA = frozenset({4, 5, 6, 7, 9, 10, 11, 13, 14})
"""Fields of a tensor that hold its data, or say in which other file they are."""

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5


def read_onnx(path: Path) -> onnx.ModelProto:
    """The model of an ONNX file; initializers that hold more than a few kilobytes are empty, as are those in other files.

    Raises:
        TargetError: if onnx is not installed, or the file holds no ONNX model.
    """
    try:
        import onnx
    except ImportError as error:
        if error.name != "onnx":
            raise TargetError(f"{path}: the onnx package cannot be imported: {error}") from error
        raise TargetError(f"{path}: ONNX files need the onnx package; install it with: pip install 'rfcheck[onnx]'") from None
    if not path.stat().st_size:
        raise TargetError(f"{path}: is not an ONNX model: the file is empty")
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            model: onnx.ModelProto = onnx.ModelProto.FromString(_without_weights(content))
    except Exception as error:  # the parser of the installed protobuf has errors of its own
        raise TargetError(f"{path}: is not an ONNX model: {error}") from error
    if not model.graph.node or not model.opset_import:
        raise TargetError(f"{path}: is not an ONNX model, or one without operators")
    return model


def _without_weights(content: Any) -> bytes:
    return _rewritten(content, 0, len(content), _MODEL_GRAPH, _light_graph)


def _light_graph(content: Any, start: int, end: int) -> bytes:
    return _rewritten(content, start, end, _GRAPH_INITIALIZER, _light_tensor)


def _light_tensor(content: Any, start: int, end: int) -> bytes:
    """A tensor, without its data if they are long."""
    if end - start <= KEPT_BYTES:
        return bytes(content[start:end])
    kept = [content[begin:stop] for number, _, begin, _, stop in _fields(content, start, end) if number not in _TENSOR_DATA]
    return b"".join(kept)


def _rewritten(content: Any, start: int, end: int, which: int, rewrite: Any) -> bytes:
    """A message with the messages in one of its fields rewritten."""
    parts: list[bytes] = []
    for number, kind, begin, value, stop in _fields(content, start, end):
        if number == which and kind == _LENGTH:
            inner = rewrite(content, value, stop)
            parts += [_varint(number << 3 | kind), _varint(len(inner)), inner]
        else:
            parts.append(content[begin:stop])
    return b"".join(parts)


def _fields(content: Any, start: int, end: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Number and type of each field, where it begins, where its value begins, and where it ends."""
    at = start
    while at < end:
        begin = at
        tag, at = _read_varint(content, at, end)
        number, kind = tag >> 3, tag & 7
        value = at
        if kind == _LENGTH:
            length, value = _read_varint(content, at, end)
            at = value + length
        elif kind == _VARINT:
            _, at = _read_varint(content, at, end)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            at += 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"no field begins at byte {begin}")
        if at > end:
            raise ValueError(f"a field of {at - begin} bytes at byte {begin} does not fit into the file")
        yield number, kind, begin, value, at


def _read_varint(content: Any, at: int, end: int) -> tuple[int, int]:
    """A number of seven bits per byte, the lowest first, and where it ends."""
    number = shift = 0
    while at < end and shift < 70:
        byte = content[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
    raise ValueError(f"no number ends at byte {at}")


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)

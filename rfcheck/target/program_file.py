"""Files that hold a model as a program, to be read without running code."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from rfcheck.errors import TargetError
from rfcheck.plain_file import require_plain
from rfcheck.target.presence import require_program
from rfcheck.target.program import Program


def read_program(text: str, kind: Literal["pt2", "onnx"]) -> Program:
    """The model of a file; its tensors hold no data, so that memory does not grow with its weights.

    Args:
        text: path of the file.
        kind: "pt2" for what torch.export.save writes, or "onnx".

    Raises:
        TargetError: if it does not exist, cannot be read, or holds no model that rfcheck can follow; says why.
    """
    path = Path(text)
    require_program(text, kind)
    try:
        require_plain(path)
    except OSError as error:
        raise TargetError(f"{text}: {error.strerror or error}") from None
    if kind == "pt2":
        from rfcheck.target.exported.reading import read_exported

        return read_exported(path)
    from rfcheck.target.onnx.file import read_onnx_file

    return read_onnx_file(path)

"""ONNX files: models of any framework, read without running code and without their weights."""

from __future__ import annotations

from pathlib import Path

from rfcheck.errors import TargetError
from rfcheck.target.onnx.functions import without_functions
from rfcheck.target.onnx.listing import listing_of
from rfcheck.target.onnx.reading import read_onnx
from rfcheck.target.onnx.wiring import require_wired
from rfcheck.target.program import Program, said


def read_onnx_file(path: Path) -> Program:
    """The model of an ONNX file; its tensors hold no data. Weights in other files are not needed.

    Args:
        path: of an existing file.

    Raises:
        TargetError: if onnx is not installed, or the file holds no model that rfcheck can follow; says why.
    """
    model = read_onnx(path)
    try:
        model = without_functions(model)
        require_wired(model)
        return Program(listing_of(model))
    except TargetError as error:
        raise TargetError(f"{path}: {error}") from None
    except Exception as error:  # onnx has errors of its own
        raise TargetError(f"{path}: the ONNX model is not valid: {type(error).__name__}: {said(error)}") from error

"""Programs that torch.export.save wrote: read without running code from the file, and without its weights.

``torch.export.load`` unpickles and evaluates expressions of the file, which may run any code, and reads every weight. Here only
the description of the program is read, which is JSON.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rfcheck.errors import TargetError
from rfcheck.target.budgets import MOST_JSON_BYTES, MOST_JSON_VALUES
from rfcheck.target.exported.listing import listing_of
from rfcheck.target.program import Program, said

_OLD_NAME = "serialized_exported_program.json"
"""The only JSON file in archives of torch before 2.8."""

_DAMAGED = (
    zipfile.BadZipFile,
    OSError,
    ValueError,
    RecursionError,
    NotImplementedError,
    EOFError,
    RuntimeError,
    KeyError,
    zlib.error,
)
"""What the reader of archives raises: versions and ways to pack that it does not have, ends that are cut off, encryption."""

_NOT_AS_WRITTEN = (AttributeError, LookupError, StopIteration, TypeError, ValueError, ArithmeticError, RuntimeError)
"""What becomes of a description that has other parts than torch gives it, or nests them too deeply."""

_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Ways to pack that need no memory beside the text."""


def read_exported(path: Path) -> Program:
    """The model of a file that torch.export.save wrote; its tensors hold no data.

    Args:
        path: of an existing file.

    Raises:
        TargetError: if it holds no program, or one that rfcheck does not follow; says why.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            document, weights = _read(archive, path)
    except _DAMAGED as error:
        raise TargetError(f"{path}: is not a program that torch.export.save wrote: {said(error)}") from error
    try:
        return Program(listing_of(document, weights))
    except TargetError as error:
        raise TargetError(f"{path}: {error}") from None
    except _NOT_AS_WRITTEN as error:
        reason = f"{type(error).__name__}: {said(error)}"
        raise TargetError(f"{path}: the description of the program is not as torch.export writes it ({reason})") from error


def _read(archive: zipfile.ZipFile, path: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The descriptions of the program and of its parameters and buffers; those of the latter are missing in old files."""
    names = archive.namelist()
    programs = [name for name in names if name == _OLD_NAME or (f"/{name}".endswith(".json") and "/models/" in f"/{name}")]
    program = next((name for name in programs if name.endswith("/model.json")), programs[0] if len(programs) == 1 else None)
    if program is None:
        raise TargetError(f"{path}: {_reason(names, programs)}")
    folder = program.rpartition("models/")[0]
    model = program.rpartition("/")[2].removesuffix(".json")
    weights = f"{folder}data/weights/{model}_weights_config.json"
    described = _document(archive, weights, path)["config"] if weights in names else {}
    return _document(archive, program, path), described


def _document(archive: zipfile.ZipFile, name: str, path: Path) -> Any:
    """A description, unless it would fill the memory once it is unpacked or read; no more is unpacked than the archive says."""
    entry = archive.getinfo(name)
    if entry.compress_type not in _PACKED:
        raise TargetError(f"{path}: {name} is packed in a way that torch.export.save does not use; write the model again with it")
    if entry.file_size > MOST_JSON_BYTES:
        raise TargetError(
            f"{path}: {name} unpacks to {entry.file_size / 2**20:,.0f} MiB, more than any description of a program "
            f"(at most {MOST_JSON_BYTES >> 20} MiB are read); write the model again with torch.export.save"
        )
    text = archive.read(name)
    values = sum(text.count(mark) for mark in (b",", b"[", b"{"))
    if values > MOST_JSON_VALUES:
        raise TargetError(
            f"{path}: {name} holds about {values:,} values, more than any description of a program "
            f"(at most {MOST_JSON_VALUES:,} are read); write the model again with torch.export.save"
        )
    return json.loads(text)


def _reason(names: list[str], programs: list[str]) -> str:
    """Why no program can be read from an archive."""
    if programs:
        held = ", ".join(name.rpartition("/")[2].removesuffix(".json") for name in programs)
        return f"holds several programs ({held}) and none of them is called model; save one of them alone"
    if any("/aotinductor/" in name for name in names):
        return "holds compiled code only; give the program that it was compiled from, as torch.export.save writes it"
    if any(name.endswith("data.pkl") for name in names):
        return (
            "holds pickled objects, which would run code when they are read; give the .py file that builds the model, "
            "or write the model with torch.export.save"
        )
    return "holds no program; write the model with torch.export.save"

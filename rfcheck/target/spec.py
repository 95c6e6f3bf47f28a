"""Target names as given on the command line, taken apart without importing anything."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from rfcheck.errors import TargetError
from rfcheck.target.catalogues import CATALOGUES

_FILE = re.compile(r"^(?P<path>.+\.py)(?::(?P<what>.*))?$", re.DOTALL)
_PROGRAM = re.compile(r"^(?P<path>.+\.(?P<kind>pt2|onnx))(?::(?P<what>.*))?$", re.DOTALL | re.IGNORECASE)
_TAGGED = re.compile(r"^(?P<architecture>\w+)\.(?P<tag>\w+)(?P<call>\(.*)?$", re.DOTALL)
_ON_HUB = re.compile(r"^(?:hf[-_]hub:|hf:|local-dir:|[\w-]+/)")
_WEIGHTS = re.compile(r"^.+\.(pt|pth|ckpt|pkl|pickle|bin|safetensors|npz)$", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """One target.

    Attributes:
        text: as given.
        kind: "file" for Python code, "pt2" for an exported program, "onnx", "module" or the name of a catalogue.
        place: path of the file, dotted name of the module, or name of the catalogue.
        attribute: dotted name in it; None for every model in a file.
        is_call: whether arguments were given.
        args: positional arguments.
        kwargs: keyword arguments.
    """

    text: str
    kind: Literal["file", "pt2", "onnx", "module", "torchvision", "timm"]
    place: str
    attribute: str | None
    is_call: bool = False
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)

    def with_arguments(self, values: Mapping[str, Any]) -> TargetSpec:
        """The same with more arguments by name, which its text then has too."""
        kwargs = {**self.kwargs, **values}
        written = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in kwargs.items())]
        text = f"{self.place}:{self.attribute}({', '.join(written)})"
        return replace(self, text=text, is_call=True, kwargs=kwargs)


def parse_target(text: str) -> TargetSpec:
    """Take a target apart.

    Raises:
        TargetError: if the text has none of the known forms, or arguments that are not literals.
    """
    match = _FILE.match(text)
    if match is not None:
        what = match["what"]
        if what is None:
            return TargetSpec(text, "file", match["path"], None)
        return TargetSpec(text, "file", match["path"], *_parse_call(text, what))
    program = _PROGRAM.match(text)
    if program is not None:
        return _parse_program(text, program)
    place, colon, what = text.partition(":")
    if _WEIGHTS.match(text) and not (colon and _is_dotted(place)):
        raise TargetError(
            f"{text}: holds weights, or pickled objects that would run code when they are read; give the .py file that builds the "
            "model, a program that torch.export.save wrote (.pt2) or an ONNX file (.onnx)"
        )
    if not colon:
        raise TargetError(f"{text}: {_why_none(text)}")
    if not _is_dotted(place):
        raise TargetError(f"{text}: {place!r} is neither a Python file nor the name of a module")
    if place == "timm":
        return _parse_timm(text, what)
    for catalogue in CATALOGUES:
        if place == catalogue:
            return TargetSpec(text, catalogue, place, *_parse_call(text, what))  # type: ignore[arg-type]
    return TargetSpec(text, "module", place, *_parse_call(text, what))


def _why_none(text: str) -> str:
    if Path(text).is_dir():
        return f"is a folder; give the files in it, like {Path(text) / '*.py'}"
    if Path(f"{text}.py").is_file():
        return f"not a target; did you mean {text}.py?"
    return "not a target; give a file model.py, model.py:name, package.module:name or torchvision:name"


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _parse_timm(text: str, what: str) -> TargetSpec:
    """A model of timm, whose name may end with the tag of its weights: "resnet18.a1_in1k"."""
    if _ON_HUB.match(what):
        _, own, name = what.partition("timm/")
        hint = f", timm:{name}" if own else ""
        raise TargetError(
            f"{text}: a model of a hub would have to be downloaded, which rfcheck never does; give timm's own name{hint}"
        )
    tagged = _TAGGED.match(what.strip())
    if tagged is None:
        return TargetSpec(text, "timm", "timm", *_parse_call(text, what))
    name, is_call, args, kwargs = _parse_call(text, f"{tagged['architecture']}{tagged['call'] or ''}")
    return TargetSpec(text, "timm", "timm", f"{name}.{tagged['tag']}", is_call, args, kwargs)


def _parse_program(text: str, match: re.Match[str]) -> TargetSpec:
    if match["what"] is not None:
        raise TargetError(f"{text}: {match['path']} holds one model, which has no name; leave out what is behind the colon")
    return TargetSpec(text, "pt2" if match["kind"].lower() == "pt2" else "onnx", match["path"], None)


def _parse_call(text: str, what: str) -> tuple[str, bool, tuple[Any, ...], dict[str, Any]]:
    """A dotted name, with literal arguments or without."""
    try:
        node = ast.parse(what.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise TargetError(f"{text}: {what!r} is not a name or a call like build(num_classes=10)") from None
    if not isinstance(node, ast.Call):
        return _dotted(text, node), False, (), {}
    try:
        args = tuple(ast.literal_eval(arg) for arg in node.args)
        kwargs = {keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg is not None}
    except ValueError:
        raise TargetError(
            f"{text}: arguments must be literals (numbers, strings, lists, True, None), as in build(num_classes=10)"
        ) from None
    if len(kwargs) != len(node.keywords):
        raise TargetError(f"{text}: arguments must be written out, '**' is not supported")
    return _dotted(text, node.func), True, args, kwargs


def _dotted(text: str, node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(text, node.value)}.{node.attr}"
    raise TargetError(f"{text}: the part behind the colon must be a name or a call, like Net or build(num_classes=10)")

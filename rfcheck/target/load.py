"""From a target to models: whatever kind of target it is."""

from __future__ import annotations

from rfcheck.patience import attended
from rfcheck.target.buildable import Target as Target
from rfcheck.target.catalogue_models import timm_model, torchvision_model
from rfcheck.target.file_models import models_in
from rfcheck.target.named import named_in_file, named_in_module
from rfcheck.target.obvious import Given
from rfcheck.target.source import FileSource
from rfcheck.target.spec import TargetSpec, parse_target


def load_targets(text: str, content: bytes | None = None, given: Given | None = None) -> list[Target]:
    """The models that a target stands for.

    What looks like a model and cannot be built is among them where others can: `Target.build` says what is wrong with it.

    Args:
        text: the target.
        content: to run in place of what the target's file holds; None for the file as it is.
        given: what is known about arguments that constructors and factories need; labels name those that they get.

    Raises:
        TargetError: if it does not exist or cannot be imported.
        NothingToAnalyzeError: if a file holds no model, or none that can be built without arguments.
    """
    return attended("loading", text, lambda: _load(text, content, given or Given()))


def _load(text: str, content: bytes | None, given: Given) -> list[Target]:
    spec = parse_target(text)
    if spec.kind == "torchvision":
        return [torchvision_model(spec, given)]
    if spec.kind == "timm":
        return [timm_model(spec, given)]
    if spec.kind in ("pt2", "onnx"):
        return [_program(spec)]
    if spec.kind == "module":
        return [named_in_module(spec, given)]
    source = FileSource(spec.place, content)
    return models_in(source, given) if spec.attribute is None else [named_in_file(spec, source, given)]


def _program(spec: TargetSpec) -> Target:
    """A model that is read from a file without running code; it has no data and needs none."""
    from rfcheck.target.program_file import read_program

    program = read_program(spec.place, "pt2" if spec.kind == "pt2" else "onnx")
    return Target(spec.text, spec.place, None, lambda _: program)

"""Python code that builds a target's model, for a file that changes it."""

from __future__ import annotations

import ast
import json
import os
from dataclasses import dataclass
from pathlib import Path

from rfcheck.target.import_path import importable_as
from rfcheck.target.load import Target
from rfcheck.target.spec import TargetSpec, parse_target
from rfcheck.target.statements import relative_levels


@dataclass(frozen=True, slots=True)
class Recreation:
    """Code that builds a model.

    Attributes:
        imports: import statements, a line each.
        setup: lines that must run before the model's own file can be imported.
        late_imports: import statements that need the setup.
        expression: gives a new model.
    """

    imports: tuple[str, ...]
    setup: tuple[str, ...]
    late_imports: tuple[str, ...]
    expression: str


def recreate(target: Target, folder: Path) -> Recreation:
    """How a Python file in a folder builds the model of a target.

    Args:
        target: as loaded from the command line.
        folder: where the file will be; the model's own file is found relative to it.
    """
    spec = parse_target(target.label)
    assert spec.attribute is not None
    if spec.kind == "torchvision":
        arguments = _arguments(spec, {"weights": None})
        return Recreation(("from torchvision import models",), (), (), f'models.get_model("{spec.attribute}"{arguments})')
    if spec.kind == "timm":
        arguments = _arguments(spec, {"pretrained": False})
        return Recreation(("import timm",), (), (), f'timm.create_model("{spec.attribute}"{arguments})')
    if spec.kind == "module":
        return _imported(spec, spec.place, (), (), is_instance=target.is_instance)
    root, module = importable_as(Path(spec.place), relative_levels(ast.parse(Path(spec.place).read_bytes())))
    there = os.path.relpath(root, folder.resolve())
    place = "Path(__file__).resolve().parent" + ("" if there == "." else f" / {json.dumps(Path(there).as_posix())}")
    setup = (f"sys.path.insert(0, str({place}))",)
    return _imported(spec, module, ("import sys", "from pathlib import Path"), setup, is_instance=target.is_instance)


def _arguments(spec: TargetSpec, defaults: dict[str, object]) -> str:
    given = [repr(value) for value in spec.args]
    given += [f"{name}={value!r}" for name, value in {**defaults, **spec.kwargs}.items()]
    return "".join(f", {argument}" for argument in given)


def _imported(spec: TargetSpec, module: str, imports: tuple[str, ...], setup: tuple[str, ...], *, is_instance: bool) -> Recreation:
    """Code for a name in a module, imported under a name that cannot hide another one of the file.

    A module whose name Python cannot write is imported by a call.
    """
    assert spec.attribute is not None
    outer, dot, inner = spec.attribute.partition(".")
    if all(part.isidentifier() for part in module.split(".")):
        late = (f"from {module} import {outer} as original",)
    else:
        imports, late = (*imports, "import importlib"), (f"original = importlib.import_module({json.dumps(module)}).{outer}",)
    original = f"original{dot}{inner}"
    if is_instance:
        return Recreation((*imports, "import copy"), setup, late, f"copy.deepcopy({original})")
    arguments = _arguments(spec, {}).removeprefix(", ")
    return Recreation(imports, setup, late, f"{original}({arguments})")

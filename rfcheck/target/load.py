"""From a target to models, built without weights where their constructors allow it."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from torch import nn

from rfcheck.errors import NothingToAnalyzeError, RfcheckError, TargetError
from rfcheck.span import Span, shown_path
from rfcheck.suggestions import did_you_mean
from rfcheck.target.building import building, failure_in_building
from rfcheck.target.discover import class_names, function_names, instance_names, required_arguments, without_parts
from rfcheck.target.glance import no_model_in
from rfcheck.target.origin import ConstructionSites, Origin, origin_of_classes
from rfcheck.target.source import FileSource, import_named
from rfcheck.target.spec import TargetSpec, parse_target


@dataclass(frozen=True, slots=True)
class Target:
    """A model that can be built.

    Attributes:
        label: how reports name it: "model.py:Net".
        path: file that defines it; None outside the user's files.
        line: line of the definition; None with path.
        make: builds the model; takes whether tensors are to hold no data.
        sites: takes note of where modules are constructed while the model is built.
        is_instance: whether the name stands for a model, not for something that makes one.
    """

    label: str
    path: str | None
    line: int | None
    make: Callable[[bool], nn.Module]
    sites: ConstructionSites = field(default_factory=ConstructionSites)
    is_instance: bool = False

    def build(self) -> tuple[nn.Module, bool]:
        """The model, on the meta device if its constructor allows that.

        Returns:
            The model, and whether it is on the meta device.

        Raises:
            TargetError: if the constructor fails.
        """
        try:
            return self.make(True), True
        except RfcheckError:
            raise
        except Exception:  # some constructors compute with their tensors, which only works with data
            return self.build_with_data(), False

    def build_with_data(self) -> nn.Module:
        """The model with real tensors.

        Raises:
            TargetError: if the constructor fails.
        """
        try:
            return self.make(False)
        except RfcheckError:
            raise
        except (Exception, SystemExit) as error:
            raise failure_in_building(self.label, error) from error

    def origin(self, model: nn.Module) -> Origin:
        """Where a model that this target built was written, and its modules."""
        modules = self.sites.chains(model)
        in_file = () if self.path is None or self.line is None else (Span(shown_path(self.path), self.line),)
        if in_file and all(modules.values()):
            return Origin(in_file, modules)
        known = origin_of_classes(model)
        return Origin(in_file or known.definition, {path: chain or known.modules[path] for path, chain in modules.items()})


def load_targets(text: str, content: bytes | None = None) -> list[Target]:
    """The models that a target stands for.

    Args:
        text: the target.
        content: to run in place of what the target's file holds; None for the file as it is.

    Raises:
        TargetError: if it does not exist or cannot be imported.
        NothingToAnalyzeError: if a file holds no model, or none that can be built without arguments.
    """
    spec = parse_target(text)
    if spec.kind == "torchvision":
        return [_torchvision_model(spec)]
    if spec.kind == "timm":
        return [_timm_model(spec)]
    if spec.kind in ("pt2", "onnx"):
        return [_program(spec)]
    if spec.kind == "module":
        sites = ConstructionSites()
        with sites.recording():
            module = import_named(spec.place)
        return [_named(spec, lambda _: module, None, sites)]
    source = FileSource(spec.place, content)
    if spec.attribute is not None:
        return [_named(spec, lambda on_meta: _run(source, on_meta), source, source.sites)]
    return _discovered(source)


def _program(spec: TargetSpec) -> Target:
    """A model that is read from a file without running code; it has no data and needs none."""
    from rfcheck.target.program_file import read_program

    program = read_program(spec.place, "pt2" if spec.kind == "pt2" else "onnx")
    return Target(spec.text, spec.place, None, lambda _: program)


def _run(source: FileSource, on_meta: bool) -> ModuleType:
    """The file's module; run normally where it does not run on the meta device."""
    if on_meta:
        try:
            return source.module(on_meta=True)
        except TargetError:
            pass
    return source.module(on_meta=False)


def _named(spec: TargetSpec, module: Callable[[bool], ModuleType], source: FileSource | None, sites: ConstructionSites) -> Target:
    assert spec.attribute is not None
    value = _attribute(spec, module(True))
    _require_makes_model(spec, value)

    def make(on_meta: bool) -> nn.Module:
        made = _attribute(spec, module(on_meta))
        if not isinstance(made, nn.Module):
            with building(spec.text, made, sites, on_meta=on_meta):
                made = made(*spec.args, **spec.kwargs)
        return _require_module(spec.text, made)

    line = source.line_of(spec.attribute.partition(".")[0]) if source else None
    return Target(spec.text, str(source.path) if source else None, line, make, sites, isinstance(value, nn.Module))


def _attribute(spec: TargetSpec, module: ModuleType) -> Any:
    value: Any = module
    assert spec.attribute is not None
    for part in spec.attribute.split("."):
        if not hasattr(value, part):
            public = [n for n in vars(value) if not n.startswith("_")] if hasattr(value, "__dict__") else []
            models = [n for n in public if isinstance(getattr(value, n), nn.Module) or inspect.isclass(getattr(value, n))]
            hint = did_you_mean(part, public, f"it has {', '.join(models[:5]) or 'no models'}", 3)
            raise TargetError(f"{spec.text}: {spec.place} has no {part!r}; {hint}")
        value = getattr(value, part)
    return value


def _require_makes_model(spec: TargetSpec, value: Any) -> None:
    if isinstance(value, nn.Module):
        if spec.is_call:
            raise TargetError(f"{spec.text}: {spec.attribute} is a model already, not a function; leave the arguments out")
        return
    if not callable(value):
        raise TargetError(f"{spec.text}: {spec.attribute} is a {type(value).__name__}, not a model or a function that makes one")
    missing = required_arguments(value)[len(spec.args) :]
    missing = [name for name in missing if name not in spec.kwargs]
    if missing:
        raise TargetError(_needed_arguments(spec.place, spec.attribute or "", missing))


def _needed_arguments(place: str, name: str, missing: list[str]) -> str:
    example = ", ".join(f"{argument}=..." for argument in missing)
    return f"{place}:{name} needs the arguments {', '.join(missing)}; give them as '{place}:{name}({example})'"


def _require_module(label: str, made: Any) -> nn.Module:
    if not isinstance(made, nn.Module):
        raise TargetError(f"{label}: makes a {type(made).__name__}, not a torch.nn.Module")
    return made


def _discovered(source: FileSource) -> list[Target]:
    """Every model in a file."""
    module = _run(source, True)
    classes = class_names(module)
    needing = {name: required_arguments(getattr(module, name)) for name in classes}
    names = instance_names(module, source.tree) + function_names(module) + [name for name in classes if not needing[name]]
    targets = {name: _named(_spec_of(source, name), lambda on_meta: _run(source, on_meta), source, source.sites) for name in names}
    built: dict[str, nn.Module] = {}
    failures: list[TargetError] = []
    for name, target in targets.items():
        try:
            built[name] = target.build()[0]
        except TargetError as error:
            failures.append(error)
    own = without_parts({name: getattr(module, name) for name in classes if name in built}, built)
    kept = [name for name in names if name in built and (name not in classes or name in own)]
    kept = _with_one_input(kept, built)
    if kept:
        return [targets[name] for name in sorted(kept, key=source.line_of)]
    if failures:
        raise failures[0]
    blocked = [(name, missing) for name, missing in needing.items() if missing]
    if blocked:
        raise NothingToAnalyzeError(_needed_arguments(str(source.path), *blocked[-1]))
    raise no_model_in(source.path)


def _spec_of(source: FileSource, name: str) -> TargetSpec:
    return TargetSpec(f"{source.path}:{name}", "file", str(source.path), name)


def _with_one_input(names: list[str], built: dict[str, nn.Module]) -> list[str]:
    """Leave out modules that take several inputs, unless there is nothing else; without parameters, as losses are, in any case."""
    single = [name for name in names if len(required_arguments(built[name].forward)) <= 1]
    return single or [name for name in names if any(True for _ in built[name].parameters())]


def _torchvision_model(spec: TargetSpec) -> Target:
    try:
        from torchvision import models
    except ImportError as error:
        raise TargetError(f"{spec.text}: torchvision cannot be imported: {error}") from error
    _require_listed(spec, spec.attribute or "", models.list_models())
    builder = models.get_model_builder(spec.attribute)
    unweighted = [p for p in inspect.signature(builder).parameters if p in ("weights", "weights_backbone")]
    kwargs: dict[str, Any] = {**dict.fromkeys(unweighted), **spec.kwargs}

    def make(on_meta: bool) -> nn.Module:
        with building(spec.text, builder, None, on_meta=on_meta), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The default weight initialization of", FutureWarning)  # values do not matter here
            return _require_module(spec.text, builder(*spec.args, **kwargs))

    return Target(spec.text, None, None, make)


def _timm_model(spec: TargetSpec) -> Target:
    try:
        import timm
    except ImportError:
        raise TargetError(f"{spec.text}: timm is not installed; install it with: pip install timm") from None
    architecture, _, tag = (spec.attribute or "").partition(".")
    _require_listed(spec, architecture, timm.list_models())
    if tag:
        _require_listed(spec, spec.attribute or "", timm.list_pretrained(f"{architecture}.*"))

    def make(on_meta: bool) -> nn.Module:
        with building(spec.text, timm.create_model, None, on_meta=on_meta):
            return _require_module(
                spec.text, timm.create_model(spec.attribute or "", *spec.args, **{"pretrained": False, **spec.kwargs})
            )

    return Target(spec.text, None, None, make)


def _require_listed(spec: TargetSpec, name: str, names: list[str]) -> None:
    if name not in names:
        hint = did_you_mean(name, names, f"it has {len(names)} models, such as {', '.join(names[:3])}", 3)
        raise TargetError(f"{spec.text}: {spec.place} has no model {name!r}; {hint}")

"""Settings in layers: defaults, file, models entry, command line; and where each of them came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rfcheck.config import RuleOverride, Settings
from rfcheck.configuration.keys import LAYERED
from rfcheck.configuration.reading import Configuration, ModelEntry
from rfcheck.configuration.values import join_folders
from rfcheck.input_size import AfterBatch

DEFAULT, COMMAND_LINE = "default", "command line"
_FIELDS = {field.name.replace("_", "-"): field.name for field in fields(Settings)}
_REPLACES = {"resolution": ("input-size",), "input-size": ("resolution",)}


@dataclass(frozen=True, slots=True)
class Effective:
    """Settings that hold for one model.

    Attributes:
        settings: of the analysis.
        input_size: one extent for all axes, extents, or channels and extents; None if nobody says.
        fail_on: the mildest severity that makes the exit code 1, or "never".
        baseline: file of known findings.
        values: what holds, by key, "rules.RF101.min_layers" for a limit.
        origins: by the same keys, "default", "command line", "rfcheck.toml", "pyproject.toml [tool.rfcheck]" or
            "pyproject.toml models entry 'name'".
    """

    settings: Settings
    input_size: int | tuple[int, ...] | None
    fail_on: str
    baseline: Path | None
    values: Mapping[str, Any]
    origins: Mapping[str, str]


def effective(configuration: Configuration | None, entry: ModelEntry | None, command_line: Mapping[str, Any]) -> Effective:
    """The settings that hold: the command line wins over the entry, the entry over the file, the file over the defaults.

    A resolution replaces the extents of an input size on a lower layer, and channels its channels. Limits of rules are merged one
    by one. Folders of rules add up.

    Args:
        configuration: of the file, if there is one.
        entry: of the model, if it is a configured one.
        command_line: values by name of the option ("input_size" or "input-size"), parsed; None or empty where it is not given.

    Raises:
        SettingsError: if a value is not allowed.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, layer in _layers(configuration, entry, command_line):
        for key, value in _flat(layer):
            if key == "rule-folders" and values.get(key):
                joined = join_folders(values[key], value)
                if joined != values[key]:
                    values[key], origins[key] = joined, f"{origins[key]}, {origin}"
                continue
            values[key], origins[key] = value, origin
            for replaced in _REPLACES.get(key, ()):
                values.pop(replaced, None)
                origins.pop(replaced, None)
    return _effective(values, origins)


def _layers(
    configuration: Configuration | None, entry: ModelEntry | None, command_line: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield DEFAULT, {key.name: key.default for key in LAYERED if key.name != "input-size"}
    if configuration is not None:
        yield configuration.file.label, configuration.values
    if entry is not None:
        yield entry.origin, entry.values
    yield COMMAND_LINE, {name.replace("_", "-"): value for name, value in command_line.items() if value not in (None, (), {})}


def _flat(layer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Values by key, with the parts of overrides one by one; an input size also says the channels."""
    for key, value in layer.items():
        if key == "rules":
            for code, override in value.items():
                if override.severity is not None:
                    yield f"rules.{code}.severity", override.severity
                for limit, number in override.limits.items():
                    yield f"rules.{code}.{limit}", number
            continue
        yield key, value
        if key == "input-size" and len(value) > 1:
            yield "channels", value[0]


def _effective(values: dict[str, Any], origins: dict[str, str]) -> Effective:
    size = values.get("resolution")
    if "input-size" in values:
        given = values["input-size"]
        size = values["input-size"] = AfterBatch((values["channels"], *given[1:]) if len(given) > 1 else given)
    rules: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        if key.startswith("rules."):
            _, code, name = key.split(".", 2)
            rules.setdefault(code, {})[name] = value
    overrides = {code: RuleOverride(parts.pop("severity", None), parts) for code, parts in rules.items()}
    settings = Settings(**{_FIELDS[key]: value for key, value in values.items() if key in _FIELDS}, rules=overrides)
    baseline = values["baseline"]
    return Effective(settings, size, values["fail-on"], None if baseline is None else Path(baseline), values, origins)

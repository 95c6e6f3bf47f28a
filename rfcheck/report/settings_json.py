"""Settings and where each of them came from, as JSON, version 1."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import rfcheck
from rfcheck.configuration.layers import Effective, effective
from rfcheck.configuration.reading import Configuration, ModelEntry
from rfcheck.printable import printable_json
from rfcheck.report.settings_table import rows

VERSION = 1


def settings_json(configuration: Configuration | None, entries: Sequence[ModelEntry]) -> str:
    """The settings of a file and those of some of its models; a limit that nothing exceeds is "off"."""
    models = [
        {"name": entry.name, "target": entry.target, "settings": _settings(effective(configuration, entry, {}))}
        for entry in entries
    ]
    document = {
        "version": VERSION,
        "rfcheck": rfcheck.__version__,
        "file": None if configuration is None else str(configuration.file.path),
        "settings": _settings(effective(configuration, None, {})),
        "models": models,
    }
    return printable_json(json.dumps(document, indent=2))


def _settings(settings: Effective) -> dict[str, Any]:
    return {key: {"value": _plain(settings.values[key]), "from": settings.origins[key]} for key in rows(settings)}


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return "off" if value > 0 else "-inf"
    return value

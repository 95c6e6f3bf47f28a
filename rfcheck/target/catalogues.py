"""The names of catalogue models, read from the catalogues' source files without importing them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

CATALOGUES = ("torchvision", "timm")
"""Installed packages whose models have a name of their own."""

_REGISTERED = re.compile(
    r"""^@register_model\b(?:\([^"'\n)]*(?:["'](?P<name>\w+)["'])?[^\n)]*\))?[^\n]*\n"""
    r"""(?:(?:[@#)\s][^\n]*)?\n)*"""
    r"""def[ ]+(?P<function>\w+)""",
    re.MULTILINE,
)
"""A decorated function: registered by the name that is given, else by its own."""


def catalogue_names(catalogue: str) -> list[str]:
    """The models of a catalogue, in the order of their names; none where it is not installed.

    Args:
        catalogue: one of `CATALOGUES`.
    """
    names: set[str] = set()
    for folder in _folders(catalogue):
        for file in sorted(folder.rglob("*.py")):
            text = file.read_text(encoding="utf-8", errors="replace")
            names.update(match["name"] or match["function"] for match in _REGISTERED.finditer(text))
    return sorted(names)


def _folders(package: str) -> list[Path]:
    """Where a package keeps its models."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return []
    places = [] if spec is None else spec.submodule_search_locations or []
    return [Path(place) / "models" for place in places]

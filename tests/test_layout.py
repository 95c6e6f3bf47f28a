"""The house: which room may import from which, and where the tests of a module are."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "rfcheck").rglob("*.py"))
ORDER = ["target", "graph", "analysis", "fixes", "linting", "report", "cache", "verify", "cli"]
"""Data flows from left to right; nothing imports from a room to its right."""

FOUNDATION = {"errors", "config", "configuration", "frames", "input_size", "quantities", "replacing", "span", "suggestions"}
"""Modules, and one room, that every room may use."""

DATA_ONLY = {"graph/records.py", "graph/calls.py", "report/result.py", "report/view.py", "verify/records.py"}
"""Modules of dataclasses and small accessors, exercised by the tests of every module that uses them."""


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "rfcheck").with_suffix("").parts
    return parts[0]


def imports_of(path: Path) -> set[str]:
    """Rooms that a module imports at run time; imports for type checkers do not count."""
    rooms: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(n)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for n in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            if node.module == "rfcheck":
                names = [f"rfcheck.{alias.name}" for alias in node.names]
        rooms.update(name.split(".")[1] for name in names if name.startswith("rfcheck."))
    return rooms


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_import_against_the_flow(path):
    room = room_of(path)
    if room not in ORDER:
        return
    for imported in imports_of(path) & set(ORDER):
        assert ORDER.index(imported) <= ORDER.index(room), f"{room} imports {imported}"


def test_the_foundation_uses_no_room():
    for path in MODULES:
        if room_of(path) in FOUNDATION:
            assert not imports_of(path) & set(ORDER), path


def test_a_wrong_import_would_be_seen():
    assert "linting" in imports_of(ROOT / "rfcheck" / "cli" / "rule.py")


def test_every_module_has_its_test():
    for path in MODULES:
        relative = path.relative_to(ROOT / "rfcheck")
        if path.name.startswith("__") or relative.as_posix() in DATA_ONLY:
            continue
        assert (ROOT / "tests" / relative.parent / f"test_{relative.name}").exists(), relative


def test_no_catch_all_module():
    assert not [path for path in MODULES if path.stem in ("utils", "helpers", "misc", "common")]

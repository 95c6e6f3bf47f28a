"""The house: which room may import from which, and where the tests of a module are."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "rfcheck").rglob("*.py"))
ORDER = ["target", "graph", "analysis", "fixes", "linting", "report", "cache", "verify", "cli"]
"""Data flows from left to right; nothing imports from a room to its right."""

FOUNDATION = {
    "calling_folder",
    "errors",
    "config",
    "configuration",
    "frames",
    "input_size",
    "patience",
    "plain_file",
    "printable",
    "process_state",
    "processors",
    "quantities",
    "replacing",
    "span",
    "suggestions",
    "torch_state",
    "undoing",
}
"""Modules, and one room, that every room may use."""

VERIFY_ORDER = ["data", "saturation", "training", "probes", "verdict", "report", "run"]
"""The rooms inside rfcheck/verify, likewise; all other modules there are a foundation that they may use."""

LIGHT = {"rfcheck.verify.progress", "rfcheck.verify.recipe", "rfcheck.verify.run.processes"}
"""What modules of the command line may import of rfcheck.verify at their top; everything else only where a verification starts."""

DATA_ONLY = {
    "graph/records.py",
    "graph/calls.py",
    "graph/operators/meanings.py",
    "report/result.py",
    "report/view.py",
    "verify/conclusions.py",
    "verify/records.py",
}
"""Modules of dataclasses and small accessors, exercised by the tests of every module that uses them."""


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "rfcheck").with_suffix("").parts
    return parts[0]


@cache
def modules_of(path: Path, *, at_start: bool = False) -> frozenset[str]:
    """What a module imports of rfcheck at run time, by dotted names; imports for type checkers do not count.

    Args:
        path: of the module.
        at_start: whether to leave out what functions import when they are called.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
        or (at_start and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
        for inner in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            names.update([node.module] if is_module(node.module) else [])
            names.update(f"{node.module}.{alias.name}" for alias in node.names if is_module(f"{node.module}.{alias.name}"))
    return frozenset(name for name in names if name.startswith("rfcheck."))


def is_module(name: str) -> bool:
    place = ROOT.joinpath(*name.split("."))
    return place.with_suffix(".py").exists() or place.is_dir()


def imports_of(path: Path) -> set[str]:
    """Rooms that a module imports at run time."""
    return {name.split(".")[1] for name in modules_of(path)}


def verify_rooms_of(path: Path) -> set[str]:
    """Rooms inside rfcheck/verify that a module imports at run time."""
    inside = (name.removeprefix("rfcheck.verify.") for name in modules_of(path) if name.startswith("rfcheck.verify."))
    return {name.split(".")[0] for name in inside} & set(VERIFY_ORDER)


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


@pytest.mark.parametrize("path", sorted((ROOT / "rfcheck" / "verify").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_import_against_the_flow_inside_verify(path):
    room = path.relative_to(ROOT / "rfcheck" / "verify").parts[0]
    allowed = VERIFY_ORDER[: VERIFY_ORDER.index(room) + 1] if room in VERIFY_ORDER else []
    if path.name != "__init__.py":
        assert verify_rooms_of(path) <= set(allowed)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_command_line_uses_verify_and_only_when_a_verification_starts(path):
    room = room_of(path)
    if room == "cli":
        assert {name for name in modules_of(path, at_start=True) if name.startswith("rfcheck.verify")} <= LIGHT
    elif room != "verify":
        assert "verify" not in imports_of(path)


def test_every_room_of_verify_has_its_place():
    rooms = {path.parent.name for path in (ROOT / "rfcheck" / "verify").glob("*/__init__.py")}
    assert rooms == set(VERIFY_ORDER)


def test_a_wrong_import_would_be_seen():
    assert "linting" in imports_of(ROOT / "rfcheck" / "cli" / "rule.py")
    assert {"training", "probes", "verdict"} <= verify_rooms_of(
        ROOT / "rfcheck" / "verify" / "run" / "running.py"
    ) | verify_rooms_of(ROOT / "rfcheck" / "verify" / "run" / "measuring.py")
    verb = ROOT / "rfcheck" / "cli" / "verify.py"
    assert "rfcheck.verify.run.running" in modules_of(verb)
    assert "rfcheck.verify.run.running" not in modules_of(verb, at_start=True)


@pytest.mark.parametrize(
    "line",
    ["import rfcheck.verify.run.running", "from rfcheck.verify.run import running", "from rfcheck.verify.run.running import run"],
)
def test_every_way_to_import_is_seen(tmp_path, line):
    module = tmp_path / "module.py"
    module.write_text(f"{line}\nif TYPE_CHECKING:\n    import rfcheck.linting\n")
    assert verify_rooms_of(module) == {"run"}
    assert imports_of(module) == {"verify"}
    module.write_text(f"def late():\n    {line}\n")
    assert verify_rooms_of(module) == {"run"}
    assert modules_of(module, at_start=True) == set()


def test_every_module_has_its_test():
    for path in MODULES:
        relative = path.relative_to(ROOT / "rfcheck")
        if path.name.startswith("__") or relative.as_posix() in DATA_ONLY:
            continue
        assert (ROOT / "tests" / relative.parent / f"test_{relative.name}").exists(), relative


def test_no_catch_all_module():
    assert not [path for path in MODULES if path.stem in ("utils", "helpers", "misc", "common")]

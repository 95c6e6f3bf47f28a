from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from rfcheck.cache.fingerprint import digest, digest_of_modules, fingerprint
from rfcheck.config import RuleOverride, Settings

SETTINGS = Settings(rules={"RF101": RuleOverride(limits={"min_layers": 3})})


def name_of(target="model.py", name=None, size=32, settings=SETTINGS, with_fixes=True) -> str:
    return fingerprint(target, name, size, settings, with_fixes=with_fixes)


OTHER_SETTINGS = {
    "channels": 1,
    "projection": "exact",
    "gates": "count",
    "flops_by": "fvcore",
    "select": ("RF1",),
    "ignore": ("RF1",),
    "rule_folders": ("rules",),
    "rules": {"RF101": RuleOverride(limits={"min_layers": 4})},
    "classes": 10,
}


def test_the_same_request_has_the_same_name():
    assert name_of() == name_of(settings=replace(SETTINGS))
    assert len(name_of()) == 64
    assert set(name_of()) <= set("0123456789abcdef")


def test_another_request_has_another_name():
    others = [
        {},
        {"target": "other.py"},
        {"name": "tiny"},
        {"size": 33},
        {"size": (32, 32)},
        {"size": (3, 32, 32)},
        {"with_fixes": False},
        *({"settings": replace(SETTINGS, **{name: value})} for name, value in OTHER_SETTINGS.items()),
        {"settings": Settings(rules={"RF101": RuleOverride("error", {"min_layers": 3})})},
        {"settings": Settings(select=("RF1", "RF2"))},
        {"settings": Settings(select=("RF1RF2",))},
        {"settings": Settings(ignore=("RF1", "RF2"))},
    ]
    assert len({name_of(**other) for other in others}) == len(others)
    assert OTHER_SETTINGS.keys() == {field.name for field in fields(Settings)}


def test_the_current_folder_counts(tmp_path, monkeypatch):
    before = name_of()
    monkeypatch.chdir(tmp_path)
    assert name_of() != before


def test_the_files_of_rule_folders_count(tmp_path):
    settings = Settings(rule_folders=(str(tmp_path),))
    rule = tmp_path / "XX001-own.md"
    names = [name_of(settings=settings)]
    rule.write_text("one")
    names.append(name_of(settings=settings))
    rule.write_text("two")
    names.append(name_of(settings=settings))
    rule.rename(tmp_path / "XX002-own.md")
    names.append(name_of(settings=settings))
    assert len(set(names)) == 4
    (tmp_path / "notes.txt").write_text("three")
    assert name_of(settings=settings) == names[-1]


def elsewhere(code: str = "", **environment: str) -> str:
    """The name of the same request in another process."""
    code += "\nfrom rfcheck.cache.fingerprint import fingerprint, Settings\nprint(fingerprint('model.py', None, 32, Settings(), with_fixes=True))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_processes_agree():
    assert elsewhere(PYTHONHASHSEED="1") == elsewhere(PYTHONHASHSEED="2")


def test_torch_is_not_imported():
    assert elsewhere("import sys; sys.modules['torch'] = None") == elsewhere()


@pytest.mark.parametrize("name", ["torch/version.py", "site-packages/x/y.py"])
def test_versions_and_installations_count(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text("1")
    path = f"{tmp_path}{os.pathsep}{tmp_path / 'site-packages'}"
    before = elsewhere(PYTHONPATH=path)
    assert before == elsewhere(PYTHONPATH=path)
    (tmp_path / name).write_text("2")
    os.utime((tmp_path / name).parent.parent, (1, 1))
    assert elsewhere(PYTHONPATH=path) != before


def test_versions_of_python_and_rfcheck_and_its_code_count(tmp_path):
    (tmp_path / "code.py").touch()
    codes = [
        "",
        "import sys; sys.version = '4.0'",
        "import rfcheck; rfcheck.__version__ = '99'",
        f"import rfcheck; rfcheck.__file__ = {str(tmp_path / 'code.py')!r}",
    ]
    assert len({elsewhere(code) for code in codes}) == len(codes)


def test_where_modules_are_searched_counts(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert len({elsewhere(PYTHONPATH=str(tmp_path / name)) for name in ("a", "b", "none")}) == 3


def test_the_digest_of_a_file(tmp_path):
    file = tmp_path / "file"
    assert digest(file) is None
    file.write_bytes(b"one")
    before = digest(file)
    os.utime(file, (1, 1))
    assert digest(file) == before
    file.write_bytes(b"two")
    assert digest(file) not in (before, None)


def test_large_files_are_not_read(tmp_path):
    file = tmp_path / "weights"
    file.write_bytes(b"x" * 1_000_001)
    os.utime(file, (1, 1))
    before = digest(file)
    file.write_bytes(b"y" * 1_000_001)
    os.utime(file, (1, 1))
    assert digest(file) == before
    os.utime(file, (2, 2))
    assert digest(file) != before


def test_what_is_no_file_has_no_digest(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero"), tmp_path / "none" / "file"):
        assert digest(path) is None


def test_the_digest_of_a_folder_of_modules(tmp_path):
    (tmp_path / "one.py").touch()
    before = digest_of_modules(tmp_path)
    for name in ("notes.txt", ".hidden.txt", "a.yaml"):
        (tmp_path / name).touch()
    for name in ("__pycache__", ".git", "not-a-package", "1st"):
        (tmp_path / name).mkdir()
    (tmp_path / "one.py").write_text("x = 1")
    assert digest_of_modules(tmp_path) == before
    seen = {before}
    for make in (tmp_path / "two.py", tmp_path / "three.so", tmp_path / "four.pyc"):
        make.touch()
        seen.add(digest_of_modules(tmp_path))
    (tmp_path / "package").mkdir()
    seen.add(digest_of_modules(tmp_path))
    (tmp_path / "one.py").unlink()
    seen.add(digest_of_modules(tmp_path))
    assert len(seen) == 6
    assert digest_of_modules(tmp_path / "none") is None
    assert digest_of_modules(tmp_path / "two.py") is None

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import rfcheck
from rfcheck.linting import rules_folder as module
from rfcheck.linting.rules_folder import rules_folder


def test_the_built_in_rules_are_there():
    assert (rules_folder() / "RF101-unproductive-tail.md").is_file()


def test_an_installed_package_holds_its_rules(tmp_path):
    """The module alone, in a package that is laid out as it is installed and in one as it is checked out."""
    script = "from rfcheck.linting.rules_folder import rules_folder; print(rules_folder())"
    for name in ("rfcheck", "rfcheck/linting"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    shutil.copy(module.__file__, tmp_path / "rfcheck" / "linting")
    found = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
        found.append(Path(done.stdout.rstrip("\n")))
        (tmp_path / "rfcheck" / "_rules").mkdir(exist_ok=True)
    assert found == [tmp_path / "rules", tmp_path / "rfcheck" / "_rules"]
    assert Path(rfcheck.__file__).parent.parent != tmp_path

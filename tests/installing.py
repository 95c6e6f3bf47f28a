"""Installing this project for real, without a network: in place of an index there are the packages of the environment that runs the tests."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = ["rfcheck", "rules", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml", "action.yml"]


def copy_sources(folder: Path) -> None:
    """Put what the project is built from into a folder, without what is built."""
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def offline_environment(folder: Path) -> dict[str, str]:
    """Environment variables with which pip, in any virtual environment, finds every dependency of rfcheck installed, but not rfcheck.

    Args:
        folder: a new one, which is filled with links to the packages.
    """
    packages = folder / "packages"
    packages.mkdir(parents=True)
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(place).iterdir():
            if entry.suffix != ".pth" and not entry.name.startswith(("rfcheck", "__editable__", "_editable_", "_rfcheck")):
                (packages / entry.name).symlink_to(entry)
    return {
        "PYTHONPATH": str(packages),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip takes this as the value of the opposite, "build isolation"
        "VIRTUALENV_NO_PERIODIC_UPDATE": "1",
        "VIRTUALENV_OVERRIDE_APP_DATA": str(folder / "virtualenv"),
    }

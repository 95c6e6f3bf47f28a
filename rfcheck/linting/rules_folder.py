"""Where the rules that come with rfcheck are."""

from __future__ import annotations

from pathlib import Path


def rules_folder() -> Path:
    """The folder of the built-in rules: in the package where it is installed, beside it in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "_rules"
    return installed if installed.is_dir() else package.parent / "rules"

"""Whether what a target names is there at all, told before anything heavy is imported."""

from __future__ import annotations

import difflib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rfcheck.errors import TargetError

if TYPE_CHECKING:
    from rfcheck.target.spec import TargetSpec


def require_there(spec: TargetSpec) -> None:
    """Refuse a file, program or module that does not exist.

    Raises:
        TargetError: naming what is there instead.
    """
    if spec.kind == "file":
        require_file(spec.place)
    elif spec.kind in ("pt2", "onnx"):
        require_program(spec.place, spec.kind)
    elif spec.kind == "module":
        root = spec.place.partition(".")[0]
        if root not in sys.modules and not _is_in_folder(root) and importlib.util.find_spec(root) is None:
            raise TargetError(f"{spec.place}: no such module in this environment or folder")


def require_file(path: str) -> None:
    """Refuse what is no file of Python code.

    Raises:
        TargetError: naming what is there instead.
    """
    _require_plain(path, "give the files in it that define models", _other_files)


def require_program(path: str, kind: str) -> None:
    """Refuse what is no file of an exported program.

    Raises:
        TargetError: naming what is there instead.
    """
    _require_plain(path, "give the file in it that holds the model", lambda place: _listed(_there(place, kind)))


def _require_plain(path: str, of_a_folder: str, others: Callable[[Path], str]) -> None:
    """Refuse a folder, with the remedy for it, and a file that is not there, with a hint at others."""
    place = Path(path)
    if place.is_dir():
        raise TargetError(f"{path}: is a folder; {of_a_folder}")
    if not place.exists():
        link = f" behind this link to {place.readlink()}" if place.is_symlink() else ""
        raise TargetError(f"{path}: no such file{link}{others(place)}")


def _is_in_folder(root: str) -> bool:
    """Whether a module lies in the current folder, which is imported from too."""
    return Path(f"{root}.py").exists() or Path(root).is_dir()


def _other_files(path: Path) -> str:
    """A hint at the file that is meant, or at others that are there."""
    names = _there(path, "py")
    near = difflib.get_close_matches(path.stem, [name.removesuffix(".py") for name in names], 1)
    return f"; did you mean {path.parent / near[0]}.py?" if near else _listed(names)


def _there(path: Path, ending: str) -> list[str]:
    """The files of a kind beside a path; links that lead nowhere are none."""
    return sorted(file.name for file in path.parent.glob(f"*.{ending}") if file.exists())


def _listed(names: Sequence[str]) -> str:
    return f"; there is {', '.join(names[:3])}" if names else ""

"""The baseline as a file: JSON, an entry a line, sorted, with paths relative to its folder, the same on every machine."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from rfcheck.errors import SettingsError
from rfcheck.linting.baseline import Baseline, Entry, Model
from rfcheck.plain_file import read_plain

FORMAT = "rfcheck-baseline"
VERSION = 2
_KEYS = {"target", "input", "code", "layer", "count"}


def read_baseline(path: Path, called: str) -> Baseline:
    """The known findings in a file.

    Args:
        path: of the file.
        called: what errors call the path, such as the option that names it.

    Raises:
        SettingsError: if it cannot be read, is not a baseline, or one of a later version.
    """
    where = f"{called} {path}"
    try:
        value = json.loads(read_plain(path))
    except FileNotFoundError:
        raise SettingsError(f"{where}: no such file; write it with --write-baseline {path}") from None
    except OSError as error:
        raise SettingsError(f"{where}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise _foreign(where) from None
    if not isinstance(value, dict) or value.get("format") != FORMAT or not _is_whole(value.get("version")):
        raise _foreign(where)
    if value["version"] > VERSION:
        raise SettingsError(f"{where}: has version {value['version']}, this rfcheck reads up to {VERSION}; update rfcheck")
    return _baseline(value.get("findings"), where)


def dump(baseline: Baseline) -> str:
    """The text of the file."""
    plain = [_plain(entry, count, baseline.extents.get(entry)) for entry, count in sorted(baseline.counts.items())]
    lines = [json.dumps(one, ensure_ascii=False) for one in plain]
    findings = "[\n    " + ",\n    ".join(lines) + "\n  ]" if lines else "[]"
    text = f'{{\n  "format": "{FORMAT}",\n  "version": {VERSION},\n  "findings": {findings}\n}}\n'
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # names of files may hold bytes that are no text


def target_in(folder: Path, label: str, path: str | None) -> str:
    """The name of a target that does not depend on the current folder and the machine.

    Args:
        folder: of the baseline.
        label: how reports name the target: "models/net.py:Net".
        path: its file, if it is one of the user's.

    Returns:
        The label, its file relative to the folder and with forward slashes, where it begins with the file.
    """
    file = next((start for start in _beginnings(label) if path is not None and _place(start) == _place(path)), None)
    if path is None or file is None:
        return label
    try:
        relative = os.path.relpath(_place(path), os.path.realpath(folder))
    except ValueError:  # another drive
        relative = _place(path)
    return Path(relative).as_posix() + label[len(file) :]


def _beginnings(label: str) -> list[str]:
    """The label up to each colon, and the whole."""
    return [label[:at] for at, character in enumerate(label) if character == ":"] + [label]


def _place(path: str) -> str:
    """An absolute path; a link to a file is a file of its own, a link to a folder is not."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve would follow the last link
    return str(Path(os.path.realpath(absolute.parent)) / absolute.name)


def _plain(entry: Entry, count: int, extent: float | None) -> dict[str, Any]:
    model = entry.model
    plain = {"target": model.target, "input": model.input, "code": entry.code, "layer": entry.layer or None, "count": count}
    return plain if extent is None else {**plain, "extent": extent}


def _baseline(values: Any, where: str) -> Baseline:
    if not isinstance(values, list):
        raise SettingsError(f"{where}: is damaged: it has no list 'findings'; remove it and write it anew")
    counts: dict[Entry, int] = {}
    extents: dict[Entry, float] = {}
    for number, value in enumerate(values, start=1):
        if not _is_entry(value):
            shown = json.dumps(value, ensure_ascii=False)
            raise SettingsError(
                f"{where}: is damaged: finding {number} is {shown[:100]}; correct it, or remove the file and write it anew"
            )
        entry = Entry(Model(value["target"], tuple(value["input"])), value["code"], value["layer"] or "")
        counts[entry] = max(value["count"], counts.get(entry, 0))
        if "extent" in value:  # files of version 1 have none
            extents[entry] = max(value["extent"], extents.get(entry, -math.inf))
    return Baseline(counts, extents)


def _is_entry(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) - {"extent"} == _KEYS
        and isinstance(value.get("extent", 0), int | float)
        and not isinstance(value.get("extent"), bool)
        and all(isinstance(value[key], str) and value[key] for key in ("target", "code"))
        and (value["layer"] is None or isinstance(value["layer"], str))
        and isinstance(value["input"], list)
        and all(_is_whole(extent) for extent in value["input"])
        and _is_whole(value["count"])
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _foreign(where: str) -> SettingsError:
    return SettingsError(f"{where}: is not a baseline of rfcheck; name another file, or remove this one")

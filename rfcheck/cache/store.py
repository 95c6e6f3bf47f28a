"""The folder ``.rfcheck_cache``: a file per target and settings; whatever is not right in it is ignored."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rfcheck.cache.fingerprint import digest, digest_of_list, digest_of_modules
from rfcheck.cache.plain_results import result_from, to_plain
from rfcheck.replacing import replace_file
from rfcheck.report.result import Result

FOLDER = ".rfcheck_cache"
_KEPT = ("__pycache__", FOLDER)
_MARKS = {
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n# Results that rfcheck keeps; `rfcheck clean` removes them.\n",
    ".gitignore": "*\n",
}


_LEFTOVER_AFTER, _OLD_AFTER = 3600.0, 30 * 24 * 3600.0
"""Age in seconds from which on the beginning of an entry is nobody's any more, and a whole one is made anew."""
_WRITING = "writing-"


@dataclass(frozen=True, slots=True)
class Kept:
    """One entry: results, and every file that they depend on."""

    results: tuple[Result, ...]
    files: tuple[Path, ...]


class Store:
    """Results by fingerprint.

    An entry is one file: a line with the digest of the next, which holds the results and digests of whatever they depend on. It is
    written beside its place and moved there, so that runs side by side, or stopped halfway, leave whole entries.

    Args:
        folder: the project's; the store is a folder in it, made when something is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER

    def find(self, fingerprint: str) -> Kept | None:
        """What was kept, if everything they depend on is as it was; None if not, or if the entry is damaged."""
        try:
            expected, content = (self.folder / fingerprint).read_bytes().split(b"\n", 1)
            if expected != _digest(content):
                return None
            entry = json.loads(content)
            if entry["fingerprint"] != fingerprint or not _is_unchanged(entry):
                return None
            return Kept(tuple(map(result_from, entry["results"])), tuple(map(Path, entry["files"])))
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None

    def keep(
        self,
        fingerprint: str,
        results: Sequence[Result],
        files: Iterable[Path],
        folders: Iterable[Path],
        listed: Iterable[Path] = (),
    ) -> None:
        """Keep results; where the folder cannot be written to, they are not kept.

        Args:
            fingerprint: of what was asked.
            results: what was found, before suppressions.
            files: whose content they depend on; one that is not there must not appear.
            folders: in which no module may appear or disappear.
            listed: folders in which nothing may appear or disappear, but what Python and rfcheck keep there.
        """
        entry = {
            "fingerprint": fingerprint,
            "files": {str(file): digest(file) for file in files},
            "folders": {str(folder): digest_of_modules(folder) for folder in folders},
            "listed": {str(folder): digest_of_list(folder, _KEPT) for folder in listed},
            "results": to_plain(results),
        }
        content = json.dumps(entry).encode()
        with contextlib.suppress(OSError):
            self.folder.mkdir(exist_ok=True)
            self._sweep()
            for name, text in _MARKS.items():
                if not (self.folder / name).exists():
                    replace_file(self.folder / name, text.encode(), _WRITING)
            replace_file(self.folder / fingerprint, _digest(content) + b"\n" + content, _WRITING)

    def _sweep(self) -> None:
        """Remove what runs left that were killed while they wrote, and entries that are old."""
        now = time.time()
        for path in self.folder.iterdir():
            after = _LEFTOVER_AFTER if path.name.startswith(_WRITING) else _OLD_AFTER
            with contextlib.suppress(OSError):
                if path.name not in _MARKS and path.is_file() and now - path.stat().st_mtime > after:
                    path.unlink()

    def clean(self) -> bool:
        """Remove the store; returns whether there was one.

        Raises:
            OSError: if it cannot be removed.
        """
        if not (self.folder / "CACHEDIR.TAG").is_file():
            return False
        shutil.rmtree(self.folder)
        return True


def _is_unchanged(entry: Mapping[str, Any]) -> bool:
    return (
        all(digest(Path(file)) == expected for file, expected in entry["files"].items())
        and all(digest_of_modules(Path(folder)) == expected for folder, expected in entry["folders"].items())
        and all(digest_of_list(Path(folder), _KEPT) == expected for folder, expected in entry["listed"].items())
    )


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()

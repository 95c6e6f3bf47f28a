"""The folder ``.rfcheck_cache``: a file per target and settings; whatever is not right in it is ignored."""

from __future__ import annotations

import contextlib
import json
import re
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rfcheck.cache.fingerprint import digest, digest_of_list, digest_of_modules
from rfcheck.cache.plain_results import result_from, to_plain
from rfcheck.cache.signing import is_signed, signature, signing_key
from rfcheck.plain_file import read_plain
from rfcheck.replacing import replace_file
from rfcheck.report.result import Result

FOLDER = ".rfcheck_cache"
_KEPT = ("__pycache__", FOLDER)
_TAG = "CACHEDIR.TAG"
_MARKS = {
    _TAG: "Signature: 8a477f597d28d172789f06886806bc55\n# Results that rfcheck keeps; `rfcheck clean` removes them.\n",
    ".gitignore": "*\n",
}


_LEFTOVER_AFTER, _OLD_AFTER = 3600.0, 30 * 24 * 3600.0
"""Age in seconds from which on the beginning of an entry is nobody's any more, and a whole one is made anew."""
_WRITING = "writing-"
_DRAFT = re.compile(r"writing-[0-9a-f]+")
_ENTRY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Kept:
    """One entry: results, and every file that they depend on."""

    results: tuple[Result, ...]
    files: tuple[Path, ...]


class Store:
    """Results by fingerprint.

    An entry is one file: a line with the user's signature of the next, which holds the results and digests of whatever they depend
    on. It is written beside its place and moved there, so that runs side by side, or stopped halfway, leave whole entries. Nothing
    is written, read or removed but files with names of the store's own, in a folder with its own mark; a link in the place of the
    folder, or of an entry, is not followed.

    Args:
        folder: the project's; the store is a folder in it, made when something is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER

    def find(self, fingerprint: str) -> Kept | None:
        """What was kept, if everything they depend on is as it was; None if not, or if somebody else wrote the entry."""
        try:
            if not self._is_own():
                return None
            given, content = read_plain(self.folder / fingerprint, follow=False).split(b"\n", 1)
            key = signing_key()
            if key is None or not is_signed(content, given, key):
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
        """Keep results; where the folder cannot be written to, or the user has no key, they are not kept.

        Args:
            fingerprint: of what was asked.
            results: what was found, before suppressions.
            files: whose content they depend on; one that is not there must not appear.
            folders: in which no module may appear or disappear.
            listed: folders in which nothing may appear or disappear, but what Python and rfcheck keep there.
        """
        key = signing_key()
        if key is None:
            return
        entry = {
            "fingerprint": fingerprint,
            "files": {str(file): digest(file) for file in files},
            "folders": {str(folder): digest_of_modules(folder) for folder in folders},
            "listed": {str(folder): digest_of_list(folder, _KEPT) for folder in listed},
            "results": to_plain(results),
        }
        content = json.dumps(entry).encode()
        with contextlib.suppress(OSError):
            self._make()
            if self._is_own():
                self._sweep()
                replace_file(self.folder / fingerprint, signature(content, key) + b"\n" + content, _WRITING)

    def _make(self) -> None:
        """Make the folder with its marks; one that holds nothing else yet may be one that a killed process has begun."""
        with contextlib.suppress(FileExistsError):
            self.folder.mkdir()
        if not _is_folder(self.folder):
            return
        marked = self._is_own()
        if marked or all(path.name in _MARKS or _is_draft(path.name) for path in self.folder.iterdir()):
            for name, text in _MARKS.items():
                if not (self.folder / name).exists():
                    replace_file(self.folder / name, text.encode(), _WRITING)

    def _is_own(self) -> bool:
        """Whether rfcheck made the folder: it is no link, and its mark says so."""
        try:
            return _is_folder(self.folder) and read_plain(self.folder / _TAG, follow=False) == _MARKS[_TAG].encode()
        except OSError:
            return False

    def _own_files(self) -> Iterator[Path]:
        """Entries, whole and begun."""
        for path in self.folder.iterdir():
            if _ENTRY.fullmatch(path.name) or _is_draft(path.name):
                with contextlib.suppress(FileNotFoundError):  # a draft that has just become an entry
                    if stat.S_ISREG(path.lstat().st_mode):
                        yield path

    def _sweep(self) -> None:
        """Remove what runs left that were killed while they wrote, and entries that are old."""
        now = time.time()
        for path in self._own_files():
            after = _LEFTOVER_AFTER if _is_draft(path.name) else _OLD_AFTER
            with contextlib.suppress(OSError):
                if now - path.lstat().st_mtime > after:
                    path.unlink()

    def clean(self) -> bool:
        """Remove the store; returns whether there was one. What else others have put there stays, and with it the folder.

        Raises:
            OSError: if it cannot be removed.
        """
        if not self._is_own():
            return False
        for path in self._own_files():
            path.unlink(missing_ok=True)
        if all(path.name in _MARKS for path in self.folder.iterdir()):
            for name in _MARKS:
                (self.folder / name).unlink(missing_ok=True)
            self.folder.rmdir()
        return True


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(path.lstat().st_mode)


def _is_draft(name: str) -> bool:
    return _DRAFT.fullmatch(name) is not None


def _is_unchanged(entry: Mapping[str, Any]) -> bool:
    return (
        all(digest(Path(file)) == expected for file, expected in entry["files"].items())
        and all(digest_of_modules(Path(folder)) == expected for folder, expected in entry["folders"].items())
        and all(digest_of_list(Path(folder), _KEPT) == expected for folder, expected in entry["listed"].items())
    )

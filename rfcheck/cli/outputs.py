"""``--output FORMAT[=FILE]``: reports in several formats, to the terminal and to files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rfcheck.cli.output_file import require_writable, standard_output, write_atomically
from rfcheck.cli.signs import encoded
from rfcheck.errors import SettingsError
from rfcheck.report.formats import FOR_PEOPLE, FORMATS, SHOWS_FIXES, render
from rfcheck.suggestions import did_you_mean

if TYPE_CHECKING:
    from rfcheck.report.result import Run
    from rfcheck.report.view import View


@dataclass(frozen=True, slots=True)
class Output:
    """One report.

    Attributes:
        format: one of `FORMATS`.
        file: where to write it; None for standard output.
        option: "--output" or "--output-file", for errors.
    """

    format: str
    file: str | None
    option: str

    @property
    def is_for_people(self) -> bool:
        """Whether people read it, who need no report on nothing."""
        return self.format in FOR_PEOPLE

    @property
    def shows_fixes(self) -> bool:
        """Whether the report names the best fixes."""
        return self.format in SHOWS_FIXES

    def write(self, run: Run, view: View) -> None:
        """Write the report, to a file whole or not at all.

        Raises:
            SettingsError: if the file or standard output cannot be written.
        """
        if self.file is None:
            with standard_output():
                self._print(render(self.format, run, view))
        else:
            write_atomically(Path(self.file), render(self.format, run, replace(view, color=False)), self.option)

    def _print(self, text: str) -> None:
        """Write to standard output what its encoding has; programs get the rest as UTF-8, people as the nearest signs."""
        encoding = sys.stdout.encoding or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            sys.stdout.flush()
            sys.stdout.buffer.write(encoded(text, encoding) if self.is_for_people else text.encode())
        else:
            sys.stdout.write(text)


def chosen_outputs(texts: Sequence[str], output_format: str | None, output_file: str | None) -> list[Output]:
    """The reports to write: those of --output, or the one of --output-format and --output-file.

    Args:
        texts: of --output, each "FORMAT" or "FORMAT=FILE".
        output_format: of --output-format.
        output_file: of --output-file.

    Raises:
        SettingsError: if a format does not exist, a file cannot be written, or two reports have one place.
    """
    if texts and (output_format is not None or output_file is not None):
        raise SettingsError("give either --output FORMAT=FILE or --output-format with --output-file, not both")
    outputs = [_parsed(text) for text in texts] or [Output(output_format or "full", output_file, "--output-file")]
    places = [one.file and str(Path(one.file).resolve()) for one in outputs]
    for one, place in zip(outputs, places, strict=True):
        if places.count(place) > 1:
            where = "standard output" if one.file is None else one.file
            raise SettingsError(f"{one.option}: two reports go to {where}; give all but one a file, like sarif=report.sarif")
        if one.file is not None:
            require_writable(one.file, one.option)
    return outputs


def _parsed(text: str) -> Output:
    name, equals, file = text.partition("=")
    option = f"--output {text}"
    if name not in FORMATS:
        known = ", ".join(FORMATS)
        raise SettingsError(f"{option}: no format {name!r}; {did_you_mean(name, FORMATS, f'formats are {known}')}")
    if equals and not file:
        raise SettingsError(f"{option}: the file is missing; write {name}=FILE, or {name} for standard output")
    return Output(name, file or None, "--output")

"""``--plot FILE``: figures, in a format that the name of the file says."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rfcheck.cli.output_file import require_writable, write_atomically
from rfcheck.errors import SettingsError
from rfcheck.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rfcheck.report.result import Run

_ENDINGS = (".png", ".svg", ".pdf")


def require_plot_file(path: str) -> str:
    """The format that a file's name asks for: "png", "svg" or "pdf".

    Raises:
        SettingsError: if the name has another ending, or the file cannot be written.
    """
    ending = Path(path).suffix.lower()
    if ending not in _ENDINGS:
        raise SettingsError(f"--plot {path}: the name must end in {', '.join(_ENDINGS[:-1])} or {_ENDINGS[-1]}")
    require_writable(path, "--plot")
    return ending.removeprefix(".")


class OneModel:
    """Notes the models of a run and says, before they are analysed, where a figure is asked for that can show only one of them.

    Args:
        is_asked_for: whether there is to be a figure.
    """

    def __init__(self, *, is_asked_for: bool) -> None:
        self._is_asked_for = is_asked_for
        self._models: list[str] = []
        self.is_missed = False

    def note(self, names: Sequence[str]) -> None:
        """Take note of more models; the first ones too many are complained about at once, on standard error."""
        self._models += names
        if self._is_asked_for and len(self._models) > 1 and not self.is_missed:
            self.is_missed = True
            listed, first = ", ".join(self._models), shlex.quote(self._models[0])
            sentence = f"--plot draws one model, but there are several: {listed}; name one, as in rfcheck {first} --plot FILE"
            print(f"error: {printable(sentence)}", file=sys.stderr)


def draw(run: Run, path: str) -> None:
    """Write the figure of the one model of a run; none where it could not be analysed.

    Raises:
        SettingsError: if the file cannot be written.
    """
    if not run.results:
        return
    from rfcheck.report.layers_plot import layers_picture

    (result,) = run.results
    snapshot = result.snapshot
    picture = layers_picture(
        snapshot.layers,
        require_plot_file(path),
        name=snapshot.model,
        input_size=snapshot.input_size,
        border_min=snapshot.border_min,
        border_max=snapshot.border_max,
        tail_share=snapshot.tail_cost.flops / snapshot.cost.flops if snapshot.cost.flops else 0.0,
    )
    write_atomically(Path(path), picture, "--plot")

"""``--plot FILE``: figures, in a format that the name of the file says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfcheck.cli.output_file import require_writable, write_atomically
from rfcheck.errors import SettingsError

if TYPE_CHECKING:
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


def draw(run: Run, path: str) -> None:
    """Write the figure of the one model of a run.

    Raises:
        SettingsError: if there are several, or the file cannot be written.
    """
    if not run.results:
        return
    if len(run.results) > 1:
        names = ", ".join(result.target for result in run.results)
        raise SettingsError(f"--plot draws one model, but there are {len(run.results)}; give one of {names}")
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

"""Where everything about a run is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rfcheck.errors import VerifyError
from rfcheck.replacing import PREFIX
from rfcheck.verify.run.processes import processes, rank

RUNS = "rfcheck-runs"
"""Folder for the folders of runs, where none is named."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of a run.

    Attributes:
        path: of the folder.
    """

    path: Path

    @property
    def recipe(self) -> Path:
        """What was asked for, with versions and the fingerprint of the data: everything needed to repeat the run."""
        return self.path / "run.toml"

    @property
    def document(self) -> Path:
        """Everything measured and concluded, as JSON."""
        return self.path / "report.json"

    def picture(self, name: str) -> Path:
        """A picture: "report", "variants" or "heatmaps"."""
        return self.path / f"{name}.png"

    def model(self, variant: str, seed: int) -> Path:
        """Folder of one model that is trained with one seed."""
        return self.path / "models" / variant / f"seed-{seed}"

    def has_results(self) -> bool:
        """Whether an epoch of some model is over."""
        return any(self.path.glob("models/*/*/checkpoint.pt"))


def new_folder(path: str | None, name: str, now: datetime) -> RunFolder:
    """A folder for a new run; it is made when something is written into it.

    Args:
        path: as given; None for one below `RUNS` that is called after the model and the time.
        name: of the model.
        now: when the run begins.

    Raises:
        VerifyError: if the given path is empty or there is something at it, or several processes have no path in common.
    """
    if path == "":
        raise VerifyError("--run-dir: the name is empty; name a folder")
    if path is None and processes() > 1:
        raise VerifyError(f"{processes()} processes were started, which need a folder in common: add --run-dir DIR")
    if path is None:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "model"
        return RunFolder(Path(RUNS) / f"{plain}-{now:%Y%m%d-%H%M%S}")
    folder = Path(path)
    if rank() != 0:  # the first process may have begun to write there
        return RunFolder(folder)
    if (folder / "run.toml").is_file():
        raise VerifyError(f"--run-dir {path}: holds a run already; go on with it by --resume {path}, or name another folder")
    if folder.exists() and not folder.is_dir():
        raise VerifyError(f"--run-dir {path}: is a file; name a folder")
    if folder.exists() and any(not path.name.startswith(PREFIX) for path in folder.iterdir()):
        raise VerifyError(f"--run-dir {path}: is not empty; name a folder that is, or a new one")
    return RunFolder(folder)


def existing_folder(path: str) -> RunFolder:
    """The folder of a run to resume.

    Raises:
        VerifyError: if there is no run in it.
    """
    if not path:
        raise VerifyError("--resume: the name is empty; give the folder of a run")
    folder = RunFolder(Path(path).resolve())
    if folder.recipe.is_file():
        return folder
    if not folder.path.exists():
        raise VerifyError(f"--resume {path}: no such folder; give the folder of a run, as it was named when the run began")
    raise VerifyError(f"--resume {path}: holds no run.toml; give the folder of a run")

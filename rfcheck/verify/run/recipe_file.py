"""run.toml: everything that decides the numbers of a run."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rfcheck.config import RuleOverride, Settings
from rfcheck.errors import VerifyError
from rfcheck.plain_file import read_plain
from rfcheck.verify.reading_back import made
from rfcheck.verify.recipe import Recipe, Training
from rfcheck.verify.records import Sizes
from rfcheck.verify.writing import write_file

VERSION = 1

_HEADING = """\
# How this run trains and measures; rfcheck verify --resume goes on with it.
# The same versions, device and numbers of processes and threads give the same numbers.
"""


@dataclass(frozen=True, slots=True)
class RunFile:
    """What run.toml holds.

    Attributes:
        recipe: what is done.
        settings: of the analysis.
        folder: from which the target and the data are found.
        architecture: SHA-256 of what the original computes, as hexadecimal digits; "" until it is known.
        fingerprint: of the data; "" until they are read.
        classes: names.
        sizes: of the splits; None until they are known.
        environment: in which the run began, and where it went on in another one, that too; empty until it begins.
        tensorboard: whether metrics are also kept as TensorBoard reads them.
    """

    recipe: Recipe
    settings: Settings
    folder: str
    environment: Mapping[str, str]
    architecture: str = ""
    fingerprint: str = ""
    classes: tuple[str, ...] = ()
    sizes: Sizes | None = None
    tensorboard: bool = False


def write_run_file(path: Path, run: RunFile) -> None:
    """Write run.toml, whole or not at all.

    Raises:
        VerifyError: if it cannot be written.
    """
    import tomli_w

    document = {"version": VERSION, **_plain(asdict(run))}
    document["settings"]["rules"] = {
        code: _plain({"severity": override.severity, **override.limits}) for code, override in run.settings.rules.items()
    }
    text = f"{_HEADING}{tomli_w.dumps(document)}"
    write_file(path, text.encode(), "name another folder by --run-dir")


def read_run_file(path: Path) -> RunFile:
    """What run.toml holds.

    Raises:
        VerifyError: if it is not what `write_run_file` wrote.
    """
    try:
        document = tomllib.loads(read_plain(path).decode("utf-8"))
        version = document.pop("version")
        if version != VERSION:
            raise VerifyError(f"{path}: has version {version!r}, not {VERSION}; resume with the rfcheck that began the run")
        return _run_file(document)
    except VerifyError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        why = "values are nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise VerifyError(f"{path}: cannot be read as the file of a run: {why}; begin a new run") from None


def _run_file(document: dict[str, Any]) -> RunFile:
    recipe = document.pop("recipe")
    training = made(Training, recipe.pop("training"))
    settings = document.pop("settings")
    rules = {code: RuleOverride(values.pop("severity", None), values) for code, values in settings.pop("rules").items()}
    sizes = document.pop("sizes", None)
    whole = {
        "recipe": made(Recipe, {"training": training, **recipe}),
        "settings": made(Settings, {"rules": rules, **settings}),
        "sizes": None if sizes is None else made(Sizes, sizes),
    }
    run = made(RunFile, document | whole)
    return replace(run, environment=dict(run.environment))


def _plain(value: Any) -> Any:
    """A value as TOML has it, which knows no null."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items() if inner is not None}
    return list(value) if isinstance(value, tuple) else value

"""What is to be linted: targets of the command line or configured models, each with the settings that hold for it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from rfcheck.cli.model_arguments import model_arguments
from rfcheck.cli.options import require_size
from rfcheck.config import Settings
from rfcheck.configuration.layers import Effective, effective
from rfcheck.configuration.reading import Configuration, ModelEntry, configuration_for, configuration_in, folder_of
from rfcheck.errors import NothingToAnalyzeError, TargetError
from rfcheck.target.glance import require_possible_model
from rfcheck.target.presence import require_there
from rfcheck.target.revision import parse_revision
from rfcheck.target.spec import parse_target


@dataclass(frozen=True, slots=True)
class Request:
    """One target at one input size.

    Attributes:
        target: what to analyse.
        name: what to call it; None for the name of the target.
        size: of the input.
        settings: of the analysis.
        fail_on: the mildest severity that makes the exit code 1, or "never".
        baseline: file of known findings.
        folder: of the project: where its configuration is, or else the current folder.
        configuration: what holds for the target; None without a file.
        is_whole: whether everything in the target's file is linted.
        arguments: what models that take arguments of these names are built with.
    """

    target: str
    name: str | None
    size: int | tuple[int, ...]
    settings: Settings
    fail_on: str
    baseline: Path | None
    folder: Path
    configuration: Configuration | None
    is_whole: bool
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A target, or one of its entries, and where it is configured; `is_whole` as in a request."""

    target: str
    configuration: Configuration | None
    entry: ModelEntry | None
    is_whole: bool

    @property
    def called(self) -> str:
        return self.target if self.entry is None else self.entry.name


def requests_for(
    targets: Sequence[str],
    command_line: Mapping[str, Any],
    *,
    skip_empty: bool = False,
    arguments: Mapping[str, Any] | None = None,
) -> list[Request]:
    """Every target with its settings; where none is given, every configured model.

    A file, or a target, that has entries in the configuration is linted as these say, with what the command line says on top.

    Args:
        targets: of the command line.
        command_line: values by key of the configuration; None where an option is not given.
        skip_empty: whether to pass over files that cannot hold a model; they need no input size then.
        arguments: what models that take arguments of these names are built with.

    Raises:
        SettingsError: if a configuration file is wrong.
        InputSizeError: if nobody says the input size.
        TargetError: if there is nothing to lint, or a target is neither a configured model nor written as a target is.
    """
    read = cache(configuration_in)
    given = [one for target in dict.fromkeys(targets) for one in _of_target(target, read(folder_of(target)))]
    asked = [one for one in given if one.entry is not None or not (skip_empty and not arguments and _is_empty(one.target))]
    if not targets:
        asked = _configured()
    if len(asked) == 1:  # of several, each gets its own sentence beside the reports of the others
        require_there(parse_target(asked[0].target))
    requests = [_request(one, command_line, alone=len(asked) == 1) for one in asked]
    return [replace(request, arguments=arguments) for request in requests] if arguments else requests


def _of_target(target: str, configuration: Configuration | None) -> Iterator[_Asked]:
    entries = () if configuration is None else configuration.entries_for(target)
    is_file = target.endswith(".py")
    for entry in entries:
        yield _Asked(entry.target, configuration, entry, is_file)
    if not entries:
        require_form(target, configuration)
        yield _Asked(target, configuration, None, is_file)


def require_form(target: str, configuration: Configuration | None) -> None:
    """Refuse what is not written as a target is.

    Raises:
        TargetError: naming the configured model that is near.
    """
    try:
        parse_target(target)
    except TargetError as error:
        names = [] if configuration is None else [entry.name for entry in configuration.models]
        near = difflib.get_close_matches(target, names, 1)
        hint = f"; did you mean the configured model {near[0]!r}?" if near else ""
        raise TargetError(f"{error}{hint}") from None


def _is_empty(target: str) -> bool:
    try:
        require_possible_model(target)
    except NothingToAnalyzeError:
        return True
    return False


def _configured() -> list[_Asked]:
    """All models of the configuration that holds in the current folder."""
    configuration = configuration_for(None)
    if configuration is None or not configuration.models:
        where = "no configuration file was found" if configuration is None else f"{configuration.file.label} lists no models"
        raise TargetError(
            f"no target is given, and {where}: give a file, like model.py, or add [[tool.rfcheck.models]] entries; "
            f"rfcheck --help says more"
        )
    return [_Asked(entry.target, configuration, entry, True) for entry in configuration.models]


def _request(asked: _Asked, command_line: Mapping[str, Any], *, alone: bool) -> Request:
    configuration, entry = asked.configuration, asked.entry
    holds: Effective = effective(configuration, entry, command_line)
    return Request(
        target=asked.target,
        name=entry.name if entry is not None and entry.name != entry.target else None,
        size=require_size(holds.input_size, None if alone else asked.called),
        settings=holds.settings,
        fail_on=holds.fail_on,
        baseline=holds.baseline,
        folder=Path.cwd() if configuration is None else configuration.file.folder,
        configuration=configuration,
        is_whole=asked.is_whole,
    )


@dataclass(frozen=True, slots=True)
class Subject:
    """What a verb that looks at one target is about.

    Attributes:
        target: what to analyse: the one of the command line, or of the configured model that it names.
        effective: settings that hold for it.
        arguments: what models that take arguments of these names are built with.
    """

    target: str
    effective: Effective
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int | tuple[int, ...]:
        """The input size.

        Raises:
            InputSizeError: if nobody says it.
        """
        return require_size(self.effective.input_size)


def subject_of(target: str, command_line: Mapping[str, Any], arguments: Sequence[str] = ()) -> Subject:
    """A target with the settings that hold for it, for verbs that look at one at a time.

    Args:
        target: of the command line.
        command_line: values by key of the configuration; a size among them replaces that of several entries.
        arguments: of --args.

    Raises:
        SettingsError: if a configuration file is wrong, or an argument is not written as one is.
        TargetError: if the configuration has several entries for the target, and nothing says which size is meant; or if the target
            is neither a configured model nor written as a target is.
    """
    values = model_arguments(arguments)
    configuration = configuration_for(target)
    entries = () if configuration is None else configuration.entries_for(target)
    if len(entries) == 1:
        require_there(parse_target(entries[0].target))
        return Subject(entries[0].target, effective(configuration, entries[0], command_line), values)
    if not entries:
        require_form(target, configuration)
    if parse_revision(target) is None:  # only `rfcheck compare` reads what is not in the folder; for other verbs nothing is there
        require_there(parse_target(target))
    if entries and not {key for key, value in command_line.items() if value is not None} & {"resolution", "input-size"}:
        names = ", ".join(entry.name for entry in entries)
        raise TargetError(f"{target} is configured {len(entries)} times; add --resolution, or give one of {names}")
    return Subject(target, effective(configuration, None, command_line), values)

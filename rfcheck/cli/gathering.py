"""Results of requests: from the cache where nothing changed, else by analysing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rfcheck.cache.dependencies import Reading, import_folders
from rfcheck.cache.fingerprint import fingerprint
from rfcheck.cache.store import Store
from rfcheck.cli.analysing import analyze_target, contained, print_error
from rfcheck.cli.options import EXIT_CLEAN, EXIT_ERROR, EXIT_NOTHING
from rfcheck.cli.progress import progress
from rfcheck.cli.requests import Request
from rfcheck.configuration.values import target_file
from rfcheck.errors import NothingToAnalyzeError, RfcheckError
from rfcheck.patience import attended
from rfcheck.report.result import Failure, Result

if TYPE_CHECKING:
    from rfcheck.analysed import Analysis
    from rfcheck.report.snapshot import Snapshot
    from rfcheck.report.view import View
    from rfcheck.target.load import Target


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one request gave.

    Attributes:
        request: what was asked.
        results: one per model, before suppressions.
        failures: targets that could not be analysed.
        code: EXIT_CLEAN, EXIT_ERROR or EXIT_NOTHING.
        files: what was read for it.
    """

    request: Request
    results: tuple[Result, ...] = ()
    failures: tuple[Failure, ...] = ()
    code: int = EXIT_CLEAN
    files: tuple[Path, ...] = ()


@dataclass
class Gatherer:
    """Analyses requests, one after the other; one that fails does not keep the others from being reported.

    Attributes:
        view: how reports are to look.
        use_cache: whether results may come from the cache, and go there.
        with_fixes: whether results name the best fixes.
        explain: name of a layer to explain; None for none.
        skip_empty: whether files without a model are passed over silently.
        verbose: whether errors come with tracebacks.
        announce: told the names of the models of each request, as soon as they are known and before they are analysed.
        explanations: text by target, filled on the way.
    """

    view: View
    use_cache: bool
    with_fixes: bool
    explain: str | None = None
    skip_empty: bool = False
    verbose: bool = False
    announce: Callable[[Sequence[str]], None] = lambda _: None
    explanations: dict[str, str] = field(default_factory=dict)
    _reading: Reading = field(default_factory=Reading)
    _checked: set[int] = field(default_factory=set)

    def gather(self, requests: Sequence[Request]) -> list[Gathered]:
        """What each request gives, in their order; with a bar where there are several to wait for."""
        kept = [self._kept(request) for request in requests]
        with progress(kept.count(None)) as step:
            return [found or self._analyzed(step(request)) for found, request in zip(kept, requests, strict=True)]

    def _kept(self, request: Request) -> Gathered | None:
        """What the cache has; a result with fixes serves reports without as well."""
        if not self.use_cache or self.explain is not None:
            return None
        for with_fixes in {True, self.with_fixes}:
            kept = Store(request.folder).find(self._fingerprint(request, with_fixes=with_fixes))
            if kept is not None:
                self.announce([result.target for result in kept.results])
                return Gathered(request, kept.results, files=kept.files)
        return None

    def _analyzed(self, request: Request) -> Gathered:
        from rfcheck.target.glance import require_possible_model

        self._require_known_rules(request)
        name = self._fingerprint(request, with_fixes=self.with_fixes) if self.use_cache else None
        try:
            if not request.arguments:  # which may be those that functions need
                require_possible_model(request.target)  # torch is imported only for a file that may hold a model
            from rfcheck.cli.fresh_run import fresh_analysis

            with fresh_analysis():  # what one target imports and sets does not reach the next
                return self._analyzed_alone(request, name)
        except NothingToAnalyzeError as error:
            skipped = () if self.skip_empty else (self._failed(request.target, error),)
            return Gathered(request, failures=skipped, code=EXIT_CLEAN if self.skip_empty else EXIT_NOTHING)
        except RfcheckError as error:
            return Gathered(request, failures=(self._failed(request.target, error),), code=EXIT_ERROR)

    def _analyzed_alone(self, request: Request, name: str | None) -> Gathered:
        """What a request gives, kept under a name if there is one and nothing failed."""
        from rfcheck.target.load import load_targets
        from rfcheck.target.obvious import Given

        results: list[Result] = []
        failures: list[Failure] = []
        with self._reading.noted():
            given = Given.of(request.size, request.settings, request.arguments)
            targets = contained(request.target, lambda: load_targets(request.target, given=given))
            labels = [_label(request, target, alone=len(targets) == 1) for target in targets]
            self.announce(labels)
            for target, label in zip(targets, labels, strict=True):
                try:
                    results.append(contained(label, partial(self._result, target, targets, label, request)))
                except RfcheckError as error:
                    failures.append(self._failed(label, error))
        files = self._files(request)
        if failures:
            return Gathered(request, tuple(results), tuple(failures), EXIT_ERROR, files)
        if name is not None and self._reading.is_up_to_date(files):
            Store(request.folder).keep(name, results, files, import_folders(files), self._reading.folders())
        return Gathered(request, tuple(results), files=files)

    def _files(self, request: Request) -> tuple[Path, ...]:
        """What was read for a request, with the target's file in any case: compiled code may have read it unnoticed."""
        file = target_file(request.target)
        own = () if file is None else (Path(file).absolute(),)
        return tuple(dict.fromkeys((*own, *self._reading.files())))

    def _fingerprint(self, request: Request, *, with_fixes: bool) -> str:
        built = f" with {sorted(request.arguments.items())}" if request.arguments else ""
        return fingerprint(f"{request.target}{built}", request.name, request.size, request.settings, with_fixes=with_fixes)

    def _require_known_rules(self, request: Request) -> None:
        """Refuse settings that name rules which do not exist; once for all requests of one configuration."""
        from rfcheck.cli.configured_rules import require_known_rules
        from rfcheck.cli.rule_selection import known_rules

        if request.configuration is not None and id(request.configuration) not in self._checked:
            require_known_rules(request.configuration, request.settings.rule_folders)
            self._checked.add(id(request.configuration))
        known_rules(request.settings)

    def _result(self, target: Target, targets: Sequence[Target], label: str, request: Request) -> Result:
        from rfcheck.report.tables import explanation

        analysis = analyze_target(target, request.size, request.settings)
        if self.explain is not None:
            self.explanations[label] = explanation(analysis, self.explain, self.view)
        snapshot = attended("looking for fixes of", label, lambda: self._snapshot(target, targets, analysis))
        return Result(label, target.path, target.line, snapshot, analysis.findings)

    def _snapshot(self, target: Target, targets: Sequence[Target], analysis: Analysis) -> Snapshot:
        from rfcheck.cli.source_examining import edits_in
        from rfcheck.report.snapshot import snapshot_of

        edits = edits_in(target, targets, analysis) if self.with_fixes and analysis.findings else {}
        return snapshot_of(analysis, edits, with_fixes=self.with_fixes)

    def _failed(self, target: str, error: RfcheckError) -> Failure:
        message = str(error) if str(error).startswith(target.partition(":")[0]) else f"{target}: {error}"
        print_error(message, error, verbose=self.verbose)
        return Failure(target, str(error))


def _label(request: Request, target: Target, *, alone: bool) -> str:
    """The name of a configured model, followed by the model's own where there are several; else that of the target."""
    if request.name is None:
        return target.label
    return request.name if alone else f"{request.name}:{target.label.rpartition(':')[2]}"

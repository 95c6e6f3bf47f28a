"""Run a Python file or import a module, and give access to what it defines."""

from __future__ import annotations

import ast
import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import torch

from rfcheck.calling_folder import calling_folder
from rfcheck.errors import RfcheckError, TargetError
from rfcheck.plain_file import read_plain
from rfcheck.target.devices import on_one_device
from rfcheck.target.import_errors import failure_of, line_in
from rfcheck.target.isolation import forget_imports
from rfcheck.target.offline import WITHOUT_WEIGHTS, Refusals, offline, why_refused
from rfcheck.target.origin import ConstructionSites
from rfcheck.target.presence import require_file
from rfcheck.target.running import run_file
from rfcheck.target.statements import relative_levels


@contextlib.contextmanager
def quiet_output() -> Iterator[None]:
    """Send what a model prints to standard error, so that reports stay clean."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


@contextlib.contextmanager
def _without_bytecode() -> Iterator[None]:
    """Keep no compiled code of what is imported.

    Python takes it for that of a file whose size and second of change are the same, and files are edited faster than that.
    """
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


class FileSource:
    """A Python file, run at most twice: with new tensors on the meta device, and normally.

    Args:
        path: of the file.
        content: to run in place of what the file holds; None for the file as it is.

    Attributes:
        sites: where the modules that it makes while it runs were constructed.

    Raises:
        TargetError: if it does not exist, cannot be read, or has a syntax error.
    """

    def __init__(self, path: str, content: bytes | None = None) -> None:
        self.path = Path(path)
        self._content = content
        require_file(path)
        try:
            self.tree = ast.parse(read_plain(self.path) if content is None else content, str(self.path))
        except SyntaxError as error:
            place = path if error.lineno is None else f"{path}:{error.lineno}"
            raise TargetError(f"{place}: the file has a syntax error: {error.msg}") from None
        except (OSError, ValueError) as error:
            raise TargetError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
        self.sites = ConstructionSites()
        self._modules: dict[bool, ModuleType] = {}

    @property
    def creates_at_import(self) -> bool:
        """Whether running the file may build models: it has statements other than imports, definitions and constants."""
        harmless = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.Pass)
        for node in self.tree.body:
            if isinstance(node, harmless):
                continue
            if any(isinstance(part, ast.Call) for part in ast.walk(node)):
                return True
        return False

    def line_of(self, name: str) -> int:
        """The line that defines a name at module level; 1 if none does."""
        for node in self.tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
                return node.lineno
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
            if any(isinstance(t, ast.Name) and t.id == name for t in targets):
                return node.lineno
        return 1

    def module(self, *, on_meta: bool) -> ModuleType:
        """The file as a module.

        Args:
            on_meta: whether tensors that it creates while it runs are to hold no data.

        Raises:
            TargetError: if running it fails; names the line.
        """
        on_meta = on_meta and self.creates_at_import
        if on_meta not in self._modules:
            self._modules[on_meta] = self._run(on_meta=on_meta)
        return self._modules[on_meta]

    def _run(self, *, on_meta: bool) -> ModuleType:
        def execute(module: ModuleType) -> None:
            assert module.__spec__ is not None
            assert module.__spec__.loader is not None
            if on_meta:
                self._import_dependencies()
            with torch.device("meta") if on_meta else contextlib.nullcontext(), on_one_device():
                module.__spec__.loader.exec_module(module)

        os.chdir(calling_folder())  # where a run before may have left
        sys.argv[:] = [str(self.path)]  # as for a program that is called without arguments
        refusals = Refusals()
        forget_imports()  # of the run before, if there was one: registries take nothing twice
        try:
            with quiet_output(), self.sites.recording(), _without_bytecode(), offline(refusals):
                return run_file(self.path, relative_levels(self.tree), self._content, execute)
        except (RfcheckError, KeyboardInterrupt):
            raise
        except BaseException as error:  # whatever a file raises, it is its own failure and ends nothing else
            raise self._error(error, refusals) from error

    def _import_dependencies(self) -> None:
        """Import what the file imports before tensors go to the meta device, so that other modules keep their data."""
        for node in self.tree.body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                importlib.import_module(name)

    def _error(self, error: BaseException, refusals: Refusals) -> TargetError:
        line = line_in(error, self.path) or self._import_line(error)
        if refusals.hosts:
            return TargetError(f"{self.path}:{line}: running the file {why_refused(refusals)}; {WITHOUT_WEIGHTS}")
        return TargetError(f"{self.path}:{line}: {failure_of(error, 'running the file', self.path)}")

    def _import_line(self, error: BaseException) -> int:
        missing = getattr(error, "name", None)
        for node in ast.walk(self.tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, (ast.Import, ast.ImportFrom)) and missing in names:
                return node.lineno
        return 1


def import_named(name: str) -> ModuleType:
    """Import a module by its dotted name, from the current folder too.

    Raises:
        TargetError: if it does not exist or fails.
    """
    sys.argv[:] = [name]
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    refusals = Refusals()
    try:
        with quiet_output(), offline(refusals), on_one_device():
            return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            raise TargetError(f"{name}: no such module in this environment or folder") from None
        if refusals.hosts:
            raise TargetError(f"{name}: importing it {why_refused(refusals)}; {WITHOUT_WEIGHTS}") from error
        raise TargetError(f"{name}: {failure_of(error, 'importing it')}") from error

"""Run a Python file or import a module, and give access to what it defines."""

from __future__ import annotations

import ast
import contextlib
import difflib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import torch

from rfcheck.errors import RfcheckError, TargetError
from rfcheck.target.import_errors import failure_of, line_in
from rfcheck.target.import_path import importable_as
from rfcheck.target.origin import ConstructionSites
from rfcheck.target.unsaved import UnsavedLoader


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
        if self.path.is_dir():
            raise TargetError(f"{path}: is a folder; give the files in it that define models")
        if not self.path.exists():
            raise TargetError(f"{path}: no such file{_other_files(self.path)}")
        try:
            self.tree = ast.parse(self.path.read_bytes() if content is None else content, str(self.path))
        except SyntaxError as error:
            raise TargetError(f"{path}:{error.lineno}: the file has a syntax error: {error.msg}") from None
        except (OSError, ValueError) as error:
            raise TargetError(f"{path}: cannot be read: {error}") from None
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
        root, name = _module_name(self.path)
        _look_first_in(root)
        _forget_namesake(root, name)
        loader = None if self._content is None else UnsavedLoader(name, str(self.path), self._content)
        spec = importlib.util.spec_from_file_location(name, self.path, loader=loader)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        package, _, _ = name.rpartition(".")
        previous = None
        try:
            with quiet_output(), self.sites.recording(), _without_bytecode():
                if package:
                    importlib.import_module(package)  # as Python does before a module of it
                previous = sys.modules.get(name)
                sys.modules[name] = module
                if on_meta:
                    self._import_dependencies()
                with torch.device("meta") if on_meta else contextlib.nullcontext():
                    spec.loader.exec_module(module)
        except RfcheckError:
            raise
        except (Exception, SystemExit) as error:
            if previous is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = previous
            raise self._error(error) from error
        return module

    def _import_dependencies(self) -> None:
        """Import what the file imports before tensors go to the meta device, so that other modules keep their data."""
        for node in self.tree.body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                importlib.import_module(name)

    def _error(self, error: BaseException) -> TargetError:
        line = line_in(error, self.path) or self._import_line(error)
        return TargetError(f"{self.path}:{line}: {failure_of(error, 'running the file')}")

    def _import_line(self, error: BaseException) -> int:
        missing = getattr(error, "name", None)
        for node in ast.walk(self.tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, (ast.Import, ast.ImportFrom)) and missing in names:
                return node.lineno
        return 1


def _module_name(path: Path) -> tuple[Path, str]:
    """The folder to import from and the name to import by; a file of its own gets a name that cannot hide another module."""
    folder, name = importable_as(path)
    return folder, name if "." in name else f"_rfcheck_{name}"


def _look_first_in(root: Path) -> None:
    """Let imports look into a folder before all others."""
    sys.path[:] = [str(root), *(entry for entry in sys.path if entry != str(root))]


def _forget_namesake(root: Path, name: str) -> None:
    """Forget a package that was imported from elsewhere under the name of the one that a module belongs to.

    Args:
        root: folder that holds the package.
        name: dotted name of the module.
    """
    package, dot, _ = name.partition(".")
    there = list(getattr(sys.modules.get(package), "__path__", ()))
    if dot and there and Path(there[0]).resolve() != root / package:
        for known in [known for known in sys.modules if known == package or known.startswith(f"{package}.")]:
            del sys.modules[known]


def import_named(name: str) -> ModuleType:
    """Import a module by its dotted name, from the current folder too.

    Raises:
        TargetError: if it does not exist or fails.
    """
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        with quiet_output():
            return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            raise TargetError(f"{name}: no such module in this environment or folder") from None
        raise TargetError(f"{name}: {failure_of(error, 'importing it')}") from error


def _other_files(path: Path) -> str:
    """A hint at the file that is meant, or at others that are there."""
    names = sorted(file.name for file in path.parent.glob("*.py"))
    near = difflib.get_close_matches(path.stem, [name.removesuffix(".py") for name in names], 1)
    if near:
        return f"; did you mean {path.parent / near[0]}.py?"
    return f"; there is {', '.join(names[:3])}" if names else ""

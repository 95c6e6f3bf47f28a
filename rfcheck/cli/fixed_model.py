"""A target's model with fixes carried out: as code, as an exported program, or as weights."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfcheck.cli.analysing import BuiltTarget
from rfcheck.cli.output_file import write_atomically
from rfcheck.config import Settings
from rfcheck.errors import FixError

if TYPE_CHECKING:
    from torch import nn

    from rfcheck.fixes.fix import Fix
    from rfcheck.fixes.outcome import Outcome
    from rfcheck.fixes.snippet import Snippet
    from rfcheck.target.load import Target

ENDINGS = (".py", ".pt2", ".pt")


def needs_data(path: str) -> bool:
    """Whether what is written to a file holds weights."""
    return Path(path).suffix != ".py"


@dataclass(frozen=True, slots=True)
class FixedModel:
    """A model with fixes carried out one after the other.

    Attributes:
        target: where the original comes from.
        model: the changed model; without data where the original was built without.
        shape: of the input, (1, C, *image axes).
        fixes: in the order in which they were carried out.
        snippet: the code of all of them.
    """

    target: Target
    model: nn.Module
    shape: tuple[int, ...]
    fixes: tuple[Fix, ...]
    snippet: Snippet

    @classmethod
    def of(
        cls, target: Target, size: int | tuple[int, ...], settings: Settings, names: Sequence[str], *, with_data: bool = False
    ) -> FixedModel:
        """Build a target's model and carry fixes out, each on the result of the one before.

        Raises:
            FixError: if a fix does not exist or does not apply; says why.
        """
        from rfcheck.api import analyze_named
        from rfcheck.fixes.applying import changed_copy
        from rfcheck.fixes.snippet import NOTHING
        from rfcheck.target.source import quiet_output

        analysis = BuiltTarget(target, settings, with_data=with_data).analyze(size)
        shape: tuple[int, ...] = analysis.graph.graph["input_shape"]
        model, snippet = analysis.model, NOTHING
        fixes: list[Fix] = []
        for name in names:
            if fixes:
                with quiet_output():
                    analysis = analyze_named(model, shape, settings, analysis.name)
            try:
                fix = analysis.proposals.named(name)
            except FixError as error:
                behind = f" after {', '.join(done.name for done in fixes)}" if fixes else ""
                raise FixError(f"{target.label}{behind}: {error}") from None
            with quiet_output():
                model = changed_copy(model, fix, shape)
            snippet = snippet.then(fix.snippet, f"{fix.name}: {fix.description}")
            fixes.append(fix)
        return cls(target, model, shape, tuple(fixes), snippet)

    @property
    def before(self) -> Outcome:
        """The original in numbers."""
        return self.fixes[0].predicted.before

    @property
    def after(self) -> Outcome:
        """The changed model in numbers."""
        return self.fixes[-1].predicted.after

    @property
    def summary(self) -> str:
        """One line on what the fixes do together."""
        from rfcheck.report.fix_line import effect

        return f"{self.target.label} with {', '.join(fix.name for fix in self.fixes)}: {effect(self.before, self.after)}"


def write_fixed_model(fixed: FixedModel, path: Path) -> None:
    """Write a changed model, whole or not at all; the ending decides how.

    ``.py`` is a Python module that builds the original and changes it, ``.pt2`` a program exported by torch.export in evaluation
    mode with any number of images, ``.pt`` the weights as torch.save writes a state_dict.

    Args:
        fixed: the changed model; with data where `needs_data` says so.
        path: of the file.

    Raises:
        FixError: if torch.export cannot export the model.
    """
    if path.suffix == ".py":
        content: str | bytes = module_code(fixed, path.parent)
    elif path.suffix == ".pt2":
        content = _exported(fixed)
    else:
        content = _weights(fixed.model)
    write_atomically(path, content, "--output")


def module_code(fixed: FixedModel, folder: Path) -> str:
    """A Python module with a function ``build_model`` that builds the original and changes it.

    Args:
        fixed: the changed model.
        folder: where the module will be.
    """
    from rfcheck.fixes.snippet import import_block
    from rfcheck.input_size import crossed
    from rfcheck.target.recreate import recreate

    recreated = recreate(fixed.target, folder)
    names = ", ".join(fix.name for fix in fixed.fixes)
    head = f'"""{fixed.target.label}, changed for inputs of {crossed(fixed.shape[1:])}: {names}."""\n'
    imports = import_block((*recreated.imports, *fixed.snippet.imports, "from torch import nn"))
    late = [*recreated.setup, *(f"{line}  # noqa: E402" if recreated.setup else line for line in recreated.late_imports)]
    body = "\n".join(f"    {line}" if line else "" for line in fixed.snippet.statements)
    first, last = f"    model = {recreated.expression}\n", "    return model\n"
    build = f'def build_model() -> nn.Module:\n    """The changed model."""\n{first}\n{body}\n{last}'
    parts = [head, imports, *(["\n".join(late) + "\n"] if late else [])]
    return "\n".join(parts) + "\n\n" + "\n\n".join(f"{definition}\n" for definition in (*fixed.snippet.definitions, build.rstrip()))


def _exported(fixed: FixedModel) -> bytes:
    import torch

    image = torch.zeros(2, *fixed.shape[1:], dtype=_dtype(fixed.model))
    try:
        program = torch.export.export(fixed.model.eval(), (image,), dynamic_shapes=({0: torch.export.Dim("batch")},), strict=False)
    except Exception as error:  # torch.export raises many kinds of errors
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise FixError(f"torch.export cannot export the changed model: {said}; write it as .py or .pt") from error
    stream = io.BytesIO()
    torch.export.save(program, stream)
    return stream.getvalue()


def _dtype(model: nn.Module) -> Any:
    import torch

    return next((p.dtype for p in model.parameters() if p.dtype.is_floating_point), torch.get_default_dtype())


def _weights(model: nn.Module) -> bytes:
    import torch

    stream = io.BytesIO()
    torch.save(model.state_dict(), stream)
    return stream.getvalue()

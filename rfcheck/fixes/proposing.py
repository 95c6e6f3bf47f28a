"""All fixes of a model: what applies, and why the others do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from rfcheck.errors import FixError
from rfcheck.fixes import crop_kernels, move_downsampling, pool_head, remove_stem, truncate
from rfcheck.fixes.fix import Fix, Skipped
from rfcheck.fixes.subject import Subject
from rfcheck.graph.scripted import is_scripted
from rfcheck.suggestions import did_you_mean
from rfcheck.target.program import Program

FIXES = (crop_kernels, truncate, remove_stem, move_downsampling, pool_head)
"""The modules of fixes: each has NAMES, SAFE and ``propose(subject)``."""


@dataclass(frozen=True, slots=True)
class Proposals:
    """What can be done about a model.

    Attributes:
        fixes: those that apply.
        skipped: those that do not, with the reason.
    """

    fixes: tuple[Fix, ...]
    skipped: tuple[Skipped, ...]

    def named(self, name: str) -> Fix:
        """The fix of a name.

        Raises:
            FixError: if there is none; says why, or names the near ones.
        """
        for fix in self.fixes:
            if fix.name == name:
                return fix
        for skipped in self.skipped:
            if skipped.name == name:
                raise FixError(f"{name} does not apply: {skipped.reason}")
        known = known_names([fix.name for fix in self.fixes])
        raise FixError(f"no fix {name!r}; {did_you_mean(name, known, 'fixes are ' + ', '.join(known), 3)}")


def known_names(more: Sequence[str] = ()) -> list[str]:
    """Names of all fixes, and of variants that a model has."""
    return list(dict.fromkeys([*(name for module in FIXES for name in module.NAMES), *more]))


def propose(subject: Subject) -> Proposals:
    """Every fix for a model, with what it will do."""
    if isinstance(subject.model, Program):
        reason = "the model was read from a file without its code; change the code that the file was exported from"
        return Proposals((), tuple(Skipped(name, reason) for module in FIXES for name in module.NAMES))
    found = [proposal for module in FIXES for proposal in _proposed(module, subject)]
    return Proposals(tuple(f for f in found if isinstance(f, Fix)), tuple(f for f in found if isinstance(f, Skipped)))


def _proposed(module: ModuleType, subject: Subject) -> list[Fix | Skipped]:
    """What one fix proposes; a model that it was not made for costs this fix only, not the analysis."""
    try:
        proposals: list[Fix | Skipped] = module.propose(subject)
    except Exception as error:
        if is_scripted(subject.model.modules()):
            reason = (
                "a part of the model is TorchScript, whose modules cannot be replaced; give the model before it is made TorchScript"
            )
        else:
            reason = f"rfcheck cannot work it out for this model ({type(error).__name__}: {error})"
        return [Skipped(name, reason) for name in module.NAMES]
    return proposals

"""What an edit does to other targets of the same file, such as a model that is linted at several input sizes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rfcheck.cli.source_examining import SourceTarget
from rfcheck.errors import FixError, RfcheckError
from rfcheck.input_size import crossed, input_shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rfcheck.cli.requests import Request

_Built = dict[str, tuple[str, tuple[int, ...]]]
"""By label, what torch prints of a model, and the shape of its input."""


def of_the_same_file(request: Request, requests: Iterable[Request]) -> list[SourceTarget]:
    """The other targets that name the Python file of a request, at their input sizes."""
    from rfcheck.target.spec import parse_target

    spec = parse_target(request.target)
    if spec.kind != "file":
        return []
    file = Path(spec.place).resolve()
    others = [(other, parse_target(other.target)) for other in requests if other is not request]
    return [
        SourceTarget(other.target, Path(found.place), other.size, other.settings, other.arguments)
        for other, found in others
        if found.kind == "file" and Path(found.place).resolve() == file
    ]


def require_unchanged(
    others: Sequence[SourceTarget], before: bytes, after: bytes, structure: str, shape: tuple[int, ...], *, unsafe: bool
) -> None:
    """Refuse an edit that changes what another target stands for.

    Args:
        others: the other targets of the file.
        before: the file.
        after: the file with the edit.
        structure: what torch prints of the model that is to be edited.
        shape: of its input.
        unsafe: whether that model may compute something else at other input sizes.

    Raises:
        FixError: if it does; names the model.
    """
    for other in others:
        now = _built(other, after)
        for label, (was, size) in _built(other, before).items():
            if label in now and now[label][0] == was:
                continue
            if was != structure:
                raise FixError(f"the edit would change {label} too")
            if size != shape and not unsafe:
                raise FixError(f"it would change what {label} computes at {crossed(size[1:])}; --unsafe-fixes allows it")


def _built(target: SourceTarget, content: bytes) -> _Built:
    """The models of a target; none where they cannot be built."""
    from rfcheck.target.isolation import own_imports
    from rfcheck.target.load import load_targets
    from rfcheck.target.unsaved import lines_shown_as

    found: _Built = {}
    try:
        with own_imports(), lines_shown_as(target.file, content):
            for one in load_targets(target.text, content, target.given):
                model, _ = one.build()
                found[one.label] = repr(model), input_shape(model, target.size, target.settings.channels)
    except RfcheckError:
        pass  # what cannot be built is reported when it is linted
    return found

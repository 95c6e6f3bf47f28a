"""Which call in a file makes a layer, and whether it makes nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from rfcheck.errors import FixError
from rfcheck.span import Span

_NAMED = 3


@dataclass(frozen=True)
class BuiltModel:
    """A model of a file, and where the file makes its modules.

    Attributes:
        label: how reports name it: "model.py:Net".
        model: the model.
        chains: by dotted name, the call that made a module, then the calls that led there, outwards.
    """

    label: str
    model: nn.Module
    chains: Mapping[str, tuple[Span, ...]]

    @property
    def structure(self) -> str:
        """What torch prints of the model: two models of one structure are one network."""
        return repr(self.model)

    def made_at(self, site: Span, kind: type[nn.Module]) -> list[str]:
        """The modules of a class that a call made."""
        return [
            path
            for path, module in self.model.named_modules()
            if type(module) is kind and path in self.chains and self.chains[path][:1] == (site,)
        ]


def site_of(path: str, built: BuiltModel, others: Sequence[BuiltModel], file: str) -> Span:
    """The call in a file that makes a layer, and that layer only.

    Args:
        path: dotted name of the layer.
        built: its model.
        others: the other models of the file; those of the same structure change as this one does.
        file: path of the file, as reports show it.

    Raises:
        FixError: if the call is unknown or elsewhere, or makes other layers too; says which.
    """
    chain = built.chains.get(path, ())
    if not chain:
        raise FixError(f"it is not known which call makes {path}")
    site = chain[0]
    if site.path != file:
        raise FixError(f"{path} is made in {site.path}:{site.line}, and only {file} is edited")
    kind = type(built.model.get_submodule(path))
    made = built.made_at(site, kind)
    if len(made) > 1:
        raise FixError(f"line {site.line} makes {_listed(made)}")
    structure = built.structure
    for other in others:
        found = other.made_at(site, kind) if other.structure != structure else []
        if found:
            raise FixError(f"line {site.line} makes {_listed(found)} of {other.label} too")
    return site


def _listed(paths: Sequence[str]) -> str:
    """Layers by name, the first of many."""
    if len(paths) == 1:
        return f"layer {paths[0]}"
    named, more = (paths[:-1], paths[-1]) if len(paths) <= _NAMED else (paths[:_NAMED], f"{len(paths) - _NAMED} more")
    return f"{len(paths)} layers, {', '.join(named)} and {more}"

"""How a report is to look."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class View:
    """How to show a run; of all this, formats for programs read `rule_folders` only.

    Attributes:
        width: columns of the terminal.
        color: whether to write colours for a terminal.
        quiet: findings only, a line each, no descriptions and no summary.
        layers: whether to add the table of all layers.
        statistics: whether to show counts per rule instead of findings.
        show_suppressed: whether to list what comments silence.
        explanations: further text by target, shown at the end.
        rule_folders: folders with rules beside the built-in ones, for formats that show the pages of rules.
    """

    width: int = 80
    color: bool = False
    quiet: bool = False
    layers: bool = False
    statistics: bool = False
    show_suppressed: bool = False
    explanations: Mapping[str, str] = field(default_factory=dict)
    rule_folders: tuple[str, ...] = ()

"""Free a model from one resolution: a head that flattens the last map becomes global average pooling and a linear layer."""

from __future__ import annotations

from rfcheck.analysis.head import flattened_head
from rfcheck.fixes.cutting import cut_at
from rfcheck.fixes.fix import Fix, Skipped
from rfcheck.fixes.places import places
from rfcheck.fixes.subject import Subject

NAMES = ("pool-head",)
SAFE = False


def propose(subject: Subject) -> list[Fix | Skipped]:
    """The pooled head, where the head is tied to this resolution."""
    (name,) = NAMES
    head = flattened_head(subject.graph, subject.network.roles)
    if head is None:
        return [Skipped(name, "the head is not tied to one resolution")]
    order = {node: i for i, node in enumerate(subject.graph._node)}
    before = [place for place in places(subject) if place.index <= order[head.map]]
    if not before:
        return [Skipped(name, f"no single tensor carries everything at a module's end before {head.linear}")]
    place = before[-1]
    return [
        cut_at(
            subject,
            place,
            name,
            f"replace {head.linear} and what follows {place.module} by global average pooling and a linear layer",
        )
    ]

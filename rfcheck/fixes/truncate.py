"""End the network where its tail begins, after or before the border layer.

Source: Richter 2022, section 11.4, whose trained networks kept the border layer with its block, as `truncate` does: the last layers
that receive something new. The text there speaks of cutting before the border layer, which is `truncate-before`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from rfcheck.fixes.cutting import cut_at
from rfcheck.fixes.fix import Fix, Skipped
from rfcheck.fixes.places import Place, place_after, place_before, places
from rfcheck.fixes.subject import Subject

NAMES = ("truncate", "truncate-before")
SAFE = False


def propose(subject: Subject) -> list[Fix | Skipped]:
    """Both cuts, as far as they remove layers.

    Where layers before the border are unproductive too, and only shortcuts kept them from being the tail, the second cut leaves
    them as a new tail; then the last cut that leaves none is proposed as well.
    """
    border = subject.network.border.b_min
    if border is None:
        return [Skipped(name, "the network has no tail") for name in NAMES]
    after, before = place_after(subject, border), place_before(subject, border)
    cuts = [_cut(subject, after, "truncate", f"after {border}"), _cut(subject, before, "truncate-before", f"before {border}")]
    if before is not None and isinstance(cuts[1], Fix) and cuts[1].predicted.after.tail_layers:
        earlier = _last_without_tail(subject, before)
        if earlier is not None:
            cuts.append(_cut(subject, earlier, "truncate-before-2", f"before {border}"))
    return cuts


def _last_without_tail(subject: Subject, before: Place) -> Place | None:
    """The last place before another at which a cut leaves no tail."""
    earlier = [place for place in places(subject) if place.index < before.index]
    left = _tails_left(subject, earlier)
    return next((place for place in reversed(earlier) if not left[place.node]), None)


def _tails_left(subject: Subject, found: Sequence[Place]) -> dict[str, bool]:
    """Per place, whether unproductive layers would have nothing productive behind them if the network ended there.

    All that was made before a place passes through it, so it is enough to look from one place to the next.
    """
    nodes = list(subject.graph._node)
    productive = subject.network.border.productive
    left: dict[str, bool] = {}
    ends = in_tail = False  # of branches that nothing reads, and of all that leads to the place
    begin = 0
    for place in found:
        part = nodes[begin : place.index + 1]
        quiet = _quiet(subject, part, productive)
        idle = {name for name in part if quiet[name] and productive.get(name) is False}
        ends = ends or any(not subject.graph._adj[name] for name in idle)
        in_tail = bool(idle) or (in_tail and not any(name in productive for name in part))
        left[place.node] = in_tail or ends
        begin = place.index + 1
    return left


def _quiet(subject: Subject, part: Sequence[str], productive: Mapping[str, bool | None]) -> dict[str, bool]:
    """Per node of a part of the graph, whether every judged layer behind it in the part is unproductive."""
    quiet: dict[str, bool] = {}
    for name in reversed(part):
        following = [target for target in subject.graph._adj[name] if target in quiet]
        quiet[name] = all(quiet[target] and productive.get(target, False) is False for target in following)
    return quiet


def _cut(subject: Subject, place: Place | None, name: str, where: str) -> Fix | Skipped:
    if place is None:
        return Skipped(name, f"no single tensor carries everything at a module's end {where}")
    judged = set(subject.network.border.judged)
    behind = sum(name in judged for name in islice(subject.graph._node, place.index + 1, None))
    if not behind:
        return Skipped(name, f"the first place {where} where one tensor carries everything is the end of the features")
    layers = "layer" if behind == 1 else "layers"
    description = f"end after {place.module} with global average pooling and a linear layer, {behind} {layers} earlier"
    return cut_at(subject, place, name, description)

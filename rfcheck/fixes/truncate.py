"""End the network where its tail begins, after or before the border layer.

Source: Richter 2022, section 11.4, whose trained networks kept the border layer with its block, as `truncate` does: the last layers
that receive something new. The text there speaks of cutting before the border layer, which is `truncate-before`.
"""

from __future__ import annotations

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
    return next((place for place in reversed(earlier) if not _leaves_tail(subject, place)), None)


def _leaves_tail(subject: Subject, place: Place) -> bool:
    """Whether unproductive layers would have nothing productive behind them if the network ended at a place."""
    productive = subject.network.border.productive
    quiet: dict[str, bool] = {}
    for name in reversed(list(subject.graph._node)[: place.index + 1]):
        following = [target for target in subject.graph._adj[name] if target in quiet]
        quiet[name] = all(quiet[target] and productive.get(target, False) is False for target in following)
        if quiet[name] and productive.get(name) is False:
            return True
    return False


def _cut(subject: Subject, place: Place | None, name: str, where: str) -> Fix | Skipped:
    if place is None:
        return Skipped(name, f"no single tensor carries everything at a module's end {where}")
    names = list(subject.graph._node)
    behind = sum(names.index(layer) > place.index for layer in subject.network.border.judged)
    if not behind:
        return Skipped(name, f"the first place {where} where one tensor carries everything is the end of the features")
    layers = "layer" if behind == 1 else "layers"
    description = f"end after {place.module} with global average pooling and a linear layer, {behind} {layers} earlier"
    return cut_at(subject, place, name, description)

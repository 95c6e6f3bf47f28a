"""What changed between two analyses."""

from __future__ import annotations

import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.report.comparison import COMPARED, Pair, compare


def chain(kernels: list[int], channels: int = 4, **changes) -> nn.Sequential:
    widths = [3] + [channels] * len(kernels)
    return nn.Sequential(
        *(nn.Conv2d(a, b, k, padding=k // 2, **changes) for a, b, k in zip(widths, widths[1:], kernels, strict=False))
    )


def named(**layers: nn.Module) -> nn.Sequential:
    model = nn.Sequential()
    for name, layer in layers.items():
        model.add_module(name, layer)
    return model


def compared(before: nn.Module, after: nn.Module, size: int = 8):
    return compare(analyze(before, size), analyze(after, size))


def fields_by_layer(comparison) -> dict[str, set[str]]:
    return {change.after.name: set(change.fields) for change in comparison.changed}


def test_the_same_model():
    comparison = compared(chain([3] * 7), chain([3] * 7))
    assert comparison.is_empty
    assert [f.code for f in comparison.kept][:1] == ["RF101"]
    assert (comparison.gone, comparison.new) == ((), ())


def test_totals_by_hand():
    """Seven 3x3 convolutions see 3, 5, ... 15 px of 8: the last three are the tail; with 1x1 in front of two, nothing is."""
    totals = compared(chain([3] * 7), chain([1, 1, 3, 3])).totals
    per_position = [3 * 4 * 9 + 6 * 16 * 9, 3 * 4 + 16 + 2 * 16 * 9]
    assert totals.flops == Pair(*(64 * taps for taps in per_position))
    assert totals.params == Pair(per_position[0] + 7 * 4, per_position[1] + 4 * 4)
    assert totals.activation_bytes == Pair(7 * 4 * 64 * 4, 4 * 4 * 64 * 4)
    assert totals.tail_layers == totals.unproductive_layers == Pair(3, 0)
    assert totals.r_max == Pair((15, 15), (5, 5))
    assert totals.lowest_resolution == Pair((13, 13), (3, 3))
    assert totals.highest_resolution == Pair((15, 15), (5, 5))
    assert totals.changed


def test_borders():
    comparison = compared(chain([3] * 7), chain([1, 1, 3, 3]))
    assert (comparison.border_min, comparison.border_max) == (Pair("4", None), Pair("4", None))
    assert comparison.border_min.changed
    assert not Pair(None, None).changed


def test_unproductive_layers_outside_the_tail_are_counted():
    class Shortcut(nn.Module):
        def __init__(self, wide):
            super().__init__()
            self.wide = nn.Conv2d(3, 3, wide, padding=wide // 2)
            self.behind = nn.Conv2d(3, 3, 3, padding=1)
            self.last = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return self.last(x + self.behind(self.wide(x)))

    totals = compared(Shortcut(3), Shortcut(9)).totals
    assert (totals.tail_layers, totals.unproductive_layers) == (Pair(0, 0), Pair(0, 1))


def test_a_kernel_changes_everything_behind_it():
    before = named(a=nn.Conv2d(3, 4, 3), b=nn.Conv2d(4, 4, 3), c=nn.Conv2d(4, 4, 3))
    after = named(a=nn.Conv2d(3, 4, 3), b=nn.Conv2d(4, 4, 5), c=nn.Conv2d(4, 4, 3))
    comparison = compared(before, after, 16)
    assert fields_by_layer(comparison) == {
        "b": {"kernel", "out_size", "r_max"},
        "c": {"in_size", "out_size", "r_in_min", "r_in_max", "r_max"},
    }
    change = comparison.changed[0]
    assert change.position == 1
    assert change.values("kernel") == Pair((3, 3), (5, 5))
    assert change.values("out_size") == Pair((12, 12), (10, 10))
    assert change.values("r_max") == Pair((5, 5), (7, 7))
    assert comparison.changed[1].values("r_in_min") == Pair((5, 5), (7, 7))


@pytest.mark.parametrize(
    ("after", "fields"),
    [
        (nn.Conv2d(3, 6, 1), {"kernel", "r_max", "out_size"}),
        (nn.Conv2d(3, 6, 3, stride=2), {"stride", "out_size"}),
        (nn.Conv2d(3, 6, 3, dilation=2), {"dilation", "out_size", "r_max"}),
        (nn.Conv2d(3, 6, 3, padding=1), {"padding", "out_size"}),
        (nn.Conv2d(3, 6, 3, groups=3), {"groups"}),
        (nn.Conv2d(3, 9, 3), {"out_channels"}),
        (nn.Conv2d(3, 6, 3, bias=False), set()),
        (nn.MaxPool2d(3, 1), {"kind", "groups", "in_channels", "out_channels", "productive"}),
    ],
)
def test_one_field_at_a_time(after, fields):
    comparison = compared(named(only=nn.Conv2d(3, 6, 3)), named(only=after))
    assert fields_by_layer(comparison) == ({"only": fields} if fields else {})
    assert not comparison.is_empty
    assert fields <= set(COMPARED)


def test_judgement_changes():
    """Behind 3x3 layers the third sees 5 px of 4; behind a 1x1 layer only 3."""
    before = named(a=nn.Conv2d(3, 3, 3, padding=1), b=nn.Conv2d(3, 3, 3, padding=1), c=nn.Conv2d(3, 3, 1))
    after = named(a=nn.Conv2d(3, 3, 1), b=nn.Conv2d(3, 3, 3, padding=1), c=nn.Conv2d(3, 3, 1))
    change = compared(before, after, 4).changed[-1]
    assert (change.values("productive"), change.values("in_tail")) == (Pair(False, True), Pair(True, False))


def test_layers_added_removed_and_renamed():
    before = named(a=nn.Conv2d(3, 3, 1), b=nn.Conv2d(3, 3, 1), c=nn.Conv2d(3, 3, 1))
    after = named(a=nn.Conv2d(3, 3, 1), x=nn.Conv2d(3, 3, 1), c=nn.Conv2d(3, 3, 1), d=nn.MaxPool2d(2))
    comparison = compared(before, after)
    assert [layer.name for layer in comparison.removed] == ["b"]
    assert [layer.name for layer in comparison.added] == ["x", "d"]
    assert comparison.changed == ()
    assert not comparison.is_empty


def test_findings():
    comparison = compared(chain([3] * 7), chain([3] * 8))
    assert [f.code for f in comparison.kept if f.code == "RF101"] == ["RF101"]
    better = compared(chain([3] * 7), chain([3, 3, 3]))
    assert "RF101" in [f.code for f in better.gone]
    assert "RF101" in [f.code for f in compared(chain([3, 3, 3]), chain([3] * 7)).new]


def test_a_tail_that_moves_is_the_same_finding_unless_its_rule_is_about_layers():
    before, after = analyze(chain([3] * 7), 8), analyze(chain([5, 3, 3, 3, 3, 3, 3]), 8)
    assert (before.border_min.name, after.border_min.name) == ("4", "3")
    assert "RF101" in [f.code for f in compare(before, after).kept]
    other = compare(before, after, model_wide=())
    assert [[f.layer for f in found if f.code == "RF101"] for found in (other.gone, other.new, other.kept)] == [["4"], ["3"], []]


def test_other_input_axes():
    comparison = compared(named(a=nn.Conv2d(3, 3, 3)), named(a=nn.Conv1d(3, 3, 3)))
    assert comparison.changed[0].values("kernel") == Pair((3, 3), (3,))

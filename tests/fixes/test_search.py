"""The search against brute force: every combination is built as a model of its own, and analysed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rfcheck import Analysis, Settings, analyze
from rfcheck.errors import TraceError
from rfcheck.fixes.points import downsampling_points
from rfcheck.fixes.search import Candidate, Choice, NotSearchableError, Option, pareto_front

CHANNELS = 4
DEFAULT = Settings()
EXACT = Settings(projection="exact")


@dataclass(frozen=True)
class Stage:
    """Layers at one resolution; the first lowers it.

    Attributes:
        kernel: of its layers.
        stride: of the first layer.
        pools: whether a max pooling does that in place of the first convolution.
        depth: layers, or residual blocks.
    """

    kernel: int
    stride: int
    pools: bool
    depth: int


class Layer(nn.Sequential):
    def __init__(self, channels: int, kernel: int, stride: int) -> None:
        super().__init__(nn.Conv2d(channels, CHANNELS, kernel, stride, kernel // 2), nn.ReLU())


class Block(nn.Module):
    """Two convolutions beside a shortcut, which is a 1x1 convolution where the block lowers the resolution."""

    def __init__(self, channels: int, kernel: int, stride: int, *, projects: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, CHANNELS, kernel, stride, kernel // 2)
        self.conv2 = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.shortcut = nn.Conv2d(channels, CHANNELS, 1, stride) if projects else nn.Identity()
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.conv2(self.conv1(x).relu()) + self.shortcut(x))


class Network(nn.Module):
    """Stages; each down-sampling is kept, dropped, or done by a pooling behind its stage."""

    def __init__(self, stages: tuple[Stage, ...], choices: tuple[Choice, ...], *, residual: bool) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        channels = 3
        for stage, choice in zip(stages, choices, strict=True):
            stride = stage.stride if choice == Choice.KEEP else 1
            first = 1 if stage.pools else stride
            parts: list[nn.Module] = [nn.MaxPool2d(stage.stride, stride)] if stage.pools and choice == Choice.KEEP else []
            for index in range(stage.depth):
                step = first if index == 0 else 1
                if residual:
                    parts.append(Block(channels, stage.kernel, step, projects=channels == 3 or (index == 0 and not stage.pools)))
                else:
                    parts.append(Layer(channels, stage.kernel, step))
                channels = CHANNELS
            if choice == Choice.SHIFT:
                parts.append(nn.MaxPool2d(stage.stride))
            self.stages.append(nn.Sequential(*parts))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(CHANNELS, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for stage in self.stages:
            x = stage(x)
        return self.linear(self.pool(x).flatten(1))


def built(stages: tuple[Stage, ...], choices: tuple[Choice, ...], *, residual: bool) -> nn.Module:
    with torch.device("meta"):
        return Network(stages, choices, residual=residual)


def options_of(analysis: Analysis, stages: tuple[Stage, ...]) -> list[Option]:
    """An option per stage, whose down-sampling can be done at its end."""
    points = downsampling_points(analysis.graph, analysis.network.roles)
    nodes = list(analysis.graph)
    ends = [[node for node in nodes if node.startswith(f"stages.{i}.")][-1] for i in range(len(stages))]
    assert len(points) == len(stages)
    return [Option(point, end) for point, end in zip(points, ends, strict=True)]


def outcomes(
    stages: tuple[Stage, ...], size: int, chosen: Settings, *, residual: bool
) -> dict[tuple[Choice, ...], tuple[int, int]]:
    """Tail layers and FLOPs of every combination that runs, each by an analysis of its own."""
    found = {}
    for choices in itertools.product(Choice, repeat=len(stages)):
        try:
            analysis = analyze(built(stages, choices, residual=residual), size, settings=chosen)
        except TraceError:
            continue
        found[choices] = (len(analysis.tail), analysis.flops)
    return found


def true_front(all_outcomes: dict[tuple[Choice, ...], tuple[int, int]], tail: int) -> set[tuple[int, int]]:
    """Outcomes with a smaller tail than now that no other one beats: none is as good in both and better in one."""
    values = {outcome for outcome in all_outcomes.values() if outcome[0] < tail}
    return {v for v in values if not any(w != v and w[0] <= v[0] and w[1] <= v[1] for w in values)}


def check(stages: tuple[Stage, ...], size: int, *, residual: bool, chosen: Settings = DEFAULT) -> list[Candidate]:
    """Compare the search with brute force; returns what it found."""
    try:
        now = analyze(built(stages, (Choice.KEEP,) * len(stages), residual=residual), size, settings=chosen)
    except TraceError:
        return []  # a stage leaves no map for the next
    front = pareto_front(now.network, options_of(now, stages), chosen)
    expected = outcomes(stages, size, chosen, residual=residual)
    assert {(candidate.tail_layers, candidate.flops) for candidate in front} == true_front(expected, len(now.tail))
    for candidate in front:
        assert (candidate.tail_layers, candidate.flops) == expected[candidate.choices]
        changes = len(stages) - candidate.choices.count(Choice.KEEP)
        equal = [c for c, outcome in expected.items() if outcome == (candidate.tail_layers, candidate.flops)]
        assert changes == min(len(stages) - choices.count(Choice.KEEP) for choices in equal)
    assert [candidate.flops for candidate in front] == sorted(candidate.flops for candidate in front)
    return front


PLAIN = (Stage(3, 2, False, 2), Stage(3, 2, True, 2), Stage(5, 2, True, 2), Stage(3, 2, False, 3))
RESIDUAL = (Stage(7, 2, False, 1), Stage(3, 2, True, 2), Stage(3, 2, False, 4), Stage(3, 2, False, 4))


def test_the_front_of_a_plain_network_is_the_true_one():
    assert len(check(PLAIN, 32, residual=False)) >= 3


def test_the_front_of_a_residual_network_is_the_true_one():
    assert len(check(RESIDUAL, 24, residual=True)) >= 2


def test_the_front_follows_the_settings():
    """A strided 1x1 convolution counts with its own kernel on demand, so that the shortcuts stay narrow and other fixes suffice."""
    as_down_sampling = check(RESIDUAL, 24, residual=True)
    exact = check(RESIDUAL, 24, residual=True, chosen=EXACT)
    assert [candidate.flops for candidate in exact] != [candidate.flops for candidate in as_down_sampling]


@pytest.mark.parametrize("size", [33, pytest.param(47, marks=pytest.mark.slow), pytest.param(21, marks=pytest.mark.slow)])
def test_sizes_that_strides_do_not_divide(size):
    assert check(PLAIN, size, residual=False)
    assert check(RESIDUAL, size, residual=True)


stages = st.builds(Stage, st.sampled_from([1, 3, 5, 7]), st.integers(2, 3), st.booleans(), st.integers(1, 3))


@given(st.lists(stages, min_size=1, max_size=3).map(tuple), st.integers(20, 48), st.booleans(), st.sampled_from([DEFAULT, EXACT]))
@settings(max_examples=10, deadline=None)
def test_the_front_of_any_network_is_the_true_one(drawn, size, residual, chosen):
    check(drawn, size, residual=residual, chosen=chosen)


@pytest.mark.slow
@given(st.lists(stages, min_size=3, max_size=4).map(tuple), st.integers(20, 64), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_front_of_many_networks_is_the_true_one(drawn, size, residual):
    check(drawn, size, residual=residual)


def test_a_network_without_a_tail_has_an_empty_front():
    network = (Stage(3, 2, False, 1), Stage(3, 2, False, 1))
    assert check(network, 224, residual=False) == []


def test_axes_may_differ():
    """A kernel and a stride along one axis only: the tail is what exceeds the image on both."""
    with torch.device("meta"):
        model = nn.Sequential(
            nn.Conv2d(3, 4, (7, 3), (2, 1), (3, 1)),
            nn.Conv2d(4, 4, (3, 7), (1, 2), (1, 3)),
            *(nn.Conv2d(4, 4, 5, 1, 2) for _ in range(5)),
        )
    analysis = analyze(model, (24, 36))
    options = [Option(point, None) for point in downsampling_points(analysis.graph, analysis.network.roles)]
    expected = {}
    for choices in itertools.product((Choice.KEEP, Choice.DROP), repeat=2):
        model[0].stride = (2, 1) if choices[0] == Choice.KEEP else (1, 1)
        model[1].stride = (1, 2) if choices[1] == Choice.KEEP else (1, 1)
        changed = analyze(model, (24, 36))
        expected[choices] = (len(changed.tail), changed.flops)
    front = pareto_front(analysis.network, options, DEFAULT)
    assert {(c.tail_layers, c.flops) for c in front} == true_front(expected, len(analysis.tail)) != set()
    assert all((c.tail_layers, c.flops) == expected[c.choices] for c in front)


def test_of_too_many_combinations_the_later_ones_are_left_out():
    """Nine points with three choices make 19683 combinations; without the third choice for the last four, 3888."""
    many = tuple(Stage(5, 2, True, 3) for _ in range(9))
    analysis = analyze(built(many, (Choice.KEEP,) * 9, residual=False), 512)
    front = pareto_front(analysis.network, options_of(analysis, many), DEFAULT)
    assert len(front) >= 3
    assert Choice.SHIFT in {choice for candidate in front for choice in candidate.choices[:5]}
    assert Choice.SHIFT not in {choice for candidate in front for choice in candidate.choices[5:]}


def test_what_cannot_be_followed_is_named():
    with torch.device("meta"):
        model = nn.Sequential(
            nn.Conv2d(3, 4, 3, 2, 1), nn.ConvTranspose2d(4, 4, 2, 2), *(nn.Conv2d(4, 4, 9, 1, 4) for _ in range(5))
        )
    analysis = analyze(model, 32)
    (point,) = downsampling_points(analysis.graph, analysis.network.roles)
    with pytest.raises(NotSearchableError, match="^1 raises the resolution$"):
        pareto_front(analysis.network, [Option(point, None)], DEFAULT)

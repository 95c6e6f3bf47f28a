"""What an analysis says of a model."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from rfcheck import Analysis, UnknownNameError, analyze


class Block(nn.Module):
    def __init__(self, width: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, stride, 1)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1)
        self.short = nn.Conv2d(width, width, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        return torch.relu(self.conv2(torch.relu(self.conv1(x))) + self.short(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 7, 2, 3)
        self.blocks = nn.Sequential(*(Block(8, 1 + i % 2) for i in range(6)))
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyze(Net(), 32)


def test_what_an_analysis_holds(analysis):
    assert analysis.input_size == (32, 32)
    assert analysis.traced_with == "meta"
    assert analysis.assumptions == ()
    assert analysis.tail[0].name == analysis.border_min.name
    assert analysis.border_max.r_in_max > (32, 32)
    assert set(analysis.tail) <= set(analysis.unproductive) <= set(analysis.layers)
    assert analysis.params == sum(p.numel() for p in Net().parameters())
    assert analysis.flops == sum(analysis.flops_by_operator().values()) == analysis.flops_by_module()[""]
    assert analysis.graph.graph["outputs"] == ["head"]


def test_layers_by_name(analysis):
    assert analysis.layer("stem").kernel == (7, 7)
    with pytest.raises(UnknownNameError, match="no layer 'stemm'; did you mean stem?"):
        analysis.layer("stemm")


def test_paths(analysis):
    assert analysis.path("blocks.0.conv2", "min") == ["stem", "blocks.0.conv1", "blocks.0.conv2"]
    assert analysis.path("blocks.1.conv1", "min") == ["stem", "blocks.1.conv1"]
    assert analysis.path("blocks.1.conv1", "max") == ["stem", "blocks.0.conv1", "blocks.0.conv2", "blocks.1.conv1"]
    with pytest.raises(UnknownNameError, match="no layer 'blocks'"):
        analysis.path("blocks", "min")
    with pytest.raises(UnknownNameError, match="the bound must be 'min' or 'max', got 'mean'"):
        analysis.path("stem", "mean")


def test_flops_by_module_contain_their_parts(analysis):
    flops = analysis.flops_by_module()
    assert flops["blocks"] == sum(flops[f"blocks.{i}"] for i in range(6))
    assert flops["blocks.0"] == flops["blocks.0.conv1"] + flops["blocks.0.conv2"]


def test_frames_and_json(analysis):
    frame = analysis.to_frame()
    assert list(frame["name"]) == [layer.name for layer in analysis.layers]
    assert {"r_min", "r_max", "jump", "live_taps", "productive", "in_tail"} <= set(frame.columns)
    assert json.loads(analysis.to_json())["border_min"] == analysis.border_min.name


def test_what_it_says_of_itself(analysis):
    assert repr(analysis) == "<Analysis of Net at 32x32: 18 layers, b_min blocks.5.conv2, 3 findings>"


def test_analyses_are_frozen(analysis):
    with pytest.raises(AttributeError):
        analysis.name = "other"

"""Targets that are built, and those that cannot be."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from rfcheck.errors import TargetError
from rfcheck.target.buildable import NoModuleError, Target, require_module


def made(on_meta: bool) -> nn.Module:
    with torch.device("meta" if on_meta else "cpu"):
        return nn.Linear(2, 2)


def needing_data(on_meta: bool) -> nn.Module:
    if on_meta:
        raise RuntimeError("Tensor.item() cannot be called on meta tensors")
    return made(False)


def test_data_only_where_it_is_needed():
    assert Target("a", None, None, made).build()[1]
    model, on_meta = Target("a", None, None, needing_data).build()
    assert not on_meta
    assert not model.weight.is_meta


def test_what_leaves_the_program_is_called_once():
    calls = []

    def leave(on_meta: bool) -> nn.Module:
        calls.append(on_meta)
        sys.exit(0)

    with pytest.raises(TargetError, match=r"^a: calling it left with SystemExit\(0\)"):
        Target("a", None, None, leave).build()
    assert calls == [True]


def test_an_interrupt_ends_the_run():
    def interrupt(_: bool) -> nn.Module:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Target("a", None, None, interrupt).build()


def test_a_target_that_is_known_to_fail():
    error = TargetError("a: no")
    with pytest.raises(TargetError) as caught:
        Target("a", None, None, made).failing_with(error).build()
    assert caught.value is error


def test_what_is_no_module():
    assert require_module("a", nn.ReLU())
    with pytest.raises(NoModuleError, match=r"^a: makes a int, not a torch.nn.Module$"):
        require_module("a", 3)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("net.py:Net", "Net"),
        ("net.py:Net(cfg={'a': 1}, on='x:y')", "Net(cfg={'a': 1}, on='x:y')"),
        ("HEAD~1:net.py:Net.of(2)", "Net.of(2)"),
        ("timm:resnet18.a1_in1k", "resnet18.a1_in1k"),
        ("net.onnx", "net.onnx"),
    ],
)
def test_names(label, name):
    assert Target(label, None, None, made).name == name

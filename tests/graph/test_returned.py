"""The tensors of what a model returns."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from rfcheck.graph.returned import tensors_in

A, B = torch.zeros(1), torch.ones(2)


@dataclass
class Output:
    logits: torch.Tensor
    features: tuple[torch.Tensor, ...]


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        pytest.param(A, [A], id="tensor"),
        pytest.param((A, [B]), [A, B], id="tuple"),
        pytest.param({"a": A, "more": {"b": B, "size": 3}}, [A, B], id="dict"),
        pytest.param(Output(A, (B,)), [A, B], id="dataclass"),
        pytest.param(SimpleNamespace(a=A, b=[B], name="x"), [A, B], id="object"),
        pytest.param(nn.Linear(2, 2), [], id="module"),
        pytest.param((None, 3, "x", Output), [], id="no tensor"),
    ],
)
def test_tensors_in_any_structure(returned, expected):
    assert [id(tensor) for tensor in tensors_in(returned)] == [id(tensor) for tensor in expected]

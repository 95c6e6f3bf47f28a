"""Operators of packages beside torch's own set."""

import pytest

from rfcheck.graph.operators.extensions import EXTENSIONS

torchvision = pytest.importorskip("torchvision")


def test_every_entry_names_an_operator():
    import torch

    names = {name.removeprefix("torchvision::") for name in EXTENSIONS if name.startswith("torchvision::")}
    assert names
    assert [name for name in names if not hasattr(torch.ops.torchvision, name)] == []

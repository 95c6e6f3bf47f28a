"""Values that leave torch are followed as unknown, and named; what only leaves for a decision changes nothing."""

import numpy as np
import pytest
import torch
from torch import nn

from rfcheck import analyze


class Between(nn.Module):
    """A function between two convolutions."""

    def __init__(self, function):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.function = function

    def forward(self, x):
        return self.b(self.function(self.a(x)))


def through_shared_memory(y):
    filled = torch.zeros(y.shape)
    filled.numpy()[...] = y.numpy()
    return filled


LEAVES = {
    "array": (lambda y: torch.from_numpy(y.numpy().clip(0, 1)), "numpy"),
    "as array": (lambda y: torch.as_tensor(np.asarray(y) * 2), "numpy"),
    "beside the map": (lambda y: y + torch.from_numpy(y.numpy().clip(0, 1)), "numpy"),
    "shared memory": (through_shared_memory, "numpy"),
    "other libraries": (lambda y: torch.from_dlpack(y.detach()), "dlpack"),
    "list": (lambda y: torch.tensor(y.tolist()), "tolist"),
    "numbers": (lambda y: torch.tensor([[[v.item() for v in r] for r in c] for c in y[0, :, :2, :2]])[None], "item"),
}


@pytest.mark.parametrize("name", LEAVES)
def test_what_comes_back_is_named_and_unknown(name):
    function, how = LEAVES[name]
    analysis = analyze(Between(function), 8)
    assert [(x.name, x.r_max is None) for x in analysis.layers] == [("a", False), ("b", True)]
    named = [text for text in analysis.assumptions if "rfcheck.outside" in text]
    assert len(named) == 1
    assert f"b reads values that left torch ({how}) behind " in named[0]
    assert named[0].endswith("; its receptive field is unknown")
    (unknown,) = [finding.message for finding in analysis.findings if finding.code == "RF901"]
    assert unknown.startswith("1 operator call could not be followed, rfcheck.outside at ")


def test_a_capsule_of_memory_says_nothing_of_where_it_came_from():
    analysis = analyze(Between(lambda y: torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(y.detach()))), 8)
    assert [(x.name, x.r_max is None) for x in analysis.layers] == [("a", False), ("b", True)]
    assert "b reads values that no operator of torch has computed" in analysis.assumptions[0]


def test_memory_that_no_operator_has_written_to():
    analysis = analyze(Between(torch.empty_like), 8)
    said = "b/outside: rfcheck.outside: b reads values that no operator of torch has computed, the last one before is a; "
    assert analysis.assumptions == (said + "its receptive field is unknown",)


HEALTHY = {
    "decision": lambda y: y * 2 if y.max().item() > 1 else y,
    "factor": lambda y: y * y.mean().item(),
    "constants afterwards": lambda y: y * y.mean().item() - torch.tensor([1.0] * 8)[:, None, None],
    "random memory": lambda y: y + 0 * torch.empty_like(y).normal_() * y.mean().item(),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_numbers_that_decide_leave_no_mark(name):
    analysis = analyze(Between(HEALTHY[name]), 8)
    assert analysis.traced_with == "real"
    assert analysis.layer("b").r_max == (5, 5)
    assert analysis.assumptions == ()

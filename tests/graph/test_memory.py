"""Memory that is given to a tensor, and what is made of the memory of a tensor without data."""

import pytest
import torch
from torch import nn

from rfcheck import analyze
from rfcheck.graph.memory import lacks_memory, lies_like, sharing
from tests.oracle import Apply


def test_tensors_that_share_memory_are_found_the_same_part_first():
    whole = torch.zeros(4, 4)
    same, row, other = whole.detach(), whole[1], torch.zeros(4, 4)
    assert [id(t) for t in sharing(whole, [row, other, whole, same])] == [id(same), id(row)]
    assert lies_like(whole, same)
    assert not lies_like(whole, whole.t())


@pytest.mark.filterwarnings("ignore:Accessing the data pointer:UserWarning")
def test_only_a_tensor_that_pretends_to_have_data_lacks_it():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode() as mode:
        fake = mode.from_tensor(torch.zeros(3))
        made = torch.from_dlpack(fake)
    assert lacks_memory(made)
    assert not any(lacks_memory(t) for t in (torch.zeros(3), torch.zeros(0), torch.zeros(3, device="meta"), fake))


def given(y):
    made = torch.empty(0)
    return made.set_(y.untyped_storage(), 0, y.shape, y.stride())


def as_data(y):
    made = torch.zeros_like(y)
    made.data = y
    return made


def of_a_tensor(y):
    return torch.empty(0).set_(y)


@pytest.mark.parametrize("give", [given, as_data, of_a_tensor])
def test_a_tensor_that_is_given_the_memory_of_a_map_holds_the_map(give):
    plain, given = (analyze(Apply(lambda x, a, b, f=f: b(f(a(x))), *convolutions()), 8) for f in (lambda y: y, give))
    assert [(x.r_in_min, x.r_in_max, x.productive) for x in given.layers] == [
        (x.r_in_min, x.r_in_max, x.productive) for x in plain.layers
    ]
    assert given.assumptions == ()
    assert [f.code for f in given.findings] == [f.code for f in plain.findings]


def convolutions():
    return nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)


def test_another_part_of_the_memory_is_unknown_and_said():
    def part(y):
        return torch.empty(0).set_(y.untyped_storage(), 8, (1, 8, 7, 8), y.stride())

    analysis = analyze(Apply(lambda x, a, b: b(part(a(x))), *convolutions()), 8)
    assert [x.r_in_max is None for x in analysis.layers] == [False, True]
    assert len(analysis.assumptions) == 1


def test_memory_of_weights_is_none_of_the_image():
    class Held(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Conv2d(3, 8, 3)

        def forward(self, x):
            weight = torch.empty(0).set_(self.a.weight)
            return nn.functional.conv2d(x, weight)

    assert analyze(Held(), 8).layers[0].params == 216

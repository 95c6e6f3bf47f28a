from __future__ import annotations

import functools

import torch
from torch import nn

from rfcheck.replaced_functions import REPLACED

RELU, FORWARD, CONV, FLATTEN = nn.functional.relu, nn.ReLU.forward, nn.Conv2d, torch.flatten


def test_what_was_replaced_is_given_back():
    held = REPLACED.read()
    try:
        nn.functional.relu = nn.functional.gelu
        nn.ReLU.forward = lambda self, x: x
        nn.Conv2d = functools.partial(nn.Conv2d, bias=False)
        del torch.flatten
        torch.Tensor.mine = nn.ReLU.mine = lambda self: self
    finally:
        REPLACED.write(held)
    assert (nn.functional.relu, nn.ReLU.forward, nn.Conv2d, torch.flatten) == (RELU, FORWARD, CONV, FLATTEN)
    assert not hasattr(torch.Tensor, "mine")
    assert not hasattr(nn.ReLU, "mine")


def test_what_a_library_makes_of_itself_stays():
    held = REPLACED.read()
    wrapped = torch.no_grad()(RELU)  # a function of torch's own that was not there before
    try:
        nn.functional.relu = wrapped
        torch.of_the_library = wrapped
        REPLACED.write(held)
        assert nn.functional.relu is torch.of_the_library is wrapped
    finally:
        nn.functional.relu = RELU
        del torch.of_the_library


def test_values_that_are_no_functions_stay():
    held = REPLACED.read()
    torch.a_number = 3
    REPLACED.write(held)
    assert torch.a_number == 3
    del torch.a_number

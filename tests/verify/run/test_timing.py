from __future__ import annotations

import time

import torch
from torch import nn

from rfcheck.verify.run.timing import REPETITIONS, seconds_per_image


class Slow(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[bool, bool]] = []

    def forward(self, x):
        self.calls.append((self.training, torch.is_grad_enabled()))
        time.sleep(0.05 if len(self.calls) == 1 else 0.01)
        return x


def test_the_first_pass_does_not_count_and_the_mode_is_given_back():
    model = Slow()
    measured = seconds_per_image(model, torch.zeros(4, 1, 2, 2))
    assert 0.0025 <= measured < 0.0125  # the slow first pass alone would be 0.0125
    assert model.calls == [(False, False)] * (REPETITIONS + 1)
    assert model.training

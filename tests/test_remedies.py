from __future__ import annotations

import pytest
import torch
from torch import nn

from rfcheck.errors import TraceError
from rfcheck.graph.trace import trace
from rfcheck.remedies import require_one_input, with_remedy


class Two(nn.Module):
    def forward(self, image, mask, *, scale):
        return image * mask * scale


class Optional(nn.Module):
    def forward(self, image, mask=None):
        return image if mask is None else image * mask


def test_several_inputs_are_refused_with_a_way_out():
    with pytest.raises(TraceError) as error:
        require_one_input(Two())
    assert str(error.value) == (
        "Two.forward takes several inputs (image, mask, scale), rfcheck gives it one image; analyse a wrapper whose "
        "forward(self, image) supplies the others: return self.model(image, mask=..., scale=...)"
    )


@pytest.mark.parametrize("model", [Optional(), nn.Conv2d(3, 3, 3)], ids=["default", "one"])
def test_one_input_is_enough(model):
    require_one_input(model)


def remedied(model: nn.Module, *shape: int) -> str:
    with pytest.raises(TraceError) as error:
        trace(model, shape)
    return str(with_remedy(error.value, model, shape))


HEAD = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.Flatten(), nn.Linear(2 * 32 * 32, 2))
FLAT = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


class Multiple(nn.Module):
    """A network with skip connections across a pooling and an up-sampling by a number."""

    def __init__(self, factor):
        super().__init__()
        self.down, self.pool = nn.Conv2d(3, 8, 3, padding=1), nn.MaxPool2d(factor)
        self.up, self.join = nn.ConvTranspose2d(8, 8, factor, factor), nn.Conv2d(16, 8, 3, padding=1)

    def forward(self, x):
        x = self.down(x)
        return self.join(torch.cat([self.up(self.pool(x)), x], 1))


class FixedBatch(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.linear = nn.Conv2d(3, 8, 3, stride=32, padding=1), nn.Linear(8, 10)

    def forward(self, x):
        return self.linear(self.conv(x).view(16, -1))


@pytest.mark.parametrize(
    ("model", "shape", "remedy"),
    [
        (
            nn.Sequential(nn.Conv2d(3, 2, 3)),
            (1, 1, 8, 8),
            "the layer expects 3 channels and the input has 1: pass --channels 3 or input_size=(3, 8, 8)",
        ),
        (
            nn.Sequential(nn.Conv2d(1, 2, 9)),
            (1, 3, 8, 8),
            "the layer expects 1 channels and the input has 3: pass --input-size 1,16,16 or input_size=(1, 16, 16)",
        ),
        (nn.Sequential(nn.Conv2d(3, 2, 9)), (1, 3, 8, 8), "the smallest resolution that works is 9"),
        (HEAD, (1, 3, 16, 16), "the model is tied to 32x32 px"),
        (HEAD, (1, 3, 64, 64), "the model is tied to 32x32 px"),
        (nn.Sequential(nn.Conv2d(3, 2, 3)), (1, 3, 999999999, 999999999), "a resolution that works is 1024"),
        (Multiple(8), (1, 3, 100, 100), "it works at 96 and 104 (every multiple of 8)"),
        (Multiple(8), (1, 3, 100, 60), "it works at 104x64 (every multiple of 8)"),
        (Multiple(48), (1, 3, 32, 32), "it works at 48 (every multiple of 48 that was tried)"),
        (
            FixedBatch(),
            (1, 3, 32, 32),
            "the model is made for batches of 16 images, and rfcheck gives it one image: take the number of images from the input, "
            "as in x.view(x.size(0), -1)",
        ),
        (
            FixedBatch(),
            (1, 3, 64, 64),
            "the model is made for batches of 16 images at 16x16 px, and rfcheck gives it one image: take the number of images from "
            "the input, as in x.view(x.size(0), -1)",
        ),
        (FLAT, (1, 3, 32, 32), "it works with 1 channel at 28x28 px: pass --input-size 1,28,28 or input_size=(1, 28, 28)"),
        (FLAT, (1, 3, 28, 28), "it works with 1 channel: pass --input-size 1,28,28 or input_size=(1, 28, 28)"),
    ],
)
def test_what_to_do_is_said(model, shape, remedy):
    assert remedied(model, *shape).endswith(f"; {remedy}")


def test_an_error_without_a_way_out_stays_as_it_is():
    class Broken(nn.Module):
        def forward(self, x):
            return torch.cat([x, x[:, :, 1:]], 1)

    model = Broken()
    with pytest.raises(TraceError) as error:
        trace(model, (1, 3, 8, 8))
    assert with_remedy(error.value, model, (1, 3, 8, 8)) is error.value


@pytest.mark.parametrize(
    ("steps", "remedy"),
    [
        (20, ""),  # five sizes, at four modules each
        (100_000, "; the model is tied to 32x32 px"),
    ],
)
def test_nothing_is_concluded_from_what_was_not_tried(monkeypatch, steps, remedy):
    monkeypatch.setattr("rfcheck.graph.feasibility._MOST_STEPS", steps)
    said = remedied(HEAD, 1, 3, 100, 100)
    assert said.endswith(remedy)
    assert ("tied" in said) == bool(remedy)


def test_what_was_found_before_the_search_ended_is_named(monkeypatch):
    monkeypatch.setattr("rfcheck.graph.feasibility._MOST_STEPS", 5 * 6)
    assert remedied(Multiple(8), 1, 3, 100, 100).endswith("; it works with --input-size 3,104,104")

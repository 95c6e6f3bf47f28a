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


@pytest.mark.parametrize(
    ("model", "shape", "remedy"),
    [
        (
            nn.Sequential(nn.Conv2d(3, 2, 3)),
            (1, 1, 8, 8),
            "the layer expects 3 channels and the input has 1: pass --channels 3 or input_size=(3, 8, 8)",
        ),
        (nn.Sequential(nn.Conv2d(3, 2, 9)), (1, 3, 8, 8), "the smallest resolution that works is 9"),
        (HEAD, (1, 3, 16, 16), "the model is tied to 32x32 px"),
        (HEAD, (1, 3, 64, 64), "the model is tied to 32x32 px"),
        (nn.Sequential(nn.Conv2d(3, 2, 3)), (1, 3, 999999999, 999999999), "a resolution that works is 1024"),
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

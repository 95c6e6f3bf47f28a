"""What is said of a forward pass that failed, and when two have failed alike."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rfcheck import TraceError, analyze
from rfcheck.graph.failing import Failure, error_of
from rfcheck.graph.records import ModuleCall


class Nested(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nested.nested_tensor([x[0], x[0]]).to_padded_tensor(0.0)


def failure(error: BaseException, layer: str = "net.a") -> Failure:
    return Failure(error, ModuleCall(layer, "Conv2d", 1, is_leaf=True), [(1, 3, 4, 5)])


def test_the_sentence_names_the_layer_the_shapes_and_what_was_said():
    error = error_of(failure(ValueError("too\n  small.")), (1, 3, 4, 5))
    assert str(error) == (
        "the forward pass fails at input 3x4x5 in layer net.a (Conv2d), which received a tensor of shape 1x3x4x5: "
        "ValueError: too small"
    )
    assert (error.layer, error.received) == ("net.a", (1, 3, 4, 5))


def test_what_ends_a_program_is_said_to():
    assert "the forward pass left with" in str(error_of(failure(SystemExit(0)), (1, 3, 4, 5)))


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (failure(ValueError("x")), True),
        (failure(ValueError("y")), False),
        (failure(TypeError("x")), False),
        (failure(ValueError("x"), "net.b"), False),
    ],
)
def test_two_failed_alike_in_one_layer_with_one_sentence(other, alike):
    assert failure(ValueError("x")).same_as(other) is alike


def test_what_a_way_of_tracing_cannot_do_says_nothing_of_the_model():
    assert not failure(NotImplementedError("x")).same_as(failure(NotImplementedError("x")))


def test_a_nested_tensor_is_said_to_be_what_cannot_be_followed():
    with pytest.raises(TraceError, match=r"a nested tensor cannot be followed; use a padded one with a mask"):
        analyze(Nested(), 8)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_torchscript_without_data_needs_some():
    with torch.device("meta"):
        model = torch.jit.script(nn.Sequential(nn.Conv2d(3, 3, 3)))
    with pytest.raises(
        TraceError, match="TorchScript runs on data only; the model was built on the meta device: build it with data"
    ) as caught:
        analyze(model, 8)
    assert caught.value.needs_data


def test_an_error_without_a_text_comes_with_its_line():
    class Picky(nn.Conv2d):
        def forward(self, x):
            if x.shape[-1] % 48:
                raise ValueError
            return super().forward(x)

    with pytest.raises(TraceError, match=r"ValueError \(.*test_failing\.py:\d+: raise ValueError\)"):
        analyze(Picky(3, 4, 3), 50)

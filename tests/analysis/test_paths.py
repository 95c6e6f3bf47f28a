"""The main path, and the depth against an enumeration of all paths."""

import pytest
import torch.nn.functional as F
from hypothesis import given, settings
from torch import nn

from rfcheck import analyze
from rfcheck.analysis.paths import depth, is_convolutional, main_path
from tests.random_networks import RandomModule, random_modules
from tests.zoo import torchvision_model

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)


def main_layers(model: nn.Module, resolution: int) -> list[str]:
    network = analyze(model, resolution).network
    path = main_path(network.graph, network.fields, network.roles)
    return [layer.name for layer in network.layers if layer.name in path]


def depth_of(model: nn.Module, size: int | tuple[int, ...]) -> int:
    network = analyze(model, size).network
    return depth(network.graph, network.border.judged)


@EXAMPLES
@given(random_modules(upsampling=True))
def test_depth_of_random_networks(module: RandomModule):
    steps = module.network.steps
    longest = max(sum(steps[n].kind in ("conv", "transposed") for n in path) for path in module.network.paths(len(steps) - 1))
    assert depth_of(module, (2, 64, 64)) == longest


@pytest.mark.parametrize(("name", "layers"), [("vgg16", 13), ("resnet18", 17), ("resnet34", 33), ("resnet50", 49)])
def test_depth_of_classic_networks(name, layers):
    """The number in the name, without the linear layers."""
    assert depth_of(torchvision_model(name), 64) == layers


def test_a_gate_adds_no_depth():
    assert depth_of(torchvision_model("mobilenet_v3_small"), 64) == depth_of(without_gates(), 64)


def without_gates() -> nn.Module:
    model = torchvision_model("mobilenet_v3_small")
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child).__name__ == "SqueezeExcitation":
                setattr(module, name, nn.Identity())
    return model


def test_nothing_judged_nothing_deep():
    assert depth_of(nn.ReLU(), 8) == 0


def test_shortcuts_are_not_on_the_main_path_of_a_resnet():
    model = torchvision_model("resnet18")
    convolutions = [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    assert main_layers(model, 224) == [
        "conv1",
        "maxpool",
        *(name for name in convolutions if name != "conv1" and "downsample" not in name),
    ]


class GridAtTheEnd(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        y = self.a(x)
        return self.b(F.grid_sample(y, y[:, :2].permute(0, 2, 3, 1), align_corners=False))


def test_where_receptive_fields_become_unknown_the_path_ends():
    assert main_layers(GridAtTheEnd(), 8) == ["a"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("resnet18", True), ("mobilenet_v3_small", True), ("convnext_tiny", True), ("vit_b_32", False), ("swin_t", False)],
)
def test_networks_with_attention_are_not_convolutional(name, expected):
    network = analyze(torchvision_model(name), 224).network
    assert is_convolutional(network.graph, network.roles, network.border.judged) is expected


class TokenMixing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.mix, self.each = nn.Conv2d(3, 4, 2, 2), nn.Linear(16, 16), nn.Linear(4, 4)

    def forward(self, x):
        tokens = self.embed(x).flatten(2)
        return self.each((tokens + self.mix(tokens)).transpose(1, 2))


def test_token_mixing_is_not_convolutional_and_a_head_is():
    network = analyze(TokenMixing(), 8).network
    assert not is_convolutional(network.graph, network.roles, network.border.judged)
    network = analyze(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 10)), 8).network
    assert is_convolutional(network.graph, network.roles, network.border.judged)

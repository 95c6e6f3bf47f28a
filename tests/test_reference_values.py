"""Published numbers, and numbers measured without formulas, against the analysis."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, ResNet
from torchvision.models.vgg import VGG

from rfcheck import Analysis, Layer, analyze
from tests.zoo import torchvision_model


class PlainBlock(BasicBlock):
    """A residual block without its shortcut."""

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out)))


def without_stem(model: ResNet) -> ResNet:
    """The variant for small images: a 3x3 convolution with stride 1 in place of the stem, and no pooling behind it."""
    model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False, device="meta")
    model.maxpool = nn.Identity()
    return model


def dilated(model: VGG) -> VGG:
    """Dilation 3 in every convolution, with the padding that keeps the extent: a kernel counts as 7x7."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.dilation = module.padding = (3, 3)
    return model


def build(name: str) -> nn.Module:
    """A model on the meta device, by its torchvision name or by what was done to it."""
    base, _, variant = name.partition(" ")
    if variant == "without skip connections":
        with torch.device("meta"):
            return ResNet(PlainBlock, [2, 2, 2, 2]).eval()
    model = torchvision_model(base)
    return {"": lambda m: m, "without stem": without_stem, "dilated": dilated}[variant](model)


def main_path(analysis: Analysis) -> list[Layer]:
    """The convolutions, without the projections on shortcuts."""
    return [layer for layer in analysis.layers if layer.kind == "conv" and "downsample" not in layer.name]


# Richter 2022, sections 9.3 (VGG, ResNet), 10.3 (without skip connections), 11.4 (stem): position along the main path, from 1.
# Section 9.3 gives the dilated kernel as 9x9; its border layer follows from the correct 7x7. Figure 56 prints layer 13 for
# ResNet-18 without stem, where the formula of section 4.4 gives 12; 13 is right for ResNet-34.
B_MAX_AT_32 = {
    "vgg11": 6,
    "vgg13": 7,
    "vgg16": 8,
    "vgg19": 8,
    "vgg19 dilated": 5,
    "resnet18": 5,
    "resnet34": 5,
    "resnet18 without skip connections": 5,
    "resnet18 without stem": 12,
    "resnet34 without stem": 13,
}


@pytest.mark.parametrize(("name", "position"), B_MAX_AT_32.items())
def test_b_max_at_32(name: str, position: int) -> None:
    analysis = analyze(build(name), 32)
    assert analysis.border_max is not None
    assert main_path(analysis).index(analysis.border_max) + 1 == position


# Richter 2022, section 10.3, figure 60: the 11th convolution of ResNet-18 and the 17th of ResNet-34; for sequential networks b_max.
B_MIN_AT_32 = {
    "vgg11": "features.13",
    "vgg13": "features.15",
    "vgg16": "features.17",
    "vgg19": "features.16",
    "resnet18": "layer3.0.conv2",
    "resnet34": "layer3.0.conv2",
}


@pytest.mark.parametrize(("name", "layer"), B_MIN_AT_32.items())
def test_b_min_at_32(name: str, layer: str) -> None:
    border = analyze(build(name), 32).border_min
    assert border is not None
    assert border.name == layer


# Richter 2022, section 9.4 (VGG-19) and 11.4 (ResNet-18 without stem).
R_LAST_CONVOLUTION = {"vgg19": 252, "resnet18 without stem": 109}


@pytest.mark.parametrize(("name", "r"), R_LAST_CONVOLUTION.items())
def test_r_of_the_last_convolution(name: str, r: int) -> None:
    assert main_path(analyze(build(name), 32))[-1].r_max == (r, r)


# Extent of the non-zero gradient of the layer's middle unit: float64, generic positive weights, gates removed. The kernels 1x7 and
# 7x1 of Inception make its axes differ; the height was measured.
R_MAX_BY_GRADIENT = {
    ("alexnet", "features.10"): 163,
    ("vgg19", "features.34"): 252,
    ("resnet18", "layer4.1.conv2"): 435,
    ("resnet50", "layer4.2.conv3"): 427,
    ("inception_v3", "Mixed_7c.branch3x3dbl_3a.conv"): 1247,
    ("efficientnet_b0", "features.8.0"): 851,
}


@pytest.mark.parametrize(("model", "layer"), R_MAX_BY_GRADIENT)
def test_r_max_is_what_the_gradient_reaches(model: str, layer: str) -> None:
    r_max = analyze(build(model), 224).layer(layer).r_max
    assert r_max is not None
    assert r_max[0] == R_MAX_BY_GRADIENT[model, layer]


# The recurrence along the main path; the last of each agrees with published values (427 for ResNet-50, 435 for ResNet-18).
R_MAIN_PATH = {
    ("resnet50", "layer1.2.conv3"): 35,
    ("resnet50", "layer2.3.conv3"): 91,
    ("resnet50", "layer3.5.conv3"): 267,
    ("resnet50", "layer4.2.conv3"): 427,
    ("resnet18", "layer1.1.conv2"): 43,
    ("resnet18", "layer2.1.conv2"): 99,
    ("resnet18", "layer3.1.conv2"): 211,
    ("resnet18", "layer4.1.conv2"): 435,
    ("vgg16", "features.4"): 6,
    ("vgg16", "features.9"): 16,
    ("vgg16", "features.16"): 44,
    ("vgg16", "features.23"): 100,
    ("vgg16", "features.30"): 212,
}


@pytest.mark.parametrize("model", ["resnet50", "resnet18", "vgg16"])
def test_r_at_the_end_of_each_stage(model: str) -> None:
    analysis = analyze(build(model), 224)
    expected = {layer: (r, r) for (name, layer), r in R_MAIN_PATH.items() if name == model}
    assert {layer: analysis.layer(layer).r_max for layer in expected} == expected


# Richter 2022, section 11.4: 0.037 and 0.075 GFLOPs with the stem (the text prints 0.76 for ResNet-34), 0.56 and 1.16 without.
# Exact numbers by torch.utils.flop_counter; with the stem they are for 1000 classes, without it for 10.
STEM_REMOVAL_AT_32 = {
    "resnet18": (37523456, 555422720),
    "resnet34": (75272192, 1159402496),
}


@pytest.mark.parametrize(("name", "flops"), STEM_REMOVAL_AT_32.items())
def test_flops_of_stem_removal(name: str, flops: tuple[int, int]) -> None:
    small = without_stem(torchvision_model(name, num_classes=10))
    assert (analyze(torchvision_model(name), 32).flops, analyze(small, 32).flops) == flops


# torch.utils.flop_counter on meta tensors, halved; all parameters.
FLOPS_AND_PARAMS = {
    ("resnet18", 224): (1814073344, 11689512),
    ("resnet50", 224): (4089184256, 25557032),
    ("vgg16", 224): (15470264320, 138357544),
    ("densenet121", 224): (2834161664, 7978856),
    ("efficientnet_b0", 224): (385814752, 5288548),
    ("vit_b_16", 224): (17563828224, 86567656),
    ("resnet18", 32): (37523456, 11689512),
    ("vgg16", 32): (436830208, 138357544),
}


@pytest.mark.parametrize(("name", "resolution"), FLOPS_AND_PARAMS)
def test_flops_and_params(name: str, resolution: int) -> None:
    analysis = analyze(build(name), resolution)
    assert (analysis.flops, analysis.params) == FLOPS_AND_PARAMS[name, resolution]


POOL = (2, 2)
VGG_GROUPS = {"vgg11": (1, 1, 2, 2, 2), "vgg13": (2, 2, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
RESNET_BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}


def sequence(name: str) -> list[tuple[int, int]]:
    """Kernel and stride of every layer with a window along the main path, as the papers of the architectures give them."""
    if name in VGG_GROUPS:
        return [window for convolutions in VGG_GROUPS[name] for window in (*[(3, 1)] * convolutions, POOL)]
    stages = [(3, 1) if (b or c or not s) else (3, 2) for s, n in enumerate(RESNET_BLOCKS[name]) for b in range(n) for c in (0, 1)]
    return [(7, 2), (3, 2), *stages]


def receptive_fields(windows: list[tuple[int, int]]) -> list[int]:
    """Richter 2022, section 4.4, eq. 9: r_l = r_(l-1) + (k_l - 1) * product of the strides before."""
    fields, r, jump = [], 1, 1
    for kernel, stride in windows:
        r += (kernel - 1) * jump
        jump *= stride
        fields.append(r)
    return fields


@pytest.mark.parametrize("name", [*VGG_GROUPS, *RESNET_BLOCKS])
def test_every_r_along_the_main_path_follows_the_recurrence(name: str) -> None:
    layers = [x for x in analyze(build(name), 32).layers if x.role == "features" and x.kernel and "downsample" not in x.name]
    assert [layer.r_max for layer in layers] == [(r, r) for r in receptive_fields(sequence(name))]

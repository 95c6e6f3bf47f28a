"""Fixes of models that do what people's models do: each holds what it predicts, or says why there is none."""

from __future__ import annotations

import types
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

from rfcheck import analyze, apply_fix
from rfcheck.errors import FixError
from tests.predictions import assert_all_as_predicted, run_snippet
from tests.user_models import (
    WIDTH,
    Aliased,
    Auxiliary,
    Bottle,
    ChoosingBlocks,
    ChoosingForward,
    CifarResNet,
    FlatView,
    Keyed,
    LeNet,
    Listed,
    Nested,
    Plain,
    Reserved,
    ResNet,
    Returning,
    SharedPool,
    Tutorial,
    ordered,
    reusing,
    sequential,
)


class Scaled(Plain):
    """A parameter of its own behind the classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.scale


class Normalizing(Plain):
    """A buffer and a parameter in front of everything."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, 3, 1, 1))
        self.gain = nn.Parameter(torch.ones(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward((x - self.mean) * self.gain)


class Cosine(Plain):
    """A classifier whose weight is used by functions."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(F.normalize(self.features(x).mean((2, 3))), F.normalize(self.fc.weight)) * 16


class LogProbabilities(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(super().forward(x), 1)


class MeanTwice(Plain):
    """Averages one axis after the other."""

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x).mean(3).mean(2))


class Optional(Plain):
    """Arguments besides the image, with defaults."""

    def forward(self, x: Tensor, scale: Tensor | None = None, return_map: bool = False) -> Tensor:
        x = self.features(x)
        if return_map:
            return x
        logits = self.fc(torch.cat([x, x], 1)[:, :WIDTH].mean((2, 3)))
        return logits if scale is None else logits * scale


class Recurrent(Plain):
    """Calls one convolution several times, at several sizes."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv3(self.conv2(self.pool(F.relu(self.conv1(x)))))
        for _ in range(3):
            x = F.relu(self.conv5(x))
        return self.fc(self.conv5(self.conv2(self.conv4(x))).mean((2, 3)))


class Resizing(Plain):
    """Brings every map to one size in between."""

    def features(self, x: Tensor) -> Tensor:
        x = F.interpolate(self.pool(F.relu(self.conv1(x))), size=(8, 8))
        return self.conv5(self.conv4(self.conv3(self.conv2(x))))


class MixedHead(nn.Module):
    """Maximum pooling, hidden layers, and normalisation before and behind the classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Listed().layers
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.hidden = nn.Linear(WIDTH, 16)
        self.norm = nn.BatchNorm1d(16)
        self.out = nn.Linear(16, 10)
        self.last = nn.BatchNorm1d(10, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.trunk:
            x = layer(x)
        x = self.norm(self.hidden(self.pool(x).flatten(1)))
        return self.last(self.out(F.dropout(F.relu(x), training=self.training)))


class Convolutional(nn.Module):
    """A 1x1 convolution as classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Nested().trunk
        self.classifier = nn.Conv2d(WIDTH, 10, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(self.classifier(F.dropout(self.trunk(x), 0.5, self.training)), 1).flatten(1)


class Wrapping(nn.Module):
    """A whole classifier inside another module."""

    def __init__(self) -> None:
        super().__init__()
        self.normalize = nn.BatchNorm2d(3, affine=False)
        self.backbone = Plain()

    def forward(self, x: Tensor) -> Tensor:
        return self.backbone(self.normalize(x))


class OwnConv(nn.Conv2d):
    """A convolution of a class of its own."""


class OwnConvs(Plain):
    """A stem and a layer of a class of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = OwnConv(3, WIDTH, 7, 2, 3)
        self.conv5 = OwnConv(WIDTH, WIDTH, 5, padding=2)


class SamePadding(Plain):
    """Kernels of even size, whose padding torch puts on one side in a step of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv4 = nn.Conv2d(WIDTH, WIDTH, 6, padding="same")
        self.conv5 = nn.Conv2d(WIDTH, WIDTH, 4, padding="same", dilation=2)


class Penalized(Plain):
    """Reads a weight outside its layer."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) - 0 * self.conv4.weight.square().sum()


class Describing(Plain):
    """Reads an attribute of a layer."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.conv4.kernel_size[0]


class KeepsIndices(Plain):
    """A pooling in the stem that gives two results."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2, return_indices=True)

    def features(self, x: Tensor) -> Tensor:
        x, _ = self.pool(F.relu(self.conv1(x)))
        return self.conv5(self.conv4(self.conv3(self.conv2(x))))


class Decoding(Plain):
    """Gives a map as large as the image."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(WIDTH, 3, 16, 16)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(self.features(x))


LAYERS = ("conv1", "conv2", "conv4", "fc")


def with_each(change: Callable[[nn.Module], object]) -> nn.Module:
    """A plain model of which some layers are changed."""
    model = Plain()
    for name in LAYERS:
        change(getattr(model, name))
    return model


def tied() -> nn.Module:
    """Two layers share a weight; one of them lies in the tail, the other does not."""
    model = ResNet()
    model.layer4[1].conv1.weight = model.layer2[1].conv1.weight
    return model


def hooked() -> nn.Module:
    """A hook changes what a layer of dead taps gives."""
    model = Plain()
    model.conv4.register_forward_hook(lambda module, inputs, output: output * 2 + 1)
    return model


def patched() -> nn.Module:
    """The forward of one layer is replaced."""
    model = Plain()
    model.conv4.forward = types.MethodType(lambda self, x: nn.Conv2d.forward(self, x) * 2, model.conv4)
    return model


def outwardly_patched() -> nn.Module:
    """The forward of the model is replaced."""
    model = Plain()
    model.forward = types.MethodType(lambda self, x: Plain.forward(self, x) * 2, model)
    return model


MODELS: dict[str, Callable[[], nn.Module]] = {
    build.__name__: build
    for build in (
        *(Plain, ResNet, CifarResNet, Tutorial, LeNet, SharedPool, Nested, Listed, Keyed, Reserved, sequential, ordered, reusing),
        *(Aliased, Auxiliary, ChoosingBlocks, ChoosingForward, Scaled, Normalizing, Cosine, LogProbabilities, MeanTwice, Optional),
        *(Recurrent, Resizing, MixedHead, Convolutional, Wrapping, OwnConvs, SamePadding, Penalized, Describing, KeepsIndices),
        *(Decoding, tied, hooked, patched, outwardly_patched),
    )
}
MODELS |= {
    "flat-view": lambda: FlatView(pools=False),
    "pooled-view": lambda: FlatView(pools=True),
    "tuple": lambda: Returning("tuple"),
    "dict": lambda: Returning("dict"),
    "pair": lambda: Returning("pair"),
    "weight-norm": lambda: with_each(parametrizations.weight_norm),
    "spectral-norm": lambda: with_each(parametrizations.spectral_norm),
    "orthogonal": lambda: with_each(parametrizations.orthogonal),
    "old-spectral-norm": lambda: with_each(torch.nn.utils.spectral_norm),
    "replicated-border": lambda: padded("replicate"),
    "circular-border": lambda: padded("circular"),
    "parallel": lambda: nn.DataParallel(Plain()),
    "script": lambda: torch.jit.script(Plain()),
    "recording": lambda: torch.jit.trace(Plain().eval(), torch.zeros(1, 3, 32, 32)),
    "graph": lambda: torch.fx.symbolic_trace(Plain()),
    "1-D": lambda: Bottle(1, 1),
    "3-D": lambda: Bottle(3, 1),
}
SIZES = {"1-D": (1, 64), "3-D": (1, 32, 32, 40)}


def padded(mode: str) -> nn.Module:
    """Convolutions with dead taps that pad with pixels."""
    model = Plain()
    model.conv4 = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, padding_mode=mode)
    return model


def made(name: str) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return MODELS[name]().eval()


def images_for(name: str) -> Tensor:
    shape = SIZES.get(name, (3, 32, 32))
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(1))


def assert_same_kind(result: object, given: object) -> None:
    """Two results have the same structure, and tensors of the same shape and type in it."""
    assert type(result) is type(given)
    if isinstance(result, Tensor):
        assert (result.shape, result.dtype) == (given.shape, given.dtype)
        return
    assert len(result) == len(given)
    pairs = ((result[key], given[key]) for key in result) if isinstance(result, dict) else zip(result, given, strict=True)
    for mine, theirs in pairs:
        assert_same_kind(mine, theirs)


@pytest.mark.parametrize("name", MODELS)
def test_every_fix_does_what_it_predicts(name):
    assert_all_as_predicted(made(name), SIZES.get(name, 32))


@pytest.mark.parametrize("name", MODELS)
def test_changed_models_return_what_the_original_returns(name):
    model, images = made(name), images_for(name)
    size = SIZES.get(name, 32)
    analysis = analyze(model, size)
    for fix in analysis.fixes:
        changed = apply_fix(model, fix, size).eval()
        with torch.no_grad():
            expected, result = model(images), changed(images)
        assert_same_kind(result, expected)
        if fix.safe:
            torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-6)
            torch.testing.assert_close(run_snippet(model, fix).eval()(images), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_looking_for_fixes_leaves_the_model_and_the_random_state_alone(name):
    model, state = made(name), torch.random.get_rng_state()
    modes = [module.training for module in model.train().modules()]
    before = [(id(tensor), tensor._version) for tensor in (*model.parameters(), *model.buffers())]
    analyze(model, SIZES.get(name, 32)).proposals  # noqa: B018
    assert [module.training for module in model.modules()] == modes
    assert [(id(tensor), tensor._version) for tensor in (*model.parameters(), *model.buffers())] == before
    assert torch.random.get_rng_state().equal(state)


def reason(model: nn.Module, fix: str) -> str:
    """Why a fix does not apply at 32 px."""
    (found,) = [skipped.reason for skipped in analyze(model, 32).proposals.skipped if skipped.name == fix]
    with pytest.raises(FixError) as caught:
        apply_fix(model, fix, 32)
    assert str(caught.value) == f"{fix} does not apply: {found}"
    return found


def test_two_outputs_are_no_classes():
    assert reason(Returning("pair"), "truncate") == (
        "the head is not recognised: the model returns 2 tensors (1x10, 1x10), not classes; "
        "its last operators are mean, view, addmm, mul"
    )


def test_a_map_is_no_classes():
    assert reason(Decoding(), "truncate-before") == (
        "the head is not recognised: the model returns one tensor (1x3x32x32), not classes; "
        "its last operators are relu, convolution, relu, convolution"
    )


def test_a_forward_that_nothing_can_follow_is_named():
    assert reason(ChoosingForward(), "truncate") == (
        "modules cannot be replaced (the forward calls cat behind the cut), and the graph cannot be cut "
        "(torch.fx cannot follow ChoosingForward.forward: symbolically traced variables cannot be used as inputs to control flow)"
    )


def test_kernels_that_cannot_be_cropped_say_why():
    assert reason(with_each(parametrizations.weight_norm), "crop-kernels") == (
        "conv4 is a ParametrizedConv2d, which may use its kernel in a way of its own"
    )
    assert reason(padded("replicate"), "crop-kernels") == "every outer tap of every kernel reads pixels"
    model = Plain()
    model.conv5 = nn.Conv2d(WIDTH, WIDTH, 5, padding=2)
    model.conv5.weight = model.conv4.weight
    assert reason(model, "crop-kernels") == "conv4 shares its weight with another layer"


def test_hidden_positions_are_no_reason_to_call_a_linear_layer_with_another_size():
    """The pooling before the flattening has a fixed window: on a larger map more than one position is left."""
    said = "the changed model's forward fails in linear: a and b must have same reduction dim, but got [1, 32] X [8, 10]."
    assert reason(CifarResNet(), "move-downsampling") == said


@pytest.mark.parametrize("change", [torch.nn.utils.weight_norm, lambda layer: prune.l1_unstructured(layer, "weight", 0.5)])
@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning")
def test_models_that_torch_cannot_copy_are_refused(change):
    """Weights that hooks compute are no leaves of the graph; torch copies those only after they were computed without gradients."""
    model = with_each(change)
    analysis = analyze(model, 32)
    for name in ("truncate", "remove-stem", "move-downsampling"):
        with pytest.raises(FixError, match="the model cannot be copied: RuntimeError: Only Tensors created explicitly by the user"):
            apply_fix(model, analysis.proposals.named(name), 32)


class AroundScript(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = torch.jit.script(Plain())

    def forward(self, x):
        return self.part(x)


@pytest.mark.parametrize("build", [lambda: torch.jit.script(Plain()), AroundScript], ids=["all", "a part"])
def test_what_a_script_hides_is_said(build):
    """Its layers are no modules that could be replaced; conv4 has dead taps all the same."""
    model = build()
    assert analyze(model, 32).fixes == ()
    script = "a part of the model is TorchScript, whose modules cannot be replaced; give the model before it is made TorchScript"
    assert {reason(model, name) for name in ("truncate", "truncate-before", "move-downsampling")} == {script}
    assert reason(model, "remove-stem").endswith("conv1 is neither an attribute of a module nor that of a pooling")
    assert reason(model, "crop-kernels").endswith("conv4 is a RecursiveScriptModule, which may use its kernel in a way of its own")

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.checkpoint import checkpoint

from rfcheck import analyze
from rfcheck.errors import VerifyError
from rfcheck.verify.observing import Observer, observable, unwrapped


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.conv(self.conv(x)).mean((2, 3)))


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Sequential(nn.Flatten(), nn.Linear(4 * 36, 2)))


def names(model: nn.Module, *calls, layers=None) -> list[str]:
    """Layers in the order in which they are handed over during some calls."""
    seen: list[str] = []
    with Observer(model, lambda name, *_: seen.append(name), layers):
        for call in calls:
            call()
    return seen


def traces(model: nn.Module) -> list[dict[str, object]]:
    """Everything that hangs on the modules of a model."""
    return [
        {key: (len(value) if isinstance(value, OrderedDict) else id(value)) for key, value in vars(m).items()}
        for m in model.modules()
    ]


@pytest.mark.parametrize(
    "name",
    ["resnet18", "vgg11", "densenet121", "mobilenet_v3_small", "squeezenet1_0", "shufflenet_v2_x0_5", "convnext_tiny", "googlenet"],
)
def test_names_are_those_of_the_analysis(name):
    model = torchvision.models.get_model(name, weights=None, **({"init_weights": False} if name == "googlenet" else {})).eval()
    with torch.no_grad():
        seen = names(model, lambda: model(torch.zeros(1, 3, 64, 64)))
    assert seen == [layer.name for layer in analyze(model, 64).layers if layer.kind in ("conv", "linear")]


def test_a_module_called_twice_makes_two_layers():
    model = Twice()
    assert names(model, lambda: model(torch.zeros(1, 3, 8, 8))) == ["conv", "conv:2", "head"]
    assert names(model, *[lambda: model(torch.zeros(1, 3, 8, 8))] * 2) == ["conv", "conv:2", "head"] * 2
    assert [layer.name for layer in analyze(model, 8).layers if layer.kind != "pool"] == ["conv", "conv:2", "head"]
    assert names(model, lambda: model(torch.zeros(1, 3, 8, 8)), layers=["conv:2"]) == ["conv:2"]


def test_a_module_in_two_places_has_its_first_name():
    conv = nn.Conv2d(3, 3, 1)
    model = nn.Sequential(conv, nn.ReLU(), conv)
    assert list(observable(model)) == ["0"]
    assert names(model, lambda: model(torch.zeros(1, 3, 4, 4))) == ["0", "0:2"]


def test_parts_may_be_called_by_themselves():
    model = small()
    image = torch.zeros(1, 3, 8, 8)
    assert names(model, *[lambda: model[2](model[1](model[0](image)))] * 3) == ["0", "2.1"] * 3


def test_what_calls_no_layer_costs_no_time():
    class Calls(nn.Module):
        """Calls layers of the model without being told in which module they are."""

        def __init__(self, layer: nn.Module):
            super().__init__()
            self.layers = [layer]

        def forward(self, x):
            return self.layers[0](self.layers[0](x))

    conv = nn.Conv2d(3, 3, 3, padding=1)
    model = nn.Sequential(conv, nn.BatchNorm2d(3), nn.ReLU(), Calls(conv), nn.Flatten(), nn.Linear(3 * 36, 2))
    with Observer(model, lambda *_: None):
        assert [bool(module._forward_hooks) for module in model] == [True, False, False, True, False, True]
    images = torch.zeros(1, 3, 6, 6)
    assert names(model, lambda: model(images), lambda: model[3](images)) == ["0", "0:2", "0:3", "5", "0", "0:2"]


def test_a_failed_forward_pass_does_not_confuse_the_next():
    model = Twice()

    def fails():
        with pytest.raises(RuntimeError):
            model(torch.zeros(1, 5, 8, 8))

    assert names(model, fails, lambda: model(torch.zeros(1, 3, 8, 8))) == ["conv", "conv:2", "head"]


@pytest.mark.parametrize("reentrant", [True, False])
def test_what_checkpointing_repeats_is_handed_over_once(reentrant):
    model = small()
    image = torch.zeros(1, 3, 8, 8, requires_grad=True)

    def step():
        checkpoint(model, image, use_reentrant=reentrant).sum().backward()

    assert names(model, step, step) == ["0", "2.1"] * 2


@pytest.mark.parametrize("how", ["wrapped", "in place"])
@pytest.mark.parametrize("ran_before", [True, False])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_a_compiled_model(how, ran_before):
    model = small()
    image = torch.zeros(1, 3, 8, 8)
    if how == "wrapped":
        compiled = torch.compile(model, backend="eager")
    else:
        compiled = model
        model.compile(backend="eager")
    if ran_before:
        compiled(image).sum().backward()
    assert names(compiled, *[lambda: compiled(image).sum().backward()] * 3) == ["0", "2.1"] * 3


def test_what_wraps_a_model_is_taken_off():
    model = small()
    assert unwrapped(torch.optim.swa_utils.AveragedModel(model)) is not model
    assert unwrapped(nn.DataParallel(model)) is model
    assert unwrapped(torch.compile(nn.DataParallel(model), backend="eager")) is model
    lightning = pytest.importorskip("lightning")
    assert unwrapped(lightning.Fabric(accelerator="cpu").setup_module(model)) is model
    named = nn.Sequential(OrderedDict(module=nn.Linear(2, 2)))
    assert unwrapped(named) is named


def test_copies_are_not_observed_and_can_be_made():
    model = small()
    seen: list[str] = []
    image = torch.zeros(1, 3, 8, 8)
    with Observer(model, lambda name, *_: seen.append(name)):
        deep, pickled = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
        deep(image), pickled(image)
        assert seen == []
        model(image)
    assert seen == ["0", "2.1"]
    assert torch.equal(deep(image), pickled(image))


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_stays_on_the_model(fails):
    model = small()
    before, keys = traces(model), list(model.state_dict())
    try:
        with Observer(model, lambda *_: None):
            model(torch.zeros(1, 3, 8, 8) if not fails else torch.zeros(1, 9, 8, 8))
            assert not fails
    except RuntimeError:
        assert fails
    assert traces(model) == before
    assert list(model.state_dict()) == keys


def test_the_check_can_fail():
    model = small()
    before = traces(model)
    model[0].register_forward_hook(lambda *_: None)
    assert traces(model) != before


def test_outputs_of_each_kind():
    outputs = {}
    model = nn.ModuleDict({"conv": nn.Conv1d(2, 3, 1), "linear": nn.Linear(2, 4), "lstm": nn.LSTM(2, 5, bidirectional=True)})
    packed = nn.utils.rnn.pack_padded_sequence(torch.zeros(7, 2, 2), torch.tensor([7, 3]))
    with Observer(model, lambda name, module, output: outputs.update({name: (module, output)})):
        model["conv"](torch.zeros(1, 2, 6))
        model["linear"](torch.zeros(1, 6, 2))
        model["lstm"](torch.zeros(6, 1, 2))
        assert outputs["lstm"][1].shape == (6, 1, 10)
        model["lstm"](packed)
    assert {name: tuple(output.shape) for name, (_, output) in outputs.items()} == {
        "conv": (1, 3, 6),
        "linear": (1, 6, 4),
        "lstm": (10, 10),
    }
    assert all(module is model[name] and not output.requires_grad for name, (module, output) in outputs.items())


def test_an_analysis_meanwhile_is_not_seen():
    model = small()
    assert names(model, lambda: analyze(model, 8)) == []
    assert names(model.to("meta"), lambda: model(torch.zeros(1, 3, 8, 8, device="meta"))) == []


@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        (["2.0"], "layer '2.0' cannot be observed; did you mean 2.1?"),
        (["0", "zzz:2"], "layer 'zzz:2' cannot be observed; convolutions, linear layers and LSTMs that are modules can be"),
    ],
)
def test_a_layer_that_cannot_be_observed(layers, sentence):
    with pytest.raises(VerifyError) as error:
        Observer(small(), lambda *_: None, layers)
    assert str(error.value) == sentence


def test_not_twice_at_a_time():
    model = small()
    before = traces(model)
    with Observer(model, lambda *_: None) as observer:
        with pytest.raises(VerifyError) as error:
            observer.__enter__()
        assert str(error.value) == "the model is observed already; leave the context before entering it again"
    assert traces(model) == before
    with observer:
        pass
    assert traces(model) == before

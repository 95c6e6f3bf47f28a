from __future__ import annotations

import pytest
import torch

from rfcheck.config import Settings
from rfcheck.errors import FixError, VerifyError
from rfcheck.verify.recipe import Recipe
from rfcheck.verify.run.planning import plan_run

CHAIN = """
import torch
from torch import nn

class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.squeeze = nn.Conv2d(8, 2, 1)
        self.excite = nn.Conv2d(2, 8, 1)
        self.kernel = nn.Parameter(torch.randn(8, 8, 3, 3))
        self.twice = nn.Conv2d(8, 8, 3, padding=1)
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        gate = torch.sigmoid(self.excite(torch.relu(self.squeeze(x.mean((2, 3), keepdim=True)))))
        x = nn.functional.conv2d(x * gate, self.kernel, padding=1)
        x = self.twice(torch.relu(self.twice(x)))
        return self.fc(x.mean((2, 3)))

class Empty(nn.Module):
    def forward(self, x):
        return x

def frozen():
    return Gated().requires_grad_(False)

ready = Gated()
"""


def plan(target: str, *fixes: str, size: tuple[int, ...] = (3, 32, 32)):
    return plan_run(Recipe(target, size, fixes=fixes), Settings(channels=size[0]))


def test_layers_that_modules_make_are_measured_in_execution_order(model_file):
    model_file(CHAIN, "model.py")
    (original,) = plan("model.py:Gated").models
    assert [layer.name for layer in original.variant.layers] == ["conv", "twice", "twice:2", "fc"]
    assert original.variant.unmeasured == ("conv2d",)
    assert (original.variant.name, original.variant.description) == ("original", "")


def test_layers_that_do_not_keep_images_apart_are_not_measured(model_file):
    model_file("""
class Regions(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.box = nn.Linear(8, 4)
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        maps = self.conv(x)
        regions = maps.mean((0, 2, 3)).expand(7, 8)
        return self.fc(maps.mean((2, 3))) + self.box(regions).sum()
""")
    (original,) = plan("model.py:Regions").models
    assert [layer.name for layer in original.variant.layers] == ["conv", "fc"]
    assert original.variant.unmeasured == ("box",)


@pytest.mark.parametrize("target", ["model.py:Gated", "model.py:ready"])
def test_every_seed_has_weights_of_its_own_and_the_same_seed_the_same(model_file, target):
    model_file(CHAIN, "model.py")
    (original,) = plan(target).models
    weights = []
    for seed in (0, 1, 0):
        torch.manual_seed(seed)
        weights.append(original.build().conv.weight.detach().clone())
    assert torch.equal(weights[0], weights[2])
    assert not torch.equal(weights[0], weights[1])


def test_a_fix_gives_a_model_of_its_own(pytestconfig):
    example = pytestconfig.rootpath / "examples" / "resnet18_cifar.py"
    made = plan(f"{example}:ResNet18", "truncate", "remove-stem")
    assert made.name == "ResNet18"
    original, truncated, stemless = (model.variant for model in made.models)
    assert [x.name for x in (original, truncated, stemless)] == ["original", "truncate", "remove-stem"]
    assert original.border == "layer3.0.conv2"
    assert truncated.border is None or truncated.border == "layer3.0.conv2"
    assert truncated.params < stemless.params < original.params
    assert original.flops < stemless.flops
    torch.manual_seed(0)
    built = made.models[1].build()
    assert sum(p.numel() for p in built.parameters()) == truncated.params
    assert built(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_the_digest_tells_architectures_apart(model_file):
    model_file(CHAIN, "model.py")
    digests = {plan("model.py:Gated").architecture, plan("model.py:ready").architecture}
    assert len(digests) == 1
    model_file(CHAIN.replace("Linear(8, 10)", "Linear(8, 11)"), "model.py")
    assert plan("model.py:Gated").architecture not in digests


def test_what_cannot_be_trained_is_refused(model_file):
    model_file(CHAIN, "model.py")
    with pytest.raises(VerifyError) as caught:
        plan("model.py:frozen")
    assert str(caught.value) == "model.py:frozen: has no parameter that is trained; set requires_grad on those that are to be"
    with pytest.raises(VerifyError) as caught:
        plan("model.py:Empty")
    assert str(caught.value) == "model.py:Empty: has no parameter that is trained; set requires_grad on those that are to be"


def test_one_model_is_verified_at_a_time(model_file):
    model_file(CHAIN, "model.py")
    with pytest.raises(VerifyError) as caught:
        plan("model.py")
    names = "model.py:frozen, model.py:ready"
    assert str(caught.value) == f"model.py holds several models; verify trains one of them: {names}"


def test_an_exported_program_has_no_weights_to_train(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(4 * 30 * 30, 10))
    torch.export.save(torch.export.export(model, (torch.zeros(1, 3, 32, 32),)), "model.pt2")
    with pytest.raises(VerifyError) as caught:
        plan("model.pt2")
    assert str(caught.value).startswith("model.pt2: describes a model without its weights, which cannot be trained")


def test_a_fix_that_does_not_apply_says_why(model_file):
    model_file(CHAIN, "model.py")
    with pytest.raises(FixError):
        plan("model.py:Gated", "remove-stem")


LSTM = """
class Rows(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(96, 8, batch_first=True), nn.Linear(8, 10)

    def forward(self, x):
        return self.head(self.lstm(x.permute(0, 2, 1, 3).flatten(2))[0][:, -1])
"""


def test_the_products_within_an_lstm_are_measured_with_it(model_file):
    model_file(LSTM, "rows.py")
    variant = plan("rows.py").models[0].variant
    assert [layer.name for layer in variant.layers] == ["lstm", "head"]
    assert variant.unmeasured == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [("torch.relu(self.conv(x))", "torch.tanh(self.conv(x))"), ("x * gate", "x + gate"), ("Dropout(0.5)", "Dropout(0.1)")],
)
def test_the_digest_tells_models_apart_whose_layers_are_the_same(model_file, before, after):
    code = CHAIN.replace("self.fc = ", "self.drop = nn.Dropout(0.5)\n        self.fc = ")
    assert before in code
    model_file(code, "model.py")
    model_file(code.replace(before, after), "other.py")
    first, again, other = (plan(f"{name}.py:Gated").architecture for name in ("model", "model", "other"))
    assert first == again != other

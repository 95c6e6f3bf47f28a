from dataclasses import replace

import pytest
import torch
from torch import nn

from rfcheck.verify.recipe import Training
from rfcheck.verify.training.identity import identity_of
from tests.verify.training.small import Net, small_data

DATA = small_data()
SAME = {"model": Net(), "data": DATA, "training": Training(), "seed": 1, "layers": ("conv1",), "delta": 0.99}


def named(**changes):
    given = SAME | changes
    return identity_of(given.pop("model"), given.pop("data"), given.pop("training"), **given)


def test_weights_do_not_count():
    model = Net()
    assert named(model=model) == named()
    assert not torch.equal(model.conv1.weight, SAME["model"].conv1.weight)


def test_only_plain_values():
    assert all(isinstance(value, (str, int, float, bool, list, type(None))) for value in named().values())


@pytest.mark.parametrize(
    ("differs", "change"),
    [
        ("epochs", {"training": Training(epochs=61)}),
        ("precision", {"training": Training(precision="bf16")}),
        ("seed", {"seed": 2}),
        ("layers", {"layers": ("conv1", "conv2")}),
        ("delta", {"delta": 0.9}),
        ("data", {"data": replace(DATA, fingerprint="another")}),
        ("preprocessing", {"data": replace(DATA, preprocessing=replace(DATA.preprocessing, flips=False))}),
        ("model", {"model": Net(width=7)}),
        ("model", {"model": Net().double()}),
        ("model", {"model": nn.Sequential(Net())}),
    ],
)
def test_what_counts(differs, change):
    before, after = named(), named(**change)
    assert [name for name in before if before[name] != after[name]] == [differs]


def test_the_resolution_counts():
    assert named(data=small_data(size=12))["preprocessing"] != named()["preprocessing"]

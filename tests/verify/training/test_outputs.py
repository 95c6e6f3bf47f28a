from collections import OrderedDict

import pytest
import torch
import torchvision
from torch import nn

from rfcheck.errors import TrainingError
from rfcheck.target.load import load_targets
from rfcheck.verify.training.outputs import _remedy, logits, require_head
from tests.verify.training.small import Net, small_data

SCORES = torch.rand(4, 3)


@pytest.mark.parametrize(
    "output",
    [
        SCORES,
        (SCORES, torch.rand(4, 7)),
        [SCORES],
        {"features": torch.rand(4, 9), "logits": SCORES},
        OrderedDict(out=SCORES, aux=torch.rand(4, 3)),
    ],
)
def test_scores_are_found(output):
    assert logits(output) is SCORES


@pytest.mark.parametrize(
    ("output", "what"), [(None, "nothing"), ((), "a tuple"), ({}, "a dict"), ("text", "a str"), (([SCORES],), "a tuple")]
)
def test_no_scores(output, what):
    with pytest.raises(TrainingError) as caught:
        logits(output)
    assert str(caught.value) == f"the model puts out {what} without scores in its first place; return a tensor (N, classes)"


def test_auxiliary_heads_of_torchvision():
    model = torchvision.models.googlenet(weights=None, num_classes=3, aux_logits=True, init_weights=False).train()
    with torch.no_grad():
        assert logits(model(torch.rand(2, 3, 64, 64))).shape == (2, 3)


def test_a_fitting_head_passes_and_the_model_is_as_before():
    model, data = Net(3).train(), small_data()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    require_head(model, data)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    model.eval()
    require_head(model, data)
    assert not model.training


def test_images_that_no_memory_holds_are_refused(monkeypatch):
    def refuse(*_, **__):
        raise MemoryError

    monkeypatch.setattr("rfcheck.verify.training.outputs.evaluation_batches", refuse)
    data = small_data()
    size = "x".join(map(str, data.preprocessing.input_size))
    with pytest.raises(TrainingError) as caught:
        require_head(Net(), data)
    placed = "x".join(map(str, data.preprocessing.placed_size))
    assert str(caught.value) == (
        f"two images of {placed} pixels, resized to {size}, do not fit into memory; give a smaller --canvas or --resolution"
    )


def test_lazy_layers_get_their_shapes():
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(3))
    require_head(model, small_data())
    assert model[0].weight.shape == (4, 1, 3, 3)


class Classifier(nn.Module):
    def __init__(self, width, n_classes=10):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(81, width), nn.Linear(width, n_classes))

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (
            Net(10),
            "the model puts out 10 scores per image, but the images have 3 classes; give it as many, as in Net(num_classes=3)",
        ),
        (
            Classifier(4),
            "the model puts out 10 scores per image, but the images have 3 classes; give it as many, as in Classifier(n_classes=3)",
        ),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(81, 2)),
            "the model puts out 2 scores per image, but the images have 3 classes; give its last layer 3 outputs",
        ),
        (
            nn.Conv2d(1, 3, 3),
            "the model puts out (2, 3, 7, 7) for 2 images of 3 classes, not (2, 3); "
            "end it with pooling over all positions and a linear layer",
        ),
        (
            nn.Flatten(0),
            "the model puts out (162,) for 2 images of 3 classes, not (2, 3); end it with pooling over all positions and a linear layer",
        ),
        (
            nn.Unflatten(1, (2, 2)),
            "the model fails on images (2, 1, 9, 9): RuntimeError: unflatten: Provided sizes [2, 2] don't multiply up to the size of dim 1 "
            "(1) in the input tensor",
        ),
    ],
)
def test_a_head_that_does_not_fit(model, sentence):
    with pytest.raises(TrainingError) as caught:
        require_head(model, small_data())
    assert str(caught.value) == sentence
    assert model.training


CODE = """
import functools
import torch.nn as nn

class Net(nn.Module):
    def __init__(self, class_num=100):
        super().__init__()
        self.fc = nn.Linear(3 * 8 * 8, class_num)

    def forward(self, x):
        return self.fc(x.flatten(1))

class Same(Net):
    pass

def net():
    return Net()

def wide(width=1, classes=100):
    return Net(classes)

def any_of_them(**kwargs):
    return Net(**kwargs)

model = Net(100)
bound = functools.partial(Net, class_num=100)
"""


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("model", "give it as many, as in model.py:Net(class_num=3)"),
        ("bound", "give it as many, as in model.py:bound(class_num=3)"),
        ("net", "give it as many, as in model.py:Net(class_num=3)"),
        ("net()", "give it as many, as in model.py:Net(class_num=3)"),
        ("wide", "give it as many, as in model.py:wide(classes=3)"),
        ("any_of_them", "give it as many, as in model.py:any_of_them(class_num=3)"),
        ("Net", "give it as many, as in model.py:Net(class_num=3)"),
        ("Same", "give it as many, as in model.py:Same(class_num=3)"),
    ],
)
def test_the_remedy_names_an_argument_that_there_is(tmp_path, monkeypatch, name, remedy):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(CODE)
    model = load_targets(f"model.py:{name}")[0].build_with_data()
    assert _remedy(model, 3, f"model.py:{name}") == remedy
    given = remedy.rpartition(" ")[2]
    assert load_targets(given)[0].build_with_data()(torch.zeros(2, 3, 8, 8)).shape == (2, 3)

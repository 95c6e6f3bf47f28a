from __future__ import annotations

import copy

import pytest
import torch
from torch import fx, nn

from rfcheck.errors import FixError
from rfcheck.fixes.outer_graph import OuterForwards, as_module, outwards
from tests.fixes.networks import ResNet, conv
from tests.predictions import shapes

SHAPE = (3, 3, 16, 16)


class Branching(nn.Module):
    """Looks at values, which torch.fx cannot follow."""

    def forward(self, x):
        return x if x.sum() > 0 else -x


class Net(nn.Module):
    """An auxiliary head in training, an optional argument, and a block that torch.fx cannot follow."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.block, self.auxiliary = conv(3, 4), nn.Sequential(Branching(), conv(4, 4)), nn.Linear(4, 2)
        self.drop = nn.Dropout(0.9)

    def forward(self, x, mask=None, scale=1.0):
        x = self.conv(x)
        if mask is not None:
            x = x * mask
        if self.training:
            return self.block(x), self.auxiliary(x.mean((2, 3)))
        return self.drop(self.block(x)) * scale


def called(graph: fx.Graph) -> list[str]:
    return [str(node.target) for node in graph.nodes if node.op == "call_module"]


@pytest.mark.parametrize(
    ("path", "names"), [("", ()), ("conv", ("conv",)), ("layer1.0.conv1", ("layer1", "layer1.0", "layer1.0.conv1"))]
)
def test_modules_around_a_module(path, names):
    assert outwards(path) == names


def test_only_the_opened_forwards_are_followed():
    model = ResNet()
    outer, inner = OuterForwards.around(model, ()), OuterForwards.around(model, ("layer2", "layer2.0"))
    assert called(outer.trace(model)) == ["conv", "relu", "pool", "layer1", "layer2", "avgpool", "fc"]
    assert called(inner.trace(model))[4:11] == [
        "layer2.0.conv1", "layer2.0.relu", "layer2.0.conv2", "layer2.0.shortcut", "layer2.0.relu", "layer2.1", "avgpool",
    ]  # fmt: skip


@pytest.mark.parametrize("training", [True, False])
def test_the_graph_is_that_of_evaluation_and_the_model_keeps_its_modes(training):
    model = Net().train(training)
    model.block.train(not training)
    forwards = OuterForwards.around(model, ())
    assert forwards.defaults == ("mask",)
    assert called(forwards.trace(model)) == ["conv", "block", "drop"]
    assert (model.training, model.block.training, model.drop.training) == (training, not training, training)


def test_what_cannot_be_followed():
    model = Net()
    with pytest.raises(
        FixError, match="^torch.fx cannot follow Net.forward: symbolically traced variables cannot be used as inputs"
    ):
        OuterForwards.around(model, ("block", "block.0")).trace(model)
    assert model.training


def test_a_module_of_a_graph():
    model = ResNet().eval()
    graph = OuterForwards.around(model, ()).trace(model)
    pool = next(node for node in graph.nodes if node.target == "pool")
    pool.replace_all_uses_with(pool.all_input_nodes[0])
    made = as_module(model, graph)
    assert type(made).__name__ == "ResNet"
    assert [name for name, _ in made.named_children()] == ["conv", "relu", "layer1", "layer2", "avgpool", "fc"]
    assert list(made.state_dict()) == list(model.state_dict())
    assert not made.training
    assert as_module(model.train(), graph).training
    without = copy.deepcopy(model).eval()
    without.pool = nn.Identity()
    image = torch.rand(SHAPE)
    assert torch.allclose(made.eval()(image), without(image), atol=1e-6)


@pytest.mark.parametrize(("model", "opened"), [(ResNet(), ()), (ResNet(), ("layer2", "layer2.0")), (Net(), ())])
def test_the_written_code_does_the_same(model, opened):
    forwards = OuterForwards.around(model, opened)
    snippet = forwards.around_change(["count = len(graph.nodes)"], ["from torch import nn"])
    assert snippet.imports == ("from torch import nn", "from torch import fx")
    names = {"model": copy.deepcopy(model)}
    exec(snippet.text, names)
    expected = forwards.trace(model)
    assert names["count"] == len(expected.nodes)
    made = as_module(model, expected)
    assert str(names["model"].graph) == str(made.graph)
    assert names["model"].training == model.training
    assert shapes(names["model"]) == shapes(made)

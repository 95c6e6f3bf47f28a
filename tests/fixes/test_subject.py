from __future__ import annotations

import pytest
import torch
from torch import nn

from rfcheck.fixes.outcome import outcome_of_network
from tests.fixes.networks import Block, ResNet, chain, conv, subject_of


def test_what_is_known_of_a_model():
    model = ResNet()
    subject = subject_of(model, 16)
    assert subject.graph is subject.network.graph
    assert subject.before == outcome_of_network(subject.network)
    assert subject.modules == dict(model.named_modules())


def test_blocks_are_modules_of_a_class_with_a_forward_that_is_used_more_than_once():
    assert subject_of(ResNet(), 16).blocks == {"layer1.0", "layer2.0", "layer2.1"}


class Stage(nn.Sequential):
    pass


class Gate(nn.Sequential):
    def forward(self, x):
        return x * super().forward(x)


@pytest.mark.parametrize(
    ("model", "blocks"),
    [
        (chain(4), set()),
        (nn.Sequential(Block(3, 3), nn.ReLU()), set()),
        (nn.Sequential(Stage(conv(3, 3)), Stage(conv(3, 3))), set()),
        (nn.Sequential(Gate(conv(3, 3)), Gate(conv(3, 3))), {"0", "1"}),
        (nn.Sequential(nn.Sequential(Block(3, 3), Block(3, 3)), conv(3, 3)), {"0.0", "0.1"}),
    ],
)
def test_torchs_own_containers_and_single_modules_are_no_blocks(model, blocks):
    assert subject_of(model, 16).blocks == blocks


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_bytes_of_a_number(dtype):
    subject = subject_of(chain(2).to(dtype), 8)
    assert subject.itemsize == torch.empty((), dtype=dtype).element_size()


def test_a_model_without_parameters_computes_in_the_default_type():
    assert subject_of(nn.Sequential(nn.ReLU(), nn.MaxPool2d(2)), 8).itemsize == 4


def test_a_replica_shares_tensors_but_no_modules():
    model = nn.Sequential(conv(3, 4), nn.BatchNorm2d(4))
    replica = subject_of(model, 8).replica()
    replica[0] = nn.Identity()
    assert isinstance(model[0], nn.Conv2d)
    assert replica[1] is not model[1]
    assert replica[1].running_mean is model[1].running_mean
    assert replica[1].weight is model[1].weight

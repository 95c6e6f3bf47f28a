"""Folded graphs against what they were made from."""

from __future__ import annotations

import pytest
from torch import nn

from rfcheck.report.folding import Block as FoldedBlock
from rfcheck.report.folding import fold
from tests.report.block_networks import Block, Net, facts_of, unfolded
from tests.zoo import torchvision_model


def blocks_of(model: nn.Module, size=64) -> list[tuple[str, str, int]]:
    facts = facts_of(model, size)
    folded = fold(facts)
    unfolded(facts, folded)
    return [(block.first, block.last, block.count) for block in folded.blocks]


def test_a_whole_folded_network():
    folded = fold(facts_of(Net(Block(), Block(), Block())))
    assert [unit.repetitions for unit in folded.units] == [
        (("input",),),
        (("stem",),),
        tuple((f"blocks.{n}.conv", f"blocks.{n}/relu") for n in range(3)),
        tuple((f"blocks.{n}/add",) for n in range(3)),
        (("last",),),
    ]
    assert folded.edges == ((0, 1, False), (1, 2, False), (1, 3, False), (2, 3, False), (3, 4, False))
    assert folded.blocks == (FoldedBlock("blocks.0", "blocks.2", 3, (2, 3)),)


def test_blocks_that_differ_inside_are_not_folded():
    assert blocks_of(Net(Block(), Block(kernel=5), Block())) == []
    assert blocks_of(Net(Block(), Block(), Block(kernel=5), Block(kernel=5))) == [
        ("blocks.2", "blocks.3", 2),
        ("blocks.0", "blocks.1", 2),
    ]


def test_blocks_of_different_classes_are_not_folded():
    class Other(Block):
        pass

    assert blocks_of(Net(Block(), Other())) == []


def test_a_chain_of_layers_is_folded_up_to_the_border():
    model = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(10)))
    assert blocks_of(model, 7) == [("4", "9", 6), ("0", "3", 4)]
    facts = facts_of(model, 7)
    assert [facts.nodes[name]["state"] for name in ("3", "4")] == ["productive", "tail"]


def test_a_block_that_is_read_elsewhere_is_not_folded():
    class Skips(Net):
        def forward(self, x):
            x = self.stem(x)
            outputs = [x := block(x) for block in self.blocks]
            return self.last(outputs[-1] + outputs[1])

    assert blocks_of(Skips(*(Block() for _ in range(4)))) == [("blocks.2", "blocks.3", 2), ("blocks.0", "blocks.1", 2)]


def test_blocks_that_read_other_places_are_not_folded():
    class Dense(Net):
        def forward(self, x):
            first = x = self.stem(x)
            for block in self.blocks:
                x = block.conv(x) + first
            return self.last(x)

    assert blocks_of(Dense(*(Block() for _ in range(3)))) == []


def test_parallel_branches_are_not_folded():
    class Parallel(Net):
        def forward(self, x):
            x = self.stem(x)
            return self.last(self.blocks[0](x) + self.blocks[1](x))

    assert blocks_of(Parallel(Block(), Block())) == []


def test_stages_of_blocks():
    facts = facts_of(Net(*(nn.Sequential(Block(), Block(), Block(kernel=5)) for _ in range(2))))
    folded = fold(facts)
    assert sorted(name for unit in folded.units for names in unit.repetitions for name in names) == sorted(facts.nodes)
    assert [(block.first, block.last, block.count, block.units) for block in folded.blocks] == [
        ("blocks.0", "blocks.1", 2, (2, 3, 4, 5)),
        ("blocks.0.0", "blocks.0.1", 2, (2, 3)),
    ]
    assert [repetition[0] for repetition in folded.units[3].repetitions] == [
        "blocks.0.0/add", "blocks.0.1/add", "blocks.1.0/add", "blocks.1.1/add",
    ]  # fmt: skip


def test_a_layer_that_is_called_again_and_again():
    class Loop(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            for _ in range(4):
                x = self.conv(x)
            return x

    (unit,) = fold(facts_of(Loop())).units[1:]
    assert unit.repetitions == (("conv",), ("conv:2",), ("conv:3",), ("conv:4",))


def test_calls_of_different_blocks_are_not_taken_for_one_another():
    """The last layer of a block and the first of the next are equal neighbours, but no blocks."""

    def block():
        return nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1))

    facts = facts_of(nn.Sequential(nn.Conv2d(3, 4, 1), block(), block(), nn.Conv2d(4, 4, 5)))
    assert [(b.first, b.last, b.units) for b in fold(facts).blocks] == [("1", "2", (2, 3, 4))]


RESNETS = {
    "resnet18": [("layer1.0", "layer1.1", 2)],
    "resnet50": [
        ("layer4.1", "layer4.2", 2),
        ("layer3.1", "layer3.5", 5),
        ("layer2.1", "layer2.3", 3),
        ("layer1.1", "layer1.2", 2),
    ],
    "vit_b_32": [("encoder.layers.encoder_layer_0", "encoder.layers.encoder_layer_11", 12)],
}


@pytest.mark.parametrize("name", RESNETS)
def test_networks_of_the_zoo(name):
    assert blocks_of(torchvision_model(name), 224) == RESNETS[name]


@pytest.mark.parametrize(
    "name", ["densenet121", "googlenet", "mobilenet_v3_large", "swin_t", "shufflenet_v2_x0_5", "efficientnet_b0"]
)
def test_nothing_is_lost(name):
    blocks_of(torchvision_model(name), 224)


def test_a_long_chain_is_folded_fast_enough_to_be_drawn():
    facts = facts_of(nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(1000))), 5000)
    assert len(fold(facts).units) == 2

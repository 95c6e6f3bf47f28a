from __future__ import annotations

import pytest
from torch import nn

from rfcheck.report.folding import fold
from rfcheck.report.graph_labels import LOOKS, block_label, box_lines, legend, look_of, tags, title
from tests.report.block_networks import Block, Gated, Net, facts_of
from tests.zoo import torchvision_model


def lines(model: nn.Module, size, name: str) -> tuple[str, str, str]:
    facts = facts_of(model, size)
    (unit,) = [unit for unit in fold(facts).units if unit.name == name]
    return box_lines(facts, unit)


@pytest.mark.parametrize(
    ("layer", "size", "text"),
    [
        (nn.Conv2d(3, 8, 3), 9, ("0", "3x3 conv2d 3→8", "out 7x7 · r_min 3 · r_max 3")),
        (nn.Conv2d(3, 6, (3, 5), stride=2, groups=3), 9, ("0", "3x5/2 conv2d 3→6 g3", "out 4x3 · r_min 3x5 · r_max 3x5")),
        (nn.Conv2d(3, 3, 3, dilation=(1, 2)), 9, ("0", "3x3 d1x2 conv2d 3→3", "out 7x5 · r_min 3x5 · r_max 3x5")),
        (nn.Conv1d(3, 3, 3, stride=2), 9, ("0", "3/2 conv1d 3→3", "out 4 · r_min 3 · r_max 3")),
        (nn.ConvTranspose2d(3, 2, 2, stride=2), 8, ("0", "2x2/2 transposed conv2d 3→2", "out 16x16 · r_min 1 · r_max 1")),
        (nn.MaxPool2d(2), 8, ("0", "2x2/2 max_pool2d", "out 4x4 · r_min 2 · r_max 2")),
        (nn.AdaptiveAvgPool2d(1), 8, ("0", "mean", "out 3x1x1 · r_min inf · r_max inf")),
        (nn.Sequential(nn.Flatten(), nn.Linear(12, 5)), 2, ("0.1", "linear 12→5", "out 5 · r_min inf · r_max inf")),
    ],
)
def test_what_a_box_says(layer, size, text):
    assert lines(nn.Sequential(layer), size, text[0]) == text


def test_the_image():
    assert lines(nn.Sequential(nn.Conv2d(3, 3, 1)), 8, "input") == ("input", "3 channels", "out 8x8 · r_min 1 · r_max 1")


def test_operators_in_a_box_and_repetitions():
    assert lines(Net(Block(), Block(), Block()), 64, "blocks.0.conv") == (
        "blocks.0.conv … 2.conv",
        "3x3 conv2d 4→4, relu",
        "out 64x64 · r_min 5 · r_max 5…9",
    )


def test_long_texts_are_shortened():
    model = nn.Sequential()
    model.add_module("a_name_that_is_longer_than_every_box_can_be_wide", nn.Conv2d(1000, 1000, 3))
    for name in ("first", "second", "third"):
        model.add_module(name, nn.BatchNorm2d(1000))
    facts = facts_of(model, (1000, 8, 8))
    name, operators, _ = box_lines(facts, fold(facts).units[1])
    assert (name, operators) == (
        "a_name_that_is_longer…_every_box_can_be_wide",
        "3x3 conv2d 1000→1000, batch_norm, batch_nor…",
    )
    assert len(name) <= 44
    assert len(operators) == 44


def test_how_often_and_which_border():
    facts = facts_of(Net(Block(), Block()), 2)
    assert [tags(facts, unit) for unit in fold(facts).units] == ["", "", "×2 b_min b_max", "×2", ""]


def test_the_name_of_a_repeated_block():
    facts = facts_of(torchvision_model("vit_b_32"), 224)
    (block,) = fold(facts).blocks
    assert block_label(facts, block) == "encoder.layers.encoder_layer_0 … encoder_layer_11: 12 × EncoderBlock"


def test_the_title():
    assert title(facts_of(torchvision_model("resnet18"), 32)) == "ResNet at 3x32x32, b_min layer3.0.conv2, b_max layer1.1.conv2"
    assert title(facts_of(nn.Conv2d(3, 3, 3), (3, 8, 9))) == "Conv2d at 3x8x9, no border layer"


def test_a_border_layer_of_a_long_name_does_not_widen_the_title():
    layer = f"{'a' * 40}{'b' * 40}"
    model = nn.Sequential(nn.Conv2d(3, 3, 9))
    model.add_module(layer, nn.Conv2d(3, 3, 3, padding=1))
    shown = f"{'a' * 21}…{'b' * 22}"
    assert title(facts_of(model, 9)) == "Sequential at 3x9x9, no border layer"
    model.add_module(f"{layer}2", nn.Conv2d(3, 3, 3, padding=1))
    assert title(facts_of(model, 9)).endswith(f"b_min {shown[:-1]}2, b_max {shown[:-1]}2")


def test_every_state_and_role_has_its_look():
    facts = facts_of(torchvision_model("resnet18"), 32)
    folded = fold(facts)
    looks = {unit.name: look_of(facts, unit) for unit in folded.units}
    wanted = {
        "input": "",
        "conv1": "productive",
        "layer2.1.conv2": "unproductive",
        "layer3.0.conv2": "tail",
        "layer3.0/add": "tail",
        "maxpool": "",
        "fc": "head",
    }
    assert {name: looks[name] for name in wanted} == {name: LOOKS[state] for name, state in wanted.items()}
    assert legend(facts, folded) == [LOOKS[state] for state in ("productive", "unproductive", "tail", "head", "")]


def test_gates_and_unknown_layers_have_their_looks():
    facts = facts_of(nn.Sequential(nn.Conv2d(3, 4, 3), Gated()), 8)
    assert {unit.name: look_of(facts, unit) for unit in fold(facts).units}["1.fc"] == LOOKS["gate"]
    facts.nodes["0"]["state"] = "unknown"
    assert look_of(facts, fold(facts).units[1]) == LOOKS["unknown"]


def test_looks_stay_apart():
    assert (
        len({(look.fill, look.line, look.dashed) for look in LOOKS.values()}) == len({look.meaning for look in LOOKS.values()}) == 7
    )

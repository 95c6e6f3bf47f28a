"""Every example model, with the findings that its file promises."""

from __future__ import annotations

import pytest

from rfcheck.api import analyze_named
from rfcheck.config import Settings
from rfcheck.target.load import load_targets
from tests.conftest import EXAMPLES

DEAD_7X7 = [f"stage4.{block}.path7x7.{conv}.0" for block in range(4) for conv in range(2)]
PADDED_7X7 = [f"stage3.{block}.path7x7.{conv}.0" for block in range(4) for conv in range(2)][1:]

EXPECTED = {
    ("resnet18_cifar.py", 32): {
        "RF101": ["layer3.0.conv2"],
        "RF102": ["layer2.1.conv2"],
        "RF103": ["layer1.1.conv2"],
        "RF201": ["conv1"],
        "RF301": ["layer4.0.conv1", "layer4.0.conv2", "layer4.1.conv1", "layer4.1.conv2"],
        "RF302": ["layer3.0.conv2", "layer3.1.conv1", "layer3.1.conv2"],
    },
    ("resnet18_cifar.py", 224): {"RF103": ["layer4.0.conv2"]},
    ("resnet18_cifar_stemless.py", 32): {"RF103": ["layer3.1.conv1"]},
    ("vgg16.py", 32): {"RF101": ["features.17"], "RF201": ["features.4"], "RF302": ["features.24", "features.26", "features.28"]},
    ("vgg16.py", 224): {"RF104": [None]},
    ("mpnet18.py", 32): {
        "RF101": ["stage2.1.path3x3.1.0"],
        "RF103": ["stage1.1.path7x7.1.0"],
        "RF301": DEAD_7X7[:4],
        "RF302": [*PADDED_7X7[:3], "stage4.0.path3x3.1.0", "stage4.1.path3x3.0.0", "stage4.1.path3x3.1.0"],
    },
    ("mpnet36.py", 32): {
        "RF101": ["stage2.2.path7x7.1.0"],
        "RF102": ["stage2.1.path7x7.1.0"],
        "RF103": ["stage1.1.path7x7.1.0"],
        "RF301": DEAD_7X7,
        "RF302": [*PADDED_7X7, *(f"stage4.{block}.path3x3.0.0" for block in range(1, 4))],
        "RF601": [None],
    },
    ("unet.py", 64): {"RF102": ["up3.up"], "RF103": ["up3.up"]},
    ("audio_net.py", (1, 8000)): {"RF104": [None]},
    ("se_net.py", 32): {"RF103": ["stage2.2.conv2"]},
}


@pytest.mark.parametrize(("name", "size"), EXPECTED, ids=str)
def test_findings(name, size):
    (target,) = load_targets(str(EXAMPLES / name))
    model, on_meta = target.build()
    assert on_meta
    analysis = analyze_named(model, size, Settings(), name)
    assert analysis.assumptions == ()
    found: dict[str, list[str | None]] = {}
    for finding in analysis.findings:
        found.setdefault(finding.code, []).append(finding.layer)
    assert found == EXPECTED[name, size]


def test_every_example_has_its_expectation():
    assert {path.name for path in EXAMPLES.glob("*.py")} == {name for name, _ in EXPECTED}

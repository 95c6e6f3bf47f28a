"""Every example model, with the findings that its file promises."""

from __future__ import annotations

import pytest

from rfcheck.api import analyze_named
from rfcheck.config import Settings
from rfcheck.target.load import load_targets
from tests.conftest import EXAMPLES

EXPECTED = {
    ("resnet18_cifar.py", 32): {"RF101": ["layer3.0.conv2"], "RF102": ["layer2.1.conv2"], "RF103": ["layer1.1.conv2"],
                                "RF301": ["layer4.0.conv1", "layer4.0.conv2", "layer4.1.conv1", "layer4.1.conv2"]},
    ("resnet18_cifar.py", 224): {},
    ("resnet18_cifar_stemless.py", 32): {},
    ("vgg16.py", 32): {"RF101": ["features.17"]},
    ("vgg16.py", 224): {"RF104": [None]},
    ("mpnet18.py", 32): {},
    ("mpnet36.py", 32): {},
    ("unet.py", 64): {},
    ("audio_net.py", (1, 8000)): {},
    ("se_net.py", 32): {},
}  # fmt: skip


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

"""Building blocks whose defaults make them, and models for other images."""

from __future__ import annotations

import pytest

GATE = """
class SE(nn.Module):
    def __init__(self, channels=64):
        super().__init__()
        self.fc = nn.Linear(channels, channels)
    def forward(self, x):
        return x * self.fc(x.mean((2, 3)))[:, :, None, None]
"""
ONLY = "class {name}(nn.Sequential):\n    def __init__(self, in_channels={width}):\n        super().__init__(nn.Conv2d(in_channels, 8, 3))\n"


@pytest.mark.parametrize("code", [GATE, ONLY.format(name="ConvBNAct", width=64), ONLY.format(name="CBAM", width=64)])
def test_blocks_are_passed_over_and_named(run, model_file, code):
    path = model_file(code)
    name = code.partition("class ")[2].partition("(")[0]
    result, out, err = run(path, "--resolution", "8")
    assert (result, out) == (3, "")
    assert err.endswith(f"; {name} is a building block: name one to analyse it, as in '{path}:{name}' with --channels 64\n")
    assert run(path, "--resolution", "8", "--skip-empty")[0] == 0
    assert run(f"{path}:{name}", "--resolution", "8", "--channels", "64", "--exit-zero")[0] == 0


@pytest.mark.parametrize(("name", "width"), [("SpectralNet", 64), ("Segmenter", 12)])
def test_models_for_other_images_are_none(run, model_file, name, width):
    code, _, err = run(model_file(ONLY.format(name=name, width=width)), "--resolution", "8")
    assert (code, f"pass --channels {width}" in err) == (2, True)


def test_a_class_that_a_function_knows_how_to_build(run, model_file):
    code = (
        ONLY.format(name="Net", width="").replace("=)", ")").replace("in_channels", "channels").replace("nn.Conv2d(", "nn.Conv2d(*")
    )
    path = model_file(code.replace("channels, 8, 3", "channels") + "def net8():\n    return Net([3, 8, 3])\n")
    assert run(path, "--resolution", "8", "--exit-zero")[::2] == (0, "")

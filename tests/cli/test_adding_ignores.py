"""``--add-ignore`` on real files."""

from __future__ import annotations

import stat
from pathlib import Path

MODEL = """

class Chain(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(*[self.layer() for _ in range(7)])  # seven of them

    def layer(self):
        return nn.Conv2d(
            3, 3, 3,
            padding=1,
        )

    def forward(self, x):
        return self.layers(x)
"""


def test_findings_are_silenced_where_they_point(run, model_file):
    path = Path(model_file(MODEL))
    path.chmod(0o755)
    before = path.read_text()
    assert run("model.py", "--resolution", "8", "--output", "concise", "--add-ignore") == (
        0,
        "No findings in 1 model, 1 suppressed.\n",
        "silenced 1 finding in 1 file\n",
    )
    assert path.read_text() == before.replace("nn.Conv2d(\n", "nn.Conv2d(  # rfcheck: ignore[RF101]\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert run("model.py", "--resolution", "8", "--output", "concise", "--add-ignore")[2] == "silenced 0 findings in 0 files\n"


def test_what_cannot_be_silenced_is_said(run, model_file):
    model_file("")
    code, out, err = run("torchvision:vgg16", "--resolution", "32", "--select", "RF101", "--output", "concise", "--add-ignore")
    assert code == 1
    assert "RF101" in out
    assert err == "silenced 0 findings in 0 files\nnot silenced: 1 finding of RF101: where its code stands is not known\n"

"""Edits that would change what else is linted of the same file."""

from __future__ import annotations

from pathlib import Path

import pytest

from rfcheck.cli.requests import Request
from rfcheck.cli.source_elsewhere import of_the_same_file, require_unchanged
from rfcheck.cli.source_examining import SourceTarget
from rfcheck.config import Settings
from rfcheck.errors import FixError
from rfcheck.target.load import load_targets

CODE = """

class Net(nn.Sequential):
    def __init__(self, stride=2):
        super().__init__(
            nn.Conv2d(3, 8, 2, stride=stride),
            nn.Conv2d(8, 8, 2, stride=2),
            nn.Conv2d(8, 8, 3, padding=1),
        )


def build(stride: int) -> nn.Module:
    return Net(stride)
"""
LAST = "nn.Conv2d(8, 8, 3, padding=1)"
CROPPED = "nn.Conv2d(8, 8, 1)"
CONFIGURATION = """
[[models]]
target = "model.py:Net"
resolution = 4
[[models]]
target = "{target}"
name = "other"
resolution = {resolution}
"""
OPTIONS = ("--select", "RF301", "--output", "concise")


def request(target: str, size: int | tuple[int, ...] = 4) -> Request:
    return Request(target, None, size, Settings(), "warning", None, Path(), None, is_whole=False)


def test_targets_of_the_same_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.py").symlink_to("model.py")
    one, linked, built = request("model.py"), request("link.py:Net", 8), request("./model.py:build(1)", (3, 8, 8))
    requests = [one, linked, request("other.py"), request("torchvision:vgg11"), built]
    found = of_the_same_file(one, requests)
    assert [(other.text, other.file, other.size) for other in found] == [
        ("link.py:Net", Path("link.py"), 8),
        ("./model.py:build(1)", Path("model.py"), (3, 8, 8)),
    ]
    assert of_the_same_file(requests[3], requests) == []


@pytest.mark.parametrize(
    ("target", "size", "unsafe", "reason"),
    [
        ("model.py", 4, False, None),
        ("model.py:Net", (3, 4, 4), False, None),
        ("model.py:build(2)", 4, False, None),
        ("model.py:Net", 8, False, "it would change what model.py:Net computes at 3x8x8; --unsafe-fixes allows it"),
        ("model.py:Net", (3, 4, 8), False, "it would change what model.py:Net computes at 3x4x8; --unsafe-fixes allows it"),
        ("model.py:Net", 8, True, None),
        ("model.py:build(1)", 4, False, "the edit would change model.py:build(1) too"),
        ("model.py:build(1)", 4, True, "the edit would change model.py:build(1) too"),
        ("model.py:build(1, 2)", 4, False, None),  # cannot be built, before and after
    ],
)
def test_what_an_edit_changes(model_file, target, size, unsafe, reason):
    path = Path(model_file(CODE))
    before = path.read_bytes()
    after = before.replace(LAST.encode(), CROPPED.encode())
    assert after != before
    structure = repr(load_targets("model.py:Net")[0].build()[0])
    others = [SourceTarget(target, path, size, Settings())]
    if reason is None:
        require_unchanged(others, before, after, structure, (1, 3, 4, 4), unsafe=unsafe)
    else:
        with pytest.raises(FixError) as caught:
            require_unchanged(others, before, after, structure, (1, 3, 4, 4), unsafe=unsafe)
        assert str(caught.value) == reason
    require_unchanged(others, before, before + b"# more\n", structure, (1, 3, 4, 4), unsafe=unsafe)


def test_an_edit_that_breaks_another_target_changes_it(model_file):
    path = Path(model_file(CODE))
    before = path.read_bytes()
    others = [SourceTarget("model.py:build(1)", path, 4, Settings())]
    with pytest.raises(FixError, match=r"^the edit would change model.py:build\(1\) too$"):
        require_unchanged(others, before, before.replace(b"Net(stride)", b"1 / 0"), "", (1, 3, 4, 4), unsafe=True)


@pytest.mark.parametrize(
    ("target", "resolution", "made"),
    [
        ("model.py:Net", 4, True),
        ("model.py:Net", 8, False),
        ("model.py:build(2)", 8, False),
        ("model.py:build(1)", 4, False),
    ],
)
def test_configured_models_of_one_file(run, model_file, target, resolution, made):
    path = Path(model_file(CODE))
    before = path.read_text()
    Path("rfcheck.toml").write_text(CONFIGURATION.format(target=target, resolution=resolution))
    _, _, err = run("--fix", *OPTIONS)
    assert ("model.py:Net: made crop-kernels in line" in err) == made
    assert path.read_text() == (before.replace(LAST, "nn.Conv2d(8, 8, 1, padding=0)") if made else before)

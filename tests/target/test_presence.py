from __future__ import annotations

import subprocess
import sys

import pytest

from rfcheck.errors import TargetError
from rfcheck.target.presence import require_there
from rfcheck.target.spec import parse_target


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text("")
    (tmp_path / "net.onnx").write_bytes(b"")
    (tmp_path / "package").mkdir()
    (tmp_path / "gone.onnx").symlink_to("away.onnx")
    return tmp_path


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nosuch.py", "nosuch.py: no such file; there is model.py"),
        ("modle.py", "modle.py: no such file; did you mean model.py?"),
        ("nosuch.py:Net", "nosuch.py: no such file; there is model.py"),
        ("nowhere/nosuch.py", "nowhere/nosuch.py: no such file"),
        ("nosuch.onnx", "nosuch.onnx: no such file; there is net.onnx"),
        ("gone.onnx", "gone.onnx: no such file behind this link to away.onnx; there is net.onnx"),
        ("nosuch.pt2", "nosuch.pt2: no such file"),
        ("nosuch_module.part:Net", "nosuch_module.part: no such module in this environment or folder"),
    ],
)
def test_what_is_not_there(folder, target, message):
    with pytest.raises(TargetError) as error:
        require_there(parse_target(target))
    assert str(error.value) == message


@pytest.mark.parametrize(
    "target", ["model.py", "model.py:Net", "net.onnx", "package.part:Net", "json:loads", "torchvision:resnet18"]
)
def test_what_is_there(folder, target):
    require_there(parse_target(target))


@pytest.mark.parametrize("target", ["nosuch.py", "nosuch.py:Net", "nosuch.onnx", "nosuch_module:Net"])
@pytest.mark.parametrize("verb", ["check", "fix", "graph", "verify", "sweep"])
def test_it_is_said_before_torch_is_imported(folder, verb, target):
    size = ["--resolutions", "16,32"] if verb == "sweep" else ["--resolution", "32"]
    program = (
        "import sys\nfrom rfcheck.cli import main\n"
        f"sys.argv = ['rfcheck', *{[verb, target, *size]!r}]\n"
        "try:\n    main()\nfinally:\n    assert 'torch' not in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stderr.startswith(f"error: {target.removesuffix(':Net')}: no such ")
    assert "Traceback" not in run.stderr

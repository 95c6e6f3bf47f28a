from __future__ import annotations

import subprocess
import sys

import pytest
import torchvision

from rfcheck.cli import cli
from tests.cli.completing import candidates, values

VERBS = sorted(cli.commands)


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    for name in ("net.py", "net.pt2", "net.onnx", "net.pt", "notes.txt", "models/a.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)


def test_files_of_models_folders_and_catalogues():
    assert values("check", "") == ["models/", "net.onnx", "net.pt2", "net.py", "torchvision:", "timm:"]
    assert values("check", "ne") == ["net.onnx", "net.pt2", "net.py"]
    assert values("check", "models/") == ["models/a.py"]
    assert candidates("check", "tor") == [("torchvision:", "catalogue")]


def test_every_further_target_of_check():
    assert values("net.py", "net.p") == ["net.pt2", "net.py"]
    assert values("net.py", "--resolution", "32", "net.o") == ["net.onnx"]


@pytest.mark.parametrize("before", [["fix"], ["graph"], ["sweep"], ["config"], ["compare"], ["compare", "net.py"]])
def test_targets_of_other_verbs(before):
    assert values(*before, "net.p") == ["net.pt2", "net.py"]


def test_without_a_verb_verbs_come_first():
    found = candidates("")
    assert [value for value, _ in found] == [*VERBS, *values("check", "")]
    assert found[0] == ("check", "Report what cannot help at a resolution (the default).")
    assert values("c") == ["check", "clean", "compare", "completions", "config"]
    assert values("n") == ["net.onnx", "net.pt2", "net.py"]


def test_options_without_a_verb_are_those_of_check():
    found = values("--")
    assert {"--version", "--help", "--resolution", "--watch"} <= set(found)
    assert sorted(found) == sorted({*values("check", "--"), "--version"})
    assert len(found) == len(set(found))
    assert values("--output-f") == ["--output-format", "--output-file"]
    assert values("--fail-on", "w") == ["warning"]
    assert values("net.py", "--resolution", "32", "--wa") == ["--watch"]


def test_models_of_a_catalogue():
    assert values("torchvision:resnet1") == ["torchvision:resnet101", "torchvision:resnet152", "torchvision:resnet18"]
    assert values("check", "torchvision:") == [f"torchvision:{name}" for name in sorted(torchvision.models.list_models())]
    assert values("elsewhere:") == []


def test_a_catalogue_that_is_not_installed_is_not_offered(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    assert values("check", "t") == ["torchvision:"]
    assert values("check", "timm:resnet") == []


def test_what_a_file_defines(tmp_path):
    (tmp_path / "net.py").write_text(
        "import os\nraise SystemExit('run')\n"
        "class Net: pass\nclass _Part: pass\ndef build(): pass\nasync def fetch(): pass\n"
        "model = Net()\nsecond = third = build()\nsize = 3\nother: Net = Net()\nif True:\n    def inner(): pass\n"
    )
    assert candidates("net.py:") == [
        ("net.py:Net", "class"),
        ("net.py:build", "function"),
        ("net.py:model", "value"),
        ("net.py:second", "value"),
        ("net.py:third", "value"),
    ]
    assert values("fix", "net.py:b") == ["net.py:build"]


@pytest.mark.parametrize("text", ["def broken(:\n", "x = '\0'\n", "(" * 10000])
def test_a_file_that_is_not_python_defines_nothing(tmp_path, text):
    (tmp_path / "net.py").write_text(text)
    assert values("net.py:") == []
    assert values("gone.py:") == []
    assert values("notes.txt:") == []


def test_configured_models(tmp_path):
    (tmp_path / "rfcheck.toml").write_text(
        '[[models]]\nname = "small"\ntarget = "net.py:Net"\n\n[[models]]\ntarget = "models/a.py"\n\n[[models]]\nname = "net2"\ntarget = "x.py"\n'
    )
    assert candidates("fix", "s") == [("small", "configured: net.py:Net")]
    assert values("ne") == ["net.onnx", "net.pt2", "net.py", "net2"]


def test_a_broken_configuration_takes_nothing_else_away(tmp_path):
    (tmp_path / "rfcheck.toml").write_text("[[models]\n")
    assert values("fix", "net.py") == ["net.py"]


def test_no_import_of_what_targets_are_made_of(tmp_path):
    code = (
        "import sys; from tests.cli.completing import values\n"
        "assert values('check', 'timm:resnet50') and values('check', 'net.py:') == ['net.py:Net']\n"
        "print({'torch', 'torchvision', 'timm'} & set(sys.modules))"
    )
    (tmp_path / "net.py").write_text("import torch\nclass Net(torch.nn.Module): pass\n")
    environment = {"PYTHONPATH": ":".join([*sys.path, str(__file__).rpartition("/tests/")[0]])}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (result.stdout, result.stderr) == ("set()\n", "")

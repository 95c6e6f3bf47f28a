from __future__ import annotations

import json

import pytest

from rfcheck.configuration.schema import schema_text
from tests.test_import_weight import imported

DEFAULTS = """
setting       value                    from
──────────────────────────────────────────────
resolution    not set                  default
channels      3                        default
classes       from the model's output  default
select        all                      default
ignore        none                     default
fail-on       warning                  default
projection    downsampling             default
gates         ignore                   default
flops-by      torch                    default
baseline      none                     default
rule-folders  none                     default
"""
WITH_MODELS = """
setting       value                    from
───────────────────────────────────────────────────
resolution    32                       rfcheck.toml
channels      3                        default
classes       from the model's output  default
select        all                      default
ignore        none                     default
fail-on       warning                  default
projection    downsampling             default
gates         ignore                   default
flops-by      torch                    default
baseline      none                     default
rule-folders  none                     default

name  target          own settings
───────────────────────────────────
tiny  model.py:Net    resolution 64
      model.py:Other
"""
TWO = """
resolution = 32
[[models]]
target = "model.py:Net"
name = "tiny"
resolution = 64
[[models]]
target = "model.py:Other"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder with a model's file, and the function that writes its rfcheck.toml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    (tmp_path / "model.py").write_text("raise SystemError('nobody runs this')\n")

    def write(text):
        (tmp_path / "rfcheck.toml").write_text(text)
        return tmp_path

    return write


def stripped(text):
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def test_without_a_file(run, folder, tmp_path):
    code, out, err = run("config")
    first = f"No rfcheck.toml and no pyproject.toml with [tool.rfcheck] in {tmp_path} or above; these are the defaults.\n"
    assert (code, stripped(out), err) == (0, first + DEFAULTS, "")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "m.py").write_text("")
    assert run("config", "sub/m.py")[1].startswith(first.replace(f"{tmp_path}", f"{tmp_path}/sub"))


def test_an_empty_file(run, folder):
    path = folder("")
    code, out, err = run("config")
    assert (code, stripped(out), err) == (0, f"{path}/rfcheck.toml\n{DEFAULTS}", "")


def test_a_file_with_models(run, folder):
    path = folder(TWO)
    code, out, err = run("config")
    assert (code, stripped(out), err) == (0, f"{path}/rfcheck.toml\n{WITH_MODELS}", "")


@pytest.mark.parametrize(
    ("target", "titles", "resolutions"),
    [
        ("tiny", ["tiny (model.py:Net)"], ["64"]),
        ("model.py:Other", ["model.py:Other"], ["32"]),
        ("model.py", ["tiny (model.py:Net)", "model.py:Other"], ["64", "32"]),
        ("torchvision:resnet18", [], ["32"]),
    ],
)
def test_targets(run, folder, target, titles, resolutions):
    folder(TWO)
    code, out, err = run("config", target)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert [lines[i - 1] for i, line in enumerate(lines) if line.startswith("setting") and lines[i - 1]] == titles
    assert [line.split()[1] for line in lines if line.startswith("resolution")] == resolutions


def test_json(run, folder):
    path = folder(TWO)
    documents = [json.loads(run("config", *target, "--format", "json")[1]) for target in ((), ("tiny",), ("torchvision:vgg16",))]
    assert [[model["name"] for model in document["models"]] for document in documents] == [["tiny", "model.py:Other"], ["tiny"], []]
    assert {document["file"] for document in documents} == {f"{path}/rfcheck.toml"}
    assert documents[0]["models"][0]["settings"]["resolution"] == {"value": 64, "from": "rfcheck.toml models entry 'tiny'"}


def test_the_schema(run):
    assert run("config", "--schema") == (0, schema_text(), "")


def test_settings_beside_that_do_not_count_are_named(run, folder):
    path = folder("")
    (path / "pyproject.toml").write_text("[tool.rfcheck]\nchannels = 1\n")
    assert run("config")[1].startswith(f"{path}/rfcheck.toml\n[tool.rfcheck] in the pyproject.toml beside it does not count.\n\n")
    (path / "rfcheck.toml").unlink()
    assert run("config")[1].startswith(f"{path}/pyproject.toml [tool.rfcheck]\n\n")


@pytest.mark.parametrize(
    ("target", "text", "message"),
    [
        ((), "chanels = 1", "rfcheck.toml:1: unknown key 'chanels'; did you mean channels?"),
        ((), "rules.RF101.zzz = 1", "rfcheck.toml:1: [rules.RF101] RF101 has no limit 'zzz'; it has min_layers"),
        (("none.py",), "", "none.py: no such file"),
        (("none.py:Net",), "", "none.py: no such file"),
        (
            ("tinny",),
            TWO,
            "tinny: not a target; give a file model.py, model.py:name, package.module:name or torchvision:name; "
            "did you mean the configured model 'tiny'?",
        ),
        (("zzz",), TWO, "zzz: not a target; give a file model.py, model.py:name, package.module:name or torchvision:name"),
    ],
)
def test_what_is_wrong_is_said(run, folder, target, text, message):
    folder(text)
    assert run("config", *target) == (2, "", f"error: {message}\n")


@pytest.mark.parametrize("arguments", ["'config'", "'config', '--schema'", "'config', 'torchvision:resnet18', '--format', 'json'"])
def test_no_torch(arguments):
    assert imported(f"from rfcheck.cli import main; main([{arguments}])") == []

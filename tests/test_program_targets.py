"""Exported programs and ONNX files on the command line: the same reports as for the model that they were made from."""

from __future__ import annotations

import json
import sys

import pytest
from torchvision import models

from rfcheck.errors import TargetError
from rfcheck.target.load import load_targets
from rfcheck.target.spec import TargetSpec, parse_target
from tests.target.programs import Gated, as_onnx, exported


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A model in three forms in the current folder, one under a name that is not ASCII."""
    monkeypatch.chdir(tmp_path)
    model = models.resnet18(weights=None).eval()
    exported(model, tmp_path / "modèle.pt2")
    as_onnx(model, tmp_path / "model.onnx", dynamic=True)
    return "torchvision:resnet18", "modèle.pt2", "model.onnx"


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("model.pt2", TargetSpec("model.pt2", "pt2", "model.pt2", None)),
        ("a b/Modèle.PT2", TargetSpec("a b/Modèle.PT2", "pt2", "a b/Modèle.PT2", None)),
        ("C:\\nets\\model.onnx", TargetSpec("C:\\nets\\model.onnx", "onnx", "C:\\nets\\model.onnx", None)),
        ("pkg.nets:small.pt", TargetSpec("pkg.nets:small.pt", "module", "pkg.nets", "small.pt")),
        ("onnx.py:pt2", TargetSpec("onnx.py:pt2", "file", "onnx.py", "pt2")),
    ],
)
def test_forms(text, spec):
    assert parse_target(text) == spec


def test_a_part_of_a_program_has_no_name():
    for text in ("model.pt2:Net", "model.onnx:build(1)", "model.onnx:"):
        with pytest.raises(TargetError) as caught:
            parse_target(text)
        file = text.partition(":")[0]
        assert str(caught.value) == f"{text}: {file} holds one model, which has no name; leave out what is behind the colon"


@pytest.mark.parametrize("name", ["model.pt", "weights.pth", "a/last.ckpt", "model.safetensors", "X.PT"])
def test_files_of_weights(name):
    with pytest.raises(TargetError) as caught:
        parse_target(name)
    assert str(caught.value) == (
        f"{name}: holds weights, or pickled objects that would run code when they are read; give the .py file that builds the model, "
        "a program that torch.export.save wrote (.pt2) or an ONNX file (.onnx)"
    )


def test_the_target(files):
    for name in files[1:]:
        (target,) = load_targets(name)
        assert (target.label, target.path, target.line) == (name, name, None)
        model, on_meta = target.build()
        assert on_meta
        assert target.build_with_data() is model


def test_reports_are_alike(files, run):
    """The summaries and findings of all three, which differ in their names and places."""
    layers = {}
    for name in files:
        code, out, err = run(name, "--resolution", "32", "--output-format", "json")
        assert (code, err) == (1, "")
        (result,) = json.loads(out)["results"]
        assert result["target"] == name
        layers[name] = [
            (layer["name"], layer["r_min"], layer["r_max"], layer["productive"], layer["in_tail"]) for layer in result["layers"]
        ]
    assert layers[files[0]] == layers[files[1]] == layers[files[2]]


def test_sweep(files, run):
    tables = []
    for name in files[:2]:
        code, out, err = run("sweep", name, "--resolutions", "32,64", "--output-format", "json")
        assert (code, err) == (0, "")
        (sweep,) = json.loads(out)["sweeps"]
        tables.append({key: value for key, value in sweep.items() if key not in ("target", "path", "line", "model")})
    assert tables[0] == tables[1]
    assert len(tables[0]["points"]) == 2


def test_compare(files, run):
    code, out, err = run("compare", files[0], files[1], "--resolution", "32")
    assert (code, err) == (0, "")
    assert out == f"{files[0]} → {files[1]} at 3x32x32: nothing changed; 11 findings in both\n"


def test_explain(files, run):
    explained = []
    for name in files:
        code, out, err = run(name, "--resolution", "32", "--explain", "layer2.0.conv2", "--quiet")
        assert (code, err) == (1, "")
        explained.append(out[out.index("\nlayer2.0.conv2 at 32x32") :])
    assert explained[0] == explained[1] == explained[2]
    assert "path of r_max" in explained[0]


def test_errors(files, run):
    code, out, err = run("models.onnx", "--resolution", "32")
    assert (code, out, err) == (2, "", "error: models.onnx: no such file; there is model.onnx\n")


def test_no_code_of_an_author_is_imported(tmp_path, monkeypatch, run):
    """The model's own module is not there any more, and nothing asks for it."""
    monkeypatch.chdir(tmp_path)
    exported(Gated(), tmp_path / "gated.pt2")
    before = {name for name in sys.modules if name.startswith("_rfcheck_")}
    code, _, err = run("gated.pt2", "--resolution", "64", "--output-format", "concise", "--exit-zero")
    assert (code, err) == (0, "")
    assert {name for name in sys.modules if name.startswith("_rfcheck_")} == before

"""Whole outputs, files and exit codes of ``rfcheck fix``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from rfcheck import analyze
from rfcheck.target.load import load_targets
from tests.test_import_weight import imported

ROOT = Path(__file__).parent.parent.parent

NET = """
def conv(inputs, outputs, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.ReLU())


class Net(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.features = nn.Sequential(conv(3, 4, 2), conv(4, 4), conv(4, 8, 2), conv(8, 8), conv(8, 8))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, classes)

    def forward(self, x):
        return self.fc(torch.flatten(self.pool(self.features(x)), 1))
"""

# inputs see 1, 3, 7, 11 and 19 px
TABLE = """\
model.py:Net at 3x12x12
                   tail  unprod.   FLOPs  params   memory  r_max  from px
─────────────────────────────────────────────────────────────────────────
as it is              1        1  22.1 k  1.75 k  4.08 kB     27       19
truncate-before       0        0  16.9 k  1.17 k  3.50 kB     19       11
remove-stem           0        0   244 k  1.75 k  36.9 kB     11        9
move-downsampling     0        0  88.2 k  1.75 k  16.2 kB     15       11
  truncate-before: end after features.3 with global average pooling and a linear
    layer, 1 layer earlier
  remove-stem: keep the resolution in the stem: features.0.0 gets stride 1,
    features.2.0 gets stride 1
  move-downsampling: keep the resolution in features.0.0

  for efficiency: truncate-before (least FLOPs with no tail)
  for accuracy: move-downsampling (most productive layers (5))

  no crop-kernels: every outer tap of every kernel reads pixels
  no truncate: the first place after features.4.0 where one tensor carries
    everything is the end of the features
  no pool-head: the head is not tied to one resolution
"""

FOUR_PIXELS = """\
model.py:Net at 3x4x4
                 tail  unprod.   FLOPs  params   memory  r_max  from px
───────────────────────────────────────────────────────────────────────
as it is            3        3  2.47 k  1.75 k    492 B     27       19
crop-kernels        3        3  1.29 k     567    492 B      9        9
truncate            1        1  1.32 k     583    364 B     11        7
truncate-before     0        0  1.02 k     275    284 B      7        3
remove-stem         3        3  27.1 k  1.75 k  4.14 kB     11        9
  crop-kernels: crop kernels to the taps that read pixels: features.2.0 2x2,
    features.3.0 1x1, features.4.0 1x1 (same outputs)
"""


@pytest.fixture
def net(model_file):
    return model_file(NET)


def test_the_table(run, net):
    assert run("fix", net, "--resolution", "12") == (0, TABLE, "")


def test_a_fix_that_keeps_the_outputs_says_so(run, net):
    code, out, err = run("fix", net, "--resolution", "4")
    assert (code, err) == (0, "")
    assert out.startswith(FOUR_PIXELS)


def test_nothing_to_do(run, net):
    code, out, err = run("fix", net, "--resolution", "64")
    assert (code, err) == (0, "")
    assert out == (
        "model.py:Net at 3x64x64\n"
        "  for efficiency: none (no fix applies)\n"
        "  for accuracy: none (no fix applies)\n\n"
        "  no crop-kernels: every outer tap of every kernel reads pixels\n"
        "  no truncate: the network has no tail\n"
        "  no truncate-before: the network has no tail\n"
        "  no remove-stem: every layer is productive\n"
        "  no move-downsampling: the network has no tail\n"
        "  no pool-head: the head is not tied to one resolution\n"
    )


EFFICIENCY = "for efficiency: truncate-before (least FLOPs with no tail)"
ACCURACY = "for accuracy: move-downsampling (most productive layers (5))"
WITHIN = "for accuracy: move-downsampling (most productive layers (5) within --max-flops)"
NONE = "for accuracy: none (no fix within --max-flops makes more layers productive)"


@pytest.mark.parametrize(
    ("options", "recommended"),
    [
        (["--aim", "efficiency"], EFFICIENCY),
        (["--aim", "accuracy"], ACCURACY),
        (["--aim", "accuracy", "--max-flops", "90k"], WITHIN),
        (["--aim", "accuracy", "--max-flops", "88152"], WITHIN),
        (["--aim", "accuracy", "--max-flops", "88151"], NONE),
        (["--aim", "efficiency", "--max-flops", "0.001M"], "for efficiency: none (every fix is over --max-flops)"),
        (["--max-flops", "200M"], f"{EFFICIENCY} {WITHIN}"),
        (["--max-flops", "1.5G"], f"{EFFICIENCY} {WITHIN}"),
        (["--max-flops", "2e8"], f"{EFFICIENCY} {WITHIN}"),
    ],
)
def test_recommendations(run, net, options, recommended):
    code, out, err = run("fix", net, "--resolution", "12", *options)
    assert (code, err) == (0, "")
    assert out.splitlines()[:7] == TABLE.splitlines()[:7]
    said = out[out.index("  for ") : out.index("  no crop-kernels")]
    assert " ".join(said.split()) == recommended


@pytest.mark.parametrize("value", ["", "many", "200m", "200MB", "M", "-1", "0", "inf", "nan", "1e999"])
def test_budgets_that_are_none(run, net, value):
    message = f"error: --max-flops must be a number such as 2e8, 200M or 1.5G, got {value!r}\n"
    assert run("fix", net, "--resolution", "12", f"--max-flops={value}") == (2, "", message)


def test_several_models_in_a_file(run, model_file):
    path = model_file(NET + NET.replace("class Net", "class Other"))
    code, out, err = run("fix", path, "--resolution", "12")
    assert (code, err) == (0, "")
    assert out == TABLE + "\n" + TABLE.replace("model.py:Net", "model.py:Other")
    assert run("fix", path, "--resolution", "12", "--apply", "truncate-before") == (
        2, "", "error: model.py holds several models; fixes are carried out on one of them: model.py:Net, model.py:Other\n",
    )  # fmt: skip
    assert run("fix", f"{path}:Other", "--resolution", "12", "--apply", "truncate-before")[0] == 0


def test_a_head_that_is_not_recognised(run, model_file):
    path = model_file(
        "class Chain(nn.Sequential):\n    def __init__(self):\n        super().__init__(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(7)))\n"
    )
    code, out, _ = run("fix", path, "--resolution", "8")
    assert code == 0
    assert "truncate: the head is not recognised: the model returns one tensor (1x3x8x8), not classes;" in " ".join(out.split())
    code, out, err = run("fix", path, "--resolution", "8", "--apply", "truncate")
    assert (code, out) == (2, "")
    assert err == (
        "error: model.py:Chain: truncate does not apply: the head is not recognised: the model returns one tensor (1x3x8x8), "
        "not classes; its last operators are convolution, convolution, convolution, convolution\n"
    )


def test_json(run, net):
    code, out, err = run("fix", net, "--resolution", "12", "--format", "json", "--max-flops", "1M")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert report["version"] == 1
    (found,) = report["models"]
    assert found["target"] == "model.py:Net"
    assert [fix["name"] for fix in found["fixes"]] == ["truncate-before", "remove-stem", "move-downsampling"]
    assert found["recommended"] == {
        "efficiency": {"fix": "truncate-before", "reason": "least FLOPs with no tail"},
        "accuracy": {"fix": "move-downsampling", "reason": "most productive layers (5) within --max-flops"},
    }
    assert run("fix", net, "--resolution", "12", "--output-format", "json", "--max-flops", "1M") == (0, out, "")


APPLIED = """\
from collections import OrderedDict

from torch import nn

# truncate: end after features.3 with global average pooling and a linear layer, 1 layer earlier
model.features = model.features[:4]
model.fc = nn.Sequential(OrderedDict(linear=nn.Linear(8, 3)))
"""

THEN = """\

# remove-stem: keep the resolution in the stem: features.0.0 gets stride 1, features.2.0 gets stride 1
model.features[0][0].stride = (1, 1)
model.features[2][0].stride = (1, 1)
"""


def test_the_code_of_a_fix(run, net):
    assert run("fix", net, "--resolution", "8", "--apply", "truncate") == (0, APPLIED, "")


@pytest.mark.parametrize("names", ["truncate,remove-stem", " truncate , remove-stem,"])
def test_the_code_of_two_fixes_one_after_the_other(run, net, names):
    assert run("fix", net, "--resolution", "8", "--apply", names) == (0, APPLIED + THEN, "")


def test_the_code_as_json(run, net):
    code, out, err = run("fix", net, "--resolution", "8", "--apply", "truncate,remove-stem", "--format", "json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert report["code"] == APPLIED + THEN
    before, after = report["predicted"]["before"], report["predicted"]["after"]
    assert (before["tail_layers"], before["params"], after["tail_layers"], after["params"]) == (2, 1751, 0, 1167)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("trunctate", "model.py:Net: no fix 'trunctate'; did you mean truncate or truncate-before?"),
        (
            "xyz",
            "model.py:Net: no fix 'xyz'; fixes are crop-kernels, truncate, truncate-before, remove-stem, move-downsampling, pool-head",
        ),
        ("pool-head", "model.py:Net: pool-head does not apply: the head is not tied to one resolution"),
        ("truncate-before,truncate", "model.py:Net after truncate-before: truncate does not apply: the network has no tail"),
        ("", "--apply needs the name of a fix, such as --apply truncate"),
        (" , ", "--apply needs the name of a fix, such as --apply truncate"),
    ],
)
def test_fixes_that_cannot_be_carried_out(run, net, tmp_path, names, message):
    arguments = ["fix", net, "--resolution", "8", "--apply", names]
    assert run(*arguments) == (2, "", f"error: {message}\n")
    assert run(*arguments, "--output", "out.py") == (2, "", f"error: {message}\n")
    assert not list(tmp_path.glob("*out*"))


SUMMARY = "model.py:Net with truncate: tail 2 -> 1, unproductive 2 -> 1, FLOPs 9.82 k -> 7.51 k, parameters 1.75 k -> 1.17 k\n"

MODULE = '''\
"""model.py:Net, changed for inputs of 3x8x8: truncate."""

import sys
from collections import OrderedDict
from pathlib import Path

from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent / ".."))
'''


def in_another_process(code: str, folder: Path) -> str:
    """What a script prints that is run in a folder of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_python_file(run, net, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    assert run("fix", net, "--resolution", "8", "--apply", "truncate", "-o", "out/shorter.py") == (
        0,
        "out/shorter.py: " + SUMMARY,
        "",
    )
    assert (tmp_path / "out" / "shorter.py").read_text(encoding="utf-8").startswith(MODULE)
    path = tmp_path / "out" / "shorter.py"
    code = f"from rfcheck.cli import main; main(['{path}', '--resolution', '8', '--output-format', 'json', '--exit-zero'])"
    (result,) = json.loads(in_another_process(code, tmp_path / "elsewhere"))["results"]
    assert result["target"] == f"{path}:build_model"
    assert result["border_min"] == "features.3.0"
    assert result["tail"] == ["features.3.0"]
    assert result["cost"]["params"] == 1167


SEEDED = NET + "\ntorch.manual_seed(0)\nnetwork = Net().eval()\n"


@pytest.fixture
def original(model_file):
    """A file with a model whose weights are fixed, and that model."""
    path = f"{model_file(SEEDED)}:network"
    return path, load_targets(path)[0].build_with_data()


def test_an_exported_program(run, original, tmp_path):
    path, model = original
    code, out, err = run("fix", path, "--resolution", "4", "--apply", "crop-kernels", "-o", "same.pt2")
    assert (code, err) == (0, "")
    assert out == "same.pt2: model.py:network with crop-kernels: FLOPs 2.47 k -> 1.29 k, parameters 1.75 k -> 567\n"
    program = torch.export.load(tmp_path / "same.pt2").module()
    for images in (torch.rand(3, 3, 4, 4), torch.rand(1, 3, 4, 4)):
        with torch.no_grad():
            assert torch.allclose(program(images), model(images), atol=1e-6)
    assert sum(parameter.numel() for parameter in program.parameters()) == 567


def test_weights(run, original, tmp_path):
    path, model = original
    for name in ("same.pt", "same.py"):
        assert run("fix", path, "--resolution", "4", "--apply", "crop-kernels", "-o", name)[0] == 0
    weights = torch.load(tmp_path / "same.pt", weights_only=True)
    built = load_targets("same.py:build_model")[0].build_with_data()
    built.load_state_dict({name: torch.zeros_like(tensor) for name, tensor in weights.items()})
    built.load_state_dict(weights)
    images = torch.rand(3, 3, 4, 4)
    with torch.no_grad():
        assert torch.allclose(built.eval()(images), model(images), atol=1e-6)
    assert {name: tuple(tensor.shape) for name, tensor in weights.items()}["features.2.0.cropped.weight"] == (8, 4, 2, 2)


@pytest.mark.parametrize("name", ["build_model", "model", "nn", "sys", "OrderedDict"])
def test_a_written_file_and_its_original_may_use_the_same_names(run, model_file, tmp_path, name):
    path = model_file(NET.replace("nn.", "torch.nn.") + f"\ndef {name}():\n    return Net()\n", f"with_{name}.py")
    assert run("fix", f"{path}:{name}", "--resolution", "8", "--apply", "truncate", "-o", "changed.py")[0] == 0
    assert analyze(load_targets("changed.py:build_model")[0].build_with_data(), 8).params == 1167


def test_an_instance_that_is_called_model(run, model_file):
    path = model_file(NET + "\nmodel = Net()\n", "with_instance.py")
    assert run("fix", f"{path}:model", "--resolution", "8", "--apply", "truncate", "-o", "changed.py")[0] == 0
    assert analyze(load_targets("changed.py:build_model")[0].build_with_data(), 8).params == 1167


@pytest.mark.parametrize("ending", [".py", ".pt", ".pt2"])
def test_an_existing_file_is_kept_unless_forced(run, net, tmp_path, ending):
    out = tmp_path / f"out{ending}"
    out.write_text("mine", encoding="utf-8")
    arguments = ["fix", net, "--resolution", "8", "--apply", "truncate", "--output", out.name]
    message = f"error: --output {out.name}: the file exists; add --force to overwrite it\n"
    assert run(*arguments) == (2, "", message)
    assert out.read_text(encoding="utf-8") == "mine"
    if ending == ".py":
        assert run(*arguments, "--force") == (0, f"{out.name}: {SUMMARY}", "")
        assert "def build_model" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--output", "x.py"], "--output x.py: there is nothing to write without --apply NAME"),
        (["--apply", "truncate", "-o", "x.onnx"], "--output x.onnx: the ending must be one of .py, .pt2, .pt"),
        (["--apply", "truncate", "-o", "x"], "--output x: the ending must be one of .py, .pt2, .pt"),
        (["--apply", "truncate", "-o", "no/x.py"], "--output no/x.py: the folder no does not exist"),
        (["--apply", "truncate", "--channels", "0"], "channels must be a whole number of at least 1, got 0"),
    ],
)
def test_bad_input_is_refused_before_the_model_is_run(run, model_file, tmp_path, options, message):
    path = model_file("raise SystemError('ran')\n")
    assert run("fix", path, "--resolution", "8", *options) == (2, "", f"error: {message}\n")
    assert not list(tmp_path.glob("x*"))


def test_the_input_size_is_needed(run, net):
    message = "the input size is missing: add --resolution 32, with the extent in pixels that the model will be fed, or set resolution in the configuration"
    assert run("fix", net) == (2, "", f"error: {message}\n")


def test_bad_targets(run, model_file):
    assert run("fix", "nope.py", "--resolution", "8") == (2, "", "error: nope.py: no such file\n")
    code, out, err = run("fix", model_file("x = 1\n"), "--resolution", "8")
    assert (code, out) == (3, "")
    assert err.startswith("error: model.py: holds no model; ")


def test_other_channels_and_axes(run, model_file):
    path = model_file(NET.replace("conv(3, 4, 2)", "conv(5, 4, 2)"))
    code, out, _ = run("fix", path, "--resolution", "12x10", "--channels", "5")
    assert (code, out.splitlines()[0]) == (0, "model.py:Net at 5x12x10")
    assert run("fix", path, "--input-size", "5,12,10") == (0, out, "")


def test_tracebacks_on_demand(run, net):
    assert "Traceback" in run("fix", net, "--resolution", "8", "--apply", "xyz", "--verbose")[2]


@pytest.mark.parametrize("arguments", [["--help"], ["model.py", "--resolution", "8", "--apply", "truncate", "-o", "x"]])
def test_no_torch_before_there_is_something_to_analyse(arguments):
    assert imported(f"from rfcheck.cli import main; main({['fix', *arguments]!r})") == []

"""Whole outputs and exit codes of the default verb."""

from __future__ import annotations

import json
import os
import stat

import pytest

from tests.conftest import EXAMPLES

CHAIN = """
class Chain(nn.Sequential):
    def __init__(self, n=7):
        super().__init__(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(n)))
"""

FULL = """\
model.py:Chain at 3x8x8
  7 judged layers, 3 unproductive, 3 of them in the tail; 588 parameters,
  36.3 kFLOPs, 5.38 kB activations
  no unproductive layer from 13 px on; the last map sees up to 15 px

  RF101 unproductive-tail [warning] 4
    3 layers from 4 on cannot add context: their input already sees at least
    9 px of the 8x8 image; they hold 42.9% of the parameters and 42.9% of the
    FLOPs
    --> model.py:6:28
    6 | super().__init__(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(n)))
      |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    r/I ▁▃▅▇│███
             ^

Found 1 finding in 1 model: 1 warning.
rfcheck rule RF101  # what a finding means, and when to ignore it
"""

CONCISE = (
    "model.py:6:28: RF101 [warning] Chain: 4: 3 layers from 4 on cannot add context: their input already sees at least 9 px of the 8x8 image; "
    "they hold 42.9% of the parameters and 42.9% of the FLOPs\n"
)


@pytest.fixture
def chain(model_file):
    return model_file(CHAIN)


def test_full_text(run, chain):
    assert run(chain, "--resolution", "8") == (1, FULL, "")


def test_concise_text(run, chain):
    code, out, err = run(chain, "--resolution", "8", "--output-format", "concise")
    assert (code, out, err) == (1, CONCISE + "Found 1 finding in 1 model: 1 warning.\n", "")
    assert run(chain, "--resolution", "8", "--quiet") == (1, CONCISE, "")


def test_a_clean_model(run, chain):
    code, out, err = run(f"{chain}:Chain(4)", "--resolution", "8")
    assert code == 0
    assert out.endswith("No findings in 1 model.\n")
    assert err == ""


def test_json(run, chain):
    code, out, _ = run(chain, "--resolution", "8", "--output-format", "json")
    report = json.loads(out)
    assert code == 1
    assert report["version"] == 1
    assert report["summary"] == {"error": 0, "warning": 1, "info": 0}
    (result,) = report["results"]
    assert (result["target"], result["path"], result["line"]) == ("model.py:Chain", "model.py", 4)
    assert result["border_min"] == "4"
    assert result["tail"] == ["4", "5", "6"]
    assert [layer["r_max"] for layer in result["layers"]] == [[r, r] for r in range(3, 16, 2)]


def test_unbounded_and_unknown_are_json(run, model_file):
    path = model_file("def build():\n    return nn.Sequential(nn.Conv2d(3, 3, 3), nn.AdaptiveAvgPool2d(1))\n")
    _, out, _ = run(f"{path}:build", "--resolution", "8", "--output-format", "json")
    layers = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))["results"][0]["layers"]
    assert layers[1]["r_max"] == ["inf", "inf"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 1),
        (["--exit-zero"], 0),
        (["--fail-on", "never"], 0),
        (["--fail-on", "error"], 0),
        (["--fail-on", "info"], 1),
        (["--ignore", "RF101"], 0),
        (["--ignore", "RF1", "--select", "RF101"], 1),
        (["--select", "RF3,RF9"], 0),
    ],
)
def test_exit_codes(run, chain, options, code):
    assert run(chain, "--resolution", "8", "--quiet", *options)[0] == code


def test_limits(run, chain):
    over = ["--limit", "RF401.max_flops=10k", "--limit", "RF401.max_params=1M", "--select", "RF4", "--quiet"]
    assert run(chain, "--resolution", "8", *over) == (
        1,
        "model.py:4: RF401 [error] Chain: Chain exceeds its budget: FLOPs 36.3 k (limit 10 k)\n",
        "",
    )
    assert run(chain, "--resolution", "8", "--limit", "RF101.min_layers=4")[0] == 0


def test_classes(run, chain):
    deep = (f"{chain}:Chain(33)", "--resolution", "99", "--select", "RF6", "--quiet", "--fail-on", "info")
    assert run(*deep)[0] == 0
    code, out, _ = run(*deep, "--classes", "5")
    assert code == 1
    assert "33 layers follow each other for 5 classes: " in out


def test_sizes_of_all_kinds(run, chain):
    for options in (["--resolution", "8x12"], ["--input-size", "3,8,12"], ["--resolution", "8x12", "--channels", "3"]):
        _, out, _ = run(chain, *options)
        assert out.startswith("model.py:Chain at 3x8x12\n")


def test_one_dimensional_input(run):
    code, out, _ = run(str(EXAMPLES / "audio_net.py"), "--input-size", "1,8000")
    assert "at 1x8000" in out
    assert code in (0, 1)


def test_several_targets(run, chain):
    code, out, _ = run(f"{chain}:Chain(2)", f"{chain}:Chain(7)", "--resolution", "8", "--select", "RF101")
    assert code == 1
    assert out.count("at 3x8x8") == 2
    assert out.splitlines()[-2] == "Found 1 finding in 2 models: 1 warning."


def test_one_bad_target_does_not_hide_the_others(run, chain):
    code, out, err = run("nope.py", chain, "--resolution", "8")
    assert code == 2
    assert err == "error: nope.py: no such file; there is model.py\n"
    assert out == FULL.replace("1 warning.", "1 warning, 1 target failed.")


def test_tables(run, chain):
    _, out, _ = run(f"{chain}:Chain(2)", "--resolution", "8", "--layers", "--explain", "1")
    assert "layer         kind  k/s  channels  out  r_in  r  params   FLOPs  status" in out
    assert "1 at 8x8: r_min 5, r_max 5; its input sees 3 px" in out
    assert "the only path (2 layers)" in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_no_colour_where_nobody_looks(run, chain):
    assert "\x1b[" not in run(chain, "--resolution", "8", "--layers")[1]


def test_output_file(run, chain, tmp_path):
    code, out, _ = run(chain, "--resolution", "8", "--output-file", "out.txt")
    assert (code, out) == (1, "")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == FULL
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith("__")) == [".rfcheck_cache", "model.py", "out.txt"]
    assert stat.S_IMODE((tmp_path / "out.txt").stat().st_mode) & 0o444


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_protected_output_file(run, chain, tmp_path):
    (tmp_path / "out.txt").write_text("old")
    (tmp_path / "out.txt").chmod(0o444)
    assert run(chain, "--resolution", "8", "-o", "out.txt")[0] == 2
    assert (tmp_path / "out.txt").read_text() == "old"


def test_an_error_leaves_the_old_output_file_alone(run, chain, tmp_path):
    (tmp_path / "out.txt").write_text("old")
    assert run(chain, "--resolution", "8", "-o", "out.txt", "--explain", "nope")[0] == 2
    assert (tmp_path / "out.txt").read_text() == "old"
    assert run("nope.py", "--resolution", "8", "-o", "missing/out.txt")[0] == 2
    assert not (tmp_path / "missing").exists()


FORWARD_NEEDS_DATA = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)
    def forward(self, x):
        y = self.conv(x)
        return y * 2 if y.sum().item() > 1e9 else y
"""


def test_a_forward_that_needs_data_is_run_on_zeros(run, model_file):
    code, out, err = run(model_file(FORWARD_NEEDS_DATA), "--resolution", "8", "--ignore", "RF104")
    assert (code, err) == (0, "")
    assert "traced with a real forward pass on zeros, as the forward does not run on meta" in out


def net(init: str, forward: str, arguments: str = "self, x") -> str:
    return f"class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        {init}\n    def forward({arguments}):\n        {forward}\n"


ALEX_STEM = net("self.f = nn.Sequential(nn.Conv2d(3, 8, 11, 4), nn.MaxPool2d(3, 2), nn.Conv2d(8, 8, 5))", "return self.f(x)")
FIXED = net("self.c = nn.Conv2d(3, 8, 2, 2); self.fc = nn.Linear(8 * 16 * 16, 10)", "return self.fc(self.c(x).flatten(1))")
TWO_INPUTS = net("self.c = nn.Conv2d(3, 8, 1)", "return self.c(x) * mask", "self, x, mask")


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        (
            CHAIN,
            [],
            "error: the input size is missing: add --resolution 32, with the extent in pixels that the model will be fed, or set resolution in the configuration\n",
        ),
        (CHAIN, ["--resolution", "0"], "error: --resolution must be at least 1, got '0'\n"),
        (CHAIN, ["--resolution", "-3"], "error: --resolution must be a whole number like 32, or several like 32x48, got '-3'\n"),
        (CHAIN, ["--resolution", "big"], "error: --resolution must be a whole number like 32, or several like 32x48, got 'big'\n"),
        (CHAIN, ["--resolution", "8", "--input-size", "3,8,8"], "error: give either --resolution or --input-size, not both\n"),
        (
            CHAIN,
            ["--input-size", "3,8,8", "--channels", "3"],
            "error: --input-size holds the channels already; leave --channels out\n",
        ),
        (
            CHAIN,
            ["--input-size", "8"],
            "error: model.py:Chain: --input-size 8 has no image extent, the model reads two: write 3,8,8\n",
        ),
        (CHAIN, ["--resolution", "8", "--channels", "0"], "error: channels must be a whole number of at least 1, got 0\n"),
        (CHAIN, ["--resolution", "8", "--classes", "1"], "error: classes must be a whole number of at least 2, got 1\n"),
        (
            CHAIN,
            ["--resolution", "8", "--limit", "RF401.max_flop=1"],
            "error: --limit 'RF401.max_flop=1': RF401 has no limit 'max_flop'; did you mean max_flops?\n",
        ),
        (CHAIN, ["--resolution", "8", "--limit", "RF999.x=1", "--rules", "none"], "error: none: no such folder of rules\n"),
        (CHAIN, ["--resolution", "8", "--select", "RF8"], "error: no rule begins with 'RF8'; rules are RF101, "),
        (CHAIN, ["--resolution", "8", "--rules", "none"], "error: none: no such folder of rules\n"),
        (CHAIN, ["--resolution", "8", "--explain", "9"], "error: model.py:Chain: no layer '9'; the first are 0, 1, 2, 3, 4\n"),
        (CHAIN, ["--resolution", "8", "-o", "no/x"], "error: --output-file no/x: the folder no does not exist\n"),
        (CHAIN, ["--resolution", "8", "-o", "."], "error: --output-file .: is a folder; give a file\n"),
        (
            CHAIN,
            ["--resolution", "8", "--channels", "1"],
            "the layer expects 3 channels and the input has 1: pass --channels 3 or input_size=(3, 8, 8)\n",
        ),
        (
            ALEX_STEM,
            ["--resolution", "32"],
            "error: model.py:Net: the forward pass fails at input 3x32x32 in layer f.2 (Conv2d), which received a tensor of shape 1x8x2x2: ",
        ),
        (ALEX_STEM, ["--resolution", "32"], "; the smallest resolution that works is 51\n"),
        (FIXED, ["--resolution", "64"], "in layer fc (Linear), which received a tensor of shape 1x8192: "),
        (
            TWO_INPUTS,
            ["--resolution", "8"],
            "error: model.py:Net: Net.forward takes several inputs (x, mask), rfcheck gives it one image; analyse a wrapper whose "
            "forward(self, x) supplies the others: return self.model(x, mask=...)\n",
        ),
    ],
)
def test_bad_input(run, model_file, code, options, message):
    left, out, err = run(model_file(code), *options)
    assert (left, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_a_file_without_a_model(run, model_file):
    code, _, err = run(model_file("x = 1\n"), "--resolution", "8")
    assert code == 3
    assert err.startswith("error: model.py: holds no model; ")


BLOCK = "class Block(nn.Module):\n    def __init__(self, channels):\n        super().__init__()\n    def forward(self, x):\n        return x\n"
LOSS = "class Loss(nn.Module):\n    def forward(self, x, y):\n        return x - y\n"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (BLOCK, "error: model.py: holds no model; "),
        (LOSS, "error: model.py: holds no model; "),
    ],
    ids=["block", "loss"],
)
def test_a_file_of_parts_holds_no_model(run, model_file, code, message):
    path = model_file(code)
    left, out, err = run(path, "--resolution", "8")
    assert (left, out) == (3, "")
    assert err.startswith(message)
    assert run(path, "--resolution", "8", "--skip-empty") == (0, "", "")


def test_tracebacks_on_request(run, model_file):
    _, _, err = run(model_file(ALEX_STEM), "--resolution", "32", "--verbose")
    assert "Traceback (most recent call last)" in err


def test_a_wrong_option_names_the_near_one(run):
    code, _, err = run("model.py", "--resolutoin", "32")
    assert code == 2
    assert "--resolution" in err


@pytest.mark.parametrize(
    "result", ["(y, y)", "{'out': y, 'aux': [y]}", "Out(y)", "[y, None]"], ids=["tuple", "dict", "dataclass", "list"]
)
def test_results_of_any_shape(run, model_file, result):
    code = "from dataclasses import dataclass\n@dataclass\nclass Out:\n    logits: torch.Tensor\n" + net(
        "self.c = nn.Conv2d(3, 3, 3)", f"y = self.c(x); return {result}"
    )
    assert run(model_file(code), "--resolution", "8", "--ignore", "RF104")[0] == 0

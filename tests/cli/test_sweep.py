"""Whole outputs, files and exit codes of ``rfcheck sweep``."""

from __future__ import annotations

import json

import pytest

from rfcheck import sweep
from tests.test_import_weight import imported

CHAIN = """
class Chain(nn.Sequential):
    def __init__(self, n=7):
        super().__init__(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(n)))
"""

TABLE = """\
model.py:Chain at 4 resolutions from 4 to 16 px, 3 channels, 7 judged layers

    px  productive  tail  b_min         live taps   FLOPs  activations
──────────────────────────────────────────────────────────────────────
     4    2/7  29%     5  2                  100%  9.07 k      1.34 kB
     8    4/7  57%     3  4                  100%  36.3 k      5.38 kB
    12    6/7  86%     1  6                  100%  81.6 k      12.1 kB
    16    7/7 100%     0  -                  100%   145 k      21.5 kB

None of these is in the feasible range: no layer is unproductive from 13 px on,
and the last map sees up to 15 px.
"""

SECOND = CHAIN.replace("Chain", "Wide") + CHAIN


@pytest.fixture
def chain(model_file):
    return model_file(CHAIN)


def test_the_table(run, chain):
    assert run("sweep", chain, "--resolutions", "4:16:4") == (0, TABLE, "")


def test_json_holds_the_points_of_the_python_face(run, chain):
    code, out, err = run("sweep", chain, "--resolutions", "4,13", "--output-format", "json")
    assert (code, err) == (0, "")
    (found,) = json.loads(out)["sweeps"]
    assert (found["target"], found["path"], found["line"], found["channels"]) == ("model.py:Chain", "model.py", 4, 3)
    from torch import nn

    points = sweep(nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(7))), [4, 13])
    names = ("resolution", "judged", "productive", "tail", "border_min", "border_position", "flops", "activation_bytes", "in_range")
    for given, point in zip(found["points"], points, strict=True):
        assert {name: given[name] for name in names} == {name: getattr(point, name) for name in names}
        assert given["live_taps"] == pytest.approx(point.live_taps)


def test_channels(run, model_file):
    path = model_file("def build():\n    return nn.Sequential(nn.Conv2d(5, 5, 3))\n")
    code, out, _ = run("sweep", f"{path}:build", "--resolutions", "8", "--channels", "5")
    assert code == 0
    assert out.startswith("model.py:build at 8 px, 5 channels, 1 judged layer\n")


def test_several_models_in_a_file(run, model_file):
    code, out, err = run("sweep", model_file(SECOND), "--resolutions", "4:16:4")
    assert (code, err) == (0, "")
    assert out == TABLE.replace("Chain", "Wide") + "\n" + TABLE


def test_files_are_written_and_nothing_is_printed(run, chain, tmp_path):
    assert run("sweep", chain, "--resolutions", "4:16:4", "-o", "out.txt", "--plot", "out.PNG") == (0, "", "")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == TABLE
    assert (tmp_path / "out.PNG").read_bytes().startswith(b"\x89PNG\r\n")
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith("__")) == ["model.py", "out.PNG", "out.txt"]


TOO_SMALL = """
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 3, 5), nn.Conv2d(3, 3, 5))
"""
FAILS = "the forward pass fails at input 3x{0}x{0} in layer 0 (Conv2d), which received a tensor of shape 1x3x{0}x{0}: "


def test_a_resolution_that_fails_is_a_row(run, model_file):
    code, out, err = run("sweep", model_file(TOO_SMALL), "--resolutions", "3,4,9")
    assert (code, err) == (0, "")
    rows = out.splitlines()[4:7]
    assert [row.split()[:3] for row in rows] == [["3", "failed", "(1)"], ["4", "failed", "(1)"], ["*", "9", "2/2"]]
    reason = " ".join(out[out.index("(1) at") :].split())
    assert reason.startswith("(1) at 3, 4 px, first: " + FAILS.format(3))
    assert reason.endswith("the smallest resolution that works is 9")


def test_a_model_that_fails_everywhere_is_an_error(run, model_file, tmp_path):
    path = model_file(TOO_SMALL)
    code, out, err = run("sweep", path, "--resolutions", "3,4", "-o", "out.txt", "--plot", "out.svg")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: model.py:Net: no resolution works; {FAILS.format(4)}")
    assert err.endswith("; the smallest resolution that works is 9\n")
    assert err.count("\n") == 1
    assert not list(tmp_path.glob("out.*"))
    assert "Traceback (most recent call last)" in run("sweep", path, "--resolutions", "3,4", "--verbose")[2]


def test_one_failing_model_does_not_hide_the_others(run, model_file):
    path = model_file(CHAIN + TOO_SMALL)
    code, out, err = run("sweep", path, "--resolutions", "4")
    assert code == 2
    assert out.startswith("model.py:Chain at 4 px")
    assert "model.py:Net" not in out
    assert err.startswith("error: model.py:Net: no resolution works; ")
    report = json.loads(run("sweep", path, "--resolutions", "4", "--output-format", "json")[1])
    assert [found["target"] for found in report["sweeps"]] == ["model.py:Chain"]
    assert [failure["target"] for failure in report["failures"]] == ["model.py:Net"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resolutions", "64:32:8"], "--resolutions 64:32:8: the range runs backwards; write 32:64:8"),
        (["--resolutions", ""], "--resolutions is empty; give numbers like 32,64,224 or a range like 32:512:32"),
        (["--resolutions", "8", "--channels", "0"], "channels must be a whole number of at least 1, got 0"),
        (["--resolutions", "8", "--jobs", "0"], "--jobs must be at least 1, got 0"),
        (["--resolutions", "8", "-o", "no/x"], "--output-file no/x: the folder no does not exist"),
        (["--resolutions", "8", "--plot", "no/x.png"], "--plot no/x.png: the folder no does not exist"),
        (["--resolutions", "8", "--plot", "x.jpg"], "--plot x.jpg: the name must end in .png, .svg or .pdf"),
        (["--resolutions", "8", "--plot", "plot"], "--plot plot: the name must end in .png, .svg or .pdf"),
        (["--resolutions", "8", "--plot", "a.svg", "-o", "./a.svg"], "--plot and --output-file both name a.svg; give two files"),
        (
            ["--resolutions", "8", "--plot", "a.png"],
            "--plot draws one model, but model.py holds 2; give one of model.py:Wide, model.py:Chain",
        ),
    ],
)
def test_bad_input(run, model_file, tmp_path, options, message):
    assert run("sweep", model_file(SECOND), *options) == (2, "", f"error: {message}\n")
    assert not list(tmp_path.glob("a.*"))


@pytest.mark.parametrize("option", [["--resolutions", "8:4:1"], ["--resolutions", "8", "--plot", "a.gif"]])
def test_what_cannot_be_is_refused_before_the_model_is_run(run, model_file, option):
    code, _, err = run("sweep", model_file("raise SystemError('was run')\n"), *option)
    assert code == 2
    assert "was run" not in err


def test_resolutions_are_required(run, chain):
    code, _, err = run("sweep", chain)
    assert code == 2
    assert err == "error: --resolutions is missing; see rfcheck sweep --help\n"


def test_bad_targets(run, model_file):
    assert run("sweep", "nope.py", "--resolutions", "8") == (2, "", "error: nope.py: no such file\n")
    code, out, err = run("sweep", model_file("x = 1\n"), "--resolutions", "8")
    assert (code, out) == (3, "")
    assert err.startswith("error: model.py: holds no model; ")


@pytest.mark.parametrize("arguments", [["--help"], ["examples/unet.py", "--resolutions", "1:0:0"]])
def test_no_torch_before_there_is_something_to_analyse(arguments):
    assert imported(f"from rfcheck.cli import main; main({['sweep', *arguments]!r})") == []


def test_no_plotting_without_a_plot():
    assert (
        imported("from rfcheck.cli import main; main(['sweep', 'examples/vgg16.py', '--resolutions', '32'])", ("matplotlib",)) == []
    )

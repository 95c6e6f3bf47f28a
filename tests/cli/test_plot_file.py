"""``--plot``: where figures may go; what they show is tested with the figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from rfcheck.cli.plot_file import require_plot_file
from rfcheck.errors import SettingsError

NETS = "\n\ndef build_model():\n    return nn.Conv2d(3, 3, 3)\n\n\nnet = nn.Conv2d(3, 3, 5)\n"


@pytest.mark.parametrize(("path", "ending"), [("a.png", "png"), ("a.b.SVG", "svg"), ("./a.pdf", "pdf")])
def test_the_ending_says_the_format(path, ending, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert require_plot_file(path) == ending


@pytest.mark.parametrize("path", ["a.jpg", "png", "a"])
def test_other_endings_are_refused(path):
    with pytest.raises(SettingsError, match=rf"^--plot {path}: the name must end in \.png, \.svg or \.pdf$"):
        require_plot_file(path)


def test_the_figure_of_one_model(run, model_file):
    model_file(NETS)
    assert run("model.py:net", "--resolution", "32", "--plot", "net.svg", "--quiet", "--fail-on", "never")[0] == 0
    assert Path("net.svg").read_text().startswith("<?xml")


def test_several_models_have_no_figure(run, model_file):
    model_file(NETS)
    code, out, err = run("model.py", "--resolution", "32", "--plot", "net.svg")
    assert code == 2
    assert out == run("model.py", "--resolution", "32")[1], "the report is not lost"
    assert err == (
        "error: --plot draws one model, but there are several: model.py:build_model, model.py:net; "
        "name one, as in rfcheck model.py:build_model --plot FILE\n"
    )
    assert not Path("net.svg").exists()


def test_a_folder_that_does_not_exist_is_refused_before_anything_runs(run, model_file):
    model_file("raise SystemExit('ran')\n")
    code, _, err = run("model.py", "--resolution", "32", "--plot", "no/net.svg")
    assert (code, err) == (2, "error: --plot no/net.svg: the folder no does not exist\n")

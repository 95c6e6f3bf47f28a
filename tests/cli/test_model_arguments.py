"""Arguments for every model that takes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rfcheck.cli.model_arguments import model_arguments, require_used
from rfcheck.errors import SettingsError

NETS = """
class Net(nn.Module):
    def __init__(self, width, kind="a"):
        super().__init__()
        self.c = nn.Conv2d(3, width, 1)
    def forward(self, x):
        return self.c(x)
def deep(depth, width=2):
    return nn.Sequential(*[nn.Conv2d(3, 3, 1) for _ in range(depth)], nn.Conv2d(3, width, 1))
"""


def test_values():
    assert model_arguments(["width=64", "dims=[1, 2]", "kind=large", "name='a=b'", "on = True"]) == {
        "width": 64,
        "dims": [1, 2],
        "kind": "large",
        "name": "a=b",
        "on": True,
    }


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["width"], "--args width: must be a name and a value, like --args width=64"),
        (["3=4"], "--args 3=4: must be a name and a value, like --args width=64"),
        (["a=1", "a=2"], "--args a=2: a is given twice"),
    ],
)
def test_wrong_ones(texts, message):
    with pytest.raises(SettingsError) as caught:
        model_arguments(texts)
    assert str(caught.value) == message


def test_names_that_no_model_takes():
    require_used({"width": 3}, ["net.py:Net(width=3)", "net.py:Other"])
    require_used({"width": 3}, [])
    with pytest.raises(SettingsError, match="--args widht=3: no model takes an argument 'widht'; check the name"):
        require_used({"widht": 3}, ["net.py:Net"])


def test_models_are_built_with_them(run, model_file):
    path = model_file(NETS)
    for width in (5, 7):
        code, out, err = run(
            path, "--resolution", "8", "--args", f"width={width}", "--args", "depth=2", "--output", "json", "--exit-zero"
        )
        assert (code, err) == (0, "")
        found = {one["target"]: one["cost"]["params"] for one in json.loads(out)["results"]}
        assert found == {
            f"{path}:Net(width={width})": 4 * width,
            f"{path}:deep(depth=2, width={width})": 2 * 12 + 4 * width,
        }
    code, _, err = run(path, "--resolution", "8", "--args", "width=3", "--args", "depht=2")
    assert (code, err) == (2, "error: --args depht=2: no model takes an argument 'depht'; check the name\n")


@pytest.mark.parametrize(
    "verb",
    [
        ["fix", "--format", "json"],
        ["graph", "--format", "json"],
        ["sweep", "--output-format", "json"],
        ["compare", "net.py", "--output-format", "json"],
        ["--fix", "--diff"],
    ],
    ids=" ".join,
)
def test_every_verb_takes_them(run, model_file, verb):
    path = model_file(NETS.partition("def deep")[0])
    name, *options = verb
    size = ["--resolutions", "8"] if name == "sweep" else ["--resolution", "8"]
    options = [path if option == "net.py" else option for option in options]
    command = [path, name, *options] if name == "--fix" else [name, path, *options]
    code, out, err = run(*command, *size, "--args", "width=5")
    assert (code, "error" in err) == (0, False)
    assert f"{path}:Net(width=5)" in (err if name == "--fix" else out) or name in ("graph", "--fix")
    if name == "graph":
        assert sum(node.get("params", 0) for node in json.loads(out)["nodes"]) == 20
    code, _, err = run(*command, *size, "--args", "widht=3", "--args", "width=5")
    assert (code, err) == (2, "error: --args widht=3: no model takes an argument 'widht'; check the name\n")
    code, _, err = run(*command, *size, "--args", "width")
    assert (code, err) == (2, "error: --args width: must be a name and a value, like --args width=64\n")


def test_models_of_catalogues(run):
    code, out, _ = run(
        "torchvision:squeezenet1_1", "--resolution", "64", "--args", "num_classes=7", "--output", "json", "--exit-zero"
    )
    assert (code, json.loads(out)["results"][0]["target"]) == (0, "torchvision:squeezenet1_1(num_classes=7)")


def test_nothing_is_changed_where_no_model_takes_one(run, model_file):
    path = model_file(NETS.partition("def deep")[0])
    before = Path(path).read_text()
    code, _, err = run(path, "--resolution", "8", "--fix", "--args", "width=5", "--args", "widht=3")
    assert (code, err) == (2, "error: --args widht=3: no model takes an argument 'widht'; check the name\n")
    assert Path(path).read_text() == before

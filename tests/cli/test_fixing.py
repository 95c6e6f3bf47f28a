"""``--fix``, ``--unsafe-fixes`` and ``--diff`` on the command line; the edits themselves have tests of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

NET = """

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 8, 2, stride=2),
            nn.Conv2d(8, 8, 2, stride=2),
            nn.Conv2d(8, 8, 2, stride=2),
            nn.Conv2d(8, 8, 3, padding=1),  # one pixel left
        )
"""
FIXED = NET.replace("nn.Conv2d(8, 8, 3, padding=1)", "nn.Conv2d(8, 8, 1, padding=0)")
OPTIONS = ("--resolution", "8", "--select", "RF301", "--output", "concise")


def test_safe_changes_are_made_and_the_new_file_is_linted(run, model_file):
    path = Path(model_file(NET))
    before = path.read_text()
    assert run("model.py", *OPTIONS)[0] == 1
    code, out, err = run("model.py", *OPTIONS, "--fix")
    assert (code, out) == (0, "No findings in 1 model.\n")
    assert "made crop-kernels in line" in err
    assert path.read_text() == before.replace(NET, FIXED)


def test_a_diff_writes_nothing_and_fails(run, model_file):
    path = Path(model_file(NET))
    before = path.read_text()
    code, out, err = run("model.py", *OPTIONS, "--diff")
    assert code == 1
    assert [line for line in out.splitlines() if line[:1] in "+-"] == [
        "--- model.py",
        "+++ model.py",
        "-            nn.Conv2d(8, 8, 3, padding=1),  # one pixel left",
        "+            nn.Conv2d(8, 8, 1, padding=0),  # one pixel left",
    ]
    assert "would make crop-kernels" in err
    assert path.read_text() == before
    path.write_text(before.replace(NET, FIXED))
    assert run("model.py", *OPTIONS, "--diff")[:2] == (0, "")


def test_what_is_not_a_file_cannot_be_edited(run, model_file):
    model_file("")
    assert run("torchvision:vgg11", "--resolution", "32", "--fix") == (
        2,
        "",
        "error: torchvision:vgg11: fixes are made in Python files only; name the file that makes the model, like model.py:Net\n",
    )


CATALOGUE = """
[[models]]
target = "torchvision:squeezenet1_1"
resolution = 64
[[models]]
target = "model.py"
resolution = 8
"""


def test_configured_models_without_a_file_are_passed_over(run, model_file):
    path = Path(model_file(NET))
    before = path.read_text()
    Path("rfcheck.toml").write_text(CATALOGUE)
    code, out, err = run("--fix", "--select", "RF301", "--output", "concise")
    assert (code, out) == (0, "No findings in 2 models.\n")
    assert err.startswith(
        "torchvision:squeezenet1_1: no fixes: they are made in Python files only\nmodel.py:Net: made crop-kernels"
    )
    assert path.read_text() == before.replace(NET, FIXED)


BLOCK = """

class Block(nn.Sequential):
    def __init__(self, channels):
        super().__init__(nn.Conv2d(channels, channels, 3))
"""
NEEDED = (
    "blocks.py: holds no model; a model is a module-level instance that the file makes, a class that can be built without arguments, "
    "or a function without arguments that returns one; Block is a building block: name one to analyse it, as in "
    "'blocks.py:Block(channels=...)'"
)


def test_files_without_a_model_and_broken_ones_do_not_keep_others_from_being_fixed(run, model_file):
    path, _, _ = Path(model_file(NET)), model_file(BLOCK, "blocks.py"), model_file("import nowhere" + BLOCK, "broken.py")
    before = path.read_text()
    missing = "import fails: No module named 'nowhere'; install it in the environment that runs rfcheck"
    code, out, err = run("blocks.py", "model.py", *OPTIONS, "--skip-empty", "--diff")
    assert (code, out[:12], err[:33]) == (1, "--- model.py", "model.py:Net: would make crop-ker")
    code, out, err = run("broken.py", "model.py", *OPTIONS, "--diff")
    assert (code, out[:12], missing in err, "would make" in err) == (2, "--- model.py", True, True)
    assert run("blocks.py", *OPTIONS, "--diff") == (3, "", f"error: {NEEDED}\n")
    assert run("blocks.py", *OPTIONS, "--diff", "--skip-empty") == (0, "", "")
    assert run("blocks.py", *OPTIONS, "--fix") == (3, "", f"error: {NEEDED}\n")
    assert path.read_text() == before
    code, out, err = run("broken.py", "blocks.py", "model.py", *OPTIONS, "--skip-empty", "--fix")
    assert (code, out, err.count(missing), NEEDED in err) == (2, "No findings in 1 model, 1 target failed.\n", 1, False)
    assert path.read_text() == before.replace(NET, FIXED)


STEM = """
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 8, 7, 2, 3), nn.MaxPool2d(2),
            nn.Conv2d(8, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10),
        )
"""


def test_unsafe_fixes_are_allowed_not_made(run, model_file):
    path = Path(model_file(STEM))
    before = path.read_bytes()
    plain = run("model.py", "--resolution", "16", "--no-cache", "--output", "concise")
    assert run("model.py", "--resolution", "16", "--no-cache", "--output", "concise", "--unsafe-fixes") == plain
    assert path.read_bytes() == before
    _, _, err = run("model.py", "--resolution", "16", "--fix=remove-stem")
    assert "left remove-stem: it changes what the model computes;" in err
    assert path.read_bytes() == before
    _, _, err = run("model.py", "--resolution", "16", "--fix=remove-stem", "--unsafe-fixes")
    assert "made remove-stem in line 7" in err
    assert b"nn.Conv2d(3, 8, 3, 1, 1), nn.Identity()," in path.read_bytes()


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("", "error: --fix=: the name of a fix is missing; write --fix=crop-kernels, or --fix for all safe changes\n"),
        (" , ", "error: --fix=: the name of a fix is missing; write --fix=crop-kernels, or --fix for all safe changes\n"),
        ("nonsense", "model.py:Net: no fixes: no fix 'nonsense'; fixes are crop-kernels, "),
    ],
)
def test_names_of_fixes(run, model_file, names, sentence):
    path = Path(model_file(STEM))
    before = path.read_bytes()
    _, _, err = run("model.py", "--resolution", "16", f"--fix={names}")
    assert " ".join(err.split()).startswith(" ".join(sentence.split()))
    assert path.read_bytes() == before

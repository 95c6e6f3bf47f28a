from __future__ import annotations

import tomllib

import pytest

from rfcheck.config import RuleOverride, Settings
from rfcheck.errors import VerifyError
from rfcheck.verify.recipe import Recipe, Training
from rfcheck.verify.records import Sizes
from rfcheck.verify.run.recipe_file import RunFile, read_run_file, write_run_file

PLAIN = RunFile(Recipe("model.py", (3, 32, 32)), Settings(), "/models", {"torch": "2.6"})
FULL = RunFile(
    Recipe(
        "torchvision:vgg11(num_classes=10)",
        (1, 32, 48),
        data="folder:images",
        training=Training(epochs=3, optimizer="sgd", learning_rate=0.1, decay_every=2, augment=False, precision="bf16"),
        seeds=4,
        fixes=("truncate", "remove-stem"),
        canvas=64,
        probe_size=2,
        probe_memory=1024,
        heatmaps=("features.0",),
    ),
    Settings(
        channels=1,
        gates="count",
        select=("RF1",),
        rules={"RF101": RuleOverride("error", {"min_layers": 2}), "RF401": RuleOverride(None, {"max_flops": float("inf")})},
        classes=10,
    ),
    "/models/with spaces/ü",
    {"torch": "2.6", "device": "cpu"},
    architecture="ab",
    fingerprint="cd",
    classes=("cat", 'a "dog"'),
    sizes=Sizes(90, 10, 50),
    tensorboard=True,
)


@pytest.mark.parametrize("run", [PLAIN, FULL], ids=["defaults", "everything"])
def test_a_run_is_read_as_it_was_written(tmp_path, run):
    path = tmp_path / "new" / "run.toml"
    write_run_file(path, run)
    assert read_run_file(path) == run
    assert tomllib.loads(path.read_text())["recipe"]["target"] == run.recipe.target


@pytest.mark.parametrize("text", ["", "version = 1", "version = 1\n[recipe]\ntarget = 3", "no toml", "version = 1\nrecipe = 3"])
def test_what_is_no_file_of_a_run_is_refused(tmp_path, text):
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(VerifyError, match=r"run.toml: cannot be read as the file of a run: .*; begin a new run$"):
        read_run_file(path)


@pytest.mark.parametrize(
    ("line", "changed", "sentence"),
    [
        ('folder = "/models"', "folder = 3", "folder cannot be 3"),
        ('folder = "/models"', "", "'folder' is missing"),
        ("seeds = 1", "seeds = true", "seeds cannot be True"),
        ("seeds = 1", "sedes = 1", "there is no 'sedes'"),
        ("epochs = 60", 'epochs = "many"', "epochs cannot be 'many'"),
        ('optimizer = "adam"', 'optimizer = "adma"', "optimizer cannot be 'adma'"),
        ("heatmaps = []", "heatmaps = [1]", "heatmaps cannot be (1,)"),
        ('torch = "2.6"', "torch = 2.6", "environment cannot be {'torch': 2.6}"),
        ("channels = 3", "channels = 0", "channels must be a whole number of at least 1, got 0"),
    ],
)
def test_what_was_edited_to_nonsense_is_named(tmp_path, line, changed, sentence):
    path = tmp_path / "run.toml"
    write_run_file(path, PLAIN)
    text = path.read_text()
    assert text.count(line) == 1
    path.write_text(text.replace(line, changed))
    with pytest.raises(VerifyError) as caught:
        read_run_file(path)
    assert str(caught.value) == f"{path}: cannot be read as the file of a run: {sentence}; begin a new run"


def test_another_version_is_refused(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("version = 2")
    with pytest.raises(VerifyError) as caught:
        read_run_file(path)
    assert str(caught.value) == f"{path}: has version 2, not 1; resume with the rfcheck that began the run"


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "run.toml"
    with pytest.raises(VerifyError) as caught:
        write_run_file(path, PLAIN)
    assert str(caught.value) == f"{path}: cannot be written: File exists; name another folder by --run-dir"

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcheck.errors import SettingsError
from rfcheck.linting.baseline import Baseline, Entry, Model
from rfcheck.linting.baseline_file import dump, read_baseline, target_in

KNOWN = Baseline(
    {
        Entry(Model("models/größe.py:Net", (3, 224, 224)), "RF301", "layer1.conv"): 2,
        Entry(Model("models/größe.py:Net", (3, 32, 32)), "RF401", ""): 1,
        Entry(Model("torchvision:resnet18", (3, 32, 32)), "RF101", "layer3.0.conv2"): 1,
    },
    {Entry(Model("torchvision:resnet18", (3, 32, 32)), "RF101", "layer3.0.conv2"): 8.0},
)
TEXT = """{
  "format": "rfcheck-baseline",
  "version": 2,
  "findings": [
    {"target": "models/größe.py:Net", "input": [3, 32, 32], "code": "RF401", "layer": null, "count": 1},
    {"target": "models/größe.py:Net", "input": [3, 224, 224], "code": "RF301", "layer": "layer1.conv", "count": 2},
    {"target": "torchvision:resnet18", "input": [3, 32, 32], "code": "RF101", "layer": "layer3.0.conv2", "count": 1, "extent": 8.0}
  ]
}
"""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "known.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_the_file(tmp_path):
    assert dump(KNOWN) == TEXT
    assert read_baseline(written(tmp_path, TEXT), "--baseline") == KNOWN


def test_a_file_of_version_1_knows_no_extents(tmp_path):
    text = TEXT.replace('"version": 2', '"version": 1').replace(', "extent": 8.0', "")
    assert read_baseline(written(tmp_path, text), "--baseline") == Baseline(KNOWN.counts)


def test_an_empty_baseline(tmp_path):
    text = '{\n  "format": "rfcheck-baseline",\n  "version": 2,\n  "findings": []\n}\n'
    assert dump(Baseline()) == text
    assert read_baseline(written(tmp_path, text), "--baseline") == Baseline()


def test_names_that_are_no_text(tmp_path):
    known = Baseline({Entry(Model("net\udcff.py:Net", (3, 32, 32)), "RF101", "conv"): 1})
    assert '"target": "net\\udcff.py:Net"' in dump(known)
    assert read_baseline(written(tmp_path, dump(known)), "--baseline") == known


names = st.text(min_size=1)
models = st.builds(Model, names, st.lists(st.integers(1, 9999), max_size=4).map(tuple))
counts = st.dictionaries(st.builds(Entry, models, names, st.text()), st.integers(1, 99), max_size=5)


@given(counts)
def test_any_baseline_is_read_as_written_in_one_order(tmp_path_factory, counts):
    path = written(tmp_path_factory.getbasetemp(), dump(Baseline(counts)))
    assert read_baseline(path, "--baseline") == Baseline(counts)
    shuffled = list(counts.items())
    random.Random(0).shuffle(shuffled)
    assert dump(Baseline(dict(shuffled))) == path.read_text(encoding="utf-8")
    lines = path.read_text(encoding="utf-8").split("\n")
    assert sum('"target"' in line for line in lines) == len(counts)


def test_an_entry_that_a_merge_has_doubled_counts_once(tmp_path):
    lines = TEXT.split("\n")
    lines.insert(5, lines[5])
    assert read_baseline(written(tmp_path, "\n".join(lines)), "--baseline") == KNOWN


FOREIGN = "is not a baseline of rfcheck; name another file, or remove this one"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", FOREIGN),
        ("[tool.rfcheck]\n", FOREIGN),
        ("[]", FOREIGN),
        ('{"version": 1, "findings": []}', FOREIGN),
        (TEXT.replace('"version": 2', '"version": "2"'), FOREIGN),
        (TEXT.replace('"version": 2', '"version": true'), FOREIGN),
        (TEXT[:300], FOREIGN),
        (b"\xff\xfe\x00", FOREIGN),
        ("[" * 100_000, FOREIGN),
        (TEXT.replace('"version": 2', '"version": 3'), "has version 3, this rfcheck reads up to 2; update rfcheck"),
        (TEXT.replace('"findings"', '"found"'), "is damaged: it has no list 'findings'; remove it and write it anew"),
    ],
    ids=range(11),
)
def test_files_that_are_no_baseline(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        read_baseline(path, "--baseline")
    assert str(caught.value) == f"--baseline {path}: {message}"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("target", ""),
        ("target", None),
        ("code", 101),
        ("layer", 3),
        ("input", "32"),
        ("input", [3, 0]),
        ("input", [3.5]),
        ("count", 0),
        ("count", True),
        ("count", "1"),
        ("line", 3),
        ("extent", "8"),
        ("extent", True),
        ("extent", None),
    ],
)
def test_a_damaged_entry_is_named(tmp_path, key, value):
    document = json.loads(TEXT)
    document["findings"][1][key] = value
    path = written(tmp_path, json.dumps(document))
    with pytest.raises(SettingsError) as caught:
        read_baseline(path, "--write-baseline")
    shown = json.dumps(document["findings"][1], ensure_ascii=False)[:100]
    assert str(caught.value) == (
        f"--write-baseline {path}: is damaged: finding 2 is {shown}; correct it, or remove the file and write it anew"
    )


def test_an_entry_that_lacks_a_key(tmp_path):
    path = written(tmp_path, TEXT.replace(', "count": 2', ""))
    with pytest.raises(SettingsError, match="is damaged: finding 2 is"):
        read_baseline(path, "--baseline")


def test_files_that_cannot_be_read(tmp_path):
    path = tmp_path / "none.json"
    with pytest.raises(SettingsError) as caught:
        read_baseline(path, "--baseline")
    assert str(caught.value) == f"--baseline {path}: no such file; write it with --write-baseline {path}"
    with pytest.raises(SettingsError) as caught:
        read_baseline(tmp_path, "--baseline")
    assert str(caught.value) == f"--baseline {tmp_path}: cannot be read: Is a directory"


def test_targets_do_not_depend_on_the_current_folder(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    (tmp_path / "link").symlink_to(folder)
    here = {
        tmp_path: "project/models/net.py",
        folder: "models/net.py",
        folder / "models": "net.py",
        tmp_path / "link": "./models/../models/net.py",
    }
    for current, path in here.items():
        monkeypatch.chdir(current)
        for file in (path, str(folder / "models" / "net.py"), str(tmp_path / "link" / "models" / "net.py")):
            for base in (folder, tmp_path / "link"):
                assert target_in(base, f"{file}:build(size=3)", file) == "models/net.py:build(size=3)"
        assert target_in(folder / "ci", f"{path}:Net", path) == "../models/net.py:Net"
        assert target_in(folder, f"{path}:Net", str(folder / "models" / "net.py")) == "models/net.py:Net"
        assert target_in(folder, path, path) == "models/net.py"


@pytest.mark.parametrize(
    ("label", "path"),
    [
        ("torchvision:resnet18", None),
        ("package.module:Net", None),
        ("tiny", "net.py"),
        ("tiny:Net", "net.py"),
        ("other.py:net.py", "net.py"),
        ("", None),
    ],
)
def test_other_labels_stay(label, path):
    assert target_in(Path(), label, path) == label


def test_a_linked_file_is_known_by_its_own_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "abc.py").write_text("")
    (tmp_path / "net.py").symlink_to(tmp_path / "store" / "abc.py")
    assert target_in(tmp_path, "net.py:Net", "net.py") == "net.py:Net"


def test_a_pipe_is_no_baseline(tmp_path):
    os.mkfifo(tmp_path / "baseline.json")
    with pytest.raises(SettingsError) as caught:
        read_baseline(tmp_path / "baseline.json", "--baseline")
    assert str(caught.value) == f"--baseline {tmp_path}/baseline.json: cannot be read: is a pipe, not a file"

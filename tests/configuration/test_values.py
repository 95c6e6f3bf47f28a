"""What each kind accepts and reads; JSON schema itself is the judge of `accepts`."""

from __future__ import annotations

import math
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcheck.configuration.values import (
    CODES,
    COUNT,
    FILE,
    FOLDERS,
    INPUT_SIZE,
    LIMIT,
    RESOLUTION,
    SHARE,
    TARGET,
    TEXT,
    accepts,
    join_folders,
    one_of,
    path_from_here,
    target_file,
    whole,
)
from rfcheck.errors import TargetError
from rfcheck.target.spec import parse_target

KINDS = [RESOLUTION, INPUT_SIZE, CODES, TEXT, FILE, FOLDERS, TARGET, LIMIT, COUNT, SHARE, one_of("a", "b"), whole(2)]
TEXTS = [
    "",
    " ",
    "32",
    "32x48",
    "3,32, 48",
    "0x3",
    "off",
    "300M",
    "1_0.5e-3k",
    "1__0",
    "-5",
    "RF1",
    "rf",
    "RF1x",
    "a",
    " a",
    "a b",
    "ü",
]
SCALARS = st.sampled_from([*TEXTS, True, False, -1, 0, 1, 2, 32, 0.5, -0.5, 1.5, math.inf]) | st.text(max_size=6).filter(
    lambda text: not text.endswith("\n")
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.sampled_from("ab"), SCALARS, max_size=1)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.wanted)
@given(value=VALUES)
def test_accepts_as_json_schema_does(kind, value):
    accepted = accepts(kind.schema, value)
    assert accepted == jsonschema.Draft7Validator(kind.schema).is_valid(value)
    if accepted:
        read = kind.value_of(value, Path.cwd())
        assert not (isinstance(read, float) and math.isnan(read))


@pytest.mark.parametrize(
    ("kind", "given_value", "value"),
    [
        (RESOLUTION, 32, 32),
        (RESOLUTION, "32", 32),
        (RESOLUTION, "32X48", (32, 48)),
        (RESOLUTION, " 8 x 16 x 24 ", (8, 16, 24)),
        (INPUT_SIZE, [3, 32, 48], (3, 32, 48)),
        (INPUT_SIZE, "1,1000", (1, 1000)),
        (CODES, ["rf1", "RF301"], ("RF1", "RF301")),
        (LIMIT, 4, 4),
        (LIMIT, "-2.5k", -2500.0),
        (COUNT, "off", math.inf),
        (COUNT, "300M", 3e8),
        (SHARE, 0.1, 0.1),
        (SHARE, "off", math.inf),
    ],
)
def test_values(kind, given_value, value):
    assert accepts(kind.schema, given_value)
    assert kind.value_of(given_value, Path("/")) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (RESOLUTION, 0),
        (RESOLUTION, True),
        (RESOLUTION, 32.0),
        (RESOLUTION, "9" * 5000),
        (RESOLUTION, "32\n"),
        (INPUT_SIZE, [32]),
        (INPUT_SIZE, "32"),
        (CODES, "RF1"),
        (CODES, [""]),
        (LIMIT, math.nan),
        (COUNT, math.nan),
        (COUNT, -1),
        (COUNT, "-1"),
        (SHARE, 50),
        (SHARE, "0.1"),
        (TEXT, "two\nlines"),
    ],
)
def test_what_is_not_accepted(kind, value):
    assert not accepts(kind.schema, value)


def test_paths_are_seen_from_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert path_from_here(tmp_path / "here", "rules/../own") == "own"
    assert path_from_here(tmp_path, "here/own") == "own"
    assert path_from_here(tmp_path, "own") == str(tmp_path / "own")
    assert path_from_here(tmp_path, "/etc/own") == "/etc/own"
    assert FOLDERS.value_of(["own", "here/ö"], tmp_path) == (str(tmp_path / "own"), "ö")


def test_each_folder_counts_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert join_folders(("own", "own/"), (), (f"{tmp_path}/own", "./more", "more")) == ("own", "./more")


@pytest.mark.parametrize(
    ("text", "shown", "file"),
    [
        ("model.py", "/p/model.py", "model.py"),
        ("a b/m.py:Net(x='b.py:1')", "/p/a b/m.py:Net(x='b.py:1')", "a b/m.py"),
        ("../m.onnx", "/m.onnx", "../m.onnx"),
        ("m.pt2", "/p/m.pt2", "m.pt2"),
        ("torchvision:resnet18", "torchvision:resnet18", None),
        ("package.module:Net", "package.module:Net", None),
    ],
)
def test_targets(text, shown, file):
    assert TARGET.value_of(text, Path("/p")) == shown
    assert target_file(text) == file


@pytest.mark.parametrize(
    "text", ["a/m.py", "a/m.py:Net", "m.pt2", "sub/M.ONNX", "sub/m.Pt2", "torchvision:resnet18", "package.module:Net", "m.PY:Net"]
)
def test_a_target_in_a_file_is_one_wherever_it_is_taken_apart(text):
    try:
        spec = parse_target(text)
    except TargetError:
        assert target_file(text) is None
    else:
        assert target_file(text) == (spec.place if spec.kind in ("file", "pt2", "onnx") else None)

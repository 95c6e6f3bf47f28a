from __future__ import annotations

from pathlib import Path

import pytest

from rfcheck.cli.requests import requests_for, subject_of
from rfcheck.errors import InputSizeError, SettingsError, TargetError

CONFIGURATION = """
resolution = 32
select = ["RF1"]
fail-on = "error"
baseline = "known.json"

[[models]]
target = "nets/small.py:Net"
name = "small"

[[models]]
target = "nets/small.py:Net"
name = "small at 64"
resolution = 64
classes = 10

[[models]]
target = "torchvision:resnet18"
input-size = [1, 1, 24, 24]
fail-on = "never"
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    for name in ("small", "other"):
        (tmp_path / "nets" / f"{name}.py").touch()
    (tmp_path / "rfcheck.toml").write_text(CONFIGURATION)
    return tmp_path


def shown(requests):
    return [(one.target, one.name, one.size, one.settings.classes, one.fail_on, one.is_whole) for one in requests]


SMALL = ("nets/small.py:Net", "small", 32, None, "error", False)
LARGE = ("nets/small.py:Net", "small at 64", 64, 10, "error", False)
RESNET = ("torchvision:resnet18", None, (1, 1, 24, 24), None, "never", False)


def whole(request):
    return (*request[:-1], True)


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([], [whole(SMALL), whole(LARGE), whole(RESNET)]),
        (["small"], [SMALL]),
        (["nets/small.py:Net"], [SMALL, LARGE]),
        (["./nets/small.py:Net"], [SMALL, LARGE]),
        (["nets/small.py"], [whole(SMALL), whole(LARGE)]),
        (["torchvision:resnet18", "small at 64"], [RESNET, LARGE]),
        (["nets/other.py"], [("nets/other.py", None, 32, None, "error", True)]),
        (["nets/other.py:Net"], [("nets/other.py:Net", None, 32, None, "error", False)]),
        (["timm:resnet18"], [("timm:resnet18", None, 32, None, "error", False)]),
    ],
)
def test_targets_with_their_settings(project, targets, expected):
    assert shown(requests_for(targets, {})) == expected


def test_the_command_line_is_on_top(project):
    given = {"resolution": 16, "fail-on": "info", "select": ("RF3",), "classes": None}
    assert shown(requests_for([], given)) == [
        ("nets/small.py:Net", "small", 16, None, "info", True),
        ("nets/small.py:Net", "small at 64", 16, 10, "info", True),
        ("torchvision:resnet18", None, 16, None, "info", True),
    ]
    assert {one.settings.select for one in requests_for([], given)} == {("RF3",)}


def test_where_the_project_is(project, monkeypatch):
    (one,) = requests_for(["nets/other.py"], {})
    assert (one.folder, one.baseline) == (project, Path("known.json"))
    monkeypatch.chdir(project / "nets")
    (one,) = requests_for(["other.py"], {})
    assert (one.folder, one.baseline) == (project, project / "known.json")


def test_without_a_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").touch()
    (one,) = requests_for(["model.py"], {"resolution": 8})
    assert (one.folder, one.configuration, one.baseline, one.fail_on) == (tmp_path, None, None, "warning")


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (None, "no target is given, and no configuration file was found: give a file, like model.py, or add [[tool.rfcheck.models]] entries; rfcheck --help says more"),
        ("resolution = 8", "no target is given, and rfcheck.toml lists no models: give a file, like model.py, or add [[tool.rfcheck.models]] entries; rfcheck --help says more"),
    ],
)  # fmt: skip
def test_nothing_to_lint(tmp_path, monkeypatch, file, message):
    monkeypatch.chdir(tmp_path)
    if file is not None:
        (tmp_path / "rfcheck.toml").write_text(file)
    with pytest.raises(TargetError) as caught:
        requests_for([], {"resolution": 8})
    assert str(caught.value) == message


def test_nobody_says_the_size(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").touch()
    with pytest.raises(InputSizeError, match="^the input size is missing: add --resolution 32, "):
        requests_for(["model.py"], {})


@pytest.mark.parametrize(
    ("targets", "called"),
    [(["model.py", "other.py"], "model.py"), (["sized", "other.py"], "other.py"), ([], "unsized")],
)
def test_of_several_the_one_without_a_size_is_named(tmp_path, monkeypatch, targets, called):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rfcheck.toml").write_text(
        '[[models]]\ntarget = "a.py"\nname = "sized"\nresolution = 8\n[[models]]\ntarget = "b.py"\nname = "unsized"\n'
    )
    with pytest.raises(InputSizeError, match=f"^the input size of {called} is missing: add --resolution 32, "):
        requests_for(targets, {})


NO_TARGET = "not a target; give a file model.py, model.py:name, package.module:name or torchvision:name"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("smal", f"smal: {NO_TARGET}; did you mean the configured model 'small'?"),
        ("zzz", f"zzz: {NO_TARGET}"),
    ],
)
@pytest.mark.parametrize("size", [{}, {"resolution": 8}])
def test_what_is_no_target_is_refused_before_its_size_is_missed(project, target, message, size):
    (project / "rfcheck.toml").write_text('[[models]]\ntarget = "nets/small.py:Net"\nname = "small"\nresolution = 16\n')
    for ask in (lambda: requests_for(["small", target], size), lambda: subject_of(target, size)):
        with pytest.raises(TargetError) as caught:
            ask()
        assert str(caught.value) == message


def test_a_wrong_configuration(project):
    (project / "rfcheck.toml").write_text("resolutoin = 32")
    with pytest.raises(SettingsError, match="rfcheck.toml:1: unknown key 'resolutoin'; did you mean resolution"):
        requests_for(["nets/small.py"], {})

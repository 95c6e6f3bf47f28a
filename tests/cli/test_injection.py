"""Names of files, layers, rules and settings that would be commands or escape codes, through every verb."""

from __future__ import annotations

import pytest

from rfcheck.cli import watching
from tests.obeyed import NAME, obeyed

FILE = "::error::file ##[error]x.py"
CODE = f'''
"""
::error file=x::source
##[error]source
"""

NAME = {NAME!r}


def net():
    model = nn.Sequential()
    for number in range(6):
        model.add_module(NAME.replace(".", "") + str(number), nn.Conv2d(3, 3, 3, padding=1))
    return model


class Failing(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 3, 3)

    def forward(self, x):
        raise RuntimeError(NAME)


class Unbuilt(nn.Module):
    def __init__(self):
        raise ValueError(NAME)
'''

RULE = """---
code: XX001
name: test
severity: warning
scope: model
when: "true"
message: "::error::said ##[error]{model.name}"
sources: ["::error::source"]
---
::error::body ##[error]body

##vso[task]body
"""

NET = f"./{FILE}:net"
SIZE = ("--resolution", "6")

DOORS = {
    "check": (NET, *SIZE, "--layers", "--verbose"),
    "concise": (NET, *SIZE, "--output", "concise"),
    "statistics": (NET, *SIZE, "--statistics"),
    "explained": (NET, *SIZE, "--explain", NAME.replace(".", "") + "3"),
    "a layer that is not there": (NET, *SIZE, "--explain", NAME),
    "a whole file": (FILE, *SIZE, "--verbose"),
    "a failing forward": (f"./{FILE}:Failing", *SIZE, "--verbose"),
    "a failing constructor": (f"./{FILE}:Unbuilt", *SIZE, "--verbose"),
    "no such file": ("::error::nosuch.py", *SIZE),
    "no such function": (f"{FILE}:::error::x", *SIZE),
    "no such module": ("::error::module:net", *SIZE),
    "a wrong option": (FILE, "--::error::option"),
    "a wrong size": (FILE, "--resolution", "::error::6"),
    "a wrong rule": (FILE, *SIZE, "--select", "::error::RF"),
    "a wrong limit": (FILE, *SIZE, "--limit", "::error::RF.x=1"),
    "a wrong baseline": (FILE, *SIZE, "--baseline", NAME.replace("/", "")),
    "a baseline": (NET, *SIZE, "--write-baseline", "##[error]known.json"),
    "fixes in the source": (FILE, *SIZE, "--fix", "--unsafe-fixes", "--diff"),
    "a comment": (NET, *SIZE, "--add-ignore"),
    "rules": (NET, *SIZE, "--rules", "rules", "--output", "concise"),
    "a rule": ("rule", "XX001", "--rules", "rules"),
    "all rules": ("rule", "--rules", "rules"),
    "no such rule": ("rule", NAME),
    "fix": ("fix", NET, *SIZE),
    "no such fix": ("fix", NET, *SIZE, "--apply", NAME),
    "sweep": ("sweep", NET, "--resolutions", "4,6"),
    "compare": ("compare", NET, NET, *SIZE),
    "graph": ("graph", NET, *SIZE, "--format", "svg"),
    "config": ("config", FILE),
    "config for programs": ("config", FILE, "--format", "json"),
    "clean": ("clean",),
    "verify": ("verify", f"./{FILE}:Failing", "--data", "::error::data", *SIZE),
    "no such run": ("verify", "--report", "::error::run"),
}


@pytest.fixture
def project(model_file, tmp_path, monkeypatch):
    model_file(CODE)
    folder = tmp_path / "::error::d ##[error]e"
    (folder / "rules").mkdir(parents=True)
    (tmp_path / "model.py").rename(folder / FILE)
    (folder / "rules" / "XX001-test.md").write_text(RULE, encoding="utf-8")
    (folder / "rfcheck.toml").write_text('[[models]]\ntarget = "::error::x.py:##[error]net"\nresolution = 6\n', encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("door", DOORS)
def test_nothing_that_a_name_holds_is_obeyed(door, run, project):
    _, out, err = run(*DOORS[door])
    assert out + err
    assert obeyed(out + err) == []


def test_nor_in_a_configuration_that_is_wrong(run, project):
    (project / "rfcheck.toml").write_text(f'"{NAME}"= 1\n'.encode("unicode_escape").decode(), encoding="utf-8")
    code, out, err = run(FILE, *SIZE)
    assert code == 2
    assert obeyed(out + err) == []


def test_nor_in_what_is_said_while_watching(capsys):
    watching._say(NAME)
    assert obeyed(capsys.readouterr().err) == []


@pytest.mark.parametrize("words", ["rfcheck ./", f"rfcheck './{FILE}:"])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_nor_in_a_completion(shell, words, run, project, monkeypatch):
    monkeypatch.setenv("_RFCHECK_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", "1")
    monkeypatch.setenv("COMP_LINE", words)
    assert obeyed("".join(run()[1:])) == []

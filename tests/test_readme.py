"""What the README shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

from rfcheck.cli import cli
from rfcheck.linting.rule import built_in_rules, parse_rule

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_the_output_is_the_real_one(run, monkeypatch):
    monkeypatch.chdir(ROOT)
    code, out, _ = run("examples/resnet18_cifar.py", "--resolution", "32", "--exit-zero")
    assert code == 0
    assert out == blocks("text")[0]


def test_every_console_shows_what_its_command_prints(run, monkeypatch):
    monkeypatch.chdir(ROOT)
    consoles = blocks("console")
    assert consoles
    for console in consoles:
        command, _, shown = console.partition("\n")
        assert command.startswith("$ rfcheck ")
        assert run(*command.removeprefix("$ rfcheck ").split()) == (0, shown, "")


def test_the_two_commands():
    assert blocks("sh")[0].strip() == "python -m pip install . && rfcheck examples/resnet18_cifar.py --resolution 32 --exit-zero"
    assert blocks("sh")[1].strip() == "python -m pip install '.[test]' && python -m pytest"


def test_every_option_exists(run):
    lines = [line.partition(" #")[0] for block in blocks("sh")[2:] for line in block.splitlines() if line]
    assert lines
    for line in lines:
        verb = next((word for word in line.split()[1:2] if word in cli.commands), "check")
        _, text, _ = run(verb, "--help")
        assert [option for option in re.findall(r"(?<!\w)--[a-z-]+", line) if option not in text] == [], line


def test_every_rule_is_listed():
    assert re.findall(r"^\| (RF\d{3}) ([a-z-]+) \|", README, re.MULTILINE) == [(rule.code, rule.name) for rule in built_in_rules()]


def test_the_rule_of_ones_own_is_valid():
    (text,) = blocks("markdown")
    assert parse_rule(Path("XX001-wide-layer.md"), text).limits == {"most": 0.25}

"""What the README shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from rfcheck.cli import cli
from rfcheck.linting.rule import built_in_rules, parse_rule
from rfcheck.verify.data.sources import SOURCES

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


def test_the_configuration_works_where_it_is_copied_to(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (block,) = (block for block in blocks("toml") if block.startswith("[tool.rfcheck]"))
    (tmp_path / "pyproject.toml").write_text(block, encoding="utf-8")
    code, out, err = run("--output", "concise")
    assert (code, err) == (1, "")
    assert out.splitlines()[-1].startswith("Found ")
    assert " in 2 models: " in out
    assert run("tiny", "--output", "concise", "--select", "RF301")[::2] == (0, "")


def test_every_option_exists(run):
    lines = [line.partition(" #")[0] for block in blocks("sh")[2:] for line in block.splitlines() if line]
    assert lines
    for line in lines:
        verb = next((word for word in line.split()[1:2] if word in cli.commands), "check")
        _, text, _ = run(verb, "--help")
        assert [option for option in re.findall(r"(?<!\w)--[a-z-]+", line) if option not in text] == [], line


def test_the_training_loop_with_a_tracker_runs(capsys):
    (loop,) = (block for block in blocks("python") if "SaturationTracker" in block)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(144, 2))
    images, labels = torch.randn(2, 8, 3, 8, 8), torch.randint(2, (2, 8))
    batches = list(zip(images, labels, strict=True))
    exec(loop, {"torch": torch, "model": model, "batches": batches, "optimizer": torch.optim.Adam(model.parameters())})
    shown = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in shown[:-1]] == ["0", "2"]
    assert shown[-1].startswith("on average ")


def test_every_source_of_data_is_listed():
    listed = set(re.findall(r"`([a-z0-9-]+)(?::PATH)?`(?=[,| ])", README.partition("| `--data` |")[2].partition("\n\n")[0]))
    assert set(SOURCES) <= listed


def test_every_rule_is_listed():
    assert re.findall(r"^\| (RF\d{3}) ([a-z-]+) \|", README, re.MULTILINE) == [(rule.code, rule.name) for rule in built_in_rules()]


def test_the_rule_of_ones_own_is_valid():
    (text,) = blocks("markdown")
    assert parse_rule(Path("XX001-wide-layer.md"), text).limits == {"most": 0.25}

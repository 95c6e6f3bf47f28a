"""Help pages: complete, consistent and as wide as a terminal."""

from __future__ import annotations

import re
from collections import defaultdict

import click
import pytest

from rfcheck.cli import cli
from rfcheck.cli.help import OTHER, group_of

VERBS = sorted(cli.commands)
OPTIONS = [(verb, option) for verb in VERBS for option in cli.commands[verb].params if isinstance(option, click.Option)]

RULE_PAGE = """\
Usage: rfcheck rule [CODE] [OPTIONS]

  Explain a rule, by code (RF101) or name; without one, list all.

Rules:
  --rules FOLDER             Folder with further rules; repeatable.

Other options:
  -h, --help                 Show this message and exit.

Examples:
  rfcheck rule
      List all rules.
  rfcheck rule RF101
      Explain one.
  rfcheck rule unproductive-tail
      Explain it, by its name.

Exit codes:
  0  done
  2  an error; one sentence on standard error says what, and how to mend it

See also:
  rfcheck --select, --ignore
                             which rules run
  README.md                  the whole story, with the ideas behind it
"""


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_a_whole_page(run):
    assert run("rule", "--help") == (0, RULE_PAGE, "")
    assert run("rule", "-h") == (0, RULE_PAGE, "")


@pytest.mark.parametrize("verb", VERBS)
def test_pages_fit_a_terminal(run, verb):
    code, out, err = run(verb, "--help")
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if len(line) > 80 or line != line.rstrip()] == []
    assert out.startswith(f"Usage: rfcheck {verb}")


@pytest.mark.parametrize("columns", ["20", "40", "79", "200"])
def test_pages_fit_other_terminals_as_far_as_words_allow(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    for verb in VERBS:
        code, out, err = run(verb, "--help")
        assert (code, err) == (0, "")
        assert [line for line in out.splitlines() if len(line) > max(int(columns), 78)] == [] or columns in ("20", "40")
        assert all(len(line) <= 100 for line in out.splitlines())


@pytest.mark.parametrize(
    ("verb", "option"), OPTIONS, ids=lambda value: value if isinstance(value, str) else max(value.opts, key=len)
)
def test_every_option_is_explained_in_one_way(verb, option):
    text, _, default = (option.help or "").partition("  [default: ")
    assert re.fullmatch(r"[A-Z].*\.", text), text
    assert default == "" or default.endswith("]")
    assert "may be repeated" not in text
    assert ("repeatable" in text) == option.multiple
    if not option.is_flag and not isinstance(option.type, click.Choice):
        assert option.metavar == (option.metavar or "").upper() or re.search(r"\d", option.metavar or ""), option.metavar


def test_one_option_has_one_value_in_all_verbs():
    values = defaultdict(set)
    for _, option in OPTIONS:
        if not isinstance(option.type, click.Choice):
            values[max(option.opts, key=len)].add(option.metavar)
    assert {name: found for name, found in values.items() if len(found) > 1} == {"--output": {"FORMAT[=FILE]", "FILE"}}


def test_options_stand_in_groups(run):
    left = {max(option.opts, key=len) for _, option in OPTIONS if group_of(option) == OTHER}
    assert left == {"--watch", "--no-cache", "--flops-by", "--jobs"}
    _, out, _ = run("check", "--help")
    for _, option in [pair for pair in OPTIONS if pair[0] == "check"]:
        section = re.search(rf"^{group_of(option)}:\n((?:  .*\n)+)", out, re.MULTILINE)
        assert section is not None
        assert re.search(rf"^  (?:-\w, )?{max(option.opts, key=len)}\b", section[1], re.MULTILINE), option.opts


def test_a_verb_with_options_of_one_kind_calls_them_options(run):
    _, out, _ = run("clean", "--help")
    assert "\nOptions:\n  -h, --help                 Show this message and exit.\n" in out
    assert OTHER not in out


def test_sections_come_in_one_order(run):
    order = ["Targets", "Input", "Rules", "Output", "Suppressions and baseline", "Fixes", OTHER]
    order += ["Examples", "Exit codes", "Environment", "Files", "See also"]
    _, out, _ = run("check", "--help")
    assert re.findall(r"^([A-Z][\w ]+):$", out, re.MULTILINE) == order
    _, out, _ = run("--help")
    assert re.findall(r"^([A-Z][\w ]+):$", out, re.MULTILINE) == ["Verbs", *order]

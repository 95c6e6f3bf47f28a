"""What the pages say against the command line itself."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from rfcheck.cli import cli
from rfcheck.cli.default_verb import DEFAULT
from rfcheck.cli.pages import ENVIRONMENT, FILES, OPTION_GROUPS, PAGES

EXAMPLES = [example.command for page in PAGES.values() for example in page.examples]
OPTIONS = {name for verb in cli.commands.values() for param in verb.params for name in param.opts if name.startswith("-")}


def parsed(command: str) -> click.Context:
    """A command line as the real commands understand it, without running it."""
    program, *words = shlex.split(command)
    assert program == "rfcheck"
    with cli.make_context("rfcheck", words) as group:
        verb = words.pop(0) if words and words[0] in cli.commands else DEFAULT
        return cli.commands[verb].make_context(verb, words, parent=group)


def test_every_verb_has_a_page_with_examples_and_exit_codes():
    assert sorted(PAGES) == sorted(cli.commands)
    for page in PAGES.values():
        assert page.examples
        assert next(code for code, _ in page.exit_codes) == "0"
        assert "2" in dict(page.exit_codes)


@pytest.mark.parametrize("command", EXAMPLES)
def test_every_example_is_understood(command):
    context = parsed(command)
    words = shlex.split(command)
    assert context.info_name == (words[1] if len(words) > 1 and words[1] in cli.commands else DEFAULT)


@pytest.mark.parametrize(
    "command", ["rfcheck fix", "rfcheck sweep model.py", "rfcheck model.py --resoluton 32", "rfcheck rule a b"]
)
def test_an_example_that_is_not_understood_would_be_seen(command):
    with pytest.raises(click.UsageError):
        parsed(command)


def test_examples_stand_on_the_page_of_their_verb():
    for verb, page in PAGES.items():
        assert {parsed(example.command).info_name for example in page.examples} == {verb}


@pytest.mark.parametrize("verb", sorted(PAGES))
def test_a_synopsis_names_the_arguments_and_what_is_required(verb):
    context = click.Context(cli.commands[verb], info_name=verb)
    words = PAGES[verb].synopsis.split()
    arguments = [param for param in cli.commands[verb].params if isinstance(param, click.Argument)]
    assert words[: len(arguments)] == [param.make_metavar(context) for param in arguments]
    options = [param for param in cli.commands[verb].params if isinstance(param, click.Option)]
    required = [name for option in options if option.required for name in option.opts]
    assert [word for word in words if word.startswith("--")] == required
    assert ("[OPTIONS]" in words) == (bool(options) or not arguments)


def test_the_groups_name_options_that_exist_and_each_once():
    grouped = [name for names in OPTION_GROUPS.values() for name in names]
    assert set(grouped) <= OPTIONS
    assert len(grouped) == len(set(grouped))


def test_variables_and_files_are_those_that_are_explained():
    for page in PAGES.values():
        assert set(page.environment) <= set(ENVIRONMENT)
        assert set(page.files) <= set(FILES)


def test_every_command_line_that_is_mentioned_is_understood():
    mentioned = [name for page in PAGES.values() for name, _ in (*page.see_also, *page.terms[1]) if name.startswith("rfcheck ")]
    assert len(mentioned) > 5
    for text in mentioned:
        command = text.partition(" > ")[0]
        verb = next((name for name in cli.commands if re.match(rf"rfcheck {name}\b", command)), DEFAULT)
        known = {"--help", *(name for param in cli.commands[verb].params for name in param.opts)}
        assert set(re.findall(r"--[a-z-]+", command)) <= known, text

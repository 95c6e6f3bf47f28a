"""The verb that need not be named, and names that are nearly those of verbs."""

from __future__ import annotations

import pytest

from tests.conftest import EXAMPLES

EXAMPLE = str(EXAMPLES / "vgg16.py")


def test_check_need_not_be_named(run):
    with_name = run("check", EXAMPLE, "--resolution", "32", "--output", "concise")
    assert with_name[0] == 1
    assert with_name[1]
    assert run(EXAMPLE, "--resolution", "32", "--output", "concise") == with_name
    assert run("--resolution", "32", EXAMPLE, "--output", "concise") == with_name


@pytest.mark.parametrize(
    ("word", "meant"),
    [("chek", "check"), ("compar", "compare"), ("rules", "rule"), ("help", "--help"), ("version", "--version"), ("cleam", "clean")],
)
def test_a_word_that_is_nearly_a_verb(run, tmp_path, monkeypatch, word, meant):
    monkeypatch.chdir(tmp_path)
    assert run(word, "model.py") == (2, "", f"error: no verb {word!r}; did you mean {meant}?\n")


def test_an_option_is_no_misspelt_verb(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rfcheck.toml").write_text(f"[[models]]\ntarget = {EXAMPLE!r}\nresolution = 224\n")
    options = ("--diff", "--select", "RF101", "--output", "concise")
    assert run("--fix", *options) == run(*options, "--fix")
    assert run("--fix", *options)[0] == 0
    assert run("--fixx")[2] == "error: no option --fixx; did you mean --fix?\n"


def test_a_file_and_a_configured_model_may_have_such_a_name(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    code, out, err = run("rules", "--resolution", "32")
    assert (code, out) == (2, "")
    assert "no verb" not in err
    (tmp_path / "rfcheck.toml").write_text(f'[[models]]\nname = "chek"\ntarget = {EXAMPLE!r}\nresolution = 224\n')
    assert run("chek", "--fail-on", "never", "--output", "concise")[0] == 0
    assert run("chekk") == (2, "", "error: no verb 'chekk'; did you mean check?\n")


def test_a_word_that_is_near_nothing_is_a_target(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run("network", "--resolution", "32")
    assert (code, out) == (2, "")
    assert err.startswith("error: network: not a target; give a file")


def test_a_broken_configuration_does_not_hide_a_misspelt_verb(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rfcheck.toml").write_text("resolution = [")
    assert run("chek") == (2, "", "error: no verb 'chek'; did you mean check?\n")


def test_help_lists_verbs_and_the_options_of_check(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert out.startswith("Usage: rfcheck [check] [TARGET]... [OPTIONS]\n       rfcheck VERB [OPTIONS]\n\n  Find the layers")
    _, check, _ = run("check", "--help")
    assert out.endswith(check[check.index("Targets:\n") :])
    assert (
        "\nVerbs:\n"
        "  check        Report what cannot help at a resolution (the default).\n"
        "  clean        Remove the results that were kept of earlier runs.\n"
    ) in out
    assert run("-h") == (0, out, "")

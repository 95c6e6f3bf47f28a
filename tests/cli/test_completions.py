from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

FISH = """\
function _rfcheck_completion
    _RFCHECK_COMPLETE=fish_complete COMP_WORDS=(commandline -cp | string collect) rfcheck 2>/dev/null
end

complete --no-files --keep-order --command rfcheck --arguments "(_rfcheck_completion)"
"""


def test_a_whole_script(run):
    assert run("completions", "fish") == (0, FISH, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_are_ones_that_the_shell_can_run(run, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    code, script, err = run("completions", shell)
    assert (code, err) == (0, "")
    checked = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_script_comes_without_torch():
    code = "import sys\nfrom rfcheck.cli import main\ntry:\n    main(['completions', 'zsh'])\nfinally:\n    print({'torch'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("#compdef rfcheck\n")
    assert result.stdout.endswith("\nset()\n")


def test_the_shell_is_named_or_found_wanting(run):
    assert run("completions") == (2, "", "error: bash|zsh|fish is missing; see rfcheck completions --help\n")

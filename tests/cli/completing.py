"""What a shell's script would be answered, asked for in this process or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from click.shell_completion import ShellComplete

from rfcheck.cli import cli


def candidates(*words: str) -> list[tuple[str, str]]:
    """What may stand in place of the last word, and what is said about it."""
    found = ShellComplete(cli, {}, "rfcheck", "_RFCHECK_COMPLETE").get_completions(list(words[:-1]), words[-1])
    return [(item.value, item.help or "") for item in found]


def values(*words: str) -> list[str]:
    """What may stand in place of the last word."""
    return [value for value, _ in candidates(*words)]


def answered(shell: str, line: str, folder: object, **environment: str) -> str:
    """What rfcheck prints when a shell asks how a line may go on; fails if that imports torch or rules are compiled."""
    code = (
        "import sys\nfrom rfcheck.cli import main\n"
        "try:\n    main([])\n"
        "finally:\n    assert not {'torch', 'torchvision', 'timm', 'cel', 'rich', 'networkx'} & set(sys.modules), 'imported'\n"
    )
    variables = {"_RFCHECK_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=str(folder),
        env={**os.environ, **variables, **environment},
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout

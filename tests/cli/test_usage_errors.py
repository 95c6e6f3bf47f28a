"""Command lines that cannot be understood, each with the whole of what is said about it."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--resoluton 32 m.py", "no option --resoluton; did you mean --resolution?"),
        ("m.py --zzz", "no option --zzz; see rfcheck check --help"),
        ("m.py -x", "no option -x; see rfcheck check --help"),
        ("m.py -qx", "no option -x; see rfcheck check --help"),
        ("sweep m.py --plt x.png", "no option --plt; did you mean --plot?"),
        ("m.py --resolution", "--resolution needs a value; write --resolution 32|32x48"),
        ("m.py --fail-on", "--fail-on needs a value; write --fail-on error|warning|info|never"),
        ("m.py --layers=3", "--layers takes no value; leave it out"),
        ("m.py --channels three", "--channels: 'three' is not a valid integer; see rfcheck check --help"),
        ("m.py --fail-on warn", "--fail-on: 'warn' is none of error, warning, info, never; did you mean warning?"),
        ("config --format xml", "--format: 'xml' is none of table, json; see rfcheck config --help"),
        ("completions tcsh", "bash|zsh|fish: 'tcsh' is none of bash, zsh, fish; see rfcheck completions --help"),
        ("fix", "TARGET is missing; see rfcheck fix --help"),
        ("compare a.py", "B is missing; see rfcheck compare --help"),
        ("sweep m.py", "--resolutions is missing; see rfcheck sweep --help"),
        ("rule RF101 RF102", "got unexpected extra argument (RF102); see rfcheck rule --help"),
    ],
)
def test_what_is_said(run, line, message):
    assert run(*line.split()) == (2, "", f"error: {message}\n")

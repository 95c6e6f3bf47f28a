"""A name that a log, a terminal or a browser would obey, and what of a text they would."""

from __future__ import annotations

import re

NAME = "a\n::error file=x::pwn\x1b[31m\x9b1m\u202e ::warning::w ##[add-mask]q ##vso[task]y<script>![i](http:x)"

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_COMMANDS = re.compile(r"^\s*::.*|##(?:\w+)?\[.*", re.MULTILINE)


def obeyed(text: str) -> list[str]:
    """What runners of GitHub and Azure take for commands, as they look for them, and control characters."""
    return _COMMANDS.findall(text) + _CONTROLS.findall(text)

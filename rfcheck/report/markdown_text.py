"""Any text as a piece of one line of Markdown that shows it as it is."""

from __future__ import annotations

import re

_MARKUP = re.compile(r"([\\`*_\[\]|~$])")
_ENTITIES = {"&": "&amp;", "<": "&lt;"}


def plain(text: str) -> str:
    """Text outside code, in which nothing becomes markup, HTML or a new line."""
    line = " ".join(text.split())
    for character, entity in _ENTITIES.items():
        line = line.replace(character, entity)
    return _MARKUP.sub(r"\\\1", line)


def code(text: str) -> str:
    """Text as code: names of layers, paths, targets."""
    line = " ".join(text.split())
    longest = max(map(len, re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{padding}{line}{padding}{fence}"


def code_cell(text: str) -> str:
    """Text as code in a table, where a bar ends a cell even inside code."""
    return code(text).replace("|", r"\|")

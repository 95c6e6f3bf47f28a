"""The front matter of a rule file: YAML from strangers, read within bounds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from rfcheck.errors import RuleError

_YAML_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class FrontMatter:
    """Keys of a front matter with their lines, for errors that point at them.

    Args:
        path: of the file.
        text: what it holds.

    Attributes:
        path: of the file.
        values: of the front matter.
        lines: of its keys, the first of the file is 1.
        body: the page below it.

    Raises:
        RuleError: if there is no front matter, or none that can be read.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        match = re.match(r"\A---\r?\n(.*?)^---[ \t]*\r?\n", text, re.DOTALL | re.MULTILINE)
        if match is None:
            raise RuleError(f"{path}:1: a rule file begins with a front matter between two lines '---'")
        self.body = text[match.end() :].strip()
        loader = _YAML_LOADER(match.group(1))
        try:
            if _mentions_another_value(match.group(1)):
                raise RuleError(f"{path}:2: the front matter names a value with * to use it again; write it out")
            node = loader.get_single_node()
            values = loader.construct_document(node) if node is not None else None
        except RuleError:
            raise
        except (ValueError, RecursionError) as error:  # a number or date that Python cannot have
            raise RuleError(f"{path}:2: the front matter is not YAML: {error}") from None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 2 if mark is not None else 1
            problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
            raise RuleError(f"{path}:{line}: the front matter is not YAML: {problem}") from None
        if not isinstance(values, dict) or not isinstance(node, yaml.MappingNode):
            raise RuleError(f"{path}:2: the front matter must hold keys and values")
        self.values: dict[str, Any] = values
        self.lines = {key.value: key.start_mark.line + 2 for key, _ in node.value}

    def error(self, key: str, text: str) -> RuleError:
        """What is wrong with a key, with its place."""
        return RuleError(f"{self.path}:{self.lines.get(key, 2)}: {key}: {text}")


def _mentions_another_value(text: str) -> bool:
    """Whether a value stands for another one; a few lines of such values would be millions."""
    return "*" in text and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_YAML_LOADER))

"""Python files as text and as a tree, read as the interpreter reads them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class NotPythonError(ValueError):
    """Bytes that are not a Python file: wrong encoding or wrong syntax; says which."""


@dataclass(frozen=True)
class PythonSource:
    """One file.

    Attributes:
        text: as written, line breaks included.
        encoding: by its first lines; "utf-8-sig" where it begins with a byte order mark.
        tree: what it says.
    """

    text: str
    encoding: str
    tree: ast.Module

    @cached_property
    def lines(self) -> list[str]:
        """The lines, without their ends: what Python counts as a line, no matter what else would break it."""
        return _LINE_BREAK.split(self.text)

    @cached_property
    def line_ends(self) -> list[str]:
        """How each line but the last ends."""
        return _LINE_BREAK.findall(self.text)

    @cached_property
    def tokens(self) -> list[tokenize.TokenInfo]:
        """Its tokens, comments among them; columns count characters.

        Raises:
            NotPythonError: if the tokenizer, which is stricter than the parser, does not go through.
        """
        try:
            return list(tokenize.generate_tokens(io.StringIO("\n".join(self.lines)).readline))
        except (tokenize.TokenError, SyntaxError) as error:
            raise NotPythonError(f"it cannot be taken apart: {error.args[0]}") from None


def parse_python(data: bytes) -> PythonSource:
    """Read a Python file.

    Raises:
        NotPythonError: if it cannot be decoded or has a syntax error.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(re.sub(rb"\r\n?", b"\n", data)).readline)
        text = data.decode(encoding)
        return PythonSource(text, encoding, _parsed(text))
    except SyntaxError as error:
        where = "" if error.lineno is None else f" in line {error.lineno}"
        raise NotPythonError(f"it has a syntax error{where}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise NotPythonError(f"it is not {error.encoding} text") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise NotPythonError(f"it cannot be parsed: {error}") from None


def _parsed(text: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Python finds odd about the code is not what is asked here
        return ast.parse(text)

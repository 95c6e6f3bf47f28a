"""Edit the calls that make layers in the text of a Python file; everything else in it stays, byte by byte."""

from __future__ import annotations

import inspect
import io
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import libcst as cst
from torch import nn

from rfcheck.errors import FixError
from rfcheck.fixes.call_arguments import stars_in, with_argument
from rfcheck.fixes.new_calls import NewCall
from rfcheck.fixes.source_calls import SourceCall, source_calls
from rfcheck.span import Span

Edit = tuple[Span, NewCall]
"""Where a call stands, and what it becomes."""


@dataclass(frozen=True)
class SourceText:
    """A Python file whose calls can be edited.

    Attributes:
        path: as reports show it.
        encoding: that the file declares, or has by its byte order mark.
        tree: its syntax tree.
        calls: all calls in it.
    """

    path: str
    encoding: str
    tree: cst.Module
    calls: Sequence[SourceCall]

    @classmethod
    def of(cls, path: str, content: bytes) -> SourceText:
        """Read a file.

        Raises:
            FixError: if LibCST cannot read it, or would not write it as it was.
        """
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
            text = content.decode(encoding)
            module = cst.parse_module(text)
        except cst.ParserSyntaxError as error:
            raise FixError(f"LibCST cannot read line {error.raw_line} of {path}") from None
        except (SyntaxError, UnicodeDecodeError) as error:
            raise FixError(f"the encoding of {path} is unclear: {error}") from None
        if module.code != text:
            raise FixError(f"LibCST would not write {path} as it is; it may have unusual line ends")
        return cls(path, encoding, *source_calls(module))

    def call_at(self, site: Span, new: NewCall) -> SourceCall:
        """The call at a place, if it is one that makes the layer and can be edited.

        Raises:
            FixError: if not; says why.
        """
        found = [call for call in self.calls if call.is_at(site)]
        making = [call for call in found if call.is_of(new.kind)]
        if len(making) != 1:
            callees = " and ".join(dict.fromkeys(f"{call.callee}(...)" for call in found)) or "no call"
            raise FixError(f"{new.path} is made by {callees} in line {site.line}, not by one call of {new.kind}")
        (call,) = making
        stars = stars_in(call.node)
        if stars:
            raise FixError(f"the call in line {site.line} that makes {new.path} does not write its arguments out: it has {stars}")
        if new.is_identity and call.identity() is None:
            raise FixError(f"{self.path} has no name for nn.Identity in line {site.line}; add: from torch import nn")
        return call

    def edited(self, edits: Sequence[Edit]) -> bytes:
        """The file with calls edited.

        Raises:
            FixError: if a call cannot be; says why.
        """
        changes = {id(call.node): (call, new) for site, new in edits for call in (self.call_at(site, new),)}
        tree = self.tree.visit(_Rewriting(changes))
        assert isinstance(tree, cst.Module)
        return tree.code.encode(self.encoding)


class _Rewriting(cst.CSTTransformer):
    """Writes new calls in place of others, which are given by identity."""

    def __init__(self, changes: Mapping[int, tuple[SourceCall, NewCall]]) -> None:
        super().__init__()
        self._changes = changes

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:  # noqa: N802 - as LibCST names it
        """Rewrite a call."""
        if id(original_node) not in self._changes:
            return updated_node
        call, new = self._changes[id(original_node)]
        if new.is_identity:
            identity = call.identity()
            assert identity is not None
            bare = cst.SimpleWhitespace("")
            return updated_node.with_changes(func=cst.parse_expression(identity), args=(), whitespace_before_args=bare)
        parameters = list(inspect.signature(getattr(nn, new.kind)).parameters)
        for name, value in new.arguments:
            updated_node = with_argument(updated_node, parameters, name, _one(value))
        return updated_node


def _one(value: tuple[int, ...]) -> int | tuple[int, ...]:
    """A number in place of a tuple of equal numbers."""
    return value[0] if len(set(value)) == 1 else value

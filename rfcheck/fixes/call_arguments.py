"""Change the arguments of a call in a syntax tree, so that as little of the text changes as can be."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst


def with_argument(call: cst.Call, parameters: Sequence[str], name: str, value: object) -> cst.Call:
    """A call with another value for one argument, where the argument stands; or else behind the others, by its name.

    Args:
        call: without ``*`` and ``**``.
        parameters: names of the parameters, in order.
        name: of the argument.
        value: a literal.
    """
    literal = cst.parse_expression(repr(value))
    position = _position(call, parameters, name)
    if position is None:
        return _with_last(call, cst.Arg(literal, keyword=cst.Name(name), equal=_EQUAL))
    args = list(call.args)
    args[position] = args[position].with_changes(value=literal)
    return call.with_changes(args=args)


def stars_in(call: cst.Call) -> str:
    """The arguments of a call that are not written out: "*sizes and **options"; empty if all are."""
    code = cst.Module([]).code_for_node
    return " and ".join(f"{arg.star}{code(arg.value)}" for arg in call.args if arg.star)


_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


def _position(call: cst.Call, parameters: Sequence[str], name: str) -> int | None:
    for index, arg in enumerate(call.args):
        if (arg.keyword.value if arg.keyword else parameters[index]) == name:
            return index
    return None


def _with_last(call: cst.Call, new: cst.Arg) -> cst.Call:
    """A call with one more argument; what stood between the last one and the bracket stays there, comments stay where they are."""
    *others, last = call.args
    between = others[-1].comma if others else None
    gap = between.whitespace_after if isinstance(between, cst.Comma) else call.whitespace_before_args
    if not others and isinstance(gap, cst.SimpleWhitespace):
        gap = cst.SimpleWhitespace(" ")
    if isinstance(last.comma, cst.Comma):
        end = last.comma.whitespace_after
        comma = last.comma.with_changes(whitespace_after=_gap(gap, end, call))
        new = new.with_changes(comma=last.comma.with_changes(whitespace_after=_without_comments(end)))
        return call.with_changes(args=(*others, last.with_changes(comma=comma), new))
    end = last.whitespace_after_arg
    comma = cst.Comma(whitespace_after=_gap(gap, end, call))
    new = new.with_changes(whitespace_after_arg=_without_comments(end))
    kept = last.with_changes(comma=comma, whitespace_after_arg=cst.SimpleWhitespace(""))
    return call.with_changes(args=(*others, kept, new))


def _gap(
    usual: cst.BaseParenthesizableWhitespace, end: cst.BaseParenthesizableWhitespace, call: cst.Call
) -> cst.BaseParenthesizableWhitespace:
    """What separates the last argument from a new one: as between the others, unless a comment follows the last one."""
    if not isinstance(end, cst.ParenthesizedWhitespace) or not (end.first_line.comment or any(e.comment for e in end.empty_lines)):
        return _without_comments(usual)
    first = call.whitespace_before_args
    return end.with_changes(last_line=first.last_line if isinstance(first, cst.ParenthesizedWhitespace) else end.last_line)


def _without_comments(space: cst.BaseParenthesizableWhitespace) -> cst.BaseParenthesizableWhitespace:
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return space
    first = space.first_line.with_changes(whitespace=cst.SimpleWhitespace(""), comment=None)
    return space.with_changes(first_line=first, empty_lines=[])

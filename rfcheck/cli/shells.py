"""Completion in bash, zsh and fish: a script for each, and the words in which it asks and is answered.

Scripts hand over the command line up to the cursor in COMP_WORDS. Unlike those that click has, they know that bash splits words at
colons and equals signs, that names of files may need quoting, and that after a folder, a colon or an equals sign no space follows.
"""

from __future__ import annotations

import os
import re
import shlex
from typing import ClassVar

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete, split_arg_string

from rfcheck.cli.completions import VARIABLE
from rfcheck.printable import printable

_BASH = """\
%(complete_func)s() {
    local reply
    COMPREPLY=()
    while IFS= read -r reply; do
        [[ -n $reply ]] && COMPREPLY+=("$reply")
    done < <(%(complete_var)s=bash_complete COMP_WORDS="${COMP_LINE:0:COMP_POINT}" \\
        COMP_WORDBREAKS="$COMP_WORDBREAKS" "$1" 2>/dev/null)
    if [[ ${COMPREPLY[0]-} == *[/:=] ]]; then
        compopt -o nospace
    fi
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_ZSH = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local -a response items open_items
    local value description
    response=("${(@f)$(%(complete_var)s=zsh_complete COMP_WORDS="${(j: :)words[1,CURRENT]}" ${~words[1]} 2>/dev/null)}")
    for value description in "${response[@]}"; do
        if [[ -z $value ]]; then
            continue
        elif [[ $value == *[/:=] ]]; then
            open_items+=("${value//:/\\\\:}${description:+:$description}")
        else
            items+=("${value//:/\\\\:}${description:+:$description}")
        fi
    done
    _describe -V items items -U
    _describe -V open_items open_items -U -S ''
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

_FISH = """\
function %(complete_func)s
    %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp | string collect) %(prog_name)s 2>/dev/null
end

complete --no-files --keep-order --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


def _line() -> str:
    """The command line up to the cursor."""
    return os.environ.get("COMP_WORDS", "")


def _typed() -> tuple[list[str], str]:
    """The whole words behind the command, and the one that is being typed; an option's value is a word of its own."""
    *whole, last = split_arg_string(f"{_line()}x")
    option = _option_before(last)
    return [*whole[1:], *([option] if option else [])], last[len(option) + 1 if option else 0 : -1]


def _option_before(word: str) -> str:
    """The option in front of the equals sign of a word; empty for none."""
    option, equals, _ = word.partition("=")
    return option if equals and word.startswith("-") else ""


class _Words(ShellComplete):
    """What the three have in common: how a command line falls into words, and which candidates a shell could insert."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Whole words, and the one that is being typed."""
        return _typed()

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Candidates; a name with line breaks or escape codes is none."""
        return [item for item in super().get_completions(args, incomplete) if printable(str(item.value)) == str(item.value)]


class Bash(_Words, BashComplete):
    """Completion for bash, which replaces what stands behind the last colon or equals sign, and quotes nothing."""

    source_template: ClassVar[str] = _BASH

    def format_completion(self, item: CompletionItem) -> str:
        """What takes the place of the part of the word that bash replaces."""
        mark = _open_quote(_line())
        if mark == "'":
            return str(item.value)
        if mark:
            return re.sub(r'(["$`\\])', r"\\\1", item.value)
        return re.sub(r"([^\w@%+=:,./\-])", r"\\\1", _replaced_by_bash(item.value))


def _replaced_by_bash(value: str) -> str:
    """The part of a value that bash puts in place of what it holds for the word: what stands behind the last colon, say."""
    breaks = set(":=") & set(os.environ.get("COMP_WORDBREAKS", ":="))
    begun = _typed()[1]
    kept = begun[: max((begun.rfind(mark) for mark in breaks), default=-1) + 1]
    return value.removeprefix(kept) if kept or "=" in breaks else _whole_word(value)


def _open_quote(line: str) -> str:
    """The quotation mark that is open at the end of a command line; empty for none."""
    for mark in ("", "'", '"'):
        try:
            shlex.split(f"{line}x{mark}")
        except ValueError:
            continue
        return mark
    return ""


class Zsh(_Words, ZshComplete):
    """Completion for zsh, which replaces whole words, and reads two lines for each item."""

    source_template: ClassVar[str] = _ZSH

    def format_completion(self, item: CompletionItem) -> str:
        """An item, and what it means."""
        return f"{_whole_word(item.value)}\n{_one_line(item.help)}"


class Fish(_Words, FishComplete):
    """Completion for fish, which replaces whole words."""

    source_template: ClassVar[str] = _FISH

    def format_completion(self, item: CompletionItem) -> str:
        """An item, and what it means behind a tab."""
        return f"{_whole_word(item.value)}\t{_one_line(item.help)}"


def _whole_word(value: str) -> str:
    """A value with the option that is in one word with it."""
    option = _option_before(split_arg_string(f"{_line()}x")[-1])
    return f"{option}={value}" if option else value


def _one_line(text: str | None) -> str:
    return printable(" ".join((text or "").split()))


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def script(shell: str, command: click.Command) -> str:
    """What a shell is to run once, for completion of a command.

    Args:
        shell: one of `SHELLS`.
        command: the whole command line.
    """
    return SHELLS[shell](command, {}, "rfcheck", VARIABLE).source()


def answer(asked: str, command: click.Command) -> str | None:
    """What a script prints as candidates; None if it is none of ours that asks.

    Args:
        asked: value of `VARIABLE`.
        command: the whole command line.
    """
    made = SHELLS.get(asked.removesuffix("_complete")) if asked.endswith("_complete") else None
    return None if made is None else made(command, {}, "rfcheck", VARIABLE).complete()

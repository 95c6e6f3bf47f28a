"""Signs for terminals whose encoding has few: bars, lines and arrows become ASCII characters of the same width."""

from __future__ import annotations

import codecs
import sys

_PLAIN = str.maketrans("▁▂▃▄▅▆▇█│─━…→←×·–µ", ".:-=+*%#|--~><x.-u")
_HANDLER = "rfcheck-signs"


def _substitute(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that an encoding does not have: the nearest ASCII sign, else a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end].translate(_PLAIN)
    return "".join(sign if sign.isascii() else "?" for sign in missing), error.end


codecs.register_error(_HANDLER, _substitute)


def encoded(text: str, encoding: str) -> bytes:
    """A text for people, in an encoding that may not have all of its characters."""
    return text.encode(encoding, _HANDLER)


def substitute_signs() -> None:
    """Let standard output and standard error put a sign of their encoding where it lacks a character, in place of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and getattr(stream, "errors", None) == "strict":
            reconfigure(errors=_HANDLER)

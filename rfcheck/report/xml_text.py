"""Text inside XML and HTML."""

from __future__ import annotations

import re
from html import escape

from rfcheck.printable import printable

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """A text for people as it stands between tags or in an attribute; control characters are shown as `printable` shows them."""
    return escape(printable(text))


def allowed(text: str) -> str:
    """A text without the characters that XML does not have."""
    return _FORBIDDEN.sub("\ufffd", text)

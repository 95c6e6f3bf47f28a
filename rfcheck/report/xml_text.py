"""Text inside XML."""

from __future__ import annotations

import re
from html import escape

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """A text as it stands between tags or in an attribute; characters that XML does not have become U+FFFD."""
    return escape(allowed(text))


def allowed(text: str) -> str:
    """A text without the characters that XML does not have."""
    return _FORBIDDEN.sub("\ufffd", text)

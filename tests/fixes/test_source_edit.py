"""Edited files, byte by byte."""

from __future__ import annotations

import pytest

from rfcheck.errors import FixError
from rfcheck.fixes.new_calls import NewCall
from rfcheck.fixes.source_edit import SourceText
from rfcheck.span import Span

CODE = """\
# größe
from torch import nn


conv = nn.Conv2d(3, 8, 7, 2, 3)  # stem
other = nn.Sequential(nn.Conv2d(8, 8, kernel_size=(5, 3), padding=(2, 1)), nn.MaxPool2d(
    2,  # halves
))
\tx = '''a
\tb'''
""".replace("\tx", "if True:\n\tx").replace("'''a\n\tb", "'''a\n\tb\x0c\u2028")

EDITED = CODE.replace("(3, 8, 7, 2, 3)", "(3, 8, 3, 1, 1)").replace(
    "(8, 8, kernel_size=(5, 3), padding=(2, 1))", "(8, 8, kernel_size=(1, 3), padding=0)"
)
EDITED = EDITED.replace("nn.MaxPool2d(\n    2,  # halves\n)", "nn.Identity()")

STEM = NewCall("stem", "Conv2d", (("kernel_size", (3, 3)), ("stride", (1, 1)), ("padding", (1, 1))))
CONV = NewCall("body.0", "Conv2d", (("kernel_size", (1, 3)), ("padding", (0, 0))))
POOL = NewCall("body.1", "MaxPool2d", is_identity=True)


def span(code: str, text: str) -> Span:
    """Where a piece of code stands."""
    start = code.index(text)
    end = start + len(text)

    def place(at: int) -> tuple[int, int]:
        return code.count("\n", 0, at) + 1, at - code.rfind("\n", 0, at)

    return Span("model.py", *place(start), *place(end))


EDITS = [
    (span(CODE, "nn.Conv2d(3, 8, 7, 2, 3)"), STEM),
    (span(CODE, "nn.Conv2d(8, 8, kernel_size=(5, 3), padding=(2, 1))"), CONV),
    (span(CODE, "nn.MaxPool2d(\n    2,  # halves\n)"), POOL),
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n", "# end"])
def test_only_the_calls_change(encoding, newline, end):
    def content(code: str) -> bytes:
        declared = "# coding: latin-1\n" if encoding == "latin-1" else ""
        text = declared + code + end
        return text.replace("\u2028", "ü" if declared else "\u2028").replace("\n", newline).encode(encoding)

    shift = encoding == "latin-1"
    edits = [(site._replace(line=site.line + shift, end_line=site.last_line + shift), new) for site, new in EDITS]
    assert SourceText.of("model.py", content(CODE)).edited(edits) == content(EDITED)
    assert SourceText.of("model.py", content(CODE)).edited([]) == content(CODE)


@pytest.mark.parametrize(
    ("code", "site", "new", "reason"),
    [
        (CODE, Span("model.py", 4), STEM, "stem is made by no call in line 4, not by one call of Conv2d"),
        (CODE, EDITS[1][0], POOL, "body.1 is made by nn.Conv2d(...) in line 6, not by one call of MaxPool2d"),
        ("from torch import nn\na = nn.Conv2d(nn.Conv2d(1, 1, 1), f(2), 3)\n", Span("model.py", 2), STEM,
         "stem is made by nn.Conv2d(...) and f(...) in line 2, not by one call of Conv2d"),
        ("from torch import nn\nnn.Conv2d(*a, 3, **b)\n", Span("model.py", 2), STEM,
         "the call in line 2 that makes stem does not write its arguments out: it has *a and **b"),
        ("from torch.nn import MaxPool2d\nMaxPool2d(2)\n", Span("model.py", 2), POOL,
         "model.py has no name for nn.Identity in line 2; add: from torch import nn"),
    ],
)  # fmt: skip
def test_calls_that_cannot_be_edited(code, site, new, reason):
    text = SourceText.of("model.py", code.encode())
    for act in (lambda: text.call_at(site, new), lambda: text.edited([(site, new)])):
        with pytest.raises(FixError) as caught:
            act()
        assert str(caught.value) == reason


def test_a_line_is_enough_where_it_begins_one_call_of_the_class():
    site, new = EDITS[0]
    text = SourceText.of("model.py", CODE.encode())
    assert text.edited([(Span("model.py", site.line), new)]) == text.edited([(site, new)])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a = 1\nb = = 2\n", "LibCST cannot read line 2 of model.py"),
        (b"a = 1\rb = 2\r", "LibCST would not write model.py as it is; it may have unusual line ends"),
        (b"# gr\xf6 -*- coding: latin-1 -*-\n", "the encoding of model.py is unclear: invalid or missing encoding declaration"),
        (b"# coding: ascii\n# \xf6\n", "the encoding of model.py is unclear: 'ascii' codec can't decode byte 0xf6 in position 18: ordinal not in range(128)"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read_or_kept(content, reason):
    with pytest.raises(FixError) as caught:
        SourceText.of("model.py", content)
    assert str(caught.value) == reason

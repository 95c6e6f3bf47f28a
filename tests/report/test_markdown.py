from __future__ import annotations

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from rfcheck.report.markdown import render
from rfcheck.report.result import Failure, Run
from rfcheck.report.view import View
from tests.report.runs import CLEAN, EMPTY, FULL, NET, TAIL

FACTS = (
    "6 judged layers, 3 unproductive, 3 of them in the tail; 2.20 k parameters, 135 kFLOPs, 7.27 kB activations; "
    "no unproductive layer from 19 px on; the last map sees up to 23 px"
)
CLEAN_FACTS = (
    "4 judged layers, 0 unproductive, 0 of them in the tail; 336 parameters, 20.7 kFLOPs, 3.07 kB activations; "
    "no unproductive layer from 7 px on; the last map sees up to 9 px"
)
TABLE = f"""\
| severity | rule | layer | place | message |
| --- | --- | --- | --- | --- |
| warning | RF101 unproductive-tail | `tail.2` | `src/a b/ünï.py:12:9` | {TAIL.message} |
| info | RF401 budget |  | `model.py:5` | 100 % of 5 FLOPs: too much, by far |

- fix for RF101: truncate-before: tail 3 -> 0, unproductive 3 -> 0, FLOPs 135 k -> 58.2 k, parameters 2.20 k -> 990
"""
SILENCED = "- RF201 aggressive-stem `stem`, suppressed in model.py:8: as in the paper\n"
FAILED = """\
### Could not be analysed

- `bad.py:Bad`: building the model fails: 100 %
"""
WHOLE = f"""\
## rfcheck

Found 2 findings in 2 models: 1 warning, 1 info, 1 suppressed, 1 in the baseline, 1 target failed.

### `model.py:Net` at 3x8x8

{FACTS}

{TABLE}{{silenced}}
### `zoo:clean` at 3x8x8

{CLEAN_FACTS}

{FAILED}"""


def test_the_whole_report():
    assert render(FULL, View()) == WHOLE.format(silenced="")


def test_what_is_suppressed_on_request():
    assert render(FULL, View(show_suppressed=True)) == WHOLE.format(silenced=f"\n{SILENCED}")


def test_findings_only():
    assert render(FULL, View(quiet=True)) == f"## rfcheck\n\n### `model.py:Net` at 3x8x8\n\n{TABLE}\n{FAILED}"


def test_nothing_found():
    assert render(CLEAN, View()) == f"## rfcheck\n\nNo findings in 1 model.\n\n### `zoo:clean` at 3x8x8\n\n{CLEAN_FACTS}\n"
    assert render(EMPTY, View()) == "## rfcheck\n\nNo findings in 0 models.\n"


NASTY = "a|b `c` <script>\nd"


@pytest.mark.parametrize("view", [View(), View(show_suppressed=True)])
def test_any_text_stays_in_its_place(view):
    finding = replace(TAIL, layer=NASTY, message=NASTY, name=NASTY)
    run = Run((replace(NET, target=NASTY, path=None, findings=(finding, finding)),), (Failure(NASTY, NASTY),))
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(render(run, view))
    text, as_code = "a|b `c` &lt;script&gt; d", "<code>a|b `c` &lt;script&gt; d</code>"
    assert "<script" not in html
    assert html.count("<tr>") == 3
    assert html.count(f"<td>{as_code}</td>") == 4
    assert html.count(f"<td>{text}</td>") == 2
    assert f"<h3>{as_code} at 3x8x8</h3>" in html
    assert f"<li>{as_code}: {text}</li>" in html

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from rfcheck.report import concise, full, statistics
from rfcheck.report.formats import FOR_PEOPLE, FORMATS, SHOWS_FIXES, render
from rfcheck.report.result import Failure, Run
from rfcheck.report.statistics import statistics_to_dict
from rfcheck.report.view import View
from rfcheck.span import Span
from tests.report.runs import CLEAN, EMPTY, FULL, NET, TAIL

MARKS = {
    "full": lambda text: text.startswith("model.py:Net at 3x8x8\n"),
    "concise": lambda text: text.startswith("src/a b/ünï.py:12:9: RF101 [warning]"),
    "json": lambda text: json.loads(text)["summary"]["warning"] == 1,
    "sarif": lambda text: json.loads(text)["version"] == "2.1.0",
    "github": lambda text: text.startswith("::warning file="),
    "gitlab": lambda text: json.loads(text)[0]["severity"] == "minor",
    "junit": lambda text: ET.fromstring(text.encode()).tag == "testsuites",
    "markdown": lambda text: text.startswith("## rfcheck\n"),
}


def test_every_format_is_checked_here():
    assert list(MARKS) == list(FORMATS)
    assert FOR_PEOPLE.issubset(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_writes_what_its_name_says(name):
    assert MARKS[name](render(name, FULL, View()))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("run", [FULL, CLEAN, EMPTY], ids=["full", "clean", "empty"])
def test_texts_end_with_one_line_break(name, run):
    text = render(name, run, View())
    assert text == "" or (text.endswith("\n") and not text.endswith("\n\n"))


@pytest.mark.parametrize("name", sorted(set(FORMATS) - FOR_PEOPLE - {"markdown"}))
def test_formats_for_programs_do_not_depend_on_the_terminal(name):
    other = View(width=20, color=True, quiet=True, layers=True, show_suppressed=True, explanations={"model.py:Net": "why"})
    assert render(name, FULL, other) == render(name, FULL, View())


@pytest.mark.parametrize("name", FORMATS)
def test_fixes_are_named_where_they_are_said_to_be(name):
    assert ("truncate-before: tail 3 " in render(name, FULL, View())) == (name in SHOWS_FIXES)


@pytest.mark.parametrize("name", FORMATS)
def test_findings_are_said_in_every_format(name):
    words = "".join(render(name, FULL, View(width=200)).split()).replace("%25", "%")
    assert "".join(TAIL.message.split()) in words


@pytest.mark.parametrize("name", FORMATS)
def test_names_that_are_not_unicode_are_written_out(name):
    path = "\udcff.py"
    broken = replace(NET, target=f"{path}:Net", path=path, findings=(replace(TAIL, chain=(Span(path, 3),)),))
    text = render(name, Run((broken,), (Failure(path, "no such file"),)), View(show_suppressed=True))
    text.encode("utf-8")
    assert {"sarif": "%FF.py"}.get(name, r"\udcff.py") in text
    if name in ("json", "gitlab", "sarif"):
        assert f'"{path}"' in json.dumps(json.loads(text), ensure_ascii=False)


def test_quiet_makes_full_concise():
    assert render("full", FULL, View(quiet=True)) == concise.render(FULL, View(quiet=True)).replace("much,\nby", "much, by")
    assert render("full", FULL, View()) == full.render(FULL, View())


@pytest.mark.parametrize("name", FORMATS)
def test_counts_take_the_place_of_findings(name):
    text = render(name, FULL, View(statistics=True))
    if name in FOR_PEOPLE:
        assert text == statistics.render(FULL, View())
    elif name == "json":
        assert json.loads(text) == statistics_to_dict(FULL)
    else:
        assert text == render(name, FULL, View())


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_needs_torch(name):
    heavy = ("torch", "networkx", "numpy", "matplotlib", *(() if name == "full" else ("rich",)))
    code = (
        "import sys\n"
        "from rfcheck.report.formats import render\n"
        "from rfcheck.report.result import Failure, Run\n"
        "from rfcheck.report.view import View\n"
        f"render({name!r}, Run((), (Failure('a', 'b'),)), View())\n"
        f"print([n for n in {heavy!r} if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

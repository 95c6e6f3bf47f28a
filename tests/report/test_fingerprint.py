from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from rfcheck.report.fingerprint import digest, identified
from rfcheck.report.result import Run, Suppressed
from rfcheck.span import Span
from tests.report.runs import COMMENT, FULL, NET, PLACED, STEM, TAIL, WHOLE, Net, result_of


def prints(*results) -> list[str]:
    return [one.fingerprint for one in identified(Run(results, ()))]


def test_every_finding_with_what_became_of_it():
    found = [(one.finding.code, one.finding.layer, one.suppression, one.known, one.reported) for one in identified(FULL)]
    assert found == [
        ("RF101", "tail.2", None, False, True),
        ("RF401", None, None, False, True),
        ("RF201", "stem", COMMENT, False, False),
        ("RF101", "tail.3", None, True, False),
    ]
    assert not FULL.results[1].findings
    assert all(one.result is FULL.results[0] for one in identified(FULL))


def test_the_recipe():
    recipe = json.dumps(["model.py:Net", 3, [8, 8], "RF101", "tail.2", 1]).encode()
    assert prints(NET) == [hashlib.sha256(recipe).hexdigest()]


def test_lines_messages_and_severities_may_change():
    moved = replace(TAIL, chain=(Span("other.py", 99, 1),), message="4 layers ...", severity="error", fixes=())
    assert prints(replace(NET, findings=(moved,), line=77, path="other.py")) == prints(NET)


@pytest.mark.parametrize("path", ["./model.py", "{here}/model.py", "../{name}/model.py"])
def test_the_path_may_be_written_in_another_way(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    written = path.format(here=tmp_path, name=tmp_path.name)
    assert prints(replace(NET, target=f"{written}:Net", path=written)) == prints(NET)


@pytest.mark.parametrize("change", [{"code": "RF102"}, {"layer": "tail.3"}, {"layer": None}])
def test_another_finding_has_another_fingerprint(change):
    assert prints(replace(NET, findings=(replace(TAIL, **change),))) != prints(NET)


def test_another_model_or_size_has_another_fingerprint():
    other = [prints(NET), prints(replace(NET, target="model.py:Other")), prints(replace(NET, findings=(TAIL,), target="a"))]
    other += [prints(replace(result_of(Net(), size=size), findings=(TAIL,))) for size in (9, (3, 8, 9), (8, 9))]
    assert len({one[0] for one in other}) == len(other) - 1  # (3, 8, 9) and (8, 9) are the same input


def test_equal_findings_are_counted():
    twice = prints(NET, NET)
    assert len(set(twice)) == 2
    assert twice[0] == prints(NET)[0]


def test_a_suppressed_or_known_finding_keeps_its_fingerprint():
    everything = prints(replace(NET, findings=(PLACED, STEM, WHOLE)))
    silenced = replace(NET, findings=(WHOLE,), suppressed=(Suppressed(STEM, COMMENT),), known=(TAIL,))
    assert sorted(prints(silenced)) == sorted(everything)


def test_digests_tell_where_a_part_ends():
    assert digest("a", "bc") != digest("ab", "c")
    assert digest(None) != digest("null")

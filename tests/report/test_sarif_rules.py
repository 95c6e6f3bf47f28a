from __future__ import annotations

from dataclasses import replace

import pytest

from rfcheck.errors import RuleError
from rfcheck.linting.rule import find_rule
from rfcheck.report.sarif_rules import descriptors
from tests.report.runs import STEM, TAIL

RULE = """\
---
code: MY001
name: mine
severity: info
scope: model
when: size(tail) > 0
message: there is a tail
---
{page}
"""


@pytest.fixture
def folder(tmp_path):
    def write(page: str) -> str:
        (tmp_path / "MY001-mine.md").write_text(RULE.format(page=page), encoding="utf-8")
        return str(tmp_path)

    return write


def test_a_built_in_rule():
    page = find_rule("RF101").body
    assert descriptors([TAIL, TAIL], ()) == [
        {
            "id": "RF101",
            "name": "unproductive-tail",
            "shortDescription": {"text": "Unproductive tail"},
            "fullDescription": {
                "text": "From the border layer on, every layer receives features that already see more than the whole image, along "
                "every path through the network. A convolution can still combine channels there, but it has no new pixels to bring "
                "in. In trained networks these layers pass the solution on without improving it."
            },
            "help": {"text": page, "markdown": page},
            "defaultConfiguration": {"level": "warning"},
            "properties": {"tags": ["receptive-field"]},
        }
    ]


def test_only_rules_that_found_something_by_code():
    assert descriptors([], ("no such folder",)) == []
    assert [rule["id"] for rule in descriptors([STEM, TAIL, STEM], ())] == ["RF101", "RF201"]


@pytest.mark.parametrize(
    ("page", "title", "meaning"),
    [
        ("# My rule\n\nOne\ntwo.\n\nThree.", "My rule", "One two."),
        ("# My rule\r\n\r\n## What it means\r\nOne.", "My rule", "One."),
        ("Only text.", "mine", "Only text."),
        ("# Only a title", "Only a title", "Only a title"),
    ],
)
def test_rules_of_the_user(folder, page, title, meaning):
    (rule,) = descriptors([replace(TAIL, code="MY001", name="mine")], (folder(page),))
    assert (rule["shortDescription"]["text"], rule["fullDescription"]["text"]) == (title, meaning)
    assert (rule["defaultConfiguration"], rule["properties"]) == ({"level": "note"}, {"tags": []})


def test_a_folder_may_be_named_twice(folder):
    mine = folder("Text.")
    assert len(descriptors([replace(TAIL, code="MY001", name="mine")], (mine, mine))) == 1


def test_a_rule_without_its_file_goes_by_its_finding():
    assert descriptors([replace(STEM, code="MY001", name="mine")], ()) == [
        {
            "id": "MY001",
            "name": "mine",
            "shortDescription": {"text": "mine"},
            "defaultConfiguration": {"level": "error"},
            "properties": {"tags": []},
        }
    ]


def test_a_folder_that_is_gone():
    with pytest.raises(RuleError, match=r"^gone: no such folder of rules$"):
        descriptors([TAIL], ("gone",))


def test_every_built_in_rule_has_a_title_a_meaning_and_a_subject():
    from rfcheck.linting.rule import built_in_rules

    rules = built_in_rules()
    for rule in descriptors([replace(TAIL, code=rule.code, name=rule.name) for rule in rules], ()):
        assert rule["shortDescription"]["text"][0].isupper()
        assert rule["fullDescription"]["text"].endswith((".", ":"))
        assert len(rule["properties"]["tags"]) == 1

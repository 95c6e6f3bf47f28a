"""The front matter of a rule file, which may be a stranger's."""

from __future__ import annotations

from pathlib import Path

import pytest

from rfcheck.errors import RuleError
from rfcheck.linting.front_matter import FrontMatter

VALID = """---
code: XX001
name: big-layer
severity: warning
message: "{layer.name} has {layer.flops} FLOPs"
limits: {most: 10}
---
Why large layers matter.
"""


def front_matter(text: str) -> FrontMatter:
    return FrontMatter(Path("rules/a.md"), text)


def test_keys_have_values_and_lines():
    front = front_matter(VALID)
    assert front.values["limits"] == {"most": 10}
    assert list(front.values) == list(front.lines) == ["code", "name", "severity", "message", "limits"]
    assert front.lines["limits"] == 6
    assert front.body == "Why large layers matter."
    assert str(front.error("severity", "is wrong")) == "rules/a.md:4: severity: is wrong"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (VALID.removeprefix("---\n"), "rules/a.md:1: a rule file begins with a front matter between two lines '---'"),
        ("---\n- a\n---\nb", "rules/a.md:2: the front matter must hold keys and values"),
        ("---\n---\nb", "rules/a.md:2: the front matter must hold keys and values"),
        ("---\na: [b\n---\nc", "rules/a.md:3: the front matter is not YAML: did not find expected ',' or ']'"),
    ],
)
def test_what_is_none(text, reason):
    with pytest.raises(RuleError) as caught:
        front_matter(text)
    assert str(caught.value) == reason


def test_yaml_cannot_run_code():
    with pytest.raises(RuleError, match="not YAML"):
        front_matter(VALID.replace("name: big-layer", "name: !!python/object/apply:os.getcwd []"))


def test_values_that_stand_for_others():
    """Nine lines of nine such values each are 387 million values."""
    bomb = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 10))
    with pytest.raises(RuleError) as caught:
        front_matter(VALID.replace("code:", f"l0: &l0 [a]\n{bomb}\ncode:"))
    assert str(caught.value) == ("rules/a.md:2: the front matter names a value with * to use it again; write it out")
    assert front_matter(VALID.replace("Why", "*Why*").replace("has {layer", "is * {layer")).values


@pytest.mark.parametrize("value", ["2001-99-99", "1" * 5000, "[" * 5000])
def test_values_that_python_cannot_have(value):
    with pytest.raises(RuleError, match="^rules/a.md:[0-9]+: the front matter is not YAML: "):
        front_matter(VALID.replace("severity: warning", f"severity: {value}"))

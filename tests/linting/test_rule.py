from __future__ import annotations

import os
from pathlib import Path

import pytest

from rfcheck.errors import RuleError, UnknownNameError
from rfcheck.linting.rule import all_rules, built_in_rules, find_rule, load_folder, parse_rule

VALID = """---
code: XX001
name: big-layer
severity: warning
scope: layer
when: layer.flops > limits.most
message: "{layer.name} has {layer.flops} FLOPs"
limits: {most: 10}
---
Why large layers matter.
"""


def parse(text: str, name: str = "XX001-big-layer.md"):
    return parse_rule(Path("rules") / name, text)


def test_a_valid_rule():
    rule = parse(VALID)
    assert (rule.code, rule.name, rule.severity, rule.scope) == ("XX001", "big-layer", "warning", "layer")
    assert rule.limits == {"most": 10}
    assert rule.body == "Why large layers matter."


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("when: layer", "whn: layer", "rules/XX001-big-layer.md:6: whn: unknown key; did you mean when?"),
        ("severity: warning", "severity: bad", "rules/XX001-big-layer.md:4: severity: must be error, warning or info, got 'bad'"),
        (
            "scope: layer",
            "scope: block",
            "rules/XX001-big-layer.md:5: scope: must be model, layer, suppression or measurement, got 'block'",
        ),
        ("name: big-layer", "name: 3", "rules/XX001-big-layer.md:3: name: must be text, got 3"),
        ("limits: {most: 10}", "limits: 10", "rules/XX001-big-layer.md:8: limits: must be a mapping, got 10"),
        ("limits: {most: 10}", "limits: {1: 10}", "rules/XX001-big-layer.md:8: limits: the name of a limit must be text, got 1"),
        ("{most: 10}", "{most: high}", "rules/XX001-big-layer.md:8: limits: most must be a number, got 'high'"),
        (
            "layer.flops > limits.most\n",
            "layer.flops >\n",
            "rules/XX001-big-layer.md:6: when: 'layer.flops >' is not a CEL expression",
        ),
        (
            "when: layer.flops",
            "when: layr.flops",
            "rules/XX001-big-layer.md:6: when: 'layr.flops > limits.most' reads 'layr', which is not a fact; did you mean layer?",
        ),
        (
            "when: layer.flops",
            "when: layer.flop",
            "rules/XX001-big-layer.md:6: when: 'layer.flop > limits.most' reads '.flop', which is not a fact; did you mean flops?",
        ),
        ("{layer.name} has", "{layer.name has", "rules/XX001-big-layer.md:7: message: "),
        ("code: XX001", "code: x1", "rules/XX001-big-layer.md:2: code: must be capital letters and three digits, got 'x1'"),
        ("code: XX001", "code: XX002", "rules/XX001-big-layer.md:2: code: the file must be named XX002-big-layer.md"),
        ("severity: warning\n", "", "rules/XX001-big-layer.md:2: the key 'severity' is missing"),
        ("limits: {most: 10}", "limits: {most: 10", "rules/XX001-big-layer.md:"),
        ("Why large layers matter.\n", "", "the page below the front matter is empty"),
    ],
)
def test_errors_name_file_line_and_key(old, new, message):
    with pytest.raises(RuleError) as caught:
        parse(VALID.replace(old, new, 1))
    assert message in str(caught.value)


def test_a_model_rule_has_no_layer():
    with pytest.raises(RuleError, match="reads 'layer', which is not a fact"):
        parse(VALID.replace("scope: layer", "scope: model"))


@pytest.mark.parametrize(
    ("limit", "shown"), [(".nan", "nan"), ("1" + "0" * 400, "1" + "0" * 400), ("yes", "True"), ("1e400000x", "'1e400000x'")]
)
def test_a_limit_is_a_number(limit, shown):
    with pytest.raises(RuleError) as caught:
        parse(VALID.replace("most: 10", f"most: {limit}"))
    assert str(caught.value) == f"rules/XX001-big-layer.md:8: limits: most must be a number, got {shown}"


def test_no_limit_at_all():
    assert parse(VALID.replace("most: 10", "most: .inf")).limits == {"most": float("inf")}


def test_lists_of_texts():
    with pytest.raises(RuleError) as caught:
        parse(VALID.replace("severity: warning", "severity: warning\nfixes: [truncate, {a: 1}]"))
    assert str(caught.value) == "rules/XX001-big-layer.md:5: fixes: must be a list of texts, got {'a': 1}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe\x00\x01", "is not UTF-8 text (byte 0); save it as UTF-8"),
        (VALID.encode() + b"Caf\xe9", "is not UTF-8 text (byte 194); save it as UTF-8"),
        (VALID.encode() + b"x" * 2**20, "cannot be read: is larger than 1 MiB"),
    ],
)
def test_files_that_hold_no_text_of_a_rule(content, reason, tmp_path):
    path = tmp_path / "XX001-big-layer.md"
    path.write_bytes(content)
    with pytest.raises(RuleError) as caught:
        load_folder(tmp_path)
    assert str(caught.value) == f"{path}: {reason}"


@pytest.mark.parametrize(
    ("make", "reason"),
    [(Path.mkdir, "Is a directory"), (os.mkfifo, "is a pipe"), (lambda path: path.symlink_to("/dev/zero"), "is a device")],
)
def test_what_is_no_file_is_not_opened(make, reason, tmp_path):
    path = tmp_path / "XX001-big-layer.md"
    make(path)
    with pytest.raises(RuleError, match=f"^{path}: cannot be read: .*{reason}"):
        load_folder(tmp_path)


def test_lines_that_end_as_on_windows(tmp_path):
    (tmp_path / "XX001-big-layer.md").write_bytes(VALID.replace("\n", "\r\n").encode())
    (rule,) = load_folder(tmp_path)
    assert rule.body == "Why large layers matter."
    assert not rule.built_in


def test_folders(tmp_path):
    with pytest.raises(RuleError, match="no such folder of rules"):
        load_folder(tmp_path / "none")
    with pytest.raises(RuleError, match="holds no rule file"):
        load_folder(tmp_path)
    (tmp_path / "XX001-big-layer.md").write_text(VALID)
    assert [rule.code for rule in all_rules([str(tmp_path)])][-1] == "XX001"
    (tmp_path / "RF101-big-layer.md").write_text(VALID.replace("XX001", "RF101"))
    with pytest.raises(RuleError, match="code: RF101 is taken by unproductive-tail; choose another"):
        all_rules([str(tmp_path)])


def test_built_in_codes_are_unique_and_have_pages():
    rules = built_in_rules()
    assert {"RF101", "RF102", "RF103", "RF104", "RF105", "RF301", "RF901"} <= {rule.code for rule in rules}
    for rule in rules:
        assert rule.sources, rule.code
        assert rule.examples, rule.code
        assert "## When to ignore it" in rule.body or rule.severity == "info", rule.code


def test_find_by_code_or_name():
    assert find_rule("rf101").name == "unproductive-tail"
    assert find_rule("dead-taps").code == "RF301"
    with pytest.raises(UnknownNameError) as caught:
        find_rule("RF110")
    assert str(caught.value) == "no rule 'RF110'; there is RF105, RF104, RF103"
    with pytest.raises(UnknownNameError) as caught:
        find_rule("rf2")
    assert str(caught.value) == "no rule 'rf2', but rules that begin so: RF201 aggressive-stem, RF202 subsampling-convolution"


def test_a_pipe_is_no_rule(tmp_path):
    os.mkfifo(tmp_path / "RF901-pipe.md")
    with pytest.raises(RuleError) as caught:
        load_folder(tmp_path)
    assert str(caught.value) == f"{tmp_path}/RF901-pipe.md: cannot be read: is a pipe, not a file"

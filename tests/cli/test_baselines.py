"""``--baseline`` and ``--write-baseline``: known findings do not fail, new ones do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

CHAIN = """

def build_model(n={n}):
    return nn.Sequential(*[nn.Conv2d(3, 3, 3, padding=1) for _ in range(n)])
"""
OPTIONS = ("model.py", "--resolution", "8", "--select", "RF1,RF3", "--output", "concise")


@pytest.fixture
def write(model_file):
    return lambda n: model_file(CHAIN.format(n=n))


def test_known_findings_do_not_fail(run, write):
    write(7)
    first = run(*OPTIONS)[1].splitlines()[:-1]
    assert run(*OPTIONS, "--write-baseline", "known.json") == (
        0,
        "No findings in 1 model, 1 in the baseline.\n",
        "1 finding in the baseline known.json\n",
    )
    assert [entry["code"] for entry in json.loads(Path("known.json").read_text())["findings"]] == [
        line.split()[1] for line in first
    ]
    assert run(*OPTIONS, "--baseline", "known.json") == (0, "No findings in 1 model, 1 in the baseline.\n", "")


def test_moved_code_stays_known_and_another_layer_is_new(run, write):
    write(7)
    run(*OPTIONS, "--write-baseline", "known.json")
    Path("model.py").write_text("# a line\n" + Path("model.py").read_text())
    assert run(*OPTIONS, "--baseline", "known.json")[0] == 0
    Path("model.py").write_text(Path("model.py").read_text().replace("nn.Sequential(", "nn.Sequential(nn.MaxPool2d(2), "))
    code, out, err = run(*OPTIONS, "--baseline", "known.json")
    assert code == 1
    assert " 3: " in out
    assert err == "note: known.json: RF101 4 of model.py:build_model at 3x8x8 is found no more; write the baseline again\n"


def test_a_tail_that_grew_is_new_and_one_that_shrank_is_not(run, write):
    write(7)
    run(*OPTIONS, "--write-baseline", "known.json")
    write(8)
    code, out, err = run(*OPTIONS, "--baseline", "known.json")
    assert (code, err) == (1, "")
    assert "RF101" in out
    assert "4 layers from 4 on" in out
    run(*OPTIONS, "--write-baseline", "known.json")
    write(7)
    assert run(*OPTIONS, "--baseline", "known.json")[0] == 0


def test_the_baseline_of_the_configuration(run, write, tmp_path):
    write(7)
    run(*OPTIONS, "--write-baseline", "known.json")
    (tmp_path / "rfcheck.toml").write_text('baseline = "known.json"\n')
    assert run(*OPTIONS)[0] == 0
    (tmp_path / "inner").mkdir()
    nothing = json.loads(Path("known.json").read_text()) | {"findings": []}
    (tmp_path / "inner" / "other.json").write_text(json.dumps(nothing))
    assert run(*OPTIONS, "--baseline", "inner/other.json")[0] == 1


def test_a_file_that_is_no_baseline_is_not_overwritten(run, write, tmp_path):
    write(7)
    (tmp_path / "notes.json").write_text('{"mine": 1}')
    code, _, err = run(*OPTIONS, "--write-baseline", "notes.json")
    assert (code, err) == (
        2,
        "error: --write-baseline notes.json: is not a baseline of rfcheck; name another file, or remove this one\n",
    )
    assert (tmp_path / "notes.json").read_text() == '{"mine": 1}'
    assert run(*OPTIONS, "--baseline", "no.json")[2] == (
        "error: baseline no.json: no such file; write it with --write-baseline no.json\n"
    )


def test_a_comment_that_silences_nothing_is_not_written_to_the_baseline(run, write):
    write(7)
    Path("model.py").write_text(Path("model.py").read_text() + "# rfcheck: ignore-file[RF104]\n")
    code, out, _ = run("model.py", "--resolution", "8", "--output", "concise", "--write-baseline", "known.json")
    assert "RF902" in out
    assert "RF902" not in Path("known.json").read_text()
    assert code == 0

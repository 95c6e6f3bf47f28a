from __future__ import annotations

import pytest

from rfcheck.linting.comments import suppressions_in
from rfcheck.linting.finding import Finding
from rfcheck.linting.suppressing import Silenced, files_of, merged, not_fully_used, silence
from rfcheck.linting.suppression import ALL, Suppression
from rfcheck.span import Span
from tests.test_import_weight import imported


def finding(code: str, *chain: Span) -> Finding:
    names = {"RF101": "unproductive-tail", "RF301": "dead-taps", "RF401": "budget"}
    return Finding(code, names[code], "warning", "message", "conv", chain=chain)


def comment(path: str, lines: tuple[int, int], *codes: str, is_file: bool = False) -> Suppression:
    return Suppression(path, lines[0], 1, codes, "", *lines, is_file=is_file)


def test_code_and_place_must_agree():
    tail, taps = finding("RF101", Span("a.py", 3)), finding("RF301", Span("a.py", 3))
    elsewhere, nowhere = finding("RF101", Span("b.py", 3)), finding("RF101")
    here = comment("a.py", (3, 3), "RF101")
    assert silence([taps, tail, elsewhere, nowhere], [here]) == Silenced(
        (taps, elsewhere, nowhere), ((tail, here),), frozenset({(here, "RF101")})
    )


def test_without_comments_all_are_kept():
    found = finding("RF101", Span("a.py", 3))
    assert silence([found], []) == Silenced((found,), (), frozenset())


def test_any_call_on_the_way_to_the_layer_can_be_silenced():
    found = finding("RF301", Span("blocks.py", 3, 5, 4, 9), Span("net.py", 20, 1, 22, 2))
    for there in (comment("blocks.py", (1, 5)), comment("net.py", (20, 22)), comment("net.py", (1, 99), is_file=True)):
        assert silence([found], [there]).suppressed == ((found, there),)
    assert silence([found], [comment("net.py", (21, 21)), comment("blocks.py", (20, 22))]).kept == (found,)


def test_the_closest_comment_is_named_and_every_one_is_used():
    found = finding("RF101", Span("blocks.py", 3), Span("net.py", 20))
    outer = comment("net.py", (20, 20))
    file = comment("blocks.py", (1, 9), "RF1", is_file=True)
    wide, narrow = comment("blocks.py", (1, 9), "RF3", "unproductive-tail", "RF101"), comment("blocks.py", (3, 4), "rf101")
    result = silence([found], [outer, file, wide, narrow])
    assert result.suppressed == ((found, narrow),)
    assert result.used == {(outer, ALL), (file, "RF1"), (wide, "unproductive-tail"), (wide, "RF101"), (narrow, "rf101")}


def test_a_comment_with_a_problem_silences_nothing():
    found = finding("RF101", Span("a.py", 3))
    broken = Suppression("a.py", 3, 1, (), "", 3, 3, problem="it asks for nothing")
    assert silence([found], [broken]).kept == (found,)
    assert not_fully_used([broken], frozenset()) == [broken]


def test_a_file_is_the_same_by_any_name(tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text("x = 1  # rfcheck: ignore\n")
    (tmp_path / "link.py").symlink_to(tmp_path / "net.py")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    names = ["net.py", "./net.py", "sub/../net.py", "link.py", str(tmp_path / "net.py")]
    for one in names:
        for other in names:
            found = finding("RF101", Span(other, 1))
            assert silence([found], suppressions_in(one)).kept == (), (one, other)


def test_what_is_not_used():
    used, half, unused = comment("a.py", (1, 1), "RF101"), comment("a.py", (2, 2), "RF101", "RF301"), comment("a.py", (3, 3))
    found = silence([finding("RF101", Span("a.py", line)) for line in (1, 2)], [used, half, unused])
    assert not_fully_used([used, half, unused], found.used) == [half, unused]


def test_files_of_chains():
    found = [finding("RF101", Span("b.py", 1), Span("a.py", 2)), finding("RF301", Span("a.py", 3)), finding("RF401")]
    assert files_of(found) == ["b.py", "a.py"]


def test_several_results_as_one():
    first, second = finding("RF101", Span("a.py", 1)), finding("RF301", Span("a.py", 1))
    here = comment("a.py", (1, 1), "RF1")
    assert merged([silence([first], [here]), silence([second], [here])]) == silence([first, second], [here])
    assert merged([]) == Silenced((), (), frozenset())


def test_results_that_need_no_analysis_need_no_torch():
    modules = ("comments", "suppressing", "unused", "adopting", "baseline", "baseline_file")
    assert imported("; ".join(f"import rfcheck.linting.{module}" for module in modules)) == []
    assert (
        imported("; ".join(f"import rfcheck.linting.{module}" for module in modules if module != "unused"), ("cel", "yaml")) == []
    )


NETWORK = """
class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, 8, 3, padding=1){block}

    def forward(self, x):
        return self.conv(x)

def stage(channels):
    return nn.Sequential(
        Block(channels),{first}
        Block(8),{second}
    )

class Net(nn.Module):{net}
    def __init__(self):
        super().__init__()
        self.body = stage(3){body}

    def forward(self, x):
        return self.body(x)
"""
HERE = "  # rfcheck: ignore[RF301]"


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        ("", ["body.0.conv", "body.1.conv"]),
        ("block", []),
        ("first", ["body.1.conv"]),
        ("second", ["body.0.conv"]),
        ("body", []),
        ("net", []),
    ],
)
def test_a_real_model(model_file, place, kept):
    from rfcheck.cli.analysing import analyze_target
    from rfcheck.config import Settings
    from rfcheck.target.load import load_targets

    places = dict.fromkeys(("block", "first", "second", "net", "body"), "")
    name = model_file(NETWORK.format(**{**places, **({place: HERE} if place else {})}))
    (target,) = load_targets(f"{name}:Net")
    findings = analyze_target(target, 1, Settings(select=("RF301",))).findings
    assert [found.layer for found in findings] == ["body.0.conv", "body.1.conv"]
    assert [found.layer for found in silence(findings, suppressions_in(name)).kept] == kept

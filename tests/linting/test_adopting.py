from __future__ import annotations

from pathlib import Path

import pytest

from rfcheck.linting.adopting import Adoption, Skipped, adopt
from rfcheck.linting.comments import suppressions_in
from rfcheck.linting.finding import Finding
from rfcheck.linting.suppressing import silence
from rfcheck.span import Span


def finding(code: str, *chain: Span) -> Finding:
    return Finding(code, "some-name", "warning", "message", "conv", chain=chain)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "net.py").write_text("a = f(1)\nb = f(2)\n")
    (tmp_path / "lib.py").write_text("def f(x):\n    return g(x)\n")
    return folder


def read(path: str) -> bytes:
    return Path(path).read_bytes()


def test_findings_of_one_place_share_a_comment(project):
    first, second = Span("project/net.py", 1), Span(str(project / "net.py"), 1)
    found = [finding("RF301", first), finding("RF101", second), finding("RF101", Span("project/net.py", 2))]
    text = b"a = f(1)  # rfcheck: ignore[RF101, RF301]\nb = f(2)  # rfcheck: ignore[RF101]\n"
    assert adopt(found, project, read) == Adoption({"project/net.py": text}, tuple(found), ())
    assert (project / "net.py").read_text() == "a = f(1)\nb = f(2)\n"


def test_what_code_outside_makes_is_silenced_where_the_project_calls_it(project):
    found = finding("RF101", Span("lib.py", 2), Span("project/net.py", 2))
    assert adopt([found], project, read).files == {"project/net.py": b"a = f(1)\nb = f(2)  # rfcheck: ignore[RF101]\n"}


def test_what_is_silenced_already_changes_nothing(project):
    (project / "net.py").write_text("a = f(1)  # rfcheck: ignore\n")
    found = finding("RF101", Span("project/net.py", 1))
    assert adopt([found], project, read) == Adoption({}, (found,), ())


def test_what_cannot_be_silenced_is_named_with_the_reason(project):
    (project / "broken.py").write_text("x = (\n")
    (project / "odd.py").write_text("if f(1) \\\n  :\n    pass\n")
    expected = {
        finding("RF101"): "where its code stands is not known",
        finding("RF101", Span("lib.py", 1)): f"lib.py lies outside the project folder {project}",
        finding("RF101", Span("project/net.ipynb", 1)): "project/net.ipynb is not a Python file",
        finding("RF101", Span("project/odd.py", 1)): "no line of the code at project/odd.py:1 can take a comment; "
        "# rfcheck: ignore-file[RF101] on a line of its own silences the whole file",
        finding("RF101", Span("project/none.py", 1)): "project/none.py cannot be edited: No such file or directory",
    }
    result = adopt(list(expected), project, read)
    assert set(result.skipped) == {Skipped(found, reason) for found, reason in expected.items()}
    assert (result.files, result.silenced) == ({}, ())
    broken = adopt([finding("RF101", Span("project/broken.py", 1))], project, read)
    assert broken.skipped[0].reason.startswith("project/broken.py cannot be edited: it has a syntax error in line 1: ")


def test_a_link_to_a_file_outside_is_outside(project):
    (project / "link.py").symlink_to(project.parent / "lib.py")
    result = adopt([finding("RF101", Span("project/link.py", 1))], project, read)
    assert [one.reason for one in result.skipped] == [f"project/link.py lies outside the project folder {project}"]


MODEL = """
class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(channels, 8, 3,
                                              padding=1),
                                    nn.Conv2d(8, 8, (3, 3), padding=1)])  # two

    def forward(self, x):
        for conv in self.convs:
            x = conv(x)
        return F.conv2d(x, torch.zeros(8, 8, 3, 3, device=x.device), \\
                        padding=1)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(
            3, 8,
            kernel_size=3, padding=1,
        )
        self.body = nn.Sequential(
            Block(8),
            *[
                nn.Conv2d(8, 8, 3, padding=1)
                for _ in range(2)
            ],
        )

    def forward(self, x):
        return self.body(self.stem(x))
"""


def test_a_real_model_has_no_findings_left(model_file):
    from rfcheck.cli.analysing import analyze_target
    from rfcheck.config import Settings
    from rfcheck.target.load import load_targets

    name = model_file("import torch.nn.functional as F\n" + MODEL)
    (target,) = load_targets(f"{name}:Net")
    findings = analyze_target(target, 1, Settings()).findings
    assert {"RF101", "RF301"} <= {found.code for found in findings}
    result = adopt(findings, Path.cwd(), read)
    assert result.silenced == findings
    Path(name).write_bytes(result.files[name])
    comments = suppressions_in(name)
    silenced = silence(findings, comments)
    assert silenced.kept == ()
    assert {(comment, entry) for comment in comments for entry in comment.entries} == silenced.used
    assert adopt(findings, Path.cwd(), read).files == {}

"""Comments in the code decide what is reported; whole outputs of the command line."""

from __future__ import annotations

import pytest

MODEL = """

class Chain(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 3, 3, padding=1),
            nn.Conv2d(3, 3, 3, padding=1),
            nn.Conv2d(3, 3, 3, padding=1),
            nn.Conv2d(3, 3, 3, padding=1),
            nn.Conv2d(3, 3, 3, padding=1),{comment}
            nn.Conv2d(3, 3, 3, padding=1),
            nn.Conv2d(3, 3, 3, padding=1),
        )

    def forward(self, x):
        return self.layers(x)
"""
LINE = 13
RF101 = (
    "RF101 [warning] Chain: layers.4: 3 layers from layers.4 on cannot add context: their input already sees at least 9 px of the 8x8 image; "
    "they hold 42.9% of the parameters and 42.9% of the FLOPs"
)
OPTIONS = ("--resolution", "8", "--output", "concise")


@pytest.fixture
def lint(run, model_file):
    def command(comment: str, *options: str, target: str = "model.py") -> tuple[int, str, str]:
        model_file(MODEL.format(comment=comment))
        return run(target, *OPTIONS, *options)

    return command


def test_without_a_comment(lint):
    assert lint("") == (1, f"model.py:{LINE}:13: {RF101}\nFound 1 finding in 1 model: 1 warning.\n", "")


@pytest.mark.parametrize("codes", ["[RF101]", "[RF1]", "[rf101, RF301]", "[unproductive-tail]", ""])
def test_a_comment_at_the_line_of_the_layer(lint, codes):
    assert lint(f"  # rfcheck: ignore{codes} as published", "--ignore", "RF9") == (0, "No findings in 1 model, 1 suppressed.\n", "")


def test_what_is_suppressed_can_be_listed(lint):
    assert lint("  # rfcheck: ignore[RF101] as published", "--show-suppressed") == (
        0,
        f"model.py:{LINE}:13: {RF101} [suppressed in model.py:{LINE}: as published]\nNo findings in 1 model, 1 suppressed.\n",
        "",
    )


def test_a_comment_that_silences_nothing(lint):
    code, out, _ = lint("  # rfcheck: ignore[RF104]")
    unused = f"model.py:{LINE}:45: RF902 [info] Chain: nothing here is silenced by RF104; correct the comment or remove it"
    assert (code, out.splitlines()) == (
        1,
        [f"model.py:{LINE}:13: {RF101}", unused, "Found 2 findings in 1 model: 1 warning, 1 info."],
    )


def test_a_comment_is_not_said_to_be_unused_where_its_rule_did_not_run_or_a_part_of_the_file_was_linted(lint):
    assert "RF902" not in lint("  # rfcheck: ignore[RF104]", "--select", "RF101,RF902")[1]
    assert "RF902" not in lint("  # rfcheck: ignore[RF104]", target="model.py:Chain")[1]


def test_a_comment_used_at_one_of_two_sizes_is_used(run, model_file, tmp_path):
    model_file(MODEL.format(comment="  # rfcheck: ignore[RF101]"))
    (tmp_path / "rfcheck.toml").write_text(
        'ignore = ["RF104"]\n[[models]]\ntarget = "model.py"\nname = "large"\nresolution = 99\n'
        '[[models]]\ntarget = "model.py"\nname = "small"\nresolution = 8\n',
    )
    assert run("--output", "concise") == (0, "No findings in 2 models, 1 suppressed.\n", "")


def test_a_file_that_fails_in_part_has_no_unused_comments(run, model_file):
    model_file(
        MODEL.format(comment="  # rfcheck: ignore[RF104]")
        + "\nclass Broken(Chain):\n    def forward(self, x):\n        return x.nope\n"
    )
    code, out, err = run("model.py", *OPTIONS)
    assert code == 2
    assert "RF902" not in out
    assert "Broken" in err

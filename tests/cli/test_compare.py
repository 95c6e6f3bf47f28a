"""Whole outputs and exit codes of ``rfcheck compare``."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.repository import Repository

MODEL = """
import torch
from torch import nn
from sizes import DEPTH

class Chain(nn.Sequential):
    def __init__(self, depth=DEPTH):
        super().__init__(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(depth)))
"""

WORSE = """\
HEAD~1:model.py:Chain → model.py:Chain at 3x8x8

                                 before    after  change
────────────────────────────────────────────────────────
FLOPs                            20.7 k   36.3 k  +75.0%
parameters                          336      588  +75.0%
activations                     3.07 kB  5.38 kB  +75.0%
unproductive layers                   0        3
layers in the tail                    0        3
r_max of the last map, px             9       15  +66.7%
no unproductive layer from, px        7       13  +85.7%
last map sees whole up to, px         9       15  +66.7%
b_min                                 -        4     new
b_max                                 -        4     new

  added 3 layers: 4, 5, 6

  new RF101 unproductive-tail [warning] 4
    3 layers from 4 on cannot add context: their input already sees at least
    9 px of the 8x8 image; they hold 42.9% of the parameters and 42.9% of the
    FLOPs

Worse: layers in the tail 0 -> 3, unproductive layers 0 -> 3, FLOPs 20.7 k ->
36.3 k (+75.0%), parameters 336 -> 588 (+75.0%), activations 3.07 kB -> 5.38 kB
(+75.0%), 1 new finding.
"""

AT = ("--resolution", "8", "--select", "RF101")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Depth 4, then 7, both committed; temporary folders go to their own place."""
    made = Repository(tmp_path / "project")
    made.commit({"model.py": MODEL, "sizes.py": "DEPTH = 4\n"})
    made.commit({"sizes.py": "DEPTH = 7\n"})
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.chdir(made.folder)
    return made


def leftovers(folder: Path) -> list[Path]:
    return list(folder.glob("rfcheck-*"))


@pytest.fixture
def compare(run):
    def command(*arguments: str) -> tuple[int, str, str]:
        code, out, err = run("compare", *arguments)
        return code, "".join(f"{line.rstrip()}\n" for line in out.splitlines()), err

    return command


def test_worse(repository, compare):
    assert compare("HEAD~1:model.py", "model.py", *AT) == (1, WORSE, "")


def test_better(repository, compare):
    code, out, err = compare("model.py", "HEAD~1:model.py", *AT)
    assert (code, err) == (0, "")
    assert (
        "  fixed RF101 unproductive-tail [warning] 4\n\nBetter: layers in the tail 3 -> 0, unproductive layers 3 -> 0, FLOPs" in out
    )
    assert out.endswith(", 1 finding fixed.\n")


def test_nothing_changed(repository, compare):
    line = "HEAD:model.py:Chain → model.py:Chain at 3x8x8: nothing changed; 1 finding in both\n"
    assert compare("HEAD:model.py", "model.py", *AT) == (0, line, "")


def test_two_revisions_each_with_its_own_modules(repository, compare):
    expected = WORSE.replace("→ model.py", "→ HEAD:model.py")
    assert compare("HEAD~1:model.py:Chain", "HEAD:model.py:Chain", *AT) == (1, expected, "")


def test_from_a_sub_folder(repository, compare, monkeypatch):
    repository.commit({"nets/model.py": MODEL, "nets/sizes.py": "DEPTH = 4\n"})
    repository.commit({"nets/sizes.py": "DEPTH = 7\n"})
    monkeypatch.chdir("nets")
    assert compare("HEAD~1:model.py", "model.py", *AT) == (1, WORSE, "")


def test_files_of_the_same_name_in_two_folders(tmp_path, monkeypatch, compare):
    for name, depth in (("a", 4), ("b", 7)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.py").write_text(MODEL)
        (tmp_path / name / "sizes.py").write_text(f"DEPTH = {depth}\n")
    monkeypatch.chdir(tmp_path)
    assert compare("a/model.py", "b/model.py", *AT)[:2] == (
        1,
        WORSE.replace("HEAD~1:model.py:Chain → model.py", "a/model.py:Chain → b/model.py"),
    )


def test_arguments(repository, compare):
    code, out, _ = compare("HEAD~1:model.py:Chain(depth=2)", "model.py:Chain(3)", *AT)
    assert code == 0
    assert out.startswith("HEAD~1:model.py:Chain(depth=2) → model.py:Chain(3) at 3x8x8\n")
    assert "\n  added 1 layer: 2\n" in out


def test_models_by_name(repository, compare):
    several = MODEL + "\n\ndef {name}() -> nn.Module:\n    return Chain(7)\n\n\nsame = Chain(2)\n"
    repository.write({"old.py": several.format(name="gone"), "new.py": several.format(name="made")})
    code, out, _ = compare("old.py", "new.py", *AT)
    assert code == 1
    assert out.startswith(
        "old.py:same → new.py:same at 3x8x8: nothing changed\n"
        "only before: old.py:gone\n  fixed RF101 unproductive-tail [warning] 4\nonly after: new.py:made\n  new RF101"
    )
    assert out.endswith("\nBetter: 1 finding fixed; worse: 1 new finding.\n")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 1),
        (["--fail-on", "info"], 1),
        (["--fail-on", "error"], 0),
        (["--fail-on", "never"], 0),
        (["--ignore", "RF101"], 0),
        (["--ignore", "RF1"], 0),
    ],
)
def test_exit_codes(repository, compare, options, code):
    assert compare("HEAD~1:model.py", "model.py", "--resolution", "8", "--select", "RF1", *options)[0] == code


def test_rules_of_ones_own(repository, compare):
    """With 5x5 kernels not the fourth but the second layer sees 9 px: new for a rule about layers, the same for one about models."""
    rule = "---\ncode: XX001\nname: nine\nseverity: warning\nscope: {scope}\n{judge}\nmessage: nine\n---\nNine.\n"
    repository.write(
        {
            "layer_rules/XX001-nine.md": rule.format(scope="layer", judge="when: layer.r_max == '9'"),
            "model_rules/XX001-nine.md": rule.format(scope="model", judge="when: size(layers) > 0\nat: layers[size(layers) - 2]"),
            "wide.py": MODEL.replace("nn.Conv2d(3, 3, 3, padding=1)", "nn.Conv2d(3, 3, 5, padding=2)").replace("=DEPTH", "=5"),
        }
    )
    options = ("--resolution", "8", "--select", "XX")
    for folder, code in (("layer_rules", 1), ("model_rules", 0), (str(repository.folder / "model_rules"), 0)):
        assert compare("HEAD~1:model.py", "wide.py", *options, "--rules", folder)[0] == code


def test_sizes_of_all_kinds(repository, compare):
    for options in (["--resolution", "8x12"], ["--input-size", "3,8,12"], ["--resolution", "8x12", "--channels", "3"]):
        assert compare("HEAD~1:model.py", "model.py", *options)[1].startswith("HEAD~1:model.py:Chain → model.py:Chain at 3x8x12\n")


def test_json(repository, compare):
    code, out, _ = compare("HEAD~1:model.py", "model.py", *AT, "--output-format", "json")
    report = json.loads(out)
    assert code == 1
    assert (report["changed"], report["worse"]) == (True, True)
    (model,) = report["models"]
    assert (model["before"], model["after"]) == ("HEAD~1:model.py:Chain", "model.py:Chain")
    assert model["totals"]["flops"] == {"before": 4 * 81 * 64, "after": 7 * 81 * 64}
    assert model["layers"] == {"added": ["4", "5", "6"], "removed": [], "changed": []}
    assert compare("HEAD~1:model.py", "model.py", *AT, "--output-format", "json", "--fail-on", "never")[0] == 0


def test_output_file(repository, compare):
    assert compare("HEAD~1:model.py", "model.py", *AT, "-o", "out.txt") == (1, "", "")
    lines = (repository.folder / "out.txt").read_text(encoding="utf-8").splitlines()
    assert "".join(f"{line.rstrip()}\n" for line in lines) == WORSE


def test_all_layers(repository, compare):
    repository.commit({"sizes.py": "DEPTH = 30\n"})
    repository.write({"model.py": MODEL.replace("nn.Conv2d(3, 3, 3, padding=1)", "nn.Conv2d(3, 3, 5, padding=2)")})
    assert "  and 10 more rows; --layers shows all\n" in compare("HEAD:model.py", "model.py", *AT)[1]
    assert "more row" not in compare("HEAD:model.py", "model.py", *AT, "--layers")[1]


OPERATOR = """
import torch
from torch import nn
import rfcheck
@torch.library.custom_op("compare_test::blur", mutates_args=())
def blur(x: torch.Tensor) -> torch.Tensor:
    return x.clone()
blur.register_fake(torch.clone)
rfcheck.register_operator("compare_test::blur", rfcheck.Window(kernel={kernel}, padding={padding}))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)
    def forward(self, x):
        return self.conv(torch.ops.compare_test.blur(x))
"""


def test_both_versions_may_register_their_operators(repository, compare):
    repository.commit({"op.py": OPERATOR.format(kernel=3, padding=1)})
    repository.write({"op.py": OPERATOR.format(kernel=5, padding=2)})
    code, out, err = compare("HEAD:op.py:Net", "op.py:Net", *AT)
    assert (code, err) == (0, "")
    assert re.search(r"^r_max of the last map, px +5 +7 +\+40.0%$", out, re.MULTILINE)


FAILING = MODEL.replace("nn.Conv2d(3, 3, 3, padding=1)", "nn.Conv2d(3, 3, 3)")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["HEAD~1:model.py", "model.py"],
            "the input size is missing: add --resolution 32, with the extent in pixels that the model will be fed",
        ),
        (["HEAD~1:model.py", "nope.py", *AT], "nope.py: no such file; there is "),
        (
            ["HEAD~1:modle.py", "model.py", *AT],
            "HEAD~1:modle.py: the revision HEAD~1 has no file 'modle.py'; did you mean HEAD~1:model.py",
        ),
        (["mian:model.py", "model.py", *AT], " has no revision 'mian'; did you mean main?"),
        (["HEAD~1:model.py:Chian", "model.py", *AT], "HEAD~1:model.py:Chian: HEAD~1:model.py has no 'Chian'; did you mean Chain?"),
        (["HEAD~1:model.py", "model.py", "--resolution", "8", "--select", "XX"], "no rule begins with 'XX'; rules are RF101, "),
        (["HEAD~1:model.py", "model.py", "--resolution", "8", "--rules", "none"], "none: no such folder of rules"),
        (
            ["HEAD~1:model.py", "model.py", "--resolution", "8", "--channels", "0"],
            "channels must be a whole number of at least 1, got 0",
        ),
        (["HEAD~1:model.py", "model.py", *AT, "-o", "no/out.txt"], "--output-file no/out.txt: the folder no does not exist"),
        (
            ["HEAD:failing.py", "model.py", "--resolution", "4"],
            "HEAD:failing.py:Chain: the forward pass fails at input 3x4x4 in layer 1 (Conv2d), which received a tensor of shape 1x3x2x2",
        ),
    ],
)
def test_bad_input(repository, compare, arguments, message):
    repository.commit({"failing.py": FAILING})
    arguments = [argument.replace("HEAD~1", "HEAD~2") for argument in arguments]
    code, out, err = compare(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message.replace("HEAD~1", "HEAD~2") in err
    assert err.count("\n") == 1
    assert not leftovers(repository.folder.parent / "temporary")


def test_a_file_without_a_model(repository, compare):
    repository.write({"sizes.py": "DEPTH = 7\n"})
    code, out, err = compare("HEAD~1:model.py", "sizes.py", *AT)
    assert (code, out) == (3, "")
    assert err.startswith("error: sizes.py: holds no model; ")


def test_an_error_leaves_the_old_output_file_alone(repository, compare):
    repository.write({"out.txt": "old"})
    assert compare("HEAD~9:model.py", "model.py", *AT, "-o", "out.txt")[0] == 2
    assert (repository.folder / "out.txt").read_text() == "old"


def test_tracebacks_on_request(repository, compare):
    assert "Traceback (most recent call last)" in compare("HEAD:model.py", "nope.py", *AT, "--verbose")[2]


def test_help_says_when_b_is_worse(run):
    code, out, _ = run("compare", "--help")
    text = " ".join(out.split())
    assert code == 0
    assert "Findings are the same if rule and layer are; those of a rule about the whole model, wherever they point." in text
    assert "Exit codes: 0 B is not worse 1 B is worse 2 an error;" in text


def test_help_and_a_missing_size_import_no_torch():
    for arguments in (["compare", "--help"], ["compare", "a.py", "b.py"]):
        script = f"import sys\nfrom rfcheck.cli import main\ntry:\n    main({arguments})\nexcept SystemExit:\n    print('torch' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "False"


def test_interruption(repository, tmp_path):
    """Ctrl-C while a revision is analysed ends with 130 and leaves nothing."""
    repository.commit({"slow.py": "import time\nprint('started', flush=True)\ntime.sleep(60)\n"})
    # a shell that starts jobs in the background lets them ignore the signal, and their children inherit that
    listening = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from rfcheck.cli import main; main()"
    command = [sys.executable, "-c", listening, "compare", "HEAD:slow.py", "model.py", "--resolution", "8", "-o", "out.txt"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path / "temporary")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "started\n"
        assert leftovers(tmp_path / "temporary")
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == "interrupted"
    assert not leftovers(tmp_path / "temporary")
    assert not (repository.folder / "out.txt").exists()

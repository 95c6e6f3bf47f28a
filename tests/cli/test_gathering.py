"""What comes from the cache, and what does not; whole commands, in this process or in ones of their own."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rfcheck.patience import Patience
from rfcheck.process_state import ProcessState, _same, process_state_kept
from rfcheck.report.formats import FORMATS
from rfcheck.target.isolation import own_imports

FILES = {
    "model.py": """
import sys
from pathlib import Path
from torch import nn
import chainparts.blocks as blocks
from chainspaces.part import DEPTH
print("running")
try:
    import local_changes
except ImportError:
    pass
class Chain(nn.Sequential):
    def __init__(self):
        import chainlazy
        width = int(Path("config.yaml").read_text().split()[1])
        super().__init__(*(blocks.conv(width, chainlazy.KERNEL) for _ in range(DEPTH)))
""",
    "other.py": "import json, torch\nfrom torch import nn\nmodel = nn.Sequential(nn.Conv2d(3, 3, 3))\nprint('running')\n",
    "chainparts/__init__.py": "",
    "chainparts/blocks.py": "from .inner import layer\ndef conv(width, kernel):\n    return layer(width, width, kernel, padding=1)\n",
    "chainparts/inner.py": "from torch import nn\nlayer = nn.Conv2d\n",
    "chainspaces/part.py": "DEPTH = 7\n",
    "chainlazy.py": "KERNEL = 3\n",
    "config.yaml": "width: 3\n",
    "own/XX001-own.md": "---\ncode: XX001\nname: own\nseverity: info\nscope: layer\nwhen: layer.r_in_max == '5'\nmessage: '{layer.name}'\n---\npage\n",
}
CHECK = ("model.py", "--resolution", "8")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project as the current folder; what is imported from it is forgotten afterwards."""
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with own_imports():
        yield tmp_path


@pytest.fixture
def checks(run):
    """Check with nothing of the project imported, as a new process would; returns the report, and whether the target was run."""

    def check(*options: str) -> tuple[str, bool]:
        with own_imports():
            _, out, err = run(*options)
        assert set(err.splitlines()) <= {"running"}
        return out, bool(err)

    return check


def entries(project: Path) -> list[str]:
    folder = project / ".rfcheck_cache"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_an_unchanged_target_is_not_run_again(project, checks):
    out, was_run = checks(*CHECK)
    assert was_run
    assert "unproductive-tail" in out
    assert checks(*CHECK) == (out, False)
    assert checks(*CHECK) == (out, False)


@pytest.mark.parametrize(
    "name",
    [
        "model.py",
        "chainparts/__init__.py",
        "chainparts/blocks.py",
        "chainparts/inner.py",
        "chainspaces/part.py",
        "chainlazy.py",
        "config.yaml",
    ],
)
def test_a_change_of_what_the_target_reads(project, checks, name):
    checks(*CHECK)
    with (project / name).open("a") as file:
        file.write("# edited\n")
    assert checks(*CHECK)[1]
    assert not checks(*CHECK)[1]


@pytest.mark.parametrize("name", ["local_changes.py", "chainlazy/__init__.py", "chainparts/torch.py"])
def test_a_new_module_that_could_take_the_place_of_another(project, checks, name):
    checks(*CHECK)
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("KERNEL = 1\n")
    assert checks(*CHECK)[1]


def test_changes_that_do_not_count(project, checks):
    checks(*CHECK)
    (project / "notes.txt").write_text("new")
    (project / "other.py").write_text(FILES["other.py"] + "x = 1\n")
    (project / "model.py").touch()
    assert not checks(*CHECK)[1]


@pytest.mark.parametrize(
    "options",
    [
        ["--select", "RF1"], ["--ignore", "RF3"], ["--limit", "RF101.min_layers=4"], ["--classes", "10"], ["--rules", "own"],
        ["--flops-by", "fvcore"],
    ],
)  # fmt: skip
def test_other_settings(project, checks, options):
    checks(*CHECK)
    assert checks(*CHECK, *options)[1]
    assert not checks(*CHECK, *options)[1]
    assert not checks(*CHECK)[1]


@pytest.mark.parametrize("options", [("--resolution", "9"), ("--resolution", "8x9"), ("--input-size", "3,8,8")])
def test_other_sizes(project, checks, options):
    checks(*CHECK)
    assert checks("model.py", *options)[1]
    assert not checks("model.py", *options)[1]
    assert not checks(*CHECK)[1]


@pytest.mark.parametrize(
    "options",
    [["--output-format", name] for name in FORMATS]
    + [["--fail-on", "never"], ["--quiet"], ["--statistics"], ["--layers"], ["--exit-zero"], ["--show-suppressed"]],
)  # fmt: skip
def test_what_only_changes_the_report(project, checks, options):
    checks(*CHECK)
    assert not checks(*CHECK, *options)[1]


def test_a_report_with_fixes_needs_a_result_with_fixes(project, checks):
    checks(*CHECK, "--output-format", "concise")
    out, was_run = checks(*CHECK)
    assert was_run
    assert checks(*CHECK, "--no-cache") == (out, True)


def test_a_rule_of_ones_own_that_changes(project, checks):
    checks(*CHECK, "--rules", "own")
    rule = project / "own" / "XX001-own.md"
    rule.write_text(rule.read_text().replace("'5'", "'7'"))
    out, was_run = checks(*CHECK, "--rules", "own")
    assert was_run
    assert "XX001 own [info] 3" in out


def test_a_configuration(project, checks):
    (project / "rfcheck.toml").write_text('resolution = 8\nselect = ["RF1"]\n')
    assert checks("model.py")[1]
    assert not checks("model.py")[1]
    (project / "rfcheck.toml").write_text('# a remark\nselect = ["RF1"]\nresolution = 8\nfail-on = "never"\n')
    assert not checks("model.py")[1]
    (project / "rfcheck.toml").write_text('resolution = 8\nselect = ["RF1", "RF3"]\n')
    assert checks("model.py")[1]


def test_the_cache_lies_beside_the_configuration(project, checks, monkeypatch):
    (project / "rfcheck.toml").write_text("resolution = 8\n")
    (project / "sub").mkdir()
    monkeypatch.chdir(project / "sub")
    assert checks("../other.py")[1]
    assert not checks("../other.py")[1]
    assert len(entries(project)) == 3
    assert not entries(project / "sub")


def test_one_target_at_two_sizes(project, run):
    entry = '[[models]]\ntarget = "model.py"\nname = "{name}"\nresolution = {size}\n'
    (project / "rfcheck.toml").write_text(entry.format(name="small", size=8) + entry.format(name="large", size=99))
    first, again = run(), run()
    assert first[2] == "running\n" * 2
    assert again == (first[0], first[1], "")
    assert [line for line in first[1].splitlines() if " at 3x" in line] == ["small at 3x8x8", "large at 3x99x99"]
    (project / "rfcheck.toml").write_text(entry.format(name="small", size=8) + entry.format(name="huge", size=99))
    assert run()[2] == "running\n"


def test_data_of_a_module_that_two_targets_share(project, run):
    (project / "chainparts" / "inner.py").write_text(
        FILES["chainparts/inner.py"] + "from pathlib import Path\nPath('shared.txt').read_text()\n"
    )
    (project / "shared.txt").write_text("1")
    (project / "second.py").write_text(FILES["model.py"])
    both = ("model.py", "second.py", "--resolution", "8")
    run(*both)
    assert run(*both)[2] == ""
    (project / "shared.txt").write_text("2")
    assert run(*both)[2] == "running\n" * 2


def test_a_model_per_file_in_a_folder(project, checks):
    (project / "widths").mkdir()
    (project / "widths" / "4").touch()
    (project / "zoo.py").write_text(
        "import sys\nfrom pathlib import Path\nfrom torch import nn\nprint('running', file=sys.stderr)\n"
        "for width in Path('widths').iterdir():\n    globals()[f'net{width.name}'] = nn.Conv2d(3, int(width.name), 3)\n"
    )
    zoo = ("zoo.py", "--resolution", "8", "--output-file", "report.txt")
    assert [checks(*zoo)[1] for _ in range(2)] == [True, False]
    assert "zoo.py:net4 " in (project / "report.txt").read_text()
    (project / "widths" / "5").touch()
    assert [checks(*zoo)[1] for _ in range(2)] == [True, False]
    assert "zoo.py:net5 " in (project / "report.txt").read_text()


@pytest.mark.parametrize(("name", "code", "failure"), [
    ("broken.py", "import torch\nprint('running')\nclass Net(torch.nn.Module): pass\nraise KeyError('x')\n", "running the file fails"),
    ("narrow.py", "from torch import nn\nprint('running')\nmodel = nn.Sequential(nn.Conv2d(1, 1, 9))\n", "forward pass fails"),
    ("empty.py", "import torch\nprint('running')\nclass Net(torch.nn.Module): pass\n", "holds no model"),
])  # fmt: skip
def test_failures_are_not_kept(project, run, name, code, failure):
    (project / name).write_text(code)
    for _ in range(2):
        _, _, err = run(name, "--resolution", "8")
        assert "running\n" in err
        assert failure in err
    assert not entries(project)


def test_one_failure_keeps_the_rest_of_its_file_from_being_kept(project, run):
    (project / "both.py").write_text(FILES["other.py"] + "wrong = nn.Sequential(nn.Conv2d(1, 1, 3))\n")
    for _ in range(2):
        code, out, err = run("both.py", "--resolution", "8")
        assert (code, "model at 3x8x8" in out, "running\n" in err) == (2, True, True)


def test_without_the_cache(project, checks):
    assert checks(*CHECK, "--no-cache")[1]
    assert not entries(project)
    out, _ = checks(*CHECK)
    before = {name: (project / ".rfcheck_cache" / name).read_bytes() for name in entries(project)}
    assert checks(*CHECK, "--no-cache") == (out, True)
    assert before == {name: (project / ".rfcheck_cache" / name).read_bytes() for name in entries(project)}


def test_an_explanation_needs_the_analysis(project, checks):
    checks(*CHECK)
    out, was_run = checks(*CHECK, "--explain", "3")
    assert was_run
    assert "3 at 8x8: r_min 9" in out


def test_a_damaged_entry_is_made_anew(project, checks):
    out, _ = checks(*CHECK)
    (entry,) = (path for path in (project / ".rfcheck_cache").iterdir() if len(path.name) == 64)
    whole = entry.read_bytes()
    for content in (b"", whole[:-1], whole.replace(b"warning", b"warming")):
        entry.write_bytes(content)
        assert checks(*CHECK) == (out, True)
        assert checks(*CHECK) == (out, False)


def test_a_file_that_is_edited_while_it_is_analysed(project, checks):
    """What was read is not what the file holds by then, so that it must not be kept for that."""
    (project / "model.py").write_text(FILES["model.py"] + "Path('model.py').write_text('edited')\n")
    assert checks(*CHECK)[1]
    assert not entries(project)


def test_baselines_are_not_kept_with_the_results(project, run, checks):
    out, _ = checks(*CHECK)
    run(*CHECK, "--write-baseline", "known.json")
    again, was_run = checks(*CHECK, "--baseline", "known.json")
    assert not was_run
    assert again != out
    assert checks(*CHECK) == (out, False)


def test_comments_count_in_what_is_kept(project, checks):
    (project / "chainparts" / "blocks.py").write_text(
        FILES["chainparts/blocks.py"].replace("=1)\n", "=1)  # rfcheck: ignore[RF101] as it is\n")
    )
    out, _ = checks(*CHECK, "--show-suppressed")
    assert "as it is" in out
    assert checks(*CHECK, "--show-suppressed") == (out, False)


# whole processes

LISTS_TORCH = (
    "import sys\nfrom rfcheck.cli import main\ntry:\n    main(sys.argv[1:])\nfinally:\n"
    "    print(sorted({name.partition('.')[0] for name in sys.modules} & {'torch', 'networkx', 'numpy', 'matplotlib'}), file=sys.stderr)"
)


def test_a_kept_result_gives_the_same_reports_without_torch(project):
    outputs = [f"--output={name}={name}.out" for name in FORMATS]
    command = [sys.executable, "-c", LISTS_TORCH, *CHECK, *outputs]
    first, again = (
        (subprocess.run(command, capture_output=True, text=True, check=False), {f: Path(f"{f}.out").read_bytes() for f in FORMATS})
        for _ in range(2)
    )
    assert (first[0].returncode, again[0].returncode) == (1, 1)
    assert "'torch'" in first[0].stderr
    assert again[0].stderr == "[]\n"
    assert first[1] == again[1]
    assert all(first[1].values())


def command_line(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "rfcheck", *options], cwd=project, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_processes_side_by_side(project):
    """Eight at a time, on one target and on several, from nothing and from what is kept."""
    jobs = [("model.py", "--resolution", str(size)) for size in (8, 8, 8, 8, 9, 10)] + [("other.py", "--resolution", "8")] * 2
    expected = [command_line(project, *job, "--no-cache").stdout for job in jobs]
    for _ in range(2):
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda job: command_line(project, *job), jobs))
        assert [one.stdout for one in found] == expected
        assert {one.returncode for one in found} <= {0, 1}
    assert [one.stderr for one in found] == [""] * 8
    names = entries(project)
    assert len(names) == 2 + len(set(jobs))
    assert not [name for name in names if name.startswith("writing-")]


@pytest.mark.slow
def test_processes_that_are_killed(project):
    expected = command_line(project, *CHECK, "--no-cache").stdout
    chance = random.Random(7)
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-m", "rfcheck", *CHECK], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.5, 4))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert command_line(project, *CHECK).stdout == expected
        for name in entries(project):
            (project / ".rfcheck_cache" / name).unlink()


@pytest.mark.slow
def test_every_change_gives_what_a_run_without_the_cache_gives(project):
    changes = {
        "chainspaces/part.py": ("DEPTH = 7", "DEPTH = 11"),
        "chainparts/blocks.py": ("padding=1", "padding=2 "),
        "chainlazy.py": ("KERNEL = 3", "KERNEL = 5 "),
        "model.py": ("range(DEPTH)", "range(DEPTH + 2)"),
    }
    seen = {command_line(project, *CHECK).stdout}
    for name, (old, new) in changes.items():
        content = (project / name).read_text()
        assert old in content
        (project / name).write_text(content.replace(old, new))
        found = command_line(project, *CHECK).stdout
        assert found == command_line(project, *CHECK, "--no-cache").stdout == command_line(project, *CHECK).stdout
        seen.add(found)
    assert len(seen) == 1 + len(changes)


BLOCKS = "WIDTH = {width}\n"
USER = "from blocks import WIDTH\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n" + (
    "        self.c = nn.Conv2d(3, WIDTH, 1)\n    def forward(self, x):\n        return self.c(x)\n"
)


@pytest.mark.parametrize("order", [("a/net.py", "b/net.py"), ("b/net.py", "a/net.py")])
def test_targets_of_one_run_import_their_own_modules(run, model_file, tmp_path, order):
    for folder, width in (("a", 2), ("b", 5)):
        (tmp_path / folder).mkdir()
        model_file(BLOCKS.format(width=width), f"{folder}/blocks.py")
        model_file(USER, f"{folder}/net.py")
    modules, path = set(sys.modules), list(sys.path)
    for _ in range(2):  # the second time from the cache
        _, out, _ = run(*order, "--resolution", "8", "--output", "json", "--exit-zero")
        found = {one["target"]: one["cost"]["params"] for one in json.loads(out)["results"]}
        assert found == {"a/net.py:Net": 2 * (3 + 1), "b/net.py:Net": 5 * (3 + 1)}
    assert not [name for name in set(sys.modules) - modules if name == "blocks" or "net" in name.split("_rfcheck_")]
    assert sys.path == path


SURROUNDINGS = """
import argparse, os, signal, sys, threading, warnings
from torch import nn
parser = argparse.ArgumentParser()
parser.add_argument("--width", type=int, default=5)
args = parser.parse_args()
torch.set_default_dtype(torch.float64)
torch.use_deterministic_algorithms(True)
warnings.simplefilter("ignore")
os.environ["RFCHECK_MODEL"] = "1"
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.chdir("/")
sys.stdout = sys.stderr
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        assert os.getcwd() == "/" and torch.get_default_dtype() == torch.float64
        self.conv = nn.Conv2d(3, args.width, 3)
    def forward(self, x):
        assert sys.argv == ["model.py"]
        os.chdir("/usr")
        return self.conv(x)
"""


def test_what_a_model_changes_of_the_process_stays_with_it(run, model_file, tmp_path):
    model_file(SURROUNDINGS)
    model_file("model = nn.Conv2d(3, 7, 3)\n", "other.py")
    before = ProcessState()
    code, out, err = run("model.py", "other.py", "--resolution", "8", "--output", "json=r.json", "--exit-zero")
    assert (code, out, err) == (0, "", "")
    report = json.loads((tmp_path / "r.json").read_text())
    assert [result["layers"][0]["out_channels"] for result in report["results"]] == [5, 7]
    assert [result["path"] for result in report["results"]] == ["model.py", "other.py"]
    drawn = ("RandomState", "_random_states", "Random.getstate", "_set_alarm")  # the tests' own
    changed = [part for part, value in before._held if not _same(part.read(), value)]
    assert [part for part in changed if not any(name in repr(part) for name in drawn)] == []


@pytest.mark.parametrize("verb", ["graph", "sweep"])
def test_other_verbs_write_where_they_were_called(run, model_file, tmp_path, verb):
    model_file(SURROUNDINGS.replace("sys.stdout = sys.stderr", ""))
    size = ("--resolutions", "8,9") if verb == "sweep" else ("--resolution", "8")
    with process_state_kept():
        code, _, err = run(
            verb, "model.py", *size, "--output-file", "out.json", "--output-format" if verb == "sweep" else "--format", "json"
        )
    assert (code, err) == (0, "")
    assert (tmp_path / "out.json").is_file()


@pytest.mark.parametrize("where", ["forward", "__init__"])
def test_a_model_that_goes_on_for_ever_is_given_up(run, model_file, monkeypatch, where):
    """The limit counts as passed once the model says that it has begun."""
    begun = sys.rfcheck_begun = threading.Event()

    def wait(event, seconds):
        while not event.wait(0.001):
            if begun.is_set():
                return False
        return True

    monkeypatch.setattr("rfcheck.cli.help.Patience", lambda limit: Patience(limit, wait=wait))
    loop = "\n        import sys\n        sys.rfcheck_begun.set()\n        while True: pass\n"
    forward = loop if where == "forward" else "return self.conv(x)"
    built = loop if where == "__init__" else ""
    model_file(
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.conv = nn.Conv2d(3, 4, 3)\n"
        f"        {built}\n    def forward(self, x):\n        {forward}\n"
    )
    model_file("model = nn.Conv2d(3, 7, 3)\n", "other.py")

    def ending(event, seconds):
        return event.wait()

    try:
        code, out, err = run("model.py:Net", "--resolution", "8", "--timeout", "5", "--no-cache")
    finally:
        del sys.rfcheck_begun
    doing = "running the forward of" if where == "forward" else "building"
    assert (code, out) == (2, "")
    assert err == f"error: model.py:Net: gave up {doing} it after 5 s; raise --timeout to wait longer\n"
    monkeypatch.setattr("rfcheck.cli.help.Patience", lambda limit: Patience(limit, wait=ending))
    assert run("other.py", "--resolution", "8", "--timeout", "5", "--exit-zero")[0] == 0


@pytest.mark.parametrize("value", ["0", "-1", "soon"])
def test_a_time_that_is_none(run, value):
    code, out, err = run("model.py", "--resolution", "8", "--timeout", value)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert "--timeout" in err


LEAVING = """
import sys
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 3, 3)
    def forward(self, x):
        return self.c(x)
class Leaving(Net):
    def forward(self, x):
        sys.exit(0)
def build() -> nn.Module:
    sys.exit(0)
"""


def test_what_leaves_the_program_is_an_error_of_its_own(run, model_file):
    path = model_file(LEAVING)
    code, out, err = run(path, "--resolution", "8", "--output", "concise", "--select", "RF104")
    assert code == 2
    assert f"{path}:5: RF104" in out
    assert err == (
        f"error: {path}:Leaving: the forward pass left with SystemExit(0), as sys.exit does; a forward pass returns a tensor, "
        f"whatever it finds\nerror: {path}:build: calling it left with SystemExit(0) ({path}:15: sys.exit(0)), as sys.exit and "
        "argparse do; a model is built without leaving the program\n"
    )

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

import pytest

from rfcheck.cli.watching import _wakings, watch
from rfcheck.errors import SettingsError
from tests.cli.watch_sessions import WatchSession

BUDGET = ["--select", "RF401", "--limit", "RF401.max_params=0", "--output", "concise"]
CHECK = ["model.py", "--resolution", "8", *BUDGET]
CODE = """\
from torch import nn

model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3))
"""
PARAMETERS = 808  # (3 * 9 + 1) * 8 + (8 * 9 + 1) * 8
WAITS = "watching Ctrl-C ends\n"


def report(parameters: int, line: int = 3) -> str:
    """What is said of a model that has parameters, each of which is too much."""
    return (
        f"model.py:{line}: RF401 [error] model: model exceeds its budget: parameters {parameters} (limit 0)\n"
        f"Found 1 finding in 1 model: 1 error.\n"
    )


@pytest.fixture
def session(tmp_path):
    opened = []

    def start(*words: str, **more: object) -> WatchSession:
        opened.append(WatchSession(tmp_path, *(words or CHECK), **more))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def model(tmp_path):
    file = tmp_path / "model.py"
    file.write_text(CODE)
    return file


def test_an_edit_is_checked_and_ctrl_c_ends(session, model):
    running = session()
    assert running.next_report() == (report(PARAMETERS), WAITS)
    model.write_text(CODE.replace("(8, 8, 3)", "(8, 8, 1)"))
    assert running.next_report() == (report(224 + 72), f"model.py changed\n{WAITS}")
    code, err, seconds = running.interrupt()
    assert (code, err) == (130, "\ninterrupted\n")
    assert seconds < 5


def test_what_is_wrong_is_shown_and_watching_goes_on(session, model):
    """Syntax error, exception, missing module, missing file, and back; in one session, as one edits."""
    running = session()
    assert running.next_report() == (report(PARAMETERS), WAITS)
    for added, message in [
        ("def\n", "the file has a syntax error: invalid syntax"),
        ("1 / 0\n", "running the file fails: ZeroDivisionError: division by zero"),
        ("import parts\n", "an import fails: No module named 'parts'; install it in the environment that runs rfcheck"),
    ]:
        model.write_text(CODE + added)
        assert running.next_report() == ("", f"model.py changed\nerror: model.py:4: {message}\n{WAITS}")
    (model.parent / "parts").mkdir()
    (model.parent / "parts" / "__init__.py").write_text("from parts.blocks import x\n")
    out, err = running.next_report()
    assert (out, err.splitlines()[0]) == ("", "parts/__init__.py changed")
    assert err.splitlines()[1].startswith("error: model.py:4: an import fails: No module named 'parts.blocks'")
    (model.parent / "parts" / "blocks.py").write_text("x = 1\n")
    assert running.next_report() == (report(PARAMETERS), f"parts/blocks.py changed\n{WAITS}")
    model.unlink()
    out, err = running.next_report()
    assert (out, err.splitlines()[:2]) == ("", ["model.py changed", "error: model.py: no such file"])
    model.write_text(CODE)
    assert running.next_report() == (report(PARAMETERS), f"model.py changed\n{WAITS}")
    assert running.interrupt()[0] == 130


def test_modules_of_the_project_and_data_are_read_anew(session, model, tmp_path):
    (tmp_path / "sizes.txt").write_text("1")
    (tmp_path / "parts.py").write_text("def parts(): return 1\n")
    model.write_text(
        "from torch import nn\nfrom parts import parts\nmodel = nn.Conv2d(parts(), int(open('sizes.txt').read()), 1, bias=False)\n"
    )
    running = session("model.py", "--input-size", "1,8,8", *BUDGET)
    assert running.next_report() == (report(1), WAITS)
    (tmp_path / "sizes.txt").write_text("4")
    assert running.next_report() == (report(4), f"sizes.txt changed\n{WAITS}")
    (tmp_path / "parts.py").write_text("from torch import nn\nimport model_parts\ndef parts(): return 1\n")
    out, err = running.next_report()
    assert (out, err.splitlines()[0]) == ("", "parts.py changed")
    (tmp_path / "model_parts.py").write_text("")
    assert running.next_report() == (report(4), f"model_parts.py changed\n{WAITS}")


def test_what_changes_nothing_is_passed_over(session, model, tmp_path):
    running = session()
    running.next_report()
    for name in ("notes.md", "other.txt", ".model.py.swp", "model.py~", "4913"):
        (tmp_path / name).write_text("x")
    model.write_text(CODE)
    (tmp_path / "new.py.tmp").write_text(CODE + "# as editors save\n")
    time.sleep(0.3)
    (tmp_path / "new.py.tmp").rename(model)
    assert running.next_report() == (report(PARAMETERS), f"model.py changed\n{WAITS}")


@pytest.mark.slow
def test_several_files_at_once(session, model, tmp_path):
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text("x = 1\n")
    model.write_text("import a, b, c\n" + CODE)
    running = session()
    assert running.next_report() == (report(PARAMETERS, 4), WAITS)
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text("x = 2\n")
    assert running.next_report() == (report(PARAMETERS, 4), f"a.py and 2 more changed\n{WAITS}")


@pytest.mark.slow
def test_edits_that_neither_size_nor_second_betray(session, model, tmp_path):
    """Python takes compiled code for that of a file as long as these are the same."""
    (tmp_path / "parts.py").write_text("kernel = 1\n")
    model.write_text("from torch import nn\nfrom parts import kernel\nmodel = nn.Conv2d(1, 1, kernel, bias=False)\n")
    running = session("model.py", "--input-size", "1,8,8", *BUDGET)
    assert running.next_report()[0] == report(1)
    for kernel in (3, 5, 3):
        state = (tmp_path / "parts.py").stat()
        (tmp_path / "new").write_text(f"kernel = {kernel}\n")
        os.utime(tmp_path / "new", ns=(state.st_atime_ns, state.st_mtime_ns))
        (tmp_path / "new").rename(tmp_path / "parts.py")
        assert running.next_report()[0] == report(kernel**2)


def test_the_configuration_is_read_anew(session, model, tmp_path):
    (tmp_path / "rfcheck.toml").write_text("resolution = 8\n")
    running = session("model.py", *BUDGET)
    assert running.next_report() == (report(PARAMETERS), WAITS)
    (tmp_path / "rfcheck.toml").write_text("resolution = 8\nresoluton = 3\n")
    out, err = running.next_report()
    assert out == ""
    assert err.startswith("rfcheck.toml changed\nerror: rfcheck.toml:2: unknown key 'resoluton'; did you mean resolution?\n")
    (tmp_path / "rfcheck.toml").write_text("resolution = 9\n")
    assert running.next_report() == (report(PARAMETERS), f"rfcheck.toml changed\n{WAITS}")
    (tmp_path / "rfcheck.toml").unlink()
    out, err = running.next_report()
    assert (out, err.splitlines()[0]) == ("", "rfcheck.toml changed")
    assert err.splitlines()[1].startswith("error: the input size is missing")


@pytest.mark.slow
def test_rules_of_ones_own_are_read_anew(session, model, tmp_path):
    (tmp_path / "rules").mkdir()
    rule = "---\ncode: XX001\nname: any\nseverity: {}\nscope: model\nwhen: size(layers) > 0\nmessage: layers\n---\nPage.\n"
    (tmp_path / "rules" / "XX001-any.md").write_text(rule.format("warning"))
    running = session("model.py", "--resolution", "8", "--rules", "rules", "--select", "XX", "--output", "concise")
    assert "XX001 [warning]" in running.next_report()[0]
    (tmp_path / "rules" / "XX001-any.md").write_text(rule.format("info"))
    out, err = running.next_report()
    assert "XX001 [info]" in out
    assert err.startswith("rules/XX001-any.md changed\n")


@pytest.mark.slow
def test_file_systems_that_do_not_tell(session, model):
    running = session(environment={"WATCHFILES_FORCE_POLLING": "1"})
    assert running.next_report() == (report(PARAMETERS), WAITS)
    model.write_text(CODE + "1 / 0\n")
    assert running.next_report()[1].startswith("model.py changed\nerror: model.py:4")


def test_a_first_check_that_cannot_begin_ends(session, model):
    running = session("model.py", "--limit", "RF401.max_params=0")
    message = "error: the input size is missing: add --resolution 32, with the extent in pixels that the model will be fed, "
    assert running.end() == (2, "", f"{message}or set resolution in the configuration\n")


@pytest.mark.slow
def test_nobody_reads_the_output(model):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        result = subprocess.run(
            [sys.executable, "-m", "rfcheck", *CHECK, "--watch"],
            cwd=model.parent,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert (result.returncode, result.stderr) == (141, "")


def test_a_system_that_watches_no_more_files(tmp_path):
    """Where no descriptor is left to be told of changes, it is time to look again and again."""
    import watchfiles

    for _ in watchfiles.watch(tmp_path, rust_timeout=1, yield_on_timeout=True):
        break  # all that has to be imported is imported
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(RuntimeError, match="Too many open files"):
            next(watchfiles.watch(tmp_path, rust_timeout=1, yield_on_timeout=True))
        started = time.monotonic()
        wakings = _wakings([tmp_path])
        next(wakings)
        next(wakings)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert time.monotonic() - started > 1.5


def test_nothing_that_could_change(capsys):
    assert watch(lambda: (3, [])) == 3
    assert capsys.readouterr() == ("", "")


def test_an_error_of_the_first_check_is_raised():
    def fail():
        raise SettingsError("no")

    with pytest.raises(SettingsError, match="no"):
        watch(fail)

from __future__ import annotations

import os
import sys

import pytest

from rfcheck.errors import TargetError
from rfcheck.target.isolation import own_imports
from rfcheck.target.source import FileSource, import_named


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = 3\nclass A: pass\ndef f(): return 1\n", False),
        ("model = nn.Linear(2, 2)\n", True),
        ("models = [nn.ReLU()]\n", True),
        ("if __name__ == '__main__':\n    print(1)\n", False),
    ],
)
def test_whether_running_a_file_builds_something(model_file, code, expected):
    assert FileSource(model_file(code)).creates_at_import is expected


def test_instances_are_made_without_data_or_with(model_file):
    source = FileSource(model_file("model = nn.Linear(2, 2)\n"))
    assert source.module(on_meta=True).model.weight.device.type == "meta"
    assert source.module(on_meta=False).model.weight.device.type == "cpu"


def test_a_file_is_run_once_if_it_makes_nothing(model_file, capsys):
    source = FileSource(model_file("import sys\nif True:\n    sys.stderr.write('ran')\n"))
    assert source.module(on_meta=True) is source.module(on_meta=False)
    assert capsys.readouterr().err == "ran"


def test_what_a_file_prints_goes_to_standard_error(model_file, capsys):
    FileSource(model_file("if True:\n    print('hello')\n")).module(on_meta=False)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


def test_files_beside_it_and_relative_imports_work(model_file, tmp_path):
    model_file("class Part(nn.Module): pass\n", "rf_sibling.py")
    assert FileSource(model_file("from rf_sibling import Part\n")).module(on_meta=False).Part
    package = tmp_path / "rf_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "parts.py").write_text("WIDTH = 3\n")
    (package / "net.py").write_text("from .parts import WIDTH\n")
    module = FileSource(str(package / "net.py")).module(on_meta=False)
    assert (module.__name__, module.WIDTH) == ("rf_package.net", 3)


def test_lines_of_definitions(model_file):
    source = FileSource(model_file("class A: pass\n\ndef f(): pass\nx: int = 1\ny = 2\n"))
    assert [source.line_of(name) for name in ("A", "f", "x", "y", "z")] == [3, 5, 6, 7, 1]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1\0", "model.py: the file has a syntax error: source code string cannot contain null bytes"),
        ("x = (\n", "model.py:3: the file has a syntax error: '(' was never closed"),
        ("import rf_missing\n", "model.py:3: an import fails: No module named 'rf_missing'; install it in the environment"),
        ("from torch import rf_missing\n", "model.py:3: an import fails: cannot import name 'rf_missing' from 'torch'"),
        ("\nraise ValueError('boom')\n", "model.py:4: running the file fails: ValueError: boom"),
        (
            "exit(3)\n",
            'model.py:3: running the file fails: SystemExit: 3; put what ends the program behind if __name__ == "__main__":',
        ),
    ],
)
def test_files_that_cannot_be_run(model_file, code, message):
    with pytest.raises(TargetError) as caught:
        FileSource(model_file(code)).module(on_meta=False)
    assert message in str(caught.value)
    assert "_rfcheck_model" not in sys.modules


def test_files_that_do_not_exist(model_file, tmp_path):
    model_file("", "net.py")
    model_file("", "alexnet.py")
    with pytest.raises(TargetError) as caught:
        FileSource("query.py")
    assert str(caught.value) == "query.py: no such file; there is alexnet.py, net.py"
    with pytest.raises(TargetError) as caught:
        FileSource("./alxnet.py")
    assert str(caught.value) == "./alxnet.py: no such file; did you mean alexnet.py?"
    (tmp_path / "alxnet.py").symlink_to("gone.py")
    with pytest.raises(TargetError) as caught:
        FileSource("alxnet.py")
    assert str(caught.value) == "alxnet.py: no such file behind this link to gone.py; did you mean alexnet.py?"
    with pytest.raises(TargetError) as caught:
        FileSource("nowhere/alexnet.py")
    assert str(caught.value) == "nowhere/alexnet.py: no such file"
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(TargetError, match=r"folder.py: is a folder; give the files in it"):
        FileSource("folder.py")


def test_modules_by_name(model_file):
    model_file("raise RuntimeError('late')\n", "rf_failing.py")
    with pytest.raises(TargetError, match="rf_nowhere: no such module in this environment or folder"):
        import_named("rf_nowhere")
    with pytest.raises(TargetError, match="rf_failing: importing it fails: RuntimeError: late"):
        import_named("rf_failing")
    model_file("import rf_missing\n", "rf_needing.py")
    with pytest.raises(TargetError, match="rf_needing: an import fails: No module named 'rf_missing'; install it"):
        import_named("rf_needing")


def test_a_package_that_imports_its_module_with_relative_imports(tmp_path, monkeypatch):
    package = tmp_path / "nets_with_init"
    package.mkdir()
    (package / "__init__.py").write_text("from .models import Net\n")
    (package / "parts.py").write_text("WIDTH = 3\n")
    (package / "models.py").write_text("from .parts import WIDTH\n\n\nclass Net:\n    width = WIDTH\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    with own_imports():
        assert FileSource(str(package / "models.py")).module(on_meta=False).Net.width == 3


def test_packages_of_one_name_in_two_places(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    for width in (1, 2):
        package = tmp_path / str(width) / "nets_of_one_name"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "parts.py").write_text(f"WIDTH = {width}\n")
        (package / "models.py").write_text("from nets_of_one_name.parts import WIDTH\n")
    with own_imports():
        for width in (1, 2, 1):
            path = tmp_path / str(width) / "nets_of_one_name" / "models.py"
            assert width == FileSource(str(path)).module(on_meta=False).WIDTH


def test_a_pipe_is_no_source(tmp_path):
    os.mkfifo(tmp_path / "model.py")
    with pytest.raises(TargetError) as caught:
        FileSource(f"{tmp_path}/model.py")
    assert str(caught.value) == f"{tmp_path}/model.py: cannot be read: is a pipe, not a file"

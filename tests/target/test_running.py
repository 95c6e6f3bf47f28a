"""Files that are run where they lie: what they find there, and how often they run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rfcheck.errors import TargetError
from rfcheck.target.isolation import own_imports
from rfcheck.target.source import FileSource

REGISTRY = "KNOWN = []\ndef register(cls):\n    assert cls.__name__ not in KNOWN\n    KNOWN.append(cls.__name__)\n    return cls\n"
REGISTERED = "from .registry import register\n@register\nclass Net:\n    WIDTH = 3\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Write files into an empty current folder, and run one of them; what it imports is forgotten after the test."""
    monkeypatch.chdir(tmp_path)

    def run(file: str, files: dict[str, str], content: bytes | None = None):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return FileSource(file, content).module(on_meta=False)

    with own_imports():
        yield run


@pytest.mark.parametrize(
    ("file", "files"),
    [
        ("nets/net.py", {"nets/net.py": "from utils.blocks import WIDTH", "utils/blocks.py": "WIDTH = 3"}),
        ("nets/net.py", {"nets/net.py": "from .part import WIDTH", "nets/part.py": "WIDTH = 3"}),
        ("nets/net.py", {"nets/net.py": "from .part import WIDTH", "nets/part.py": "from ..base import WIDTH", "base.py": "WIDTH = 3"}),
        ("a/b/net.py", {"a/b/net.py": "from ...base import WIDTH", "base.py": "WIDTH = 3"}),
        ("nets/net.py", {"nets/net.py": "from .part import X\nfrom beside import WIDTH", "nets/part.py": "X = 1", "nets/beside.py": "WIDTH = 3"}),
        ("p/net.py", {"p/net.py": "from beside import WIDTH", "p/__init__.py": "", "p/beside.py": "WIDTH = 3"}),
        ("p/net.py", {"p/net.py": "from ..base import WIDTH", "p/__init__.py": "", "base.py": "WIDTH = 3"}),
        ("p/__init__.py", {"p/__init__.py": "from .part import WIDTH", "p/part.py": "WIDTH = 3"}),
        ("tools/net.py", {"tools/net.py": "from kit.part import WIDTH", "src/kit/part.py": "WIDTH = 3", "pyproject.toml": ""}),
        ("my-nets/v1.0/res-net.v2.py", {"my-nets/v1.0/res-net.v2.py": "from .part import WIDTH", "my-nets/v1.0/part.py": "WIDTH = 3"}),
        ("res.net.py", {"res.net.py": "from part import WIDTH", "part.py": "WIDTH = 3"}),
        ("p/v1.0/net.py", {"p/v1.0/net.py": "from . import WIDTH", "p/v1.0/__init__.py": "WIDTH = 3", "p/__init__.py": ""}),
        ("test/net.py", {"test/net.py": "from .support import WIDTH", "test/support.py": "WIDTH = 3"}),
        ("net.py", {"net.py": "WIDTH = 3\nif __name__ == '__main__':\n    raise SystemExit(1)"}),
    ],
)  # fmt: skip
def test_what_a_file_finds(project, file, files):
    assert project(file, files).WIDTH == 3


def test_folders_around_a_file_that_is_not_below_the_current_folder(project, tmp_path, monkeypatch):
    files = {"repo/exp/one/net.py": "from model import WIDTH", "repo/model.py": "WIDTH = 3", "here/x.py": ""}
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert project(str(tmp_path / "repo/exp/one/net.py"), files).WIDTH == 3


def test_the_folder_of_the_file_comes_before_the_projects(project):
    files = {"nets/net.py": "from blocks import WIDTH", "nets/blocks.py": "WIDTH = 3", "blocks.py": "WIDTH = 4"}
    assert project("nets/net.py", files).WIDTH == 3


@pytest.mark.parametrize("content", [None, REGISTERED.replace("3", "5").encode()])
@pytest.mark.parametrize("start", ["from .net import Net\n", "from . import net\n", ""])
def test_a_file_that_its_package_imports_is_run_once(project, start, content):
    files = {"zoo/__init__.py": start, "zoo/registry.py": REGISTRY, "zoo/net.py": REGISTERED}
    module = project("zoo/net.py", files, content)
    assert (module.__name__, module.Net.WIDTH) == ("zoo.net", 3 if content is None else 5)
    assert sys.modules["zoo.net"] is module
    assert sys.modules["zoo"].net is module
    assert sys.modules["zoo.registry"].KNOWN == ["Net"]


def test_a_second_run_begins_anew(project):
    project("net.py", {"registry.py": REGISTRY, "net.py": REGISTERED.replace(".", "") + "made = [1].copy()\n"})
    source = FileSource("net.py")
    assert source.module(on_meta=True).Net is not source.module(on_meta=False).Net


def test_modules_of_other_projects_make_room(project, tmp_path):
    for number in (1, 2, 1):
        text = {f"{number}/blocks.py": f"WIDTH = {number}", f"{number}/net.py": "from blocks import WIDTH"}
        assert number == project(f"{number}/net.py", text).WIDTH


def test_whatever_a_file_raises_is_its_own_failure(project):
    modules = set(sys.modules)
    for raised in ("SystemExit(0)", "BaseException('x')", "GeneratorExit", "RecursionError('deep')"):
        with pytest.raises(TargetError, match=r"net.py:1: running the file fails: "):
            project("net.py", {"net.py": f"raise {raised}"})
    with pytest.raises(KeyboardInterrupt):
        project("net.py", {"net.py": "raise KeyboardInterrupt"})
    assert not [name for name in set(sys.modules) - modules if name.startswith("_rfcheck_")]


def test_the_message_names_the_folder_that_has_the_module(project):
    files = {"nets/net.py": "import blocks", "lib/deep/blocks.py": "", "pyproject.toml": ""}
    with pytest.raises(TargetError) as caught:
        project("nets/net.py", files)
    folder = Path("lib/deep")
    assert str(caught.value) == (
        f"nets/net.py:1: an import fails: No module named 'blocks'; the folder {folder} has it, where Python does not look: "
        f"set PYTHONPATH={folder}"
    )

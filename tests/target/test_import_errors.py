"""Code that cannot be imported: the sentence names the place and the remedy."""

import pytest

from rfcheck.errors import TargetError
from rfcheck.target.isolation import own_imports
from rfcheck.target.source import FileSource

PACKAGE = {"rf_house/__init__.py": "", "rf_house/net.py": "from .blocks import block\n"}

CASES = {
    "a module of the package that is gone": (
        {},
        "1: an import fails: No module named 'rf_house.blocks'; check the name, rf_house is there but has no such module",
    ),
    "a package that is not installed": (
        {"rf_house/blocks.py": "import rf_missing\n"},
        "1: an import fails: No module named 'rf_missing'; install it in the environment that runs rfcheck",
    ),
    "a name that is gone": (
        {"rf_house/blocks.py": "blok = 1\n"},
        "1: an import fails: cannot import name 'block' from 'rf_house.blocks'",
    ),
    "a syntax error elsewhere": (
        {"rf_house/blocks.py": "x = 1\ny = (\n"},
        "1: running the file fails: SyntaxError in rf_house/blocks.py:2: '(' was never closed",
    ),
    "tabs and blanks elsewhere": (
        {"rf_house/blocks.py": "if 1:\n    x = 1\n\ty = 2\n"},
        "1: running the file fails: TabError in rf_house/blocks.py:3: inconsistent use of tabs and spaces in indentation",
    ),
    "an error elsewhere": ({"rf_house/blocks.py": "\n1 / 0\n"}, "1: running the file fails: ZeroDivisionError: division by zero"),
}


@pytest.mark.parametrize(("files", "message"), CASES.values(), ids=CASES)
def test_sentences(tmp_path, monkeypatch, files, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rf_house").mkdir()
    for name, text in (PACKAGE | files).items():
        (tmp_path / name).write_text(text)
    with own_imports(), pytest.raises(TargetError) as caught:
        FileSource("rf_house/net.py").module(on_meta=False)
    assert str(caught.value).startswith(f"rf_house/net.py:{message}")

from __future__ import annotations

import ast

import pytest

from rfcheck.target.statements import bound_names, imports_of, names_of, statements_of
from rfcheck.target.suspects import Suspects, running_names, suspects_of


def suspects(code: str) -> Suspects:
    tree = ast.parse(code)
    imports, statements = imports_of(tree), list(statements_of(tree))
    used = [names_of(one, imports) for one in statements]
    return suspects_of(running_names(statements, used), imports, frozenset(), bound_names(tree))


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import torch\na = torch.nn\nb = a\nc = 3\nd = c", {"a", "b"}),
        ("import torch\na = []\nb = a\nb.append(torch.nn)\nc = a", {"a", "b", "c"}),
        ("import os\na = os.sep", set()),
        ("from torch import *\na = whatever\nb = 3", {"a"}),
        ("from os import *\na = sep", {"a"}),
        ("from torch import *\na = len", {"a"}),  # may be torch's own
        ("import torch\na = torch.device('cpu')\nb = torch", {"b"}),
        ("import torch\nlog = []\ndef run():\n    log.append(torch)\na = log", set()),
        ("import torch\nlog = []\ndef run():\n    log.append(torch)\nrun()\na = log", {"log", "run", "a"}),
        ("import torch\nlog = []\nclass A:\n    def run(self):\n        log.append(torch)\na = log", set()),
        ("import torch\nlog = []\nclass A(B):\n    def run(self):\n        log.append(torch)\na = log", {"log", "A", "a"}),
        ("import torch\nlog = []\n@atexit.register\ndef run():\n    log.append(torch)\n", {"log", "run"}),
        ("import torch\ndef f():\n    return g()\ndef g():\n    return torch.nn\na = f()", {"f", "g", "a"}),
    ],
)
def test_names_that_are_suspect(code, names):
    assert suspects(code).names == names


def test_what_is_suspect_of_a_file():
    found = suspects("import torch\nimport os\nfrom json import loads as exec\na = torch.nn\nb = 1\nvars = 2\n")
    assert found.among(["a.x"])
    assert found.among(["torch.nn"])
    assert found.among(["unknown"])
    assert found.among(["eval"])
    assert found.among(["__import__"])
    assert not found.among(["os.path", "torch.device", "b", "len", "__name__", "exec"])
    assert found.may_bind_any({"globals"})
    assert not found.may_bind_any({"exec", "vars", "len", "os.path"})
    assert suspects("import sys as s").may_bind_any({"s.modules"})
    assert found.is_from("os.path", ("os",))
    assert not found.is_from("a", ("os",))
    assert not suspects("import os\nos = 3").is_from("os.path", ("os",))


def test_modules_of_the_user_are_suspect():
    tree = ast.parse("import json")
    assert not Suspects(imports_of(tree), frozenset(), set()).among(["json.loads"])
    assert Suspects(imports_of(tree), {"json"}, set()).among(["json.loads"])


@pytest.mark.parametrize(
    ("code", "can"),
    [
        ("import os", False),
        ("import torch.nn", True),
        ("from . import a", True),
        ("def f():\n    eval('1')", True),
        ("", False),
        ("from os import *", False),
    ],
)
def test_whether_anything_can_be_suspect(code, can):
    tree = ast.parse(code)
    imports = imports_of(tree)
    assert Suspects(imports, frozenset(), set()).can_exist([names_of(one, imports) for one in tree.body]) is can

"""Which calls of a file make a layer, by what the names in it stand for when Python runs it."""

from __future__ import annotations

import ast

import libcst as cst
import pytest

from rfcheck.fixes.source_calls import SourceCall, source_calls
from rfcheck.span import Span

IMPORTS = "import torch\nfrom torch import nn\n"


def calls_in(code: str) -> list[SourceCall]:
    return source_calls(cst.parse_module(code))[1]


def last_call(code: str) -> SourceCall:
    return calls_in(code)[-1]


@pytest.mark.parametrize(
    ("imports", "callee", "identity"),
    [
        ("from torch import nn", "nn.MaxPool2d", "nn.Identity"),
        ("from torch import nn as N", "N.MaxPool2d", "N.Identity"),
        ("import torch", "torch.nn.MaxPool2d", "torch.nn.Identity"),
        ("import torch.nn", "torch.nn.MaxPool2d", "torch.nn.Identity"),
        ("import torch.nn as nn", "nn.MaxPool2d", "nn.Identity"),
        ("import torch as t", "t.nn.modules.MaxPool2d", "t.nn.modules.Identity"),
        ("from torch import nn", "nn.modules.pooling.MaxPool2d", "nn.Identity"),
        ("from torch.nn import MaxPool2d", "MaxPool2d", None),
        ("from torch.nn import MaxPool2d as Pool", "Pool", None),
        ("from torch.nn import MaxPool2d, Identity", "MaxPool2d", "Identity"),
        ("from torch.nn import MaxPool2d, Identity as Nothing", "MaxPool2d", "Nothing"),
        ("from torch import nn\nfrom torch.nn import MaxPool2d", "MaxPool2d", "nn.Identity"),
        ("from torch.nn import MaxPool2d\nimport torch as t", "MaxPool2d", "t.nn.Identity"),
        ("from torch.nn import *", "MaxPool2d", "Identity"),
        ("from torch.nn import *\nfrom torch import nn", "MaxPool2d", "nn.Identity"),
        ("try:\n    from torch import nn\nexcept ImportError:\n    raise", "nn.MaxPool2d", "nn.Identity"),
    ],
)
@pytest.mark.parametrize("inside", ["{}", "class Net:\n    def __init__(self):\n        self.pool = {}", "make = lambda: {}"])
def test_names_of_a_class(imports, callee, identity, inside):
    code = f"{imports}\n{inside.format(f'{callee}(2)')}\n"
    call = last_call(code)
    assert call.callee == callee
    assert call.is_of("MaxPool2d")
    assert not call.is_of("AvgPool2d")
    assert not call.is_of("Pool2d")
    assert call.identity() == identity
    names: dict[str, object] = {}
    exec(
        f"{imports}\nfrom torch import nn as _real\nassert {callee} is _real.MaxPool2d\nassert {identity} in (None, _real.Identity)",
        names,
    )


@pytest.mark.parametrize(
    "code",
    [
        "MaxPool2d = nn.MaxPool2d\nMaxPool2d(2)",
        "def MaxPool2d(n):\n    return n\nMaxPool2d(2)",
        "from functools import partial as MaxPool2d\nMaxPool2d(2)",
        "from elsewhere import MaxPool2d\nMaxPool2d(2)",
        "from torch.nn.functional import max_pool2d as MaxPool2d\nMaxPool2d(2)",
        "def f(nn):\n    return nn.MaxPool2d(2)",
        "class A:\n    def f(self):\n        return self.MaxPool2d(2)",
        "def f(flag):\n    global Pool\n    if flag:\n        from torch.nn import MaxPool2d as Pool\n    else:\n        Pool = print\n    return Pool(2)",
        "(lambda: nn.MaxPool2d)()(2)",
        "{'a': nn.MaxPool2d}['a'](2)",
    ],
)
def test_what_may_be_something_else(code):
    assert not calls_in(IMPORTS + code)[0].is_of("MaxPool2d")


def test_names_that_are_hidden_are_not_used():
    hidden = "from torch.nn import MaxPool2d\nfrom torch import nn\ndef f(nn):\n    return MaxPool2d(2)\n"
    assert last_call(hidden).identity() is None
    assert last_call("import torch.nn as t\nfrom torch.nn import MaxPool2d\nt = 3\nMaxPool2d(2)").identity() is None


CALLS = """\
a = (nn.Conv2d(3, "é", 7)); b = f(g(1), h(2))
c = (nn
     .Conv2d(
    3
))
\td = x(
 # comment
 )(1)
""".replace("\t", "if a:\n    ")


def test_calls_are_found_where_they_end():
    module = ast.parse(CALLS)
    lines = CALLS.splitlines()
    calls = calls_in(CALLS)
    for node in [node for node in ast.walk(module) if isinstance(node, ast.Call)]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        column = len(lines[node.end_lineno - 1].encode()[: node.end_col_offset].decode()) + 1
        (found,) = [call for call in calls if call.is_at(Span("model.py", 1, 1, node.end_lineno, column))]
        assert ast.dump(ast.parse(cst.Module([]).code_for_node(found.node), mode="eval").body) == ast.dump(node)


def test_where_columns_are_unknown_all_calls_that_begin_on_the_line_are():
    assert [call.callee for call in calls_in(CALLS) if call.is_at(Span("model.py", 1))] == ["nn.Conv2d", "f", "g", "h"]
    assert [call.callee for call in calls_in(CALLS) if call.is_at(Span("model.py", 3))] == []

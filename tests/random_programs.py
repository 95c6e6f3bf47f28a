"""Random short files that hand models and other things around in many ways; statements that fail are passed over."""

from __future__ import annotations

import textwrap

from hypothesis import strategies as st

STARTS = [
    "import torch\nfrom torch import nn\nclass Net(nn.Module):\n    def forward(self, x): return x",
    "import torch\nfrom torch import nn",
    "import torch",
    "def local():\n    from torch import nn\n    return nn.PReLU()",
    "from torch.nn import *",
    "",
]
FIRST = "import json\nfrom contextlib import nullcontext\na = b = c = None\nitems = []\nf = g = K = None"
NAMES = ["a", "b", "c", "items"]
VALUES = [
    *NAMES, *NAMES, "f", "f()", "g", "g()", "K", "K()", "K().get()",
    "nn.PReLU", "nn.PReLU()", "torch", "torch.nn.PReLU(2)", "local()", "Net", "Net()", "PReLU()",
    "(3)", "'a'", "json", "torch.device('cpu')", "len", "[]", "{}",
]  # fmt: skip
COMBINED = [
    "[{0}, {1}]", "{0}({1})", "{0}.kept", "{0}[0]", "(lambda a: {0})({1})", "[{1} for b in {0}][0]", "{0} or {1}", "next(iter({0}))",
    "{{0: {0}}}", "(lambda: {0})", "{0}.get({1})", "(c := {0})", "{0} if {1} else 3", "[a := x for x in {0}]", "{0}.pop()",
]  # fmt: skip
STATEMENTS = [
    "{n} = {x}", "{n} = {x}", "{n} = {x}", "{n}, *{m} = {x}", "{n}.kept = {x}", "{n}[0] = {x}", "{n}.append({x})", "{n} += {x}", "{x}",
    "for {n} in {x}: {m} = {n}", "with nullcontext({x}) as {n}: pass", "if {x}: {n} = {y}", "match {x}:\n    case [{n}, *{m}]: pass\n    case {n}: pass",
    "try: raise StopIteration({x})\nexcept StopIteration as {n}: {m} = {n}.value", "import json as {n}", "from torch import device as {n}", "del {n}",
    "def f(): return {x}", "def g({n}=3): return {n} or {x}", "def f():\n    global {n}\n    {n} = {x}", "def g():\n    {n}.append({x})\n    return {m}",
    "def f():\n    {n} = {x}\n    return {n}", "def f():\n    def g(): return {x}\n    return g", "def g(*items): items[0].append({x})", "f()", "g({x})",
    "class K:\n    kept = {x}\n    def __init__(self): self.got = {y}\n    def get(self, *{m}): return {x}", "setattr(K, 'kept', {x})", "K.kept = {x}",
    "class K:\n    def __call__(self, {n}=None): return {n} or {x}", "class L(K): {n} = {x}", "@K\ndef f(): return {x}", "@g\nclass K: kept = {x}",
    "class K:\n    def __init_subclass__(cls): items.append({x})", "def build_model(): return {x}", "def f() -> {x}: return {y}", "build_model = {x}",
]  # fmt: skip


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A file."""
    lines = [draw(st.sampled_from(STARTS)), FIRST]
    for _ in range(draw(st.integers(1, 10))):
        n, m = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES))
        statement = draw(st.sampled_from(STATEMENTS)).format(n=n, m=m, x=draw(expressions()), y=draw(expressions()))
        lines.append(f"try:\n{textwrap.indent(statement, '    ')}\nexcept Exception: pass")
    return "\n".join(lines) + "\n"


def expressions() -> st.SearchStrategy[str]:
    """A value, or one made of two."""
    one = st.sampled_from(VALUES)
    return one | st.builds(lambda form, first, second: form.format(first, second), st.sampled_from(COMBINED), one, one)

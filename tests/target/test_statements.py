from __future__ import annotations

import ast

import pytest

from rfcheck.target.statements import Imports, bound_names, imports_of, names_of, statements_of

CODE = """\
import a
if a:
    b = 1
    def f():
        c = 1
elif d:
    try:
        e = 1
    except E as e2:
        g = 1
    else:
        h = 1
    finally:
        i = 1
for j in k:
    while l:
        m = 1
    else:
        n = 1
match o:
    case [p]:
        q = 1
class A:
    r = 1
with s as t:
    u = 1
"""


def test_statements_that_run():
    texts = [ast.unparse(one).partition("\n")[0] for one in statements_of(ast.parse(CODE)) if not isinstance(one, ast.match_case)]
    assert texts == [
        "import a", "if a:", "b = 1", "def f():", "if d:", "try:", "e = 1", "except E as e2:", "g = 1", "h = 1", "i = 1", "for j in k:",
        "while l:", "m = 1", "n = 1", "match o:", "q = 1", "class A:", "with s as t:", "u = 1",
    ]  # fmt: skip


def test_a_compound_statement_has_its_header_only():
    tree = ast.parse(CODE)
    imports = imports_of(tree)
    used = {ast.unparse(one).partition("\n")[0]: names_of(one, imports) for one in statements_of(tree)}
    assert (used["if a:"].reads, used["if a:"].binds) == ({"a"}, set())
    assert (used["for j in k:"].reads, used["for j in k:"].binds) == ({"k"}, {"j"})
    assert (used["match o:"].reads, used["match o:"].binds) == ({"o"}, {"p"})
    assert (used["with s as t:"].reads, used["with s as t:"].binds) == ({"s"}, {"t"})
    assert (used["except E as e2:"].reads, used["except E as e2:"].binds) == ({"E"}, set())


def test_an_error_with_a_name_belongs_to_what_raised_it():
    (node,) = ast.parse("try:\n    a(b)\nexcept E as e:\n    c = e.value\n").body
    used = names_of(node, imports_of(node))
    assert (used.reads, used.binds) == ({"a", "b", "E", "e.value"}, {"e", "c"})
    (node,) = ast.parse("try:\n    a(b)\nexcept E:\n    c = 1\n").body
    used = names_of(node, imports_of(node))
    assert (used.reads, used.binds) == (set(), set())


@pytest.mark.parametrize(
    ("test", "runs"),
    [
        ("__name__ == '__main__'", False),
        ("'__main__' == __name__", False),
        ("x and __name__ == '__main__'", False),
        ("x or __name__ == '__main__'", True),
        ("__name__ != '__main__'", True),
        ("__name__ == 'main'", True),
        ("name == '__main__'", True),
        ("'a' == __name__ == '__main__'", True),
        ("not __name__ == '__main__'", True),
    ],
)
def test_what_runs_in_the_main_program_only(test, runs):
    tree = ast.parse(f"if {test}:\n    a = 1\nelse:\n    b = 1\n")
    assert bound_names(tree) == ({"a", "b"} if runs else {"b"})
    values: dict[str, object] = {"__name__": "_rfcheck_model", "name": "__main__", "x": True}
    exec(compile(tree, "model.py", "exec"), values)
    assert runs or "a" not in values


def test_imports():
    code = "import a.b, c.d as e\ntry:\n    from . import f\nexcept E:\n    from ..g import h as i, j\ndef k():\n    import l\n    from m.n import *\nimport o as a\n"
    assert imports_of(ast.parse(code)) == Imports(
        {"a": {"a", "o"}, "e": {"c.d"}, "f": {"..f"}, "i": {"..g.h"}, "j": {"..g.j"}, "l": {"l"}}, {"m.n"}
    )
    assert imports_of(ast.parse(code)).places() == {"a", "o", "c.d", "..f", "..g.h", "..g.j", "l", "m.n"}
    assert imports_of(ast.parse(code)).packages() == {"a", "o", "c", "l", "m"}


def test_names_that_a_file_binds():
    assert bound_names(ast.parse(CODE)) == set("beghijmnpqtu") | {"f", "A", "e2"}
    assert bound_names(ast.parse("from a import b\ndef c():\n    global d\n    d = e = 1\n")) == {"c", "d"}

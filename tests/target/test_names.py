from __future__ import annotations

import ast
import symtable
import textwrap

import pytest
from hypothesis import given, reject, settings

from rfcheck.target.names import dotted_name, names_in, root_of
from tests.random_programs import programs


def names(code: str, imported: frozenset[str] = frozenset()):
    return names_in(ast.parse(textwrap.dedent(code)).body, imported)


@pytest.mark.parametrize(
    ("code", "reads", "binds"),
    [
        ("a = b.c.d(e)[f]", {"b.c.d", "e", "f"}, {"a"}),
        ("a.b = c\nd[0] = 1", {"a.b", "c", "d"}, set()),
        ("a().b.c", {"a"}, set()),
        ("a: b = c", {"c"}, {"a"}),
        ("a: b", set(), set()),
        ("a += b", {"a", "b"}, {"a"}),
        ("(a, *b), c[d] = e", {"c", "d", "e"}, {"a", "b"}),
        ("lambda a, *b, c=d, **e: a + b + c + e + f", {"d", "f"}, set()),
        ("[a for a in b if c]", {"b", "c"}, set()),
        ("[a for b in c for d in b if (e := d)]", {"a", "c"}, {"e"}),
        ("{a: b for a, (b, c) in d}", {"d"}, set()),
        ("class A(b, c=d):\n    e = f\n    g: h = i\n", {"b", "d", "f", "i"}, {"A"}),
        ("match a:\n    case b.C(d) | [d, *e] | {'f': 1, **g}: pass\n    case h: pass", {"a", "b.C"}, {"d", "e", "g", "h"}),
        ("try: pass\nexcept a.E as b: c", {"a.E", "c"}, {"b"}),
        ("with a as b, c as d.e: pass", {"a", "c", "d.e"}, {"b"}),
        ("f'{a!r:{b}}'", {"a", "b"}, set()),
        ("del a", set(), {"a"}),
        ("import a.b as c\nfrom d import e", set(), set()),
        ("@a.b(c)\ndef f(d: e = g, *, h=i) -> j: pass", {"a.b", "c", "g", "i"}, {"f"}),
    ],
)
def test_what_code_uses_when_it_runs(code, reads, binds):
    used = names(code)
    assert (used.reads, used.binds) == (reads, binds)
    assert (used.read_later, used.bound_later) == (set(), set())


@pytest.mark.parametrize(
    ("code", "later", "bound"),
    [
        ("def f(a, /, b, *c, d, **e): a, b, c, d, e, f, g.h", {"f", "g.h"}, set()),
        ("async def f():\n    a = b\n    a", {"b"}, set()),
        ("def f():\n    global a\n    a = b = c", {"c"}, {"a"}),
        ("def f():\n    a = 1\n    def g():\n        return a, b\n", {"b"}, set()),
        ("def f():\n    def g():\n        global a\n        a = 1\n", set(), {"a"}),
        ("class A:\n    a = 1\n    def f(self): return a, self.b, c", {"a", "c"}, set()),
        ("def f():\n    class A:\n        a = b\n    return a", {"a", "b"}, set()),
        ("def f():\n    return [a for a in b], a", {"a", "b"}, set()),
        ("def f():\n    return lambda b: a + b", {"a"}, set()),
        ("def f():\n    import a\n    a.b", {"a.b"}, set()),
        ("def f():\n    for a in b: pass\n    with c as d: pass\n    return a, d", {"b", "c"}, set()),
    ],
)
def test_what_functions_use_when_they_are_called(code, later, bound):
    used = names(code)
    assert (used.read_later, used.bound_later) == (later, bound)


def test_imported_names_are_those_of_the_module_wherever_they_are_bound():
    code = "def f(b):\n    try:\n        import a\n    except E:\n        a = None\n    return a.c, b"
    assert names(code).read_later == {"E"}
    assert names(code, frozenset({"a", "b"})).read_later == {"E", "a.c"}


@settings(max_examples=100, deadline=None)
@given(code=programs())
def test_as_the_compiler_sees_it(code):
    """Names that random files use globally, against Python's own symbol table."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
    try:
        table = symtable.symtable(ast.unparse(tree), "model.py", "exec")
    except SyntaxError:
        reject()
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    used = names_in(tree.body, imported)
    found = {root_of(name) for name in used.reads | used.read_later} | used.binds | used.bound_later
    assert found - imported >= _globals(table) - imported
    assert used.binds | used.bound_later | imported >= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}


def _globals(table: symtable.SymbolTable) -> set[str]:
    names = {s.get_name() for s in table.get_symbols() if s.is_referenced() and (table.get_type() == "module" or s.is_global())}
    return names.union(*(_globals(child) for child in table.get_children()))


def test_names_with_dots():
    assert dotted_name(ast.parse("a.b.c", mode="eval").body) == "a.b.c"
    assert dotted_name(ast.parse("a().b", mode="eval").body) is None
    assert (root_of("a.b.c"), root_of("a")) == ("a", "a")

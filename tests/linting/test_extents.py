from __future__ import annotations

import ast
import textwrap
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcheck.linting.extents import covered_lines, statement_lines


def covered(code: str, line: int) -> list[int]:
    first, last = covered_lines(ast.parse(code), code.split("\n"), line)
    return list(range(first, last + 1))


# In these a comment "here" stands on one line, and ">" marks the lines that it covers.
CASES = {
    "one line": """
        x = 1
        > conv = nn.Conv2d(3, 8, 3)  # here
        y = 2
    """,
    "first line of a call": """
        > conv = nn.Conv2d(  # here
        >     3, 8, 3,
        > )
        y = 2
    """,
    "argument without a call": """
        > conv = nn.Conv2d(
        >     3,  # here
        >     8, 3,
        > )
    """,
    "argument that calls what is built in": """
        > conv = nn.Conv2d(
        >     int(3 * width),  # here
        >     max(8, len(x)),
        > )
    """,
    "keyword without a call": """
        > conv = nn.Conv2d(
        >     3, 8,
        >     kernel_size=3,  # here
        > )
    """,
    "last line of a call": """
        > conv = nn.Conv2d(
        >     3, 8, 3,
        > )  # here
    """,
    "one of several layers": """
        net = nn.Sequential(
        >     nn.Conv2d(3, 8, 3),  # here
            nn.Conv2d(8, 8, 3),
        )
    """,
    "all layers, from above": """
        > net = nn.Sequential(  # here
        >     nn.Conv2d(3, 8, 3),
        >     nn.Conv2d(8, 8, 3),
        > )
    """,
    "all layers, from below": """
        > net = nn.Sequential(
        >     nn.Conv2d(3, 8, 3),
        >     nn.Conv2d(8, 8, 3))  # here
    """,
    "a long layer among several": """
        net = nn.Sequential(
        >     nn.Conv2d(
        >         3, 8,  # here
        >         3,
        >     ),
            nn.Conv2d(8, 8, 3),
        )
    """,
    "a long layer that begins on the first line": """
        > net = nn.Sequential(nn.Conv2d(3,
        >         8, 3),  # here
            nn.Conv2d(8, 8, 3),
        )
    """,
    "two layers on a line": """
        net = nn.Sequential(
        >     nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3),  # here
            nn.Conv2d(8, 8, 3),
        )
    """,
    "containers in containers": """
        net = nn.Sequential(
            nn.Sequential(
        >         nn.Conv2d(3, 8, 3),  # here
                nn.Conv2d(8, 8, 3),
            ),
        )
    """,
    "a container in a container": """
        net = nn.Sequential(
        >     nn.Sequential(
        >         nn.Conv2d(3, 8, 3),
        >     ),  # here
            nn.Conv2d(8, 8, 3),
        )
    """,
    "a list": """
        net = nn.ModuleList([
            nn.Conv2d(3, 8, 3),
        >     nn.Conv2d(8, 8, 3),  # here
        ])
    """,
    "pairs": """
        net = nn.Sequential(OrderedDict([
            ("a", nn.Conv2d(3, 8, 3)),
        >     ("b", nn.Conv2d(8, 8, 3)),  # here
        ]))
    """,
    "a dictionary": """
        net = nn.ModuleDict({
        >     "a": nn.Conv2d(3, 8, 3),  # here
            "b": nn.Conv2d(8, 8, 3),
        })
    """,
    "keywords": """
        net = dict(
        >     a=nn.Conv2d(3, 8, 3),  # here
            b=nn.Conv2d(8, 8, 3),
        )
    """,
    "unpacked": """
        net = nn.Sequential(
        >     *[nn.Conv2d(8, 8, 3) for _ in range(3)],  # here
            nn.Conv2d(8, 8, 3),
        )
    """,
    "in a comprehension": """
        net = [
        >     nn.Conv2d(8, 8, 3)  # here
            for _ in range(3)
        ]
    """,
    "a method of what is built": """
        net = nn.Sequential(
        >     nn.Conv2d(3, 8, 3),  # here
            nn.Conv2d(8, 8, 3),
        ).to(device)
    """,
    "in parentheses": """
        net = (
            nn.Sequential(
        >         nn.Conv2d(3, 8, 3),  # here
                nn.Conv2d(8, 8, 3),
            )
        )
    """,
    "either, or": """
        net = nn.Sequential(
        >     nn.Conv2d(3, 8, 3)
        >     if wide  # here
        >     else nn.Conv2d(3, 4, 3),
            nn.Conv2d(8, 8, 3),
        )
    """,
    "backslash": """
        > y = conv(x) + \\
        >     conv(x)  # here
    """,
    "after a long string": '''
        > text = """
        > long
        > """  # here
        x = 1
    ''',
    "two statements on a line": """
        > a = nn.Conv2d(3, 8, 3); b = nn.Conv2d(  # here
        >     3, 8, 3)
        c = 1
    """,
    "a return": """
        def build():
            x = 1
        >     return nn.Sequential(
        >         nn.Conv2d(3, 8, 3),
        >     )  # here
    """,
    "a class": """
        > class Net(nn.Module):  # here
        >     def __init__(self):
        >         self.conv = nn.Conv2d(3, 8, 3)
        x = 1
    """,
    "a class with a docstring": '''
        > class Net(nn.Module):  # here
        >     """Net."""
        >     x = 1
    ''',
    "a docstring": '''
        class Net(nn.Module):
        >     """Net."""  # here
            x = 1
    ''',
    "a long header": """
        x = 1
        > def build(
        >     width: int = int("3"),  # here
        >     depth=Depth(3),
        > ) -> nn.Module:
        >     return nn.Conv2d(3, width, 3)
        y = 1
    """,
    "the end of a long header": """
        > async def build(
        >     width,
        > ) -> nn.Module:  # here
        >     return nn.Conv2d(3, width, 3)
    """,
    "a decorator": """
        x = 1
        > @register(
        >     "net",  # here
        > )
        > @final
        > class Net(nn.Module):
        >     x = 1
        y = 1
    """,
    "below a decorated method": """
        class Net(nn.Module):
            @property
            def depth(self):
        >         return nn.Conv2d(3, 8, 3)  # here

            x = 1
    """,
    "a method, not its neighbours": """
        class Net(nn.Module):
        >     def __init__(self):  # here
        >         self.conv = nn.Conv2d(3, 8, 3)

            def forward(self, x):
                return x
    """,
    "a decorated method first": """
        class Net(nn.Module):
        >     @property  # here
        >     def depth(self):
        >         return 3
            x = 1
    """,
    "a class on a line": """
        > class Net: conv = nn.Conv2d(3, 8, 3)  # here
        x = 1
    """,
    "a body that begins in the header": """
        def build(): return nn.Sequential(
        >     nn.Conv2d(3, 8, 3),  # here
            nn.Conv2d(3, 8, 3),
        )
    """,
    "a body in the header, which is long": """
        > def build(
        >     width=f(3),
        > ): return nn.Conv2d(3, width, 3)  # here
        x = 1
    """,
    "a loop": """
        > for layer in build(nn.Conv2d(3, 8, 3)):  # here
            layers.append(layer)
    """,
    "inside a loop": """
        for i in range(3):
            x = 1
        >     layers.append(nn.Conv2d(3, 8, 3))  # here
    """,
    "a long with": """
        with (
        >     meta_device(),  # here
            no_grad(),
        ):
            net = Net()
    """,
    "else": """
        if wide:
            x = 1
        > else:  # here
            x = 2
    """,
    "an exception": """
        try:
            x = build()
        > except ValueError:  # here
            x = None
    """,
    "inside a handler": """
        try:
            x = build()
        except ValueError:
        >     x = nn.Conv2d(3, 8, 3)  # here
        finally:
            y = 1
    """,
    "a match": """
        match kind:
            case "wide":
        >         x = nn.Conv2d(3, 8, 3)  # here
            case _:
                x = None
    """,
    "what is matched": """
        > match f(1):  # here
            case "wide":
                x = nn.Conv2d(3, 8, 3)
    """,
    "a lambda": """
        net = Lazy(
        >     lambda: nn.Conv2d(3, 8, 3),  # here
            8,
        )
    """,
    "behind letters of several bytes": """
        > class Größe: größe = Ä(  # here
        >     nn.Conv2d(3, 8, 3))
    """,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_a_comment_covers(case):
    lines = textwrap.dedent(case).strip("\n").split("\n")
    marked = [number for number, line in enumerate(lines, start=1) if line.startswith(">")]
    lines = [line[2:] if line.startswith(">") else line for line in lines]
    (here,) = (number for number, line in enumerate(lines, start=1) if line.endswith("# here"))
    assert covered("\n".join(lines), here) == marked


@pytest.mark.parametrize(
    ("line", "expected"),
    [(1, (1, 4)), (3, (1, 4)), (5, (5, 5)), (7, (7, 10)), (8, (7, 10)), (11, (11, 12)), (12, (11, 13)), (14, (14, 14))],
)
def test_statements(line, expected):
    body = "    x = 1\n    def f(self):\n        y = [\n  1,\n  2,\n]\nx = 1; y = (\n2); z = (\n3)\n"
    code = f"@register\nclass Net(\n  nn.Module\n):\n{body}"
    assert statement_lines(ast.parse(code), code.split("\n"), line) == expected


def test_a_very_long_expression():
    code = "x = (\n" + " +\n".join(f"f({n})" for n in range(2000)) + "\n)"
    assert covered(code, 1000) == [1000]


def test_a_very_long_choice():
    code = "if x == 0: pass\n" + "".join(f"elif x == {n}:\n    f(\n{n})\n" for n in range(800))
    assert covered(code, 2400) == [2400, 2401]


leaf = st.just("leaf")
trees = st.recursive(leaf, lambda children: st.lists(children, min_size=1, max_size=4), max_leaves=12)


def drawn(tree, indent: int, number: count, leaves: list[int], containers: list[tuple[int, int]]) -> list[str]:
    """A tree as nested nn.Sequential calls, a part a line; notes the lines of its leaves and containers."""
    pad = " " * indent
    if tree == "leaf":
        leaves.append(next(number))
        return [f"{pad}nn.Conv2d(3, 8, 3),"]
    first = next(number)
    inner = [line for child in tree for line in drawn(child, indent + 4, number, leaves, containers)]
    containers.append((first, next(number)))
    return [f"{pad}nn.Sequential(", *inner, f"{pad}),"]


@given(st.lists(trees, min_size=1, max_size=4))
def test_a_comment_covers_a_layer_or_the_container_that_opens_or_closes_on_its_line(tree):
    leaves: list[int] = []
    containers: list[tuple[int, int]] = []
    lines = drawn(tree, 0, count(1), leaves, containers)
    code = "\n".join(lines).rstrip(",")
    assert [covered(code, line) for line in leaves] == [[line] for line in leaves]
    for first, last in containers:
        assert covered(code, first) == covered(code, last) == list(range(first, last + 1))

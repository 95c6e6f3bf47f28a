"""Random Python files that call things in every layout, for tests that edit files."""

from __future__ import annotations

from hypothesis import strategies as st

COMMENTS = [
    "",
    "",
    "",
    "  # plain",
    "  # noqa: E501",
    "# tight",
    "  # rfcheck: ignore[RF3] why",
    "  # rfcheck: ignore-file[RF5]",
    "   ",
    "  # größe",
]
comments = st.sampled_from(COMMENTS)
atoms = st.sampled_from(
    ["1", "'a'", "x", "{'a': 1}", "größe", "int('3')", '"""long\n  text"""', 'f"""{x}\n{h(1)}"""', "lambda: g(1)"]
)


def _call(arguments: list[str], notes: list[str], layout: str) -> str:
    if layout == "inline" or not arguments:
        return f"f({', '.join(arguments)})"
    ends = [f",{note}" if note.strip() else "," for note in notes]
    lines = [f"    {argument}{end}" for argument, end in zip(arguments, ends, strict=False)]
    if layout == "open":
        return "nn.F(\n" + "\n".join(lines) + "\n)"
    return "F(" + "\n".join(lines).lstrip() + "\n  )"


def _calls(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arguments = st.lists(children | atoms | children.map(lambda c: f"key={c}"), max_size=3).map(_keywords_last)
    notes = st.lists(comments, min_size=3, max_size=3)
    call = st.builds(_call, arguments, notes, st.sampled_from(["inline", "open", "hanging"]))
    listed = st.lists(children, min_size=1, max_size=2).map(lambda parts: "[\n" + ",\n".join(parts) + ",\n]")
    added = st.tuples(children, children).map(lambda pair: f"({pair[0]}\n + {pair[1]})")
    return call | listed | added


def _keywords_last(arguments: list[str]) -> list[str]:
    named = [argument for argument in arguments if argument.startswith("key=")][:1]
    return [argument for argument in arguments if not argument.startswith("key=")] + named


calls = st.recursive(st.just("g(1)"), _calls, max_leaves=5)
simple = st.one_of(
    calls.map(lambda c: f"a = {c}"),
    calls,
    st.tuples(calls, calls).map(lambda p: f"a = {p[0]}; b = {p[1]}"),
    st.tuples(calls, calls).map(lambda p: f"a = {p[0]} + \\\n  {p[1]}"),
    st.sampled_from(["pass", "x = 1", '"""Doc."""']),
)
noted = st.tuples(simple, comments).map("".join)
alone = st.sampled_from(["# rfcheck: ignore", "# plain", ""])


def _indented(body: list[str], tab: str) -> str:
    """Statements one level deeper; lines inside strings and brackets move too, which Python allows everywhere but in a header."""
    return "\n".join(f"{tab}{line}" if line else line for statement in [*body, "pass"] for line in statement.split("\n"))


def _blocks(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    headers = st.one_of(
        st.just("class A:"),
        st.just("class A(\n    B,\n):"),
        st.just("def f(a=1):"),
        calls.map(lambda c: f"def f(\n    a={c},\n):"),
        calls.map(lambda c: f"@{c.splitlines()[0]}\ndef f():" if "\n" not in c else "@final\nclass B:"),
        calls.map(lambda c: f"for i in {c}:"),
        calls.map(lambda c: f"with {c}:"),
        calls.map(lambda c: f"if {c}:"),
    )
    bodies = st.lists(children, max_size=3)
    return st.builds(lambda h, n, b, t: f"{h}{n}\n{_indented(b, t)}", headers, comments, bodies, st.sampled_from(["    ", "\t"]))


statements = st.recursive(noted | alone, _blocks, max_leaves=6)
programs = st.lists(statements, min_size=1, max_size=4).map("\n".join)

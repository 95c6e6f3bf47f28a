from __future__ import annotations

from rfcheck.target.listing import ModuleCalled, Scope, Step, nested


def step(name: str, *paths: str | tuple[str, str], free: bool = False) -> Step:
    scopes = tuple(Scope(p, "M", p) if isinstance(p, str) else Scope(p[0], "M", p[1]) for p in paths)
    return Step(name, None if free else scopes, name, lambda run: None)


def shown(body) -> list:
    return [[item.path, item.reads, *shown(item.body)] if isinstance(item, ModuleCalled) else item.label for item in body]


def test_steps_lie_in_the_calls_around_them():
    steps = [step("a", "x", "x.y"), step("b", "x", "x.y"), step("c", "x"), step("d", "x", "x.z"), step("e"), step("f", "w")]
    assert shown(nested(steps)) == [["x", "a", ["x.y", "a", "a", "b"], "c", ["x.z", "d", "d"]], "e", ["w", "f", "f"]]


def test_two_calls_of_a_module_stay_apart():
    first, second = step("a", "x", ("x.r", "r")), step("b", "x", ("x.r", "r@1"))
    assert shown(nested([first, second])) == [["x", "a", ["x.r", "a", "a"], ["x.r", "b", "b"]]]


def test_a_step_of_no_module_stays_where_the_one_before_is():
    assert shown(nested([step("n", free=True), step("a", "x"), step("n", free=True), step("b", "x")])) == [
        "n",
        ["x", "a", "a", "n", "b"],
    ]


def test_a_module_that_is_left_is_called_anew():
    assert shown(nested([step("a", "x"), step("b", "y"), step("c", "x")])) == [["x", "a", "a"], ["y", "b", "b"], ["x", "c", "c"]]

from __future__ import annotations

import pytest
import torch
from onnx import helper

from rfcheck.target.onnx.merging import merged

MATRIX, VECTOR, ROWS = (torch.empty(*shape, device="meta") for shape in ((4, 5), (5,), (7, 5)))
TENSORS = {"w": MATRIX, "b": VECTOR, "rows": ROWS}


def shown(nodes, tensors=TENSORS, known=None, shapes=None) -> list[tuple]:
    made = merged(nodes, tensors, known or {}, shapes or {})
    return [(n.op_type, list(n.input), list(n.output), n.name, {a.name: a.i for a in n.attribute}) for n in made]


def node(operator: str, inputs: str, output: str, **attributes):
    return helper.make_node(operator, inputs.split(), [output], f"name_{output}", **attributes)


@pytest.mark.parametrize("inputs", ["p b", "b p"])
def test_linear_layers(inputs):
    first, last = node("Relu", "x", "r"), node("Relu", "y", "z")
    nodes = [first, node("MatMul", "r w", "p"), node("Add", inputs, "y"), last]
    assert shown(nodes) == [
        ("Relu", ["x"], ["r"], "name_r", {}),
        ("Linear", ["r", "w", "b"], ["y"], "name_p", {}),
        ("Relu", ["y"], ["z"], "name_z", {}),
    ]


@pytest.mark.parametrize(
    "nodes",
    [
        [node("MatMul", "x w", "p"), node("Add", "p rows", "y")],  # not one number per column
        [node("MatMul", "x w", "p"), node("Add", "p b", "y"), node("Relu", "p", "z")],  # read elsewhere too
        [node("MatMul", "x q", "p"), node("Add", "p b", "y")],  # both factors depend on the image
        [node("MatMul", "x w", "p"), node("Mul", "p b", "y")],
        [node("MatMul", "x w", "p"), node("Add", "p p", "y")],
    ],
)
def test_what_is_no_linear_layer(nodes):
    assert [entry[0] for entry in shown(nodes)] == [n.op_type for n in nodes]


def test_metadata_stay():
    product = node("MatMul", "x w", "p")
    product.metadata_props.add(key="k", value="v")
    (made,) = merged([product, node("Add", "p b", "y")], TENSORS, {}, {})
    assert [(entry.key, entry.value) for entry in made.metadata_props] == [("k", "v")]


def shift(start: int, end: int, axis: int = 1, *, first_end: int | None = None, concat_axis: int = 1):
    known = {name: torch.tensor([value]) for name, value in (("s", start), ("e", end), ("a", axis), ("one", 1), ("zero", 0))}
    known["f"] = torch.tensor([start if first_end is None else first_end])
    nodes = [node("Slice", "x s e a one", "last"), node("Slice", "x zero f a one", "first")]
    return [*nodes, node("Concat", "last first", "y", axis=concat_axis)], known


@pytest.mark.parametrize(("start", "end", "shapes"), [(3, 2**63 - 1, {}), (-3, 2**31 - 1, {}), (3, 56, {"x": (1, 56, 56)})])
def test_cyclic_shifts(start, end, shapes):
    nodes, known = shift(start, end)
    assert shown(nodes, {}, known, shapes) == [("Roll", ["x"], ["y"], "name_y", {"axis": 1, "shift": -start})]


@pytest.mark.parametrize(
    "group",
    [
        shift(3, 50),  # something is left out
        shift(3, 2**63 - 1, first_end=2),
        shift(3, 2**63 - 1, concat_axis=2),
        shift(0, 2**63 - 1),
    ],
)
def test_what_is_no_shift(group):
    nodes, known = group
    assert [entry[0] for entry in shown(nodes, {}, known)] == ["Slice", "Slice", "Concat"]
    assert [entry[0] for entry in shown(nodes, {}, {})] == ["Slice", "Slice", "Concat"]


def circle(before: str, after: str, *, axis: int = 2, concat_axis: int = 2):
    """Slices of x put before x, behind it, or both; "start end" each."""
    known = {str(value): torch.tensor([value]) for value in (0, 1, 2, 3, 6, 8, -1, -2, 2**63 - 1, axis)}
    ends = [(name, cut) for name, cut in (("low", before), ("high", after)) if cut]
    nodes = [node("Slice", f"x {cut} {axis}", name) for name, cut in ends]
    inputs = " ".join(name for name in ("low" if before else "", "x", "high" if after else "") if name)
    return [*nodes, node("Concat", inputs, "y", axis=concat_axis)], known


def amounts(nodes, known, shapes) -> list[tuple]:
    (made,) = merged(nodes, {}, known, shapes)
    return [made.op_type, list(made.input), made.name, {a.name: helper.get_attribute_value(a) for a in made.attribute}]


@pytest.mark.parametrize(
    ("before", "after", "shapes", "pads"),
    [
        (f"-2 {2**63 - 1}", "0 1", {}, [2, 1]),
        ("6 8", "0 3", {"x": (1, 3, 8, 8)}, [2, 3]),
        ("-1 8", "", {"x": (1, 3, 8, 8)}, [1, 0]),
        ("", "0 2", {}, [0, 2]),
    ],
)
def test_circular_padding(before, after, shapes, pads):
    nodes, known = circle(before, after)
    assert amounts(nodes, known, shapes) == ["Pad", ["x"], "name_y", {"mode": b"wrap", "axes": [2], "pads": pads}]


def test_circular_padding_in_older_files():
    nodes = [
        node("Slice", "x", "low", starts=[-2], ends=[2**63 - 1], axes=[3]),
        node("Slice", "x", "high", starts=[0], ends=[1], axes=[3]),
        node("Concat", "low x high", "y", axis=3),
    ]
    assert amounts(nodes, {}, {}) == ["Pad", ["x"], "name_y", {"mode": b"wrap", "axes": [3], "pads": [2, 1]}]


@pytest.mark.parametrize(
    "group",
    [
        circle("0 1", "0 1"),  # the first positions again, not the last
        circle(f"-2 {2**63 - 1}", f"-1 {2**63 - 1}"),
        circle(f"-2 {2**63 - 1}", "1 2"),
        circle(f"-2 {2**63 - 1}", "0 1", concat_axis=3),
        circle(f"-2 {2**63 - 1}", "0 1", axis=1, concat_axis=1),  # channels
        circle("-2 -1", "0 1"),
    ],
)
def test_what_is_no_circular_padding(group):
    nodes, known = group
    assert [n.op_type for n in merged(nodes, {}, known, {})] == ["Slice", "Slice", "Concat"]

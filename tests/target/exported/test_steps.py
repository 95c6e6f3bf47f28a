from __future__ import annotations

import pytest
import torch

from rfcheck.errors import TargetError
from rfcheck.target.exported.steps import scopes_of, stack_of, steps_of
from rfcheck.target.listing import Run, Scope

STACK = "L__self__,,pkg.Net;L__self__block,block,torch.nn.modules.container.Sequential;L__self__block.1@1,block.1,pkg.Odd"


def tensor(*sizes) -> dict:
    written = [{"as_int": n} if isinstance(n, int) else {"as_expr": {"expr_str": n, "hint": {"as_int": 8}}} for n in sizes]
    return {"dtype": 7, "sizes": written, "strides": []}


def node(target: str, inputs: dict, *outputs: str, stack: str = "", kind: str = "as_tensor") -> dict:
    written = {"as_sym_int": "as_name"}.get(kind, "name")
    return {
        "target": target,
        "inputs": [{"name": name, "arg": arg} for name, arg in inputs.items()],
        "outputs": [{kind: {written: name}} for name in outputs],
        "metadata": {"nn_module_stack": stack} if stack else {},
    }


def image(name: str) -> dict:
    return {"as_tensor": {"name": name}}


def run(nodes: list[dict], described: dict | None = None, *, is_resized: bool = False, size: int = 8) -> Run:
    made = Run({"x": torch.empty(1, 3, size, size, device="meta")}, {}, is_resized=is_resized)
    for step in steps_of({"nodes": nodes, "tensor_values": described or {}}):
        step.apply(made)
    return made


def test_operators_in_order():
    size = node("torch.ops.aten.sym_size.int", {"self": image("x"), "dim": {"as_int": 2}}, "h", kind="as_sym_int")
    half = node("_operator.floordiv", {"a": {"as_sym_int": {"as_name": "h"}}, "b": {"as_int": 2}}, "half", kind="as_sym_int")
    shape = {"as_sym_ints": [{"as_int": 1}, {"as_int": 3}, {"as_int": 2}, {"as_name": "half"}, {"as_name": "h"}]}
    view = node("torch.ops.aten.view.default", {"self": image("x"), "size": shape}, "v")
    assert run([size, half, view]).values["v"].shape == (1, 3, 2, 4, 8)


def test_several_results():
    split = node(
        "torch.ops.aten.split_with_sizes.default", {"self": image("x"), "split_sizes": {"as_ints": [1, 2]}, "dim": {"as_int": 1}}
    )
    split["outputs"] = [{"as_tensors": [{"name": "a"}, {"name": "b"}]}]
    pool = node(
        "torch.ops.aten.max_pool2d_with_indices.default", {"self": image("x"), "kernel_size": {"as_ints": [2, 2]}}, "p", "i"
    )
    made = run([split, pool]).values
    assert [tuple(made[name].shape) for name in "abpi"] == [(1, 1, 8, 8), (1, 2, 8, 8), (1, 3, 4, 4), (1, 3, 4, 4)]


def test_checks_are_left_out():
    wrong = node("torch.ops.aten._assert_scalar.default", {"self": {"as_bool": False}, "assert_msg": {"as_string": "H is 224"}})
    assert list(steps_of({"nodes": [wrong], "tensor_values": {}})) == []


def test_parts_in_another_mode_are_inlined():
    """Values inside have names of their own, also where they are called like values outside."""
    inner = {
        "nodes": [node("torch.ops.aten.relu.default", {"self": image("x")}, "y")],
        "inputs": [image("x")],
        "outputs": [image("y")],
        "tensor_values": {},
    }
    hop = node("torch.ops.higher_order.wrap_with_set_grad_enabled", {}, "out")
    given = [{"as_bool": False}, {"as_graph": {"name": "part", "graph": inner}}, image("y")]
    hop["inputs"] = [{"name": "", "arg": arg} for arg in given]
    first = node("torch.ops.aten.max_pool2d.default", {"self": image("x"), "kernel_size": {"as_ints": [2, 2]}}, "y")
    made = run([first, hop]).values
    assert made["out"].shape == (1, 3, 4, 4)
    assert made["x"].shape == (1, 3, 8, 8)


def resize(size: dict, scales: dict) -> dict:
    given = {"input": image("x"), "output_size": size, "scale_factors": scales}
    return node("torch.ops.aten.upsample_nearest2d.vec", given, "y")


def test_a_size_that_is_written_out_holds_for_the_exported_image_only():
    fixed = resize({"as_ints": [16, 16]}, {"as_none": True})
    assert run([fixed]).values["y"].shape == (1, 3, 16, 16)
    with pytest.raises(
        ValueError, match="^resizes to 16x16, a size that the program may have taken from the image it was exported with$"
    ):
        run([fixed], is_resized=True)


def test_factors_and_computed_sizes_hold_for_any_image():
    factor = resize({"as_none": True}, {"as_floats": [2.0, 2.0]})
    assert run([factor], is_resized=True, size=5).values["y"].shape == (1, 3, 10, 10)
    size = node("torch.ops.aten.sym_size.int", {"self": image("x"), "dim": {"as_int": 2}}, "h", kind="as_sym_int")
    computed = resize({"as_sym_ints": [{"as_name": "h"}, {"as_name": "h"}]}, {"as_none": True})
    assert run([size, computed], is_resized=True, size=5).values["y"].shape == (1, 3, 5, 5)


DESCRIBED = {"x": tensor("n", 3, "s0", "s1"), "same": tensor("n", 7, "s0", "s1"), "half": tensor("n", 3, "s0//2", "s1//2")}


def test_operators_of_other_libraries_keep_what_the_file_says_of_their_results():
    strange = node("torch.ops.mylib.strange.default", {"self": image("x"), "k": {"as_int": 3}}, "same")
    (step,) = steps_of({"nodes": [strange], "tensor_values": DESCRIBED})
    assert step.label == "mylib.strange"
    assert run([strange], DESCRIBED, is_resized=True, size=5).values["same"].shape == (1, 7, 5, 5)


def test_an_unknown_result_at_another_size_is_an_error():
    strange = node("torch.ops.mylib.strange.default", {"self": image("x")}, "half")
    with pytest.raises(ValueError, match="cannot run, and the file does not say what it returns at this size"):
        run([strange], DESCRIBED, is_resized=True)


def test_an_unknown_operator_without_a_result_is_an_error():
    with pytest.raises(TargetError) as caught:
        run([node("torch.ops.mylib.strange.default", {"self": image("x")}, "nowhere")], DESCRIBED)
    assert str(caught.value) == "the program calls mylib::strange, which rfcheck cannot run, and does not say what it returns"


def test_module_calls_around_a_node():
    written = node("torch.ops.aten.relu.default", {"self": image("x")}, "y", stack=STACK)
    assert stack_of(written)[0] == ["L__self__", "", "pkg.Net"]
    assert scopes_of(written) == (Scope("block", "Sequential", "L__self__block"), Scope("block.1", "Odd", "L__self__block.1@1"))
    (step,) = steps_of({"nodes": [written], "tensor_values": {}})
    assert (step.scopes, step.reads) == (scopes_of(written), "x")


def test_nodes_that_say_nothing_or_only_compute_sizes_belong_to_no_module():
    size = node("torch.ops.aten.sym_size.int", {"self": image("x"), "dim": {"as_int": 2}}, "h", stack=STACK, kind="as_sym_int")
    plain = node("torch.ops.aten.relu.default", {"self": image("x")}, "y", stack="from_metadata_hook,_empty_nn_module_stack")
    assert [step.scopes for step in steps_of({"nodes": [size, plain], "tensor_values": {}})] == [None, None]

from __future__ import annotations

import operator

import pytest
import torch
from torch._export.serde import serialize

from rfcheck.errors import TargetError
from rfcheck.graph.recorder import Recorder
from rfcheck.target.exported.operators import evaluated, is_check, is_inlined, on_sizes, operator_of, qualified

ATEN = torch.ops.aten


def test_operators_of_torch():
    assert operator_of("torch.ops.aten.conv2d.default") is ATEN.conv2d.default
    assert operator_of("torch.ops.aten.add_.Tensor") is ATEN.add_.Tensor
    assert str(operator_of("torch.ops.torchvision.nms.default")) == "torchvision.nms.default"


@pytest.mark.parametrize(
    "target",
    [
        "torch.ops.aten.from_file.default",  # reads and makes files
        "torch.ops.aten.save.default",
        "torch.ops.aten.no_such_thing.default",
        "torch.ops.aten.conv2d.no_such_overload",
        "torch.ops.mylib.op.default",
        "torch.ops.prim.Print.default",
        "torch.ops.load_library.__call__.x",
        "torch.ops.aten.__class__.__init__",
    ],
)
def test_others_are_not_run(target):
    assert operator_of(target) is None


def test_not_even_those_that_this_process_has():
    torch.library.define("ranlib::op", "(Tensor x) -> Tensor")
    assert operator_of("torch.ops.ranlib.op.default") is None


@pytest.mark.parametrize("target", ["os.system", "builtins.eval", "_operator.attrgetter", "torch.load", "torch.ops.aten"])
def test_what_is_no_operator_on_tensors_is_refused(target):
    assert on_sizes(target) is None
    with pytest.raises(TargetError) as caught:
        operator_of(target)
    assert str(caught.value) == f"the program calls {target}, which is not an operator of torch"


def test_branches_are_refused():
    with pytest.raises(TargetError) as caught:
        qualified("torch.ops.higher_order.cond")
    assert (
        str(caught.value)
        == "the program calls higher_order.cond; rfcheck follows programs without branches, loops and compiled parts"
    )


def test_arithmetic_on_sizes_covers_what_torch_writes():
    written = set().union(
        *(getattr(serialize, name) for name in ("_SYM_OPS", "_SYM_INT_OPS", "_SYM_BOOL_OPS") if hasattr(serialize, name))
    )
    assert operator.mul in written
    shifts = {operator.lshift, operator.rshift}
    missing = [op for op in written - shifts if on_sizes(f"{op.__module__}.{op.__name__}") is None]
    assert missing == []
    assert on_sizes("_operator.floordiv")(7, 2) == 3
    assert on_sizes("torch.sym_ite")(False, 1, 2) == 2
    assert on_sizes("_operator.pow")(3, 2) == 9
    assert on_sizes("_operator.mul")(3, 2.5) == 7.5
    with pytest.raises(ValueError, match="raises a size to the power of 1000000000"):
        on_sizes("_operator.pow")(10, 10**9)


@pytest.mark.parametrize(("name", "numbers"), [("mul", (2**40, 2**40)), ("pow", (2**40, 60)), ("mul", (-(2**62), 4))])
def test_numbers_do_not_grow_without_bound(name, numbers):
    with pytest.raises(ValueError, match="^the program computes with a number that is larger than any size$"):
        on_sizes(f"_operator.{name}")(*numbers)


@pytest.mark.parametrize(
    ("name", "given"), [("mul", ("A", 3 << 30)), ("mul", ([1], 3 << 30)), ("mod", ("%5000000000d", 1)), ("add", ("a", "b"))]
)
def test_only_numbers_are_computed_with(name, given):
    with pytest.raises(ValueError, match="^the program computes with something that is not a number as if it were a size$"):
        on_sizes(f"_operator.{name}")(*given)


def test_one_of_several_results():
    assert on_sizes("_operator.getitem")((5, 6), 1) == 6
    for values, index in (("text", 0), ((5, 6), slice(0, 1)), ({0: 1}, 0)):
        with pytest.raises(ValueError, match="^the program takes a part of something that has none$"):
            on_sizes("_operator.getitem")(values, index)


@pytest.mark.parametrize(
    ("target", "arguments", "pieces"),
    [
        ("unbind.int", {"dim": 1}, "1,000,000"),
        ("split.Tensor", {"split_size": 4, "dim": 1}, "250,000"),
        ("tensor_split.sections", {"sections": 10**9, "dim": 1}, "1,000,000,000"),
    ],
)
def test_a_tensor_is_not_cut_into_a_million_pieces(target, arguments, pieces):
    cut = evaluated(operator_of(f"torch.ops.aten.{target}"))
    with pytest.raises(ValueError, match="pieces") as caught:
        cut(self=torch.empty(1, 10**6, device="meta"), **arguments)
    assert str(caught.value) == f"the program cuts a tensor into {pieces} pieces, at most 10,000 are followed"
    few = {name: 2 if name == "sections" else 10**5 if name == "split_size" else value for name, value in arguments.items()}
    length = 50 if target == "unbind.int" else 10**6
    assert len(cut(self=torch.empty(1, length, device="meta"), **few)) == {"unbind.int": 50, "split.Tensor": 10}.get(target, 2)


def test_checks_and_inner_graphs():
    assert is_check("torch.ops.aten._assert_scalar.default")
    assert is_check("torch.ops.aten.sym_constrain_range_for_size.default")
    assert is_check("torch.ops.aten._assert_tensor_metadata.default")
    assert not is_check("torch.ops.aten.add.Tensor")
    assert is_inlined("torch.ops.higher_order.wrap_with_set_grad_enabled")
    assert not is_inlined("torch.ops.higher_order.cond")


def meta(*shape: int) -> torch.Tensor:
    return torch.empty(shape, device="meta")


def test_nothing_is_allocated():
    made = evaluated(ATEN.zeros.default)(size=[10**6, 10**6])
    assert made.is_meta
    assert evaluated(ATEN.arange.start)(start=0, end=5, device=torch.device("cpu")).is_meta


def test_training_becomes_evaluation():
    x, c = meta(2, 3, 4, 4), meta(3)
    norm = {"input": x, "weight": c, "bias": c, "running_mean": c, "running_var": c, "training": True, "momentum": 0.1, "eps": 1e-5}
    made = evaluated(ATEN._native_batch_norm_legit_functional.default)(**norm)
    assert len(made) == 5
    assert made[0].shape == x.shape
    assert made[3] is made[4] is c
    recorder = Recorder(hold_tensors=True, use_shape_rules=False)
    recorder.add_input(x)
    with recorder:
        evaluated(ATEN.batch_norm.default)(**norm, cudnn_enabled=False)
    assert [record.args[5] for record in recorder.recording.records if "batch_norm" in record.func._opname] == [False]
    assert evaluated(ATEN.dropout.default)(input=x, p=0.5, train=True) is x


def test_statistics_of_the_image_itself_need_training_mode():
    x = meta(1, 6, 4, 4)
    without = {"weight": None, "bias": None, "running_mean": None, "running_var": None}
    made = evaluated(ATEN.batch_norm.default)(input=x, **without, training=True, momentum=0.1, eps=1e-5, cudnn_enabled=False)
    assert made.shape == x.shape


def test_group_normalisation_takes_any_size():
    made = evaluated(ATEN.native_group_norm.default)(
        input=meta(1, 8, 5, 5), weight=None, bias=None, N=1, C=8, HxW=49, group=2, eps=1e-5
    )
    assert [tuple(t.shape) for t in made] == [(1, 8, 5, 5), (1, 2), (1, 2)]


@pytest.mark.parametrize(
    ("overload", "arguments"),
    [
        (ATEN.slice_scatter.default, {"src": torch.ones(2, 2), "dim": 1, "start": 1, "end": 3}),
        (ATEN.slice_scatter.default, {"src": torch.ones(1, 4), "start": 1}),
        (ATEN.select_scatter.default, {"src": torch.ones(4), "dim": 0, "index": -1}),
    ],
)
def test_writes_into_parts(overload, arguments):
    x = torch.arange(8.0).reshape(2, 4)
    assert torch.equal(evaluated(overload)(self=x, **arguments), overload(x, **arguments))
    assert torch.equal(x, torch.arange(8.0).reshape(2, 4))

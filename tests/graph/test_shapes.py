"""Shape rules against torch's own kernels for the meta device."""

import math
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils._pytree import tree_map_only

from rfcheck.graph.shapes import SHAPE_RULES

EXAMPLES = settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
MANY_EXAMPLES = settings(EXAMPLES, max_examples=120)

DTYPES = [torch.float32] * 8 + [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.bool, torch.complex64]
LAYOUTS = ["contiguous"] * 8 + ["permuted", "channels last", "every second", "expanded"]
IN_PLACE = [func for func in SHAPE_RULES if func._opname.endswith("_")]

sizes = st.sampled_from([1, 2, 3, 4, 4, 8, 0])
shapes = st.lists(sizes, max_size=5)
maps = st.tuples(st.integers(1, 2), st.sampled_from([1, 2, 4, 6]), *[st.integers(2, 9) | st.integers(1, 9)] * 2)
mostly_maps = st.integers(0, 5).flatmap(lambda i: maps if i else shapes)
numbers = st.sampled_from([0, 1, 2.5, -1, True])
dims = st.integers(-4, 4)


@st.composite
def tensors(draw, shape=shapes, dtype=None, plain=False):
    """A tensor on the meta device: any dtype and layout; float32 and contiguous if plain."""
    shape = list(shape) if isinstance(shape, (list, tuple)) else list(draw(shape))
    dtype = dtype or (torch.float32 if plain else draw(st.sampled_from(DTYPES)))
    layout = "contiguous" if plain else draw(st.sampled_from(LAYOUTS))
    made = {"dtype": dtype, "device": "meta"}
    match layout:
        case "channels last" if len(shape) == 4:
            return torch.empty(shape, memory_format=torch.channels_last, **made)
        case "permuted" if shape:
            order = draw(st.permutations(range(len(shape))))
            inverse = [order.index(i) for i in range(len(shape))]
            return torch.empty([shape[i] for i in order], **made).permute(inverse)
        case "every second" if shape:
            return torch.empty([*shape[:-1], 2 * shape[-1]], **made)[..., ::2]
        case "expanded" if shape:
            return torch.empty([1, *shape[1:]], **made).expand(shape)
    return torch.empty(shape, **made)


ANY = ("nothing", "nothing", "broadcast", "rank", "shape", "dtype", "layout")
CHECKED_BEFORE = ("nothing", "nothing", "dtype", "layout")  # torch checks shapes before it dispatches


@st.composite
def variants(draw, tensor, changes=ANY):
    """A tensor that matches another one in everything, or lacks one thing."""
    shape, dtype = list(tensor.shape), tensor.dtype
    change = draw(st.sampled_from(changes))
    if change == "nothing":
        return torch.empty_strided(shape, tensor.stride(), dtype=dtype, device="meta")
    if change == "broadcast" and shape:
        shape[draw(st.integers(0, len(shape) - 1))] = 1
    elif change == "rank":
        shape = shape[1:]
    elif change == "shape":
        shape = draw(shapes)
    elif change == "dtype":
        dtype = draw(st.sampled_from(DTYPES))
    return draw(tensors(shape, dtype, plain=change != "layout"))


@st.composite
def calls(draw, func) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments of an operator: mostly valid, not always."""
    name, overload = func._opname.removesuffix("_"), func._overloadname
    if name in SPECIAL:
        return draw(SPECIAL[name]())
    x = draw(tensors())
    if overload == "Tensor":
        return (x, draw(variants(x))), {}
    if overload == "Scalar":
        return (x, draw(numbers)), {}
    if name == "clamp":
        return (x, *draw(st.tuples(st.none() | numbers, numbers))), {}
    return ((x, draw(numbers)), {}) if name.startswith("clamp") else ((x,), {})


@st.composite
def convolutions(draw):
    axes = draw(st.integers(1, 3))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    channels, filters = draw(st.sampled_from([2, 4, 6])), draw(st.sampled_from([2, 4, 6]))
    transposed = draw(st.booleans())
    kernel = draw(st.lists(st.integers(1, 4), min_size=axes, max_size=axes))
    extents = draw(st.lists(st.integers(0, 12), min_size=axes, max_size=axes))
    x = draw(tensors([draw(sizes), channels, *extents]))
    read, made = (filters, channels) if transposed else (channels, filters)
    weight = draw(variants(torch.empty(made, read // groups, *kernel, dtype=x.dtype, device="meta")))
    bias = draw(st.none() | variants(torch.empty(filters, dtype=x.dtype, device="meta")))

    wrong = draw(st.sampled_from([None] * 6 + ["stride", "padding", "dilation"]))

    def per_axis(name, values, invalid):
        return draw(st.lists(st.sampled_from([invalid] if name == wrong else values), min_size=axes, max_size=axes))

    stride, padding = per_axis("stride", [1, 2, 3], 0), per_axis("padding", [0, 1, 2], -1)
    dilation, extra = per_axis("dilation", [1, 2], 0), per_axis("output padding", [0, 0, 1], 0)
    return (x, weight, bias, stride, padding, dilation, transposed, extra, groups), {}


def optional(tensor, changes=ANY):
    return st.none() | variants(tensor, changes)


@st.composite
def batch_norms(draw):
    x = draw(tensors(maps))
    features = torch.empty(x.shape[1], dtype=x.dtype, device="meta")
    weights = [draw(optional(features, CHECKED_BEFORE)) for _ in range(2)]
    statistics = draw(st.sampled_from([(None, None), (features, features)]) | st.tuples(*[variants(features, CHECKED_BEFORE)] * 2))
    return (x, *weights, *statistics, draw(st.booleans()), 0.1, 1e-5), {}


@st.composite
def layer_norms(draw):
    x = draw(tensors(maps))
    shape = draw(st.sampled_from([list(x.shape[2:]), list(x.shape[3:]), [5]]))
    weights = [draw(optional(torch.empty(shape, dtype=x.dtype, device="meta"))) for _ in range(2)]
    return (x, shape, *weights, 1e-5), {}


@st.composite
def group_norms(draw):
    x = draw(tensors(maps))
    n, c, *extents = x.shape
    weights = [draw(optional(torch.empty(c, dtype=x.dtype, device="meta"), CHECKED_BEFORE)) for _ in range(2)]
    return (x, *weights, n, c, draw(st.sampled_from([math.prod(extents), 5])), draw(st.sampled_from([1, 2, 3])), 1e-5), {}


@st.composite
def products(draw, batched, added=False):
    n, inner, m = (draw(sizes) for _ in range(3))
    batch = [draw(sizes)] if batched else []
    x = draw(tensors([*batch, n, inner]))
    y = draw(variants(torch.empty(*batch, inner, m, dtype=x.dtype, device="meta")))
    if not added:
        return (x, y), {}
    return (draw(variants(torch.empty(m, dtype=x.dtype, device="meta"))), x, y), draw(st.sampled_from([{}, {"alpha": 2}]))


@st.composite
def poolings(draw, dilated):
    pairs = [
        st.lists(st.sampled_from(values), min_size=1, max_size=2)
        for values in ((1, 2, 3), (1, 2, 2, 3, 0), (0, 0, 1, 1, 2, -1), (1, 1, 2))
    ]
    kernel, stride, padding, dilation = (draw(pair) for pair in pairs)
    stride = draw(st.sampled_from([stride, stride, []]))
    window = (kernel, stride, padding, dilation) if dilated else (kernel, stride, padding)
    return (draw(tensors(mostly_maps)), *window, draw(st.booleans())), {}


@st.composite
def resizings(draw, *more):
    size = draw(
        st.none() | st.lists(st.integers(0, 5), min_size=1, max_size=3) | st.lists(st.integers(1, 9), min_size=2, max_size=2)
    )
    return (draw(tensors(mostly_maps)), size, *more), {}


@st.composite
def concatenations(draw):
    x = draw(tensors())
    return ([x, *(draw(variants(x)) for _ in range(draw(st.integers(0, 2))))], draw(dims)), {}


def reductions():
    several = st.lists(st.sampled_from([1, -1, 2, -2, 3, 5]), min_size=1, max_size=2)
    options = st.sampled_from([{}, {}, {}, {"dtype": torch.float64}])
    return st.tuples(st.tuples(tensors(mostly_maps), several | several | st.none(), st.booleans()), options)


@st.composite
def views(draw):
    x = draw(tensors())
    return (x, draw(st.sampled_from([[x.numel()], [1, *x.shape], list(x.shape)[::-1], [-1], [5]]))), {}


def nothing_more(*strategies):
    return st.tuples(st.tuples(*strategies), st.just({}))


FORMATS = [{}] + [{"memory_format": f} for f in (None, torch.preserve_format, torch.contiguous_format, torch.channels_last)]
SPECIAL = {
    "convolution": convolutions,
    "native_batch_norm": batch_norms,
    "native_layer_norm": layer_norms,
    "native_group_norm": group_norms,
    "mm": lambda: products(batched=False),
    "addmm": lambda: products(batched=False, added=True),
    "bmm": lambda: products(batched=True),
    "mean": reductions,
    "max_pool2d_with_indices": lambda: poolings(dilated=True),
    "avg_pool2d": lambda: poolings(dilated=False),
    "_adaptive_avg_pool2d": resizings,
    "upsample_nearest2d": resizings,
    "upsample_bilinear2d": lambda: resizings(False),
    "upsample_bicubic2d": lambda: resizings(True),
    "cat": concatenations,
    "_softmax": lambda: nothing_more(tensors(), dims, st.booleans()),
    "clone": lambda: st.tuples(st.tuples(tensors()), st.sampled_from(FORMATS)),
    "_unsafe_view": views,
}


def answer(result: Any) -> list[tuple[Any, ...]]:
    """Shape, type, device and strides of each result; the stride of a dimension with a single entry means nothing.

    The statistics that a batch normalisation saves for its gradient are left out: real devices make none in eval mode.
    """
    results = result if isinstance(result, tuple) else (result,)
    results = results[:1] if len(results) == 3 and results[1].dim() == 1 else results
    strides = [[s for s, n in zip(t.stride(), t.shape, strict=True) if n != 1 and t.numel()] for t in results]
    return [(tuple(t.shape), t.dtype, t.device.type, stride) for t, stride in zip(results, strides, strict=True)]


def answer_of_torch(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[tuple[Any, ...]] | None:
    try:
        return answer(func(*args, **kwargs))
    except (RuntimeError, NotImplementedError, IndexError, ValueError, TypeError):
        return None


def with_data(args: tuple[Any, ...]) -> Any:
    return tree_map_only(torch.Tensor, lambda t: torch.zeros(t.shape, dtype=t.dtype), args)


def refusal_of(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str | None, Any]:
    """The sentence that arguments are refused with, and what comes of them otherwise."""
    try:
        return None, func(*args, **kwargs)
    except RuntimeError as error:
        return str(error), None


@pytest.mark.parametrize("func", SHAPE_RULES, ids=str)
def test_a_rule_answers_as_torch_does_or_not_at_all(func):
    answered = 0

    @(MANY_EXAMPLES if func._opname in SPECIAL else EXAMPLES)
    @given(calls(func))
    def compare(call):
        nonlocal answered
        args, kwargs = call
        refusal, result = refusal_of(SHAPE_RULES[func], args, kwargs)
        if refusal is not None:  # as torch refuses where there is data; not all its versions do so where there is none
            assert refusal == refusal_of(func, with_data(args), kwargs)[0]
        elif result is not NotImplemented:
            assert answer(result) == answer_of_torch(func, args, kwargs)
            answered += 1

    compare()
    assert answered >= 10


@pytest.mark.parametrize("func", IN_PLACE, ids=str)
def test_what_works_in_place_returns_what_it_was_given(func):
    x = torch.empty(2, 3, device="meta")
    others = {"Tensor": (torch.empty(3, device="meta"),)}.get(func._overloadname, (0.5,) if "clamp" in func._opname else ())
    assert SHAPE_RULES[func](x, *others) is x


def test_a_number_in_the_place_of_a_tensor_is_left_to_torch():
    """Exported programs write `35 - x` so."""
    x = torch.empty(2, 3, device="meta")
    assert SHAPE_RULES[torch.ops.aten.sub.Tensor](35, x) is NotImplemented

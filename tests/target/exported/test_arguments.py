from __future__ import annotations

import math

import pytest
import torch
from torch._export.serde import schema
from torch._export.serde.serialize import _SERIALIZE_TO_TORCH_DTYPE

from rfcheck.target.exported.arguments import argument, dtype_of, extent, named, tensor_without_data
from rfcheck.target.listing import Run

RUN = Run({"a": 5, "b": 6, "in/a": 7}, {}, is_resized=False)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ({"as_none": True}, None),
        ({"as_int": 3}, 3),
        ({"as_ints": [1, 2]}, [1, 2]),
        ({"as_bool": False}, False),
        ({"as_string": "none"}, "none"),
        ({"as_float": "-inf"}, -math.inf),
        ({"as_floats": [2.0, 2]}, [2.0, 2.0]),
        ({"as_int_lists": [[1], [2, 3]]}, [[1], [2, 3]]),
        ({"as_complex": {"real": 1.0, "imag": 2.0}}, 1 + 2j),
        ({"as_tensor": {"name": "a"}}, 5),
        ({"as_optional_tensor": {"as_none": True}}, None),
        ({"as_optional_tensor": {"as_tensor": {"name": "b"}}}, 6),
        ({"as_tensors": [{"name": "a"}, {"name": "b"}]}, [5, 6]),
        ({"as_optional_tensors": [{"as_none": True}, {"as_tensor": {"name": "b"}}]}, [None, 6]),
        ({"as_nested_tensors": [[{"name": "a"}], [{"name": "b"}]]}, [[5], [6]]),
        ({"as_sym_int": {"as_name": "a"}}, 5),
        ({"as_sym_ints": [{"as_int": 1}, {"as_name": "b"}]}, [1, 6]),
        ({"as_sym_bool": {"as_bool": True}}, True),
        ({"as_sym_float": {"as_float": 0.5}}, 0.5),
        ({"as_device": {"type": "cuda", "index": 0}}, torch.device("meta")),
        ({"as_layout": 7}, torch.strided),
    ],
)
def test_kinds(written, value):
    assert argument(written)(RUN) == value


def test_names_in_an_inner_graph_have_a_prefix():
    assert argument({"as_tensors": [{"name": "a"}]}, "in/")(RUN) == [7]


def test_what_no_operator_needs_is_refused():
    with pytest.raises(ValueError, match="an argument of the kind custom_obj"):
        argument({"as_custom_obj": {"name": "x", "class_fqn": "y"}})


@pytest.mark.parametrize("kind", [kind for kind in schema.ScalarType if kind in _SERIALIZE_TO_TORCH_DTYPE])
def test_types_have_the_numbers_of_torch(kind):
    assert dtype_of({"dtype": int(kind)}) is _SERIALIZE_TO_TORCH_DTYPE[kind]
    assert argument({"as_scalar_type": int(kind)})(RUN) is dtype_of({"dtype": int(kind)})


def test_memory_formats_have_the_numbers_of_torch():
    formats = {kind.name: argument({"as_memory_format": int(kind)})(RUN) for kind in schema.MemoryFormat if kind.value}
    assert formats == {
        "ContiguousFormat": torch.contiguous_format,
        "ChannelsLast": torch.channels_last,
        "ChannelsLast3d": torch.channels_last_3d,
        "PreserveFormat": torch.preserve_format,
    }


def test_sizes_may_be_those_of_the_exported_image():
    assert extent({"as_int": 3}) == 3
    assert extent({"as_expr": {"expr_str": "Symbol('s0')", "hint": {"as_int": 64}}}) == 64


def test_tensors_keep_their_layout():
    sizes = [{"as_int": n} for n in (2, 3)]
    made = tensor_without_data({"dtype": 6, "sizes": sizes, "strides": [{"as_int": 1}, {"as_int": 2}]})
    assert (tuple(made.shape), made.stride(), made.dtype, made.is_meta) == ((2, 3), (1, 2), torch.float16, True)


def test_names():
    assert named({"name": "a"}) == named({"as_tensor": {"name": "a"}}) == named({"as_name": "a"}) == "a"
    assert named({"as_int": 1}) is None

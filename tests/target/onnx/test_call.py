from __future__ import annotations

import pytest
import torch

from rfcheck.target.onnx.call import OnnxCall, together


def call(inputs=(), data=None, **attributes) -> OnnxCall:
    return OnnxCall("Op", 17, attributes, list(inputs), list(inputs) if data is None else data, 1)


META = torch.empty(2, 3, device="meta")


def test_inputs():
    one = call([META, None])
    assert one.tensor(0) is META
    assert (one.has(0), one.has(1), one.has(2)) == (True, False, False)
    assert one.optional(1) is None
    assert one.optional(5) is None
    with pytest.raises(ValueError, match="^input 1 of Op is missing$"):
        one.tensor(1)


def test_known_values():
    assert call([torch.tensor([1, 2])]).known(0).tolist() == [1, 2]
    assert call([META], [torch.ones(1)]).known(0).tolist() == [1.0]
    with pytest.raises(ValueError, match="^input 0 of Op depends on values, which a file is read without$"):
        call([META], [None]).known(0)


def test_numbers_from_attributes_or_inputs():
    assert call(axes=[1, 2]).ints("axes", 1) == [1, 2]
    assert call(axes=1).ints("axes") == [1]
    assert call([META, torch.tensor([[3], [4]])]).ints("axes", 1) == [3, 4]
    assert call([META, None]).ints("axes", 1) is None
    assert call(min=0.5).number("min", 1) == 0.5
    assert call([META, torch.tensor(2.0)]).number("min", 1) == 2.0
    assert call([META]).number("min", 1, 7.0) == 7.0
    assert call([META]).number("min") is None


def test_axes_count_from_the_end_too():
    assert call(axis=-1).axis(0, 4) == 3
    assert call().axis(1, 4) == 1
    with pytest.raises(ValueError, match="^axis 4 of Op is outside a tensor of 4 dimensions$"):
        call(axis=4).axis(0, 4)


def test_tensors_meet_without_values():
    values = torch.ones(3)
    assert together([values, values])[0] is values
    met = together([values, META])
    assert all(t.is_meta for t in met)
    assert [tuple(t.shape) for t in met] == [(3,), (2, 3)]
    assert [tuple(t.shape) for t in call([META, None, values]).tensors()] == [(2, 3), (3,)]

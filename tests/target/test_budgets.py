from __future__ import annotations

import pytest

from rfcheck.target.budgets import DEEPEST, elements, require_shallow


def test_elements():
    assert elements(()) == 1
    assert elements([1, 4, 2**20, 2**20]) == 2**42
    assert elements([0, 2**62]) == 0


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((3, -1), "a tensor of 3x-1 has a negative size"),
        ((2**62, 2**62), f"a tensor of {2**62}x{2**62} has more than 4e+13 elements, which no image needs"),
        ((2,) * 46, f"a tensor of {'2x' * 30}... has more than 4e+13 elements, which no image needs"),
    ],
)
def test_tensors_that_no_model_has(sizes, message):
    with pytest.raises(ValueError, match="tensor") as caught:
        elements(sizes)
    assert str(caught.value) == message


def test_depth():
    require_shallow(DEEPEST, "a")
    with pytest.raises(ValueError, match="deep|inside") as caught:
        require_shallow(DEEPEST + 1, "m." * 200)
    assert str(caught.value) == f"{'m.' * 30}... lies inside 101 modules, models are followed up to 100; rename it"

"""Values of constants, recomputed where the pass has no data."""

import torch

from rfcheck.graph.constants import Constants

ARANGE = torch.ops.aten.arange.default
META = {"device": torch.device("meta"), "pin_memory": False}


def noted(written=()) -> tuple[Constants, torch.Tensor, torch.Tensor]:
    """Six numbers without data, and twice them."""
    constants = Constants({}, lambda tensor: any(tensor is w for w in written))
    numbers = torch.arange(6, device="meta")
    doubled = numbers * 2
    constants.note([numbers], ARANGE, (6,), META)
    constants.note([doubled], torch.ops.aten.mul.Tensor, (numbers, 2), {})
    return constants, numbers, doubled


def test_what_was_computed_is_computed_again():
    constants, _, doubled = noted()
    assert constants.values(doubled).tolist() == [0, 2, 4, 6, 8, 10]


def test_a_tensor_with_data_and_the_one_that_stands_for_it():
    real = torch.tensor([3, 1])
    stand_in = torch.empty(2, dtype=torch.long, device="meta")
    constants = Constants({id(stand_in): real}, lambda _: False)
    assert constants.values(real).tolist() == constants.values(stand_in).tolist() == [3, 1]


def test_values_of_what_was_written_to_or_drawn_are_not_known():
    numbers = torch.arange(6, device="meta")
    constants = Constants({}, lambda tensor: tensor is numbers)
    constants.note([numbers], ARANGE, (6,), META)
    drawn = torch.randperm(6, device="meta")
    constants.note([drawn], torch.ops.aten.randperm.default, (6,), META)
    assert constants.values(numbers) is None
    assert constants.values(drawn) is None


def test_large_constants_are_left_alone():
    assert Constants({}, lambda _: False).values(torch.zeros(1, dtype=torch.long).expand(2**20)) is None

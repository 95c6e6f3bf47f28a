import random

import numpy as np
import torch

from rfcheck.verify.training.randomness import deterministic, seed_everything


def drawn():
    return torch.rand(3).tolist(), np.random.rand(3).tolist(), [random.random() for _ in range(3)]


def test_the_same_epoch_has_the_same_random_numbers():
    seed_everything(5, 2)
    first = drawn()
    seed_everything(5, 2)
    assert drawn() == first


def test_seeds_epochs_and_processes_differ_in_all_three_generators():
    found = []
    for arguments in ((5, 2, 0), (6, 2, 0), (5, 3, 0), (5, 2, 1), (2, 5, 0)):
        seed_everything(*arguments)
        found.append(drawn())
    for one in range(3):
        assert len({tuple(numbers[one]) for numbers in found}) == 5


def test_states_and_settings_are_given_back():
    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    expected = drawn()
    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    settings = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    try:
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = False, True
        with deterministic():
            assert (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark) == (True, False)
            seed_everything(0, 0)
            drawn()
        assert (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark) == (False, True)
    finally:
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = settings
    assert drawn() == expected

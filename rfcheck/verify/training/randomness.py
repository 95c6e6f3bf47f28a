"""Random numbers that belong to a seed and an epoch, so that an epoch can be repeated."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_everything(seed: int, epoch: int, rank: int = 0) -> None:
    """Begin the random numbers of an epoch in torch, NumPy and Python.

    Args:
        seed: of the training.
        epoch: 1 for the first; 0 for the initial weights.
        rank: number of this process among those that train together, whose dropout must not be the same.
    """
    state = np.random.SeedSequence((seed, epoch, rank)).generate_state(3)
    torch.manual_seed(int(state[0]))
    np.random.seed(state[1])
    random.seed(int(state[2]))


@contextmanager
def deterministic() -> Iterator[None]:
    """Choose the same algorithms every time; afterwards, random states and settings of the process are as they were."""
    python, numpy, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    settings = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    try:
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
        yield
    finally:
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = settings
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(torch_state)
        if devices:
            torch.cuda.set_rng_state_all(devices)

"""Splits that keep the shares of the classes and are the same in every run."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rfcheck.verify.data.images import Images


def split_validation(train: Images, share: float = 0.1) -> tuple[Images, Images]:
    """Cut a validation split from a training set; it does not depend on any seed.

    Args:
        train: with at least two images of each class.
        share: of the images of each class that go to the validation split; at least one does, and at least one stays.

    Returns:
        What is left to train on, and the validation split; both in the order of the training set.
    """
    rest, part = stratified(train.labels, share)
    return train.subset(rest), train.subset(part)


def stratified(labels: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Positions in two parts, with the same share of each class as far as numbers allow, and at least one image of it in both.

    Args:
        labels: int64 (N,).
        share: of the second part, between 0 and 1.

    Returns:
        Positions of the first and the second part, int64, ascending.
    """
    random = np.random.RandomState(0)  # its stream is the same in all versions of numpy
    of_images = labels.cpu().numpy()
    chosen = np.zeros(len(of_images), dtype=bool)
    for label in np.unique(of_images):
        positions = random.permutation(np.flatnonzero(of_images == label))
        count = min(max(1, round(share * len(positions))), len(positions) - 1)
        chosen[positions[:count]] = True
    return torch.from_numpy(np.flatnonzero(~chosen)), torch.from_numpy(np.flatnonzero(chosen))

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

from rfcheck.errors import DataError
from rfcheck.verify.data import digits
from rfcheck.verify.progress import Silent


def test_all_digits_are_there_once():
    from sklearn.datasets import load_digits

    data = digits.load("", False, Silent())
    bunch = load_digits()
    assert (len(data.train), len(data.test)) == (1198, 599)
    ours = torch.cat([data.train.pixels, data.test.pixels]).flatten(1).numpy()
    labels = torch.cat([data.train.labels, data.test.labels]).numpy()
    theirs = np.floor(bunch.data * 255 / 16 + 0.5).astype(np.uint8)
    assert sorted(map(tuple, np.column_stack([ours, labels]))) == sorted(map(tuple, np.column_stack([theirs, bunch.target])))


def test_form():
    data = digits.load("", False, Silent())
    assert data.train.pixels.shape == (1198, 1, 8, 8)
    assert data.train.pixels.dtype == torch.uint8
    assert (int(data.train.pixels.min()), int(data.train.pixels.max())) == (0, 255)
    assert data.classes == tuple("0123456789")
    assert not data.flips


def test_a_third_of_each_class_is_for_tests():
    data = digits.load("", False, Silent())
    share = data.test.labels.bincount() / (data.test.labels.bincount() + data.train.labels.bincount())
    assert (share - 1 / 3).abs().max() < 0.005


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for action in (lambda: digits.check("", False), lambda: digits.load("", False, Silent())):
        with pytest.raises(DataError) as error:
            action()
        assert str(error.value) == "the digits come with scikit-learn, which is not installed; run: pip install 'rfcheck[verify]'"

from __future__ import annotations

from collections import Counter

import pytest
import torch

from rfcheck.verify.data.images import Images
from rfcheck.verify.data.splits import split_validation, stratified


@pytest.mark.parametrize(("count", "validation"), [(2, 1), (3, 1), (9, 1), (10, 1), (16, 2), (100, 10), (5000, 500)])
def test_every_class_has_its_share_in_both_parts(count, validation):
    labels = torch.arange(3).repeat(count)
    rest, part = stratified(labels, 0.1)
    assert Counter(labels[part].tolist()) == dict.fromkeys(range(3), validation)
    assert Counter(labels[rest].tolist()) == dict.fromkeys(range(3), count - validation)


def test_at_least_one_image_stays():
    rest, part = stratified(torch.tensor([0, 0]), 0.99)
    assert (len(rest), len(part)) == (1, 1)


def test_the_parts_hold_every_image_once_and_in_order():
    labels = torch.randint(0, 7, (500,))
    rest, part = stratified(labels, 0.3)
    assert sorted([*rest.tolist(), *part.tolist()]) == list(range(500))
    assert rest.tolist() == sorted(rest.tolist())
    assert part.tolist() == sorted(part.tolist())


def test_global_seeds_do_not_matter():
    labels = torch.arange(10).repeat(30)
    torch.manual_seed(1)
    first = stratified(labels, 0.1)[1]
    torch.manual_seed(2)
    assert torch.equal(first, stratified(labels, 0.1)[1])


def test_the_split_is_drawn_not_cut_off():
    _, part = stratified(torch.zeros(1000, dtype=torch.int64), 0.1)
    assert 350 < part.double().mean() < 650
    assert len(set(part.diff().tolist())) > 5


def test_images_go_with_their_labels():
    labels = torch.arange(4).repeat(10)
    train, validation = split_validation(Images(labels.to(torch.uint8).view(-1, 1, 1, 1), labels))
    assert (len(train), len(validation)) == (36, 4)
    for split in (train, validation):
        assert torch.equal(split.pixels.flatten().long(), split.labels)

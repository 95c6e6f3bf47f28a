from __future__ import annotations

import torch

from rfcheck.verify.data.images import Images


def some() -> Images:
    return Images(torch.arange(5 * 3 * 2 * 4, dtype=torch.uint8).reshape(5, 3, 2, 4), torch.tensor([0, 1, 2, 0, 1]))


def test_length_channels_and_size():
    images = some()
    assert (len(images), images.channels, images.size) == (5, 3, (2, 4))


def test_a_subset_keeps_images_with_their_labels():
    chosen = some().subset(torch.tensor([4, 1]))
    assert chosen.labels.tolist() == [1, 1]
    assert chosen.pixels[0, 0, 0, 0] == 4 * 24
    assert chosen.pixels[1, 0, 0, 0] == 24


def test_a_subset_is_a_copy():
    images = some()
    images.subset(torch.tensor([0])).pixels.zero_()
    assert images.pixels[0].sum() == sum(range(24))


def test_both_parts_move_to_a_device():
    moved = some().to("meta")
    assert (moved.pixels.device.type, moved.labels.device.type) == ("meta", "meta")

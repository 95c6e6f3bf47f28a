from __future__ import annotations

import pytest
import torch

from rfcheck.errors import DataError
from rfcheck.verify.data.batches import batch_count, evaluation_batches, training_batches
from rfcheck.verify.data.images import Dataset, Images
from rfcheck.verify.data.prepared import Prepared, prepare


def prepared(count: int = 80, canvas: int | None = None, augment: bool = True) -> Prepared:
    def noise(number: int) -> Images:
        pixels = torch.randint(0, 256, (number, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
        return Images(pixels, torch.arange(number) % 2)

    extent = canvas or 8
    return prepare(Dataset("noise", ("a", "b"), noise(count), noise(30), True), (1, extent, extent), canvas=canvas, augment=augment)


def whole(batches) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = zip(*batches, strict=True)
    return torch.cat(images), torch.cat(labels)


def as_rows(images: torch.Tensor) -> list[tuple[float, ...]]:
    return [tuple(image.flatten().tolist()) for image in images]


def test_every_image_once_with_its_label():
    data = prepared(augment=False)
    images, labels = whole(training_batches(data, batch_size=16, seed=0, epoch=1))
    expected = whole(evaluation_batches(data, "train", batch_size=16))
    ours = sorted(zip(as_rows(images), labels.tolist(), strict=True))
    assert ours == sorted(zip(as_rows(expected[0]), expected[1].tolist(), strict=True))
    assert not torch.equal(images, expected[0])


def test_an_epoch_can_be_repeated_bitwise():
    data = prepared()
    torch.manual_seed(1)
    first = whole(training_batches(data, batch_size=16, seed=3, epoch=5))
    torch.manual_seed(2)
    list(training_batches(data, batch_size=16, seed=3, epoch=4))
    again = whole(training_batches(data, batch_size=16, seed=3, epoch=5))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])


def test_epochs_and_seeds_differ():
    data = prepared()
    runs = [whole(training_batches(data, batch_size=16, seed=seed, epoch=epoch))[0] for seed in range(3) for epoch in range(3)]
    assert len({tuple(as_rows(images)) for images in runs}) == 9


def test_the_global_random_state_stays():
    data = prepared(canvas=12)
    before = torch.get_rng_state()
    list(training_batches(data, batch_size=16, seed=0, epoch=0))
    list(evaluation_batches(data, "test", batch_size=16))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("canvas", [None, 12])
def test_processes_together_see_what_one_does(world, canvas):
    data = prepared(canvas=canvas)
    alone = list(training_batches(data, batch_size=33, seed=1, epoch=2))
    shares = [list(training_batches(data, batch_size=33, seed=1, epoch=2, rank=rank, world=world)) for rank in range(world)]
    assert {len(share) for share in shares} == {len(alone)}
    for step, (images, labels) in enumerate(alone):
        assert torch.equal(torch.cat([share[step][0] for share in shares]), images)
        assert torch.equal(torch.cat([share[step][1] for share in shares]), labels)
        sizes = [len(share[step][1]) for share in shares]
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    ("batch_size", "world", "sizes"),
    [
        (16, 1, [16, 16, 16, 16, 8]),
        (71, 1, [71]),
        (70, 1, [70, 2]),
        (70, 2, [70]),
        (68, 2, [68, 4]),
        (100, 1, [72]),
        (1, 1, [1] * 72),
        (2, 2, [2] * 36),
    ],
)
def test_sizes_of_batches(batch_size, world, sizes):
    """72 images; a last batch with less than two images per process is left out."""
    data = prepared()
    shares = [training_batches(data, batch_size=batch_size, seed=0, epoch=0, rank=rank, world=world) for rank in range(world)]
    assert [sum(len(labels) for _, labels in step) for step in zip(*shares, strict=True)] == sizes
    assert batch_count(data, batch_size=batch_size, world=world) == len(sizes)


def test_a_batch_for_too_many_processes():
    with pytest.raises(DataError) as error:
        next(training_batches(prepared(), batch_size=2, seed=0, epoch=0, world=3))
    assert str(error.value) == "a batch of 2 cannot be shared by 3 processes; give --batch-size 3 or more"


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_evaluation_is_in_order_and_not_augmented(split):
    data = prepared()
    images, labels = whole(evaluation_batches(data, split, batch_size=7))
    given = getattr(data, split)
    assert torch.equal(labels, given.labels)
    assert torch.equal(images, data.preprocessing.evaluation(given.pixels, torch.Generator()))


def test_places_on_a_canvas_are_the_same_each_time_and_for_every_batch_size():
    data = prepared(canvas=20)
    first, _ = whole(evaluation_batches(data, "test", batch_size=7))
    again, _ = whole(evaluation_batches(data, "test", batch_size=30))
    assert torch.equal(first, again)
    brightest = {tuple((image[0] != image[0, 0, 0]).nonzero().amin(0).tolist()) for image in first}
    assert len(brightest) > 10


def test_random_numbers_do_not_depend_on_the_batch_size():
    data = prepared()
    small, _ = whole(training_batches(data, batch_size=8, seed=0, epoch=0))
    large, _ = whole(training_batches(data, batch_size=36, seed=0, epoch=0))
    assert torch.equal(small, large)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("resident", [True, False])
def test_a_gpu_sees_the_same_images(resident, monkeypatch):
    from rfcheck.verify.data import prepared as module

    monkeypatch.setattr(module, "_RESIDENT_SHARE", 0.25 if resident else 0.0)
    data = prepared(canvas=12)
    on_gpu = data.to("cuda")
    assert on_gpu.train.pixels.is_cuda == resident
    for split in ("training", "test"):
        batches = [
            whole(
                training_batches(device, batch_size=16, seed=0, epoch=0)
                if split == "training"
                else evaluation_batches(device, "test", batch_size=16)
            )
            for device in (data, on_gpu)
        ]
        assert batches[1][0].is_cuda
        assert batches[1][1].is_cuda
        torch.testing.assert_close(batches[1][0].cpu(), batches[0][0], atol=1e-6, rtol=0)
        assert torch.equal(batches[1][1].cpu(), batches[0][1])

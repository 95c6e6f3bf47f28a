from __future__ import annotations

import os
import signal
import subprocess

import numpy as np
import pytest
from PIL import Image

from rfcheck.errors import DataError
from rfcheck.verify.data import reading
from rfcheck.verify.data.reading import read_images
from rfcheck.verify.progress import Silent

COUNT = 40


class Counting:
    def __init__(self) -> None:
        self.total = self.steps = 0

    def stage(self, name: str, total: int) -> None:
        assert name == "reading images"
        self.total = total

    def step(self, note: str = "") -> None:
        self.steps += 1


@pytest.fixture
def files(tmp_path):
    """Images of random values, and their paths."""
    values = np.random.default_rng(0).integers(0, 256, (COUNT, 6, 9, 3), dtype=np.uint8)
    paths = [str(tmp_path / f"{number:03d}.png") for number in range(COUNT)]
    for path, image in zip(paths, values, strict=True):
        Image.fromarray(image).save(path)
    return paths, values


@pytest.fixture(params=["one process", "two processes"])
def _processes(request, monkeypatch):
    """Decode in this process, or in two others in lists of three files."""
    if request.param == "two processes":
        monkeypatch.setattr(reading, "_FILES_AT_ONCE", 3)
        monkeypatch.setattr(reading, "usable_processors", lambda: 2)
    else:
        monkeypatch.setattr(reading, "usable_processors", lambda: 1)


@pytest.fixture
def started(monkeypatch):
    """Every process that is started."""
    processes = []

    class Noted(subprocess.Popen):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    return processes


def ended(processes: list[subprocess.Popen]) -> bool:
    return all(process.returncode is not None for process in processes)


@pytest.mark.usefixtures("_processes")
def test_values_in_order(files, started):
    paths, values = files
    assert np.array_equal(read_images(paths, Silent()).numpy(), values.transpose(0, 3, 1, 2))
    assert len(started) == (2 if reading.usable_processors() == 2 else 0)
    assert ended(started)


@pytest.mark.usefixtures("_processes")
@pytest.mark.parametrize("coloured", [0, 17, COUNT - 1])
def test_grey_images_among_colours(files, coloured):
    paths, values = files
    expected = np.repeat(values[..., :1], 3, axis=3)
    expected[coloured] = values[coloured]
    for number, path in enumerate(paths):
        if number != coloured:
            Image.fromarray(values[number, ..., 0]).save(path)
    assert np.array_equal(read_images(paths, Silent()).numpy(), expected.transpose(0, 3, 1, 2))


@pytest.mark.usefixtures("_processes")
def test_only_grey_images(files):
    paths, values = files
    for number, path in enumerate(paths):
        Image.fromarray(values[number, ..., 0]).save(path)
    assert np.array_equal(read_images(paths, Silent()).numpy(), values[:, None, ..., 0])


@pytest.mark.usefixtures("_processes")
@pytest.mark.parametrize("position", [0, 1, 17, COUNT - 1])
def test_a_damaged_file(files, tmp_path, started, position):
    paths, _ = files
    for later in (position, COUNT - 1):
        (tmp_path / f"{later:03d}.png").write_bytes(b"no image")
    with pytest.raises(DataError) as error:
        read_images(paths, Silent())
    assert str(error.value) == (
        f"{paths[position]} cannot be read: it is neither a JPEG nor a PNG image; replace or delete the file"
    )
    assert ended(started)


@pytest.mark.usefixtures("_processes")
@pytest.mark.parametrize("position", [1, 2, 3, 18, COUNT - 1])
def test_other_sizes(files, position):
    paths, _ = files
    Image.new("RGB", (4, 6)).save(paths[position])
    with pytest.raises(DataError) as error:
        read_images(paths, Silent())
    assert str(error.value) == (
        f"images have different sizes: {paths[0]} has 9x6 pixels and {paths[position]} 4x6; "
        "bring them to one size, for example with ImageMagick: mogrify -resize 9x6! FILES"
    )


def test_more_images_than_memory(files, monkeypatch):
    paths, _ = files
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": 2 * 40 * 6 * 9 * 3 - 1}.__getitem__)
    with pytest.raises(DataError) as error:
        read_images(paths, Silent())
    assert str(error.value) == "40 images of 9x6 pixels need 0 GiB and there are 0 GiB of memory; give fewer or smaller images"


def test_images_that_just_fit_into_memory(files, monkeypatch):
    paths, _ = files
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": 2 * 40 * 6 * 9 * 3}.__getitem__)
    assert len(read_images(paths, Silent())) == 40


@pytest.mark.usefixtures("_processes")
def test_progress(files):
    progress = Counting()
    read_images(files[0], progress)
    assert progress.steps == progress.total
    assert progress.total in (1, 14)


def test_a_process_that_dies(files, monkeypatch):
    monkeypatch.setattr(reading, "_FILES_AT_ONCE", 3)
    monkeypatch.setattr(reading, "usable_processors", lambda: 2)
    start = subprocess.Popen

    def doomed(*args, **options):
        process = start(*args, **options)
        process.send_signal(signal.SIGKILL)
        return process

    monkeypatch.setattr(subprocess, "Popen", doomed)
    with pytest.raises(DataError) as error:
        read_images(files[0], Silent())
    assert str(error.value) == "a process that decodes images ended before it was done; try again with more memory free"


def test_an_interruption_leaves_no_process(files, started, monkeypatch):
    class Interrupted(Counting):
        def step(self, note: str = "") -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(reading, "_FILES_AT_ONCE", 3)
    monkeypatch.setattr(reading, "usable_processors", lambda: 2)
    with pytest.raises(KeyboardInterrupt):
        read_images(files[0], Interrupted())
    assert len(started) == 2
    assert ended(started)

from __future__ import annotations

import gzip
import hashlib
import pickle
import struct

import numpy as np
import pytest
import torch
from torchvision import datasets

from rfcheck.errors import DataError
from rfcheck.verify.data import archives
from rfcheck.verify.progress import Silent


def write_idx(path, values: np.ndarray) -> None:
    """A file in the format of the original MNIST: magic number, extents, bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes())


def write_mnist(folder, *, count: int = 30) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    written = {}
    for split, name in (("train", "train"), ("test", "t10k")):
        written[split] = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        write_idx(folder / f"{name}-images-idx3-ubyte", written[split])
        write_idx(folder / f"{name}-labels-idx1-ubyte", (np.arange(count) % 10).astype(np.uint8))
    return written


def write_cifar(monkeypatch, folder, name: str, label: str) -> dict[str, np.ndarray]:
    """Files in the original format, and their checksums in the place of the published ones."""
    reader = getattr(datasets, name)
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)
    written: dict[str, list[np.ndarray]] = {}
    for split in ("train", "test"):
        sums = []
        for file, _ in getattr(reader, f"{split}_list"):
            data = random.integers(0, 256, (20, 3072), dtype=np.uint8)
            content = pickle.dumps({"data": data, label: [number % 10 for number in range(20)]})
            (folder / file).write_bytes(content)
            sums.append([file, hashlib.md5(content).hexdigest()])
            written.setdefault(split, []).append(data)
        monkeypatch.setattr(reader, f"{split}_list", sums)
    key = reader.meta["key"]
    content = pickle.dumps({key: [f"class {number}" for number in range(10)]})
    (folder / reader.meta["filename"]).write_bytes(content)
    monkeypatch.setattr(reader, "meta", {**reader.meta, "md5": hashlib.md5(content).hexdigest()})
    return {split: np.concatenate(parts) for split, parts in written.items()}


@pytest.mark.parametrize(("name", "folder", "flips"), [("mnist", "MNIST", False), ("fashion-mnist", "FashionMNIST", True)])
def test_mnist(tmp_path, name, folder, flips):
    written = write_mnist(tmp_path / folder / "raw")
    archives.check(name, str(tmp_path), False)
    data = archives.load(name, str(tmp_path), False, Silent())
    assert data.flips == flips
    assert len(data.classes) == 10
    for split, images in (("train", data.train), ("test", data.test)):
        assert images.pixels.dtype == torch.uint8
        assert np.array_equal(images.pixels.numpy(), written[split][:, None])
        assert images.labels.tolist() == [number % 10 for number in range(30)]


@pytest.mark.parametrize(("name", "reader", "label"), [("cifar10", "CIFAR10", "labels"), ("cifar100", "CIFAR100", "fine_labels")])
def test_cifar(tmp_path, monkeypatch, name, reader, label):
    written = write_cifar(monkeypatch, tmp_path / archives.ARCHIVES[name].folder, reader, label)
    data = archives.load(name, str(tmp_path), False, Silent())
    assert data.flips
    assert data.classes == tuple(f"class {number}" for number in range(10))
    for split, images in (("train", data.train), ("test", data.test)):
        assert images.pixels.is_contiguous()
        assert np.array_equal(images.pixels.numpy(), written[split].reshape(-1, 3, 32, 32))
        assert images.labels.tolist() == [number % 10 for number in range(20)] * (len(images) // 20)


def test_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_mnist(tmp_path / "data" / "MNIST" / "raw")
    archives.check("mnist", "~/data", False)
    assert len(archives.load("mnist", "~/data", False, Silent()).train) == 30


@pytest.mark.parametrize(("name", "folder"), [("cifar10", "cifar-10-batches-py"), ("fashion-mnist", "FashionMNIST/raw")])
def test_not_downloaded(tmp_path, name, folder):
    for action in (lambda: archives.check(name, str(tmp_path), False), lambda: archives.load(name, str(tmp_path), False, Silent())):
        with pytest.raises(DataError) as error:
            action()
        assert str(error.value) == (
            f"{name}:{tmp_path}: there is no folder {tmp_path / folder}; give --download to download the data set"
        )


def test_what_may_be_downloaded_need_not_be_there(tmp_path):
    archives.check("cifar10", str(tmp_path / "new"), True)


def test_damaged_files(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    write_mnist(raw)
    (raw / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + b"\0" * 3)
    with pytest.raises(DataError) as error:
        archives.load("mnist", str(tmp_path), False, Silent())
    text = str(error.value)
    assert text.startswith(f"mnist:{tmp_path}: the files in {raw} are incomplete or damaged (")
    assert text.endswith("); delete the folder and give --download to download the data set again")


def test_missing_files(tmp_path):
    (tmp_path / "cifar-10-batches-py").mkdir()
    with pytest.raises(DataError) as error:
        archives.load("cifar10", str(tmp_path), False, Silent())
    assert str(error.value) == (
        f"cifar10:{tmp_path}: the files in {tmp_path / 'cifar-10-batches-py'} are incomplete or damaged "
        "(RuntimeError: Dataset not found or corrupted. You can use download=True to download it); "
        "delete the folder and give --download to download the data set again"
    )


def test_a_download_that_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(DataError) as error:
        archives.load("mnist", str(tmp_path), True, Silent())
    assert str(error.value).startswith(f"mnist:{tmp_path}: downloading it fails (")
    assert str(error.value).endswith("); check the connection and the space on the disk, or put the files there by hand")


def test_a_download_works_from_a_server(tmp_path, monkeypatch):
    """The real reader downloads from a server on this machine."""
    import http.server
    import threading

    source = tmp_path / "server"
    written = write_mnist(source)
    resources = []
    for file in sorted(source.iterdir()):
        packed = source / f"{file.name}.gz"
        packed.write_bytes(gzip.compress(file.read_bytes()))
        resources.append((packed.name, hashlib.md5(packed.read_bytes()).hexdigest()))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(source))

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(datasets.MNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
        monkeypatch.setattr(datasets.MNIST, "resources", resources)
        data = archives.load("mnist", str(tmp_path / "target"), True, Silent())
        server.shutdown()
    assert np.array_equal(data.train.pixels.numpy(), written["train"][:, None])

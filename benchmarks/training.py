"""Time of an epoch of `rfcheck verify` against a bare PyTorch loop over the same batches, both with validation."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from rfcheck.verify.data.batches import evaluation_batches, training_batches
from rfcheck.verify.data.images import Dataset, Images
from rfcheck.verify.data.prepared import Prepared, prepare
from rfcheck.verify.progress import Silent
from rfcheck.verify.recipe import DELTA, Training
from rfcheck.verify.training.loop import train

CLASSES = 10


def build() -> nn.Module:
    return torchvision.models.resnet18(num_classes=CLASSES)


def data(images: int, device: torch.device) -> Prepared:
    """Noise of the size of CIFAR-10, a tenth of it for validation."""
    split = Images(torch.randint(0, 256, (images, 3, 32, 32), dtype=torch.uint8), torch.arange(images) % CLASSES)
    names = tuple(str(label) for label in range(CLASSES))
    return prepare(Dataset("noise", names, split, split, flips=True), (3, 32, 32)).to(device)


def bare_epoch(prepared: Prepared, training: Training, device: torch.device) -> float:
    model = build().to(device)
    optimizer = torch.optim.Adam(model.parameters(), training.learning_rate)
    start = time.perf_counter()
    model.train()
    for images, labels in training_batches(prepared, batch_size=training.batch_size, seed=0, epoch=1):
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for images, _ in evaluation_batches(prepared, "validation", batch_size=training.batch_size):
            scores = model(images)
    scores.sum().item()  # wait for the device
    return time.perf_counter() - start


def verify_epoch(prepared: Prepared, training: Training, device: torch.device) -> tuple[float, float]:
    """Seconds of the epoch, and of the whole call: building, the check of the head, metrics and checkpoint included."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        trained = train(
            build,
            prepared,
            training,
            seed=0,
            folder=Path(folder),
            layers=(),
            delta=DELTA,
            device=device,
            tensorboard=False,
            progress=Silent(),
        )
        return trained.epochs[0].seconds, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    device = torch.device(options.device)
    torch.backends.cudnn.deterministic = True  # as in the training of verify
    prepared, training = data(options.images, device), Training(epochs=1, batch_size=options.batch_size)
    bare_epoch(prepared, training, device), verify_epoch(prepared, training, device)  # what is imported and chosen on first use
    rounds = [
        (bare_epoch(prepared, training, device), *verify_epoch(prepared, training, device)) for _ in range(options.repetitions)
    ]
    bare, epoch, call = (statistics.median(values) for values in zip(*rounds, strict=True))
    print(f"{'ResNet-18, 32 px, ' + str(device):30} {'bare s':>8} {'verify s':>9} {'ratio':>6}")
    for label, seconds, ratio in (
        ("epoch with validation", epoch, statistics.median(epoch / bare for bare, epoch, _ in rounds)),
        ("whole call, with checkpoint", call, statistics.median(call / bare for bare, _, call in rounds)),
    ):
        print(f"{label:30} {bare:8.2f} {seconds:9.2f} {ratio:6.3f}")


if __name__ == "__main__":
    main()

"""A training that takes a tenth of a second; as a script, one that several processes share."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from rfcheck.verify.data.images import Dataset, Images
from rfcheck.verify.data.prepared import Prepared, prepare
from rfcheck.verify.progress import Silent
from rfcheck.verify.recipe import DELTA, Training
from rfcheck.verify.training.loop import Trained, train

LAYERS = ("conv1", "conv2", "linear")
SHORT = Training(epochs=3, batch_size=8, learning_rate=1e-2, decay_every=2)


class Net(nn.Module):
    """Two convolutions, with dropout and, unless told otherwise, batch normalisation."""

    def __init__(self, num_classes=3, normalised=True, dropout=0.25, width=6):
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width) if normalised else nn.Identity()
        self.conv2 = nn.Conv2d(width, 8, 3, stride=2)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(8, num_classes)

    def forward(self, x):
        x = torch.relu(self.norm(self.conv1(x)))
        return self.linear(self.dropout(torch.relu(self.conv2(x)).mean((2, 3))))


def images(per_class, classes, generator):
    """Noise that is brighter in another third of the image for each class."""
    labels = torch.arange(classes).repeat(per_class)
    pixels = torch.randint(0, 120, (len(labels), 1, 9, 9), generator=generator, dtype=torch.uint8)
    for label in range(classes):
        pixels[labels == label, :, 3 * label : 3 * label + 3] += 80
    return Images(pixels, labels)


def small_data(per_class=13, classes=3, size=9) -> Prepared:
    """36 images to train on, 3 to validate with."""
    generator = torch.Generator().manual_seed(7)
    names = tuple(f"class {label}" for label in range(classes))
    dataset = Dataset("small", names, images(per_class, classes, generator), images(4, classes, generator), flips=True)
    return prepare(dataset, (1, size, size))


def short(folder, build=Net, data=None, training=SHORT, **options) -> Trained:
    """Train with what most tests have in common."""
    settings = {"seed": 3, "layers": LAYERS, "delta": DELTA, "device": "cpu", "tensorboard": False, "progress": Silent()} | options
    return train(build, data or small_data(), training, folder=Path(folder), **settings)


def numbers(trained: Trained) -> dict:
    """Everything that a repetition must reproduce bitwise: weights, metrics without seconds, saturation."""
    epochs = [{name: value for name, value in asdict(epoch).items() if name != "seconds"} for epoch in trained.epochs]
    weights = {name: value.tolist() for name, value in trained.model.state_dict().items()}
    return {"weights": weights, "epochs": epochs, "saturation": [asdict(layer) for layer in trained.saturation]}


if __name__ == "__main__":
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--answer", type=Path)
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    result = short(options.folder, lambda: Net(normalised=not options.plain, dropout=0 if options.plain else 0.25))
    if options.answer:
        options.answer.write_text(json.dumps(numbers(result)))

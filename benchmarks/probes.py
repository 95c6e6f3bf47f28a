"""Time of the probes of all layers against that of SAGA for 100 epochs on the same features, and against a training epoch."""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from rfcheck.verify.probes.features import Collected, collect
from rfcheck.verify.probes.probing import train_probes

WIDTHS = (16, 32, 64, 64, 128, 128, 128, 128)
POOLED = (0, 1, 3, 5)


def network() -> nn.Sequential:
    """VGG-11 with a quarter of its channels."""
    layers: list[nn.Module] = []
    channels = 3
    for index, width in enumerate(WIDTHS):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        layers += [nn.MaxPool2d(2)] if index in POOLED else []
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def patterns(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Images of 32 x 32 pixels with noise, in which a blurred pattern of each class is anywhere; a stand-in for photographs."""
    templates = torch.randn(10, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    templates = nn.functional.interpolate(templates, 16, mode="bilinear")
    labels = torch.randint(0, 10, (count,), generator=generator)
    images = 1.5 * torch.randn(count, 3, 32, 32, generator=generator)
    for image, label, (row, column) in zip(images, labels, torch.randint(0, 17, (count, 2), generator=generator), strict=True):
        image[:, row : row + 16, column : column + 16] += templates[label]
    return images, labels


def batches(images: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(images.split(128), labels.split(128), strict=True)


def train(model: nn.Module, images: Tensor, labels: Tensor, device: torch.device, epochs: int) -> float:
    """Train with Adam; seconds of the last epoch."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    for _ in range(epochs):
        start = time.perf_counter()
        for some, wanted in batches(images, labels):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(some), wanted).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds = time.perf_counter() - start
    return seconds


def timed(call: Callable[[], float]) -> tuple[float, float]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def saga(train: Collected, test: Collected, layer: str, l2: float) -> float:
    """Accuracy of scikit-learn's regression on the same standardised features, with SAGA for 100 epochs."""
    from sklearn.linear_model import LogisticRegression

    x, others = ((f.values.float() * f.scale + f.shift).cpu().numpy() for f in (train.features(layer), test.features(layer)))
    mean, deviation = x.mean(0), x.std(0)
    deviation[deviation == 0] = 1
    regression = LogisticRegression(C=1 / (l2 * len(x)), solver="saga", max_iter=100, tol=1e-12, random_state=0)
    regression.fit((x - mean) / deviation, train.labels.numpy())
    return float(regression.score((others - mean) / deviation, test.labels.numpy()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--skip-saga", action="store_true", help="compare with a training epoch alone")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    device = torch.device(options.device)
    generator = torch.Generator().manual_seed(0)
    data, others = (tuple(part.to(device) for part in patterns(n, generator)) for n in (options.images, 2000))
    model = network().to(device)
    epoch = train(model, *data, device, options.epochs)
    layers = [name for name, module in model.named_modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    with TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        features = collect(model, batches(*data), layers, count=options.images, memory=2**32, folder=folder)
        tested = collect(model, batches(*others), layers, count=2000, memory=2**32, folder=folder)
        collecting = time.perf_counter() - start
        report(features, tested, layers, folder, device, epoch, collecting, not options.skip_saga)


def report(
    train: Collected,
    test: Collected,
    layers: list[str],
    folder: Path,
    device: torch.device,
    epoch: float,
    collecting: float,
    saga_too: bool,
) -> None:
    """Measure layer by layer, by turns, and print the table."""
    print(f"{'layer':8} {'features':>8} {'l2':>8} {'probe s':>8} {'accuracy':>9} {'SAGA s':>8} {'accuracy':>9} {'ratio':>6}")
    ours = theirs = 0.0
    for layer in layers:
        start = time.perf_counter()
        (probe,) = train_probes(train, test, [layer], 10, folder=folder, device=device)
        seconds = time.perf_counter() - start
        ours += seconds
        line = f"{layer:8} {probe.features:8} {probe.l2:8.1e} {seconds:8.2f} {probe.test_accuracy:9.4f}"
        if saga_too:
            other, accuracy = timed(lambda layer=layer, l2=probe.l2: saga(train, test, layer, l2))  # type: ignore[misc]
            theirs += other
            line += f" {other:8.2f} {accuracy:9.4f} {other / seconds:6.1f}"
        print(line, flush=True)
    if saga_too:
        print(f"{'all':26} {ours:8.2f} {'':9} {theirs:8.2f} {'':9} {theirs / ours:6.1f}")
    print(f"outputs of layers and probes / training epoch: {(collecting + ours) / epoch:.2f}")


if __name__ == "__main__":
    main()

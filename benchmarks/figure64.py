"""Train the networks of Richter 2022, figure 64 and section 11.4, full, truncated and without stem, and judge the predictions.

Each network is a run of `rfcheck verify`, in a folder of its own, and goes on where it was interrupted. What the thesis did takes
a GPU: full width (--divisor 1), all images, 60 epochs. On a CPU, divide the filters and take a part of the images; the results say
which.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from rfcheck.config import Settings
from rfcheck.verify.conclusions import Judgement, VariantResult
from rfcheck.verify.data.images import Dataset, Images
from rfcheck.verify.data.prepared import prepare
from rfcheck.verify.data.sources import load_dataset
from rfcheck.verify.progress import Silent
from rfcheck.verify.recipe import Recipe, Training
from rfcheck.verify.run.environment import environment, limited_threads
from rfcheck.verify.run.folder import RunFolder
from rfcheck.verify.run.measuring import Bench, chance, measure
from rfcheck.verify.run.planning import plan_run
from rfcheck.verify.verdict.judging import judge

NETWORKS = {
    "VGG-11": ("vgg(11, {})", ("truncate", "truncate-before")),
    "VGG-16": ("vgg(16, {})", ("truncate", "truncate-before")),
    "VGG-19": ("vgg(19, {})", ("truncate", "truncate-before")),
    "ResNet-18": ("resnet(18, {})", ("truncate", "truncate-before", "remove-stem")),
    "ResNet-34": ("resnet(34, {})", ("truncate", "truncate-before", "remove-stem")),
    "MPNet18": ("mpnet(18, {})", ("truncate", "truncate-before")),
    "MPNet36": ("mpnet(36, {})", ("truncate", "truncate-before")),
}
"""Targets in networks.py, and the fixes whose models are trained besides."""


def part_of(images: Images, per_class: int | None) -> Images:
    """The first images of every class."""
    if per_class is None:
        return images
    chosen = [torch.nonzero(images.labels == label).flatten()[:per_class] for label in images.labels.unique()]
    return images.subset(torch.cat(chosen).sort().values)


def verified(name: str, dataset: Dataset, training: Training, options: argparse.Namespace) -> Judgement:
    """Train and judge one network with all its variants."""
    target, fixes = NETWORKS[name]
    file = Path(__file__).with_name("networks.py")
    recipe = Recipe(f"{file}:{target.format(options.divisor)}", (3, 32, 32), options.data, training, options.seeds, fixes)
    plan = plan_run(recipe, Settings())
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = prepare(dataset, recipe.input_size).to(device)
    bench = Bench(recipe, data, device, RunFolder(options.runs / name), False, Silent())
    measurements = []
    for seed in range(options.seeds):
        for planned in plan.models:
            measurements.append(measure(planned, seed, bench))
            print(f"{name} {planned.variant.name} seed {seed}: {measurements[-1].test_accuracy:.2%}", flush=True)
    variants = [planned.variant for planned in plan.models]
    return judge(
        variants,
        measurements,
        settings=Settings(),
        training=training,
        input_size=(32, 32),
        name=name,
        flow=plan.flow,
        chance=chance(data),
    )


def row(result: VariantResult) -> dict[str, Any]:
    """One model as the result file has it; accuracies in per cent."""
    difference = result.difference
    return {
        "accuracies": [round(100 * accuracy, 2) for accuracy in result.accuracies],
        "mean": round(100 * result.mean.value, 2),
        "difference": None
        if difference is None
        else [round(100 * x, 2) for x in (difference.value, difference.low, difference.high)],
        "change": result.change,
        "params": result.variant.params,
        "flops": result.variant.flops,
    }


def table(networks: dict[str, Any]) -> str:
    """The results as a Markdown table: accuracy in per cent, for changed models the difference in points with its interval."""
    columns = {"truncate": "cut after b_min", "truncate-before": "cut before b_min", "remove-stem": "without stem"}
    lines = [f"| network | as it is | {' | '.join(columns.values())} | tail |", "| --- " * (len(columns) + 3) + "|"]
    for name, found in networks.items():
        models = found["models"]
        cells = [cell(models[column], models["original"]) if column in models else "" for column in columns]
        lines.append(f"| {name} | {models['original']['mean']:.1f} | {' | '.join(cells)} | {found['status']} |")
    return "\n".join(lines)


def cell(model: dict[str, Any], original: dict[str, Any]) -> str:
    """A changed model: its difference, and its share of the parameters of the original."""
    value, low, high = model["difference"]
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}], {model['params'] / original['params']:.0%} of the parameters"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="as for rfcheck verify: cifar10:PATH or folder:PATH with CIFAR-10's classes")
    parser.add_argument("--divisor", type=int, default=1, help="of the numbers of filters")
    parser.add_argument("--per-class", type=int, help="training images per class; all if it is left out")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=Path, default=Path("rfcheck-runs/figure64"))
    parser.add_argument("--output", type=Path, required=True, help="result file, JSON")
    parser.add_argument("networks", nargs="*", default=list(NETWORKS))
    options = parser.parse_args()
    training = replace(Training(), epochs=options.epochs, learning_rate=options.learning_rate)
    loaded = load_dataset(options.data)
    dataset = replace(loaded, train=part_of(loaded.train, options.per_class))
    setting = {
        "images": {"train": len(dataset.train), "test": len(dataset.test)},
        "divisor": options.divisor,
        "epochs": options.epochs,
        "learning_rate": options.learning_rate,
        "seeds": options.seeds,
    }
    results = {}
    with limited_threads():
        for name in options.networks:
            judgement = verified(name, dataset, training, options)
            results[name] = {
                "border": next((x.layer.name for x in judgement.layers if x.layer.in_tail), None),
                "plateau": judgement.plateau,
                "status": judgement.status,
                "mean_saturation": round(judgement.mean_saturation, 4),
                "models": {result.variant.name: row(result) for result in judgement.variants},
            }
            document = {"setting": setting, "environment": environment(), "networks": results}
            options.output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()

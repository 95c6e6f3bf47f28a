from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch
from torch import nn

from rfcheck.verify import SaturationTracker
from rfcheck.verify.saturation.covariance import RunningCovariance
from rfcheck.verify.saturation.everywhere import of_all_processes
from tests.verify.side_by_side import run_side_by_side

SCRIPT = """
import json, sys
from dataclasses import asdict
import torch
from torch import distributed, nn
from rfcheck.verify import SaturationTracker

torch.set_num_threads(1)
distributed.init_process_group("gloo")
rank = distributed.get_rank()
torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True), nn.Conv2d(8, 6, 3))
model = nn.parallel.DistributedDataParallel(model)
images = torch.load(sys.argv[1])
results = {}
with SaturationTracker(model) as tracker:
    for batch in images[rank::2]:
        model(batch)
    model.eval()
    if rank == 1:  # the first process has no batch to evaluate
        model.module(images[0])
    for mode in ("train", "eval", "train"):
        results[mode] = [asdict(layer) for layer in tracker.results(mode)]
    results["mean"] = tracker.mean("eval")
    if rank == 1:  # which does not wait for the other process
        results["own"] = [asdict(layer) for layer in tracker.results("eval", shared=False)]
with open(f"{sys.argv[1]}.{rank}", "w") as file:
    json.dump(results, file)
distributed.destroy_process_group()
"""


def test_two_processes_measure_what_one_does(tmp_path):
    script, data = tmp_path / "script.py", tmp_path / "images"
    script.write_text(SCRIPT, encoding="utf-8")
    images = [torch.randn(5, 3, 24, 24) for _ in range(7)]
    images[1][2, 0, 3, 3] = torch.nan
    torch.save(images, data)
    run_side_by_side(2, str(script), str(data))
    first, second = (json.loads((tmp_path / f"images.{rank}").read_text()) for rank in (0, 1))
    own = second.pop("own")
    assert own == second["eval"]  # as only this process evaluated
    assert first == second

    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True), nn.Conv2d(8, 6, 3))
    with SaturationTracker(model) as tracker:
        for batch in images:
            model(batch)
        model.eval()(images[0])
    for mode in ("train", "eval"):
        alone = [asdict(layer) for layer in tracker.results(mode)]
        assert len(alone) == len(first[mode]) == 2
        for one, shared in zip(alone, first[mode], strict=True):
            assert shared.pop("layer") == one.pop("layer")
            assert shared == pytest.approx(one, rel=1e-6)
    assert first["train"][0]["not_finite"] == 9
    assert first["mean"] == tracker.mean("eval")


def test_one_process_keeps_its_own():
    covariances = {"b": RunningCovariance(3), "a": RunningCovariance(4)}
    assert list(of_all_processes(covariances).items()) == list(covariances.items())

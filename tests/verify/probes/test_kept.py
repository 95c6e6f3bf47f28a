from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from rfcheck.verify.probes import kept as module
from rfcheck.verify.probes.features import Collected
from rfcheck.verify.probes.kept import KeptProbes, fingerprint
from rfcheck.verify.records import Probe

PROBE = Probe("layer1.0/conv:2", 48, 10**-1.5, 0.75, np.arange(21) % 3 == 0)


def same(left: Probe, right: Probe) -> bool:
    numbers = [(probe.layer, probe.features, str(probe.l2), str(probe.train_accuracy)) for probe in (left, right)]
    return numbers[0] == numbers[1] and np.array_equal(left.correct, right.correct)


@pytest.mark.parametrize("probe", [PROBE, Probe("fc", 48, math.nan, math.nan, np.zeros(21, dtype=bool))])
def test_a_probe_comes_back(probe, tmp_path):
    kept = KeptProbes(tmp_path / "new" / "folder", "abc")
    assert kept.load(probe.layer, 48, 21) is None
    kept.save(probe)
    assert same(kept.load(probe.layer, 48, 21), probe)
    assert len(list((tmp_path / "new" / "folder").iterdir())) == 1


def test_layers_with_like_names_have_files_of_their_own(tmp_path):
    kept = KeptProbes(tmp_path, "abc")
    for name in ("a:2", "a_2", "a/2", "A:2", "x" * 300):
        kept.save(Probe(name, 3, 0.1, 0.5, np.array([True])))
    assert len({path.name.lower() for path in tmp_path.iterdir()}) == 5
    assert all(kept.load(name, 3, 1).layer == name for name in ("a:2", "a_2", "a/2", "A:2", "x" * 300))


def test_what_belongs_to_others_is_ignored(tmp_path):
    KeptProbes(tmp_path, "abc").save(PROBE)
    assert KeptProbes(tmp_path, "abd").load(PROBE.layer, 48, 21) is None
    assert KeptProbes(tmp_path, "abc").load(PROBE.layer, 49, 21) is None
    assert KeptProbes(tmp_path, "abc").load("layer1.0", 48, 21) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[1, 2]",
        lambda text: "{}",
        lambda text: text.replace('"l2": 0', '"l2": "x'),
        lambda text: json.dumps(json.loads(text) | {"correct": "zz"}),
        lambda text: json.dumps(json.loads(text) | {"correct": "ff"}),
        lambda text: json.dumps(json.loads(text) | {"l2": [1]}),
    ],
)
def test_a_damaged_file_is_ignored(damage, tmp_path):
    kept = KeptProbes(tmp_path, "abc")
    kept.save(PROBE)
    (file,) = tmp_path.iterdir()
    assert kept.load(PROBE.layer, 48, 21) is not None
    file.write_text(damage(file.read_text(encoding="utf-8")), encoding="utf-8")
    assert kept.load(PROBE.layer, 48, 21) is None
    file.write_bytes(b"\xff\xfe\x00")
    assert kept.load(PROBE.layer, 48, 21) is None


def test_the_fingerprint_tells_models_images_and_methods_apart(monkeypatch):
    def collected(labels=(0, 1), logits=((0.5, 1.0), (2.0, 0.0))):
        return Collected({}, torch.tensor(labels), torch.tensor(logits), 0)

    usual = fingerprint(collected(), collected())
    assert usual == fingerprint(collected(), collected())
    others = [
        fingerprint(collected(labels=(1, 1)), collected()),
        fingerprint(collected(), collected(labels=(1, 1))),
        fingerprint(collected(logits=((0.5, 1.0), (2.0, 1e-7))), collected()),
        fingerprint(collected(), collected(logits=((0.5, 1.0), (2.0, 1e-7)))),
    ]
    monkeypatch.setattr(module, "METHOD", 2)
    others.append(fingerprint(collected(), collected()))
    assert len({usual, *others}) == 6

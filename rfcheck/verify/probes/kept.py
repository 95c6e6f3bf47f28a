"""Probes that are trained already, kept in a folder, so that a run that was killed continues behind the last of them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rfcheck.plain_file import read_plain
from rfcheck.verify.plain import known
from rfcheck.verify.probes.features import Collected
from rfcheck.verify.records import Probe
from rfcheck.verify.writing import layer_file_name, write_file

METHOD = 1
"""Version of how probes are trained; results of another one are not used."""


def fingerprint(train: Collected, test: Collected) -> str:
    """Tells collections apart: SHA-256 of the labels of all images and of what the model said of them, as hexadecimal digits."""
    digest = hashlib.sha256(str(METHOD).encode())
    for tensor in (train.labels, train.logits, test.labels, test.logits):
        digest.update(str(tuple(tensor.shape)).encode())
        digest.update(np.ascontiguousarray(tensor.numpy()).data)
    return digest.hexdigest()


class KeptProbes:
    """Probes in a folder, one small file each.

    Args:
        folder: created when needed.
        fingerprint: of the collections that they were trained and tested on.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._folder = folder
        self._fingerprint = fingerprint

    def load(self, layer: str, features: int, images: int) -> Probe | None:
        """The probe of a layer; None if there is none, or its file is damaged or belongs to other images, features or models."""
        try:
            content = json.loads(read_plain(self._path(layer)))
            if content["for"] != self._key(layer, features):
                return None
            packed = np.frombuffer(bytes.fromhex(content["correct"]), dtype=np.uint8)
            if len(packed) != -(-images // 8):
                return None
            correct = np.unpackbits(packed, count=images).astype(bool)
            l2, accuracy = (math.nan if content[name] is None else float(content[name]) for name in ("l2", "train_accuracy"))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return Probe(layer, features, l2, accuracy, correct)

    def save(self, probe: Probe) -> None:
        """Keep a probe; the file is written whole or not at all.

        Raises:
            VerifyError: if it cannot be written.
        """
        content = {
            "for": self._key(probe.layer, probe.features),
            "l2": known(probe.l2),
            "train_accuracy": known(probe.train_accuracy),
            "correct": np.packbits(probe.correct).tobytes().hex(),
        }
        write_file(self._path(probe.layer), json.dumps(content, indent=1).encode())

    def _key(self, layer: str, features: int) -> Sequence[object]:
        return [layer, features, self._fingerprint]

    def _path(self, layer: str) -> Path:
        return self._folder / layer_file_name(layer)

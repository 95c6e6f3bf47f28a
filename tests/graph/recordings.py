"""What functions of an image leave in a recording."""

from __future__ import annotations

from typing import Any

import torch

from rfcheck.graph.recorder import Recorder
from rfcheck.graph.records import OpRecord, Recording


def record(function: Any, *, hold_tensors: bool = True) -> tuple[Recording, int | None]:
    """What a function of the image does, and the value of its result."""
    recorder = Recorder(hold_tensors=hold_tensors, use_shape_rules=True)
    device = "meta" if hold_tensors else "cpu"
    image = torch.empty(1, 2, 8, 8, device=device)
    recorder.add_input(image)
    with recorder:
        result = function(image)
    return recorder.recording, recorder.value_of(result)


def names(recording: Recording) -> list[str]:
    return [r.func if isinstance(r.func, str) else r.func._opname for r in recording.records]


def producer(recording: Recording, value: int | None) -> OpRecord:
    return next(r for r in recording.records if value in [out.value for out in r.outputs])

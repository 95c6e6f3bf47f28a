"""What a run ran on: versions, device, processes and threads."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rfcheck.processors import usable_processors
from rfcheck.verify.run.processes import processes, processes_here

if TYPE_CHECKING:
    import torch

PACKAGES = ("torchvision", "accelerate", "scikit-learn", "numpy")

_THEN = ", then "


def environment() -> dict[str, str]:
    """Versions, device, number of processes and threads of each, by name."""
    import torch

    import rfcheck

    found = {
        "rfcheck": rfcheck.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "torch": torch.__version__,
    }
    found |= {package: importlib.metadata.version(package) for package in PACKAGES}
    device = training_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine() or "cpu"
    return found | {"device": name, "processes": str(processes()), "threads": str(_threads())}


def continued(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """The environment of a run that goes on: where it changed, "2.14.0, then 2.15.0"."""
    merged = dict(before)
    for name, value in now.items():
        last = before.get(name, "").rpartition(_THEN)[2]
        if value != last:
            merged[name] = f"{before[name]}{_THEN}{value}" if name in before else value
    return merged


def change_sentence(environment: Mapping[str, str]) -> str:
    """What a reader should know of an environment that changed while the run went on; empty if it did not."""
    changed = [f"{name}: {value}" for name, value in environment.items() if _THEN in value]
    return f"went on in another environment ({'; '.join(changed)}), which may have changed the numbers" if changed else ""


def training_device() -> torch.device:
    """The GPU of this process if there is one and ACCELERATE_USE_CPU does not say otherwise, else the CPU."""
    import torch

    is_refused = os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes")
    if is_refused or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", torch.cuda.current_device())))


@contextmanager
def limited_threads() -> Iterator[None]:
    """Let torch and linear algebra use no more threads than there are processors, which otherwise slows both down manifold.

    The processes on this machine share the processors. OMP_NUM_THREADS wins where it is set.
    """
    import torch
    from threadpoolctl import threadpool_limits

    before, threads = torch.get_num_threads(), _threads()
    try:
        torch.set_num_threads(threads)
        with threadpool_limits(threads):
            yield
    finally:
        torch.set_num_threads(before)


def _threads() -> int:
    """Threads that one process should use: OMP_NUM_THREADS, or else its share of the processors, as far as torch wants them."""
    import torch

    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    return max(1, min(torch.get_num_threads(), usable_processors() // processes_here()))

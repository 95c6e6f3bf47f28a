"""What a run ran on: versions, device and threads."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rfcheck.processors import usable_processors

if TYPE_CHECKING:
    import torch

PACKAGES = ("torchvision", "accelerate", "scikit-learn", "numpy")


def environment() -> dict[str, str]:
    """Versions, device and number of threads, by name."""
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
    return found | {"device": name, "threads": str(torch.get_num_threads())}


def training_device() -> torch.device:
    """The GPU of this process if there is one and ACCELERATE_USE_CPU does not say otherwise, else the CPU."""
    import torch

    is_refused = os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes")
    if is_refused or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", torch.cuda.current_device())))


@contextmanager
def limited_threads(processes: int = 1) -> Iterator[None]:
    """Let torch and linear algebra use no more threads than there are processors, which otherwise slows both down manifold.

    OMP_NUM_THREADS wins where it is set.

    Args:
        processes: that share the processors.
    """
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    asked = os.environ.get("OMP_NUM_THREADS", "")
    threads = int(asked) if asked.isdecimal() and int(asked) else max(1, usable_processors() // processes)
    try:
        torch.set_num_threads(threads)
        with threadpool_limits(threads):
            yield
    finally:
        torch.set_num_threads(before)

"""Analyse one target at many resolutions: in this process, or in worker processes where that pays."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from rfcheck.cli.analysing import BuiltTarget
from rfcheck.config import Settings
from rfcheck.errors import RfcheckError
from rfcheck.processors import usable_processors
from rfcheck.sweeping import SweepPoint, measure

START_SECONDS = 3.0
"""What a worker takes before its first analysis: a Python process that imports torch and builds the model."""


def sweep_target(
    built: BuiltTarget, label: str, resolutions: Sequence[int], settings: Settings, jobs: int | None
) -> tuple[SweepPoint, ...]:
    """The points of one target, the same whoever computes them.

    Args:
        built: the target's model in this process.
        label: the target as text, from which a worker process loads it again.
        resolutions: extents of the image, in pixels.
        settings: of every analysis.
        jobs: worker processes; 1 for none, None for as many as pay by the time that the first analyses take.

    Raises:
        RfcheckError: if a worker process dies; whatever an analysis raises, but for a forward pass that fails.
    """
    done: dict[int, SweepPoint] = {}
    if jobs is None:
        # the first analysis of a process pays for imports and caches, so the second tells the time
        done[resolutions[0]] = measure(built.analyze, resolutions[0])
        middle = resolutions[len(resolutions) // 2]
        started = time.perf_counter()
        done[middle] = measure(built.analyze, middle)
        jobs = workers_that_pay(time.perf_counter() - started, len(resolutions) - len(done), usable_processors())
    left = [resolution for resolution in resolutions if resolution not in done]
    if jobs == 1 or len(left) < 2:
        points = [measure(built.analyze, resolution) for resolution in left]
    else:
        points = _in_workers(label, left, settings, min(jobs, len(left)))
    done.update(zip(left, points, strict=True))
    return tuple(done[resolution] for resolution in resolutions)


def workers_that_pay(seconds: float, analyses: int, cores: int) -> int:
    """How many worker processes to use; 1 stands for none.

    They pay if they save at least twice what it takes to start them, and each has at least that much to do.

    Args:
        seconds: that one analysis takes.
        analyses: how many there are.
        cores: that can be used.
    """
    here = seconds * analyses
    workers = max(1, min(cores, analyses, int(here / START_SECONDS)))
    return workers if here - here / workers >= 2 * START_SECONDS else 1


def _in_workers(label: str, resolutions: Sequence[int], settings: Settings, workers: int) -> list[SweepPoint]:
    earlier = multiprocessing.active_children()
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))
    try:
        with _interrupts_ignored():
            points = pool.map(partial(_measure_in_worker, label, settings), resolutions)
        return list(points)
    except BrokenProcessPool:
        raise RfcheckError(
            f"{label}: a worker process died, perhaps for want of memory; --jobs 1 analyses without workers"
        ) from None
    except BaseException:
        for child in multiprocessing.active_children():
            if child not in earlier:
                child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Processes that are started meanwhile ignore Ctrl-C from their first moment: this process ends them, without tracebacks."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _measure_in_worker(label: str, settings: Settings, resolution: int) -> SweepPoint:
    with contextlib.redirect_stderr(io.StringIO()):  # what the model prints, the first process has printed
        if label not in _built:
            from rfcheck.target.load import load_targets

            (target,) = load_targets(label)
            _built[label] = BuiltTarget(target, settings)
        return measure(_built[label].analyze, resolution)


_built: dict[str, BuiltTarget] = {}
"""The model of a worker process, which serves one target with one set of settings."""

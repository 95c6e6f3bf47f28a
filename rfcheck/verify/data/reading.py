"""Read many image files into one tensor, decoded by several processes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue

import numpy as np
import torch
from torch import Tensor

from rfcheck.errors import DataError
from rfcheck.processors import usable_processors
from rfcheck.verify.data import decoding
from rfcheck.verify.data.decoding import Decoded, Problem, decode
from rfcheck.verify.progress import Progress

_FILES_AT_ONCE = 256
"""Files per list that a process decodes."""

_BYTES_AT_ONCE = 32 * 1024**2
"""Size of decoded images per list, if that allows fewer files."""

_LISTS_PER_PROCESS = 4
"""Lists that make starting a process worth its time."""

Decoder = Callable[[list[str]], Decoded]


def read_images(paths: Sequence[str], progress: Progress) -> Tensor:
    """Decode files of one size.

    Args:
        paths: of JPEG and PNG files, at least one.
        progress: is told of every list of files that is decoded.

    Returns:
        uint8 (N, C, H, W) in the order of the paths; one channel if all images are grey, else three.

    Raises:
        DataError: if a file is damaged or not an image, sizes differ, or the images would not fit into memory.
    """
    first = decode([paths[0]])
    _require_sound(first, paths[0], first.size)
    _require_memory(len(paths), first)
    at_once = max(1, min(_FILES_AT_ONCE, _BYTES_AT_ONCE // len(first.data)))
    starts = range(0, len(paths), at_once)
    stack = _Stack(len(paths), paths[0], first.size)
    progress.stage("reading images", len(starts))
    with _decoders(min(usable_processors(), len(starts) // _LISTS_PER_PROCESS)) as decoders:

        def read(start: int) -> None:
            part = list(paths[start : start + at_once])
            decoder = decoders.get()
            try:
                stack.fill(start, part, decoder(part))
            finally:
                decoders.put(decoder)

        _carry_out(read, starts, decoders.qsize(), progress)
    return torch.from_numpy(stack.pixels)


def _carry_out(read: Callable[[int], None], starts: Sequence[int], threads: int, progress: Progress) -> None:
    """Read all lists; of several errors, the one in the first list is raised."""
    with ThreadPoolExecutor(threads) as pool:
        done = pool.map(read, starts)
        try:
            for _ in done:
                progress.step()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Stack:
    """Images of one size that are filled in in any order.

    Args:
        count: of images.
        first: path of the file that decides the size.
        size: (width, height) in pixels.
    """

    def __init__(self, count: int, first: str, size: tuple[int, int]) -> None:
        self._first = first
        self._size = size
        self._lock = threading.Lock()
        self.pixels = np.empty((count, 1, size[1], size[0]), np.uint8)

    def fill(self, start: int, paths: Sequence[str], decoded: Decoded) -> None:
        """Put decoded files in their places, from a position on."""
        _require_sound(decoded, self._first, self._size, paths[0])
        width, height = self._size
        values = np.frombuffer(decoded.data, np.uint8).reshape(len(paths), height, width, decoded.channels).transpose(0, 3, 1, 2)
        with self._lock:
            if decoded.channels > self.pixels.shape[1]:
                self.pixels = np.repeat(self.pixels, decoded.channels, axis=1)
            self.pixels[start : start + len(paths)] = values


def _require_sound(decoded: Decoded, first: str, size: tuple[int, int], path: str | None = None) -> None:
    """Raise what is wrong with decoded files, next to the first of all."""
    problem = decoded.problem
    if problem is not None and problem.reason:
        raise DataError(f"{problem.path} cannot be read: {problem.reason}; replace or delete the file")
    other, found = (path, decoded.size) if decoded.size != size else (problem.path, problem.size) if problem else (None, None)
    if other is not None and found is not None:
        width, height = found
        raise DataError(
            f"images have different sizes: {first} has {size[0]}x{size[1]} pixels and {other} {width}x{height}; "
            f"bring them to one size, for example with ImageMagick: mogrify -resize {size[0]}x{size[1]}! FILES"
        )


def _require_memory(count: int, first: Decoded) -> None:
    needed = 2 * count * len(first.data)  # splits are cut from the whole
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else needed
    if needed > there:
        raise DataError(
            f"{count} images of {first.size[0]}x{first.size[1]} pixels need {needed / 2**30:.0f} GiB and there are "
            f"{there / 2**30:.0f} GiB of memory; give fewer or smaller images"
        )


@contextmanager
def _decoders(count: int) -> Iterator[SimpleQueue[Decoder]]:
    """Functions that decode at the same time in so many processes, or one that does in this process if a single one would."""
    decoders: SimpleQueue[Decoder] = SimpleQueue()
    if count <= 1:
        decoders.put(decode)
        yield decoders
        return
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(count):
            processes.append(_started())
            decoders.put(_asking(processes[-1]))
        yield decoders
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _started() -> subprocess.Popen[bytes]:
    """A process that decodes.

    It is a program of its own, as processes that multiprocessing forks or spawns would inherit threads, or run the user's main
    program again. It does not import from its own folder (-P), and only ends when told to, not with Ctrl-C (a session of its own).
    """
    return subprocess.Popen(
        [sys.executable, "-P", decoding.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _asking(process: subprocess.Popen[bytes]) -> Decoder:
    """A function that lets another process decode."""

    def ask(paths: list[str]) -> Decoded:
        requests, answers = process.stdin, process.stdout
        assert requests is not None
        assert answers is not None
        try:
            pickle.dump(paths, requests)
            requests.flush()
            size, channels, data, problem = pickle.load(answers)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise DataError("a process that decodes images ended before it was done; try again with more memory free") from error
        return Decoded(size, channels, data, problem and Problem(*problem))

    return ask

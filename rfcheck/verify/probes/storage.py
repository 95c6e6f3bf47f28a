"""Where the features of probes are kept: as float16 in memory, or in a file that is mapped into it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rfcheck.errors import VerifyError
from rfcheck.verify.writing import cannot_be_written, is_full, remedy_of

LARGEST = 65504.0
"""Largest number that float16 holds."""

FLOOR = 1 / 256
"""Smallest unit of a feature, as a share of the typical one of its layer: one that hardly varied at first may vary more later."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerFeatures:
    """What a probe reads of a layer, for every image; the true value is ``values * scale + shift``.

    Attributes:
        values: float16 (N, F).
        scale: unit of each feature; float32 (F,).
        shift: zero of each feature; float32 (F,).
        not_finite: whether an image's features held NaN or infinity, which are kept as zero; bool (N,), on the CPU.
    """

    values: Tensor
    scale: Tensor
    shift: Tensor
    not_finite: Tensor


class Writer:
    """Takes the features of a layer batch by batch.

    They are kept as multiples of their standard deviation in the first batch, counted from their mean there, so that float16
    neither overflows nor loses a small variation beside a large mean; what is still too large is cut to `LARGEST`.

    Args:
        first: features of the first batch, to measure them by; float32 (n, F).
        count: images in all.
        path: of a file to keep them in; None for memory, on the device of the first batch.
    """

    def __init__(self, first: Tensor, count: int, path: Path | None) -> None:
        self.scale, self.shift = units(first)
        self._path = path
        self._shape = (count, first.shape[1])
        self._values = None if path else torch.empty(self._shape, dtype=torch.float16, device=first.device)
        self._not_finite: list[Tensor] = []
        self._rows = 0

    def add(self, features: Tensor) -> None:
        """Keep the features of the next images; float32 (n, F).

        Raises:
            VerifyError: if they cannot be written.
        """
        finite = features.isfinite().all(dim=1)
        self._not_finite.append(~finite)
        scaled = torch.where(finite[:, None], (features - self.shift) / self.scale, 0).clamp_(-LARGEST, LARGEST)
        rows = slice(self._rows, self._rows + len(features))
        self._rows = rows.stop
        if self._values is not None:
            self._values[rows] = scaled
        else:
            self._append(scaled.half().cpu().numpy())

    def finish(self) -> LayerFeatures:
        """All features."""
        assert self._rows == self._shape[0], f"{self._rows} images were given of {self._shape[0]}"
        values = self._values
        if values is None:
            assert self._path is not None
            values = torch.from_numpy(np.memmap(self._path, dtype=np.float16, mode="c", shape=self._shape))
        return LayerFeatures(values, self.scale, self.shift, torch.cat(self._not_finite).cpu())

    def _append(self, values: np.ndarray) -> None:
        assert self._path is not None
        try:
            with self._path.open("ab", buffering=0) as file:
                data = memoryview(values.tobytes())
                while data:
                    data = data[file.write(data) :]
        except OSError as error:
            raise not_kept(self._path, error, 2 * self._shape[0] * self._shape[1]) from error


def units(features: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and shift by which features become numbers around one.

    Args:
        features: float32 (n, F); NaN and infinities count as zero.

    Returns:
        standard deviations, none of them below `FLOOR` of the typical one, and means; float32 (F,).
    """
    features = features.nan_to_num(0, 0, 0)
    largest = features.abs().amax().clamp(min=torch.finfo(torch.float32).tiny)
    relative = features / largest
    shift = relative.mean(dim=0)
    deviation = (relative - shift).square().mean(dim=0).sqrt()
    typical = deviation.square().mean().sqrt()
    typical = torch.where(typical > 0, typical, relative.square().mean().sqrt())
    typical = torch.where(typical > 0, typical, 1 / largest)
    scale = deviation.clamp(min=FLOOR * typical) * largest
    return scale.clamp(min=torch.finfo(torch.float32).tiny), shift * largest


def not_kept(path: Path, error: OSError, needed: int) -> VerifyError:
    """What to say of features that cannot be written.

    Args:
        path: of their file.
        error: that the system gave.
        needed: bytes that the features of the layer take.
    """
    if not is_full(error):
        return VerifyError(f"{cannot_be_written(path, error)}; {remedy_of(error)}")
    return VerifyError(
        f"{cannot_be_written(path, error)}; the features of a layer take {needed / 1024**2:.0f} MiB; make room and resume the run, "
        "or begin a new one with more --probe-memory or a smaller --probe-size"
    )

"""Mean and covariance of rows that come in batches, in constant memory and without the loss of digits that plain sums suffer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from rfcheck.errors import VerifyError
from rfcheck.verify.saturation.moments import Moments, block_rows, moments_of

_NUMBERS_AT_ONCE = 2**24
"""How many numbers an accelerator is given at a time, so that many rows do not become many small kernels; 64 MiB of float32."""


class RunningCovariance:
    """Covariance of all rows so far.

    Rows gather in a buffer of max(4096, 2 C); when it is full, its centred product in the precision of the rows (float32 at least)
    is merged into sums in float64. On a CPU the mean of the block before is taken off while rows are copied into the buffer, which
    saves passes over it. Rows with NaN or infinity are counted and left out. On an accelerator only what returns numbers
    waits for the device. Where torch may use fewer digits in float32 products (torch.set_float32_matmul_precision), so do these.

    Args:
        features: C, numbers per row.
        device: where sums and buffer are kept; None for that of the first rows (the CPU for those that know no float64).

    Raises:
        VerifyError: if features is not a positive number.

    Source: Richter 2022, section 6.1.3, for what it is used for; Chan, Golub and LeVeque 1979 for the merge.
    """

    def __init__(self, features: int, device: torch.device | str | None = None) -> None:
        if isinstance(features, bool) or not isinstance(features, int) or features < 1:
            raise VerifyError(f"a covariance needs a positive number of features, not {features!r}")
        self.features = features
        self._device = None if device is None else torch.device(device)
        self._capacity = block_rows(features)
        self._moments: Moments | None = None
        self._buffer: Tensor | None = None
        self._filled = 0
        self._shift: Tensor | None = None  # taken off the rows in the buffer

    @torch.inference_mode()
    def update(self, rows: Tensor) -> None:
        """Take more rows in.

        Args:
            rows: (..., C) of a floating-point type; every position of the dimensions before the last is one row.

        Raises:
            VerifyError: if the last dimension is not C, or the numbers are not real floating-point numbers.
        """
        if rows.ndim == 0 or rows.shape[-1] != self.features or not rows.is_floating_point():
            kind = str(rows.dtype).removeprefix("torch.")
            raise VerifyError(f"expected rows of {self.features} real numbers, got a tensor of shape {tuple(rows.shape)} in {kind}")
        if rows.numel() == 0:
            return
        if self._device is None:
            self._device = torch.device("cpu") if rows.device.type == "mps" else rows.device
        at_once = self._capacity if self._device.type == "cpu" else max(self._capacity, _NUMBERS_AT_ONCE // self.features)
        for piece in _pieces(rows, at_once):
            self._take(piece)

    @property
    def count(self) -> int:
        """Finite rows so far."""
        return int(self.moments().count)

    @property
    def mean(self) -> Tensor:
        """Mean of the rows, (C,) float64; zeros where there are none."""
        return self.moments().mean

    @property
    def not_finite(self) -> int:
        """Rows left out so far, as they held NaN or infinity."""
        return int(self.moments().not_finite)

    def covariance(self) -> Tensor:
        """Covariance of the rows, divided by their number (not by one less), (C, C) float64; zeros where there are no rows."""
        moments = self.moments()
        return moments.scatter / moments.count.clamp(min=1)

    def moments(self) -> Moments:
        """Those of all rows, the buffered ones included; a copy."""
        moments = Moments.nothing(self.features, self._device or "cpu") if self._moments is None else self._moments.clone()
        if self._buffer is not None and self._filled:
            moments.add(moments_of(self._buffer[: self._filled].clone(), self._shift))
        return moments

    def all_reduce(self) -> RunningCovariance:
        """That of the rows of all processes, each of which has to call this; this one stays as it is."""
        whole = RunningCovariance(self.features, self._device)
        whole._add(self.moments().all_reduce())
        return whole

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on to bitwise the same numbers: copied tensors, numbers, None."""
        state: dict[str, Any] = {"features": self.features, "moments": None, "buffer": None, "by_feature": False, "shift": None}
        if self._moments is not None:
            copy = self._moments.clone()
            state["moments"] = {name: getattr(copy, name) for name in ("count", "not_finite", "mean", "scatter")}
        if self._buffer is not None:
            state["buffer"] = self._buffer[: self._filled].clone(memory_format=torch.contiguous_format)
            state["by_feature"] = self._buffer.stride(-1) != 1
            state["shift"] = None if self._shift is None else self._shift.clone()
        return state

    @torch.inference_mode(False)
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave.

        Raises:
            VerifyError: if it is that of another number of features.
        """
        if state["features"] != self.features:
            raise VerifyError(f"the state of a covariance of {state['features']} features does not fit one of {self.features}")
        moments, rows = state["moments"], state["buffer"]
        if self._device is None and (moments is not None or rows is not None):
            self._device = rows.device if moments is None else moments["mean"].device
        self._moments = None if moments is None else Moments(**moments).clone(self._device)
        self._buffer, self._filled, self._shift = None, 0, None
        if rows is not None:
            self._buffer = self._new_buffer(rows.dtype, state["by_feature"])
            self._filled = len(rows)
            self._buffer[: self._filled] = rows
            self._shift = None if state["shift"] is None else state["shift"].to(self._device, copy=True)

    def _take(self, piece: Tensor) -> None:
        """Put rows (N, P, C) into the buffer, or straight into the sums where they are more than it holds."""
        rows = piece.shape[0] * piece.shape[1]
        dtype = torch.promote_types(piece.dtype, torch.float32)
        by_feature = piece.stride(-1) != 1
        if rows > self._capacity:
            block = _empty(rows, self.features, by_feature, dtype, self._device)
            block.view(piece.shape).copy_(piece)
            self._add(moments_of(block))
            return
        if self._buffer is None or self._buffer.dtype != dtype:
            self._flush()
            self._buffer = self._new_buffer(dtype, by_feature)
        if self._filled + rows > self._capacity:
            self._flush()
        if not self._filled and self._buffer.device.type == "cpu":
            self._shift = self._expected(piece, dtype)
        place = self._buffer[self._filled : self._filled + rows].view(piece.shape)
        if self._shift is None:
            place.copy_(piece)
        else:
            torch.sub(piece.to(place.device), self._shift, out=place)
        self._filled += rows
        if self._filled == self._capacity:
            self._flush()

    def _flush(self) -> None:
        if self._buffer is not None and self._filled:
            self._add(moments_of(self._buffer[: self._filled], self._shift))
            self._filled = 0

    def _expected(self, piece: Tensor, dtype: torch.dtype) -> Tensor | None:
        """About the mean of the rows to come: that of the rows so far, at first that of the first piece; None if not finite."""
        known = self._moments is not None and bool(self._moments.count)
        mean = self._moments.mean.to(dtype) if self._moments is not None and known else piece.mean((0, 1), dtype=dtype)
        return mean.to(self._device) if bool(mean.isfinite().all()) else None

    def _add(self, moments: Moments) -> None:
        if self._moments is None:
            with torch.inference_mode(False):
                self._moments = Moments.nothing(self.features, self._device or "cpu")
        self._moments.add(moments)

    @torch.inference_mode(False)
    def _new_buffer(self, dtype: torch.dtype, by_feature: bool) -> Tensor:
        return _empty(self._capacity, self.features, by_feature, dtype, self._device)


def _pieces(rows: Tensor, at_once: int) -> Iterator[Tensor]:
    """Rows (..., C) as pieces (N, P, C) of at most so many rows, in order; views wherever the strides allow."""
    rows = rows[None] if rows.ndim == 1 else rows
    rows = rows.flatten(1, -2) if rows.ndim > 2 else rows.unsqueeze(1)
    positions = rows.shape[1]
    if positions > at_once:
        for sample in rows:
            yield from (sample[start : start + at_once, None] for start in range(0, positions, at_once))
    else:
        samples = at_once // positions
        yield from (rows[start : start + samples] for start in range(0, len(rows), samples))


def _empty(rows: int, features: int, by_feature: bool, dtype: torch.dtype, device: torch.device | None) -> Tensor:
    """Memory for rows (N, C), each row or each feature in one stretch: that of feature maps is kept, as transposing costs time."""
    if by_feature:
        return torch.empty(features, rows, dtype=dtype, device=device).T
    return torch.empty(rows, features, dtype=dtype, device=device)

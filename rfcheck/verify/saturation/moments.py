"""Number, mean and scatter of rows, and how those of two sets of rows become those of their union."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

BLOCK_ROWS = 4096
"""Rows of one product, at least: enough to make its merge in double precision cheap, few enough to be summed in single."""

FEW_FEATURES = 16
"""Below so many features a product takes no time in double precision, and some libraries sum it carelessly in single."""


def block_rows(features: int) -> int:
    """Rows of one product: at least twice as many as features, so that the product costs more than its merge."""
    return max(BLOCK_ROWS, 2 * features)


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What has to be known of rows to merge them with others.

    Attributes:
        count: finite rows; int64 ().
        not_finite: rows left out, as they hold NaN or infinity; int64 ().
        mean: of the finite rows; float64 (C,).
        scatter: sum of the outer products of the rows' distances from their mean; float64 (C, C).
    """

    count: Tensor
    not_finite: Tensor
    mean: Tensor
    scatter: Tensor

    @staticmethod
    def nothing(features: int, device: torch.device | str) -> Moments:
        """Those of no rows."""
        count, not_finite = (torch.zeros((), dtype=torch.int64, device=device) for _ in range(2))
        sums = torch.zeros(features + 1, features, dtype=torch.float64, device=device)
        return Moments(count, not_finite, sums[0], sums[1:])

    def clone(self, device: torch.device | str | None = None) -> Moments:
        """A copy, on the given device or else on the same."""
        tensors = (self.count, self.not_finite, self.mean, self.scatter)
        return Moments(*(tensor.to(device or tensor.device, copy=True) for tensor in tensors))

    def add(self, other: Moments) -> None:
        """Take the rows of another one in, in place.

        Source: Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing sample variances, 1979.
        """
        share = other.count.double() / (self.count + other.count).clamp(min=1)
        delta = other.mean - self.mean
        self.scatter.add_(other.scatter).addr_(delta, delta * (share * self.count))
        self.mean.addcmul_(delta, share)
        self.count.add_(other.count)
        self.not_finite.add_(other.not_finite)

    def all_reduce(self) -> Moments:
        """Those of the rows of all processes, each of which has to call this; without torch.distributed those of this process."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return self
        device = torch.device("cuda") if distributed.get_backend() == "nccl" else self.mean.device
        counts = torch.stack([self.count, self.not_finite]).to(device)
        distributed.all_reduce(counts)
        mean = (self.mean * (self.count / counts[0].to(self.mean.device).clamp(min=1))).to(device)
        distributed.all_reduce(mean)
        delta = self.mean - mean.to(self.mean.device)
        scatter = self.scatter.addr(delta, delta * self.count).to(device)
        distributed.all_reduce(scatter)
        return Moments(counts[0], counts[1], mean, scatter).clone(self.mean.device)


def moments_of(rows: Tensor, shift: Tensor | None = None) -> Moments:
    """Those of a block of rows, whose memory serves as working space.

    The rows are centred on their mean before they are multiplied, and what the rounding of that mean leaves is taken off
    afterwards: so a mean of 1e5 standard deviations costs no digits. The CPU looks first whether rows are near enough to their
    mean already to do without, and whether all is finite; other devices, on which looking means waiting, always centre, and leave
    out what may not be finite.

    Args:
        rows: (N, C) float32 or float64, N >= 1; overwritten.
        shift: what was taken off every row before, (C,) of the same type; None for nothing.
    """
    if rows.device.type == "cpu" and shift is not None:
        near = _moments_if_near(rows, shift)
        if near is not None:
            return near
    mean = rows.mean(0)
    if rows.device.type == "cpu" and bool(mean.isfinite().all()):
        count = torch.tensor(len(rows), device=rows.device)
        centred = rows.sub_(mean)
    else:
        finite = rows.isfinite().all(1, keepdim=True)
        count = finite.sum()
        rows.masked_fill_(~finite, 0)
        mean = rows.sum(0) / count.clamp(min=1)
        centred = rows.sub_(mean).mul_(finite)
    rest = (centred.sum(0) / count.clamp(min=1)).double()
    scatter = _product(centred).addr_(rest, rest * -count)
    center = mean.double().add_(rest)
    return Moments(count, len(rows) - count, center if shift is None else center.add_(shift), scatter)


def _moments_if_near(rows: Tensor, shift: Tensor) -> Moments | None:
    """Those of rows whose mean may be taken off their product, as that costs at most one binary digit in every feature.

    Returns:
        None where it costs more, or a mean is not finite.
    """
    count = len(rows)
    rest, product = rows.mean(0).double(), _product(rows)
    spared = torch.addcmul(product.diagonal(), rest, rest, value=-2 * count)
    if not bool((spared >= 0).all()):
        return None
    finite, not_finite = torch.tensor((count, 0), device=rows.device)
    return Moments(finite, not_finite, rest + shift, product.addr_(rest, rest, alpha=-count))


def _product(rows: Tensor) -> Tensor:
    """The rows' transpose times the rows, (C, C) float64, from blocks short enough to be summed in the precision of the rows."""
    kind = rows.device.type
    with torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext():
        size = block_rows(rows.shape[1])
        whole = len(rows) // size * size
        if rows.shape[1] < FEW_FEATURES:
            rows = rows.double()
        if len(rows) <= size:
            return (rows.T @ rows).double()
        blocks = rows[:whole].view(-1, size, rows.shape[1])
        product = torch.bmm(blocks.mT, blocks).sum(0, dtype=torch.float64)
        return product.add_(rows[whole:].T @ rows[whole:])

"""Layers as the figures get them, made by hand."""

from __future__ import annotations

from rfcheck.analysis.layers import Extents, Layer


def layer(
    name: str,
    low: Extents | None,
    high: Extents | None = None,
    *,
    flops: int = 100,
    tail: bool = False,
    judged: bool = True,
    unproductive: bool | None = None,
) -> Layer:
    """A convolution with r_min and r_max of its input, and twice that of its output; r_max is r_min where it is not given.

    Where nothing is said of it, it is unproductive if it is in the tail.
    """
    high = low if high is None else high
    unproductive = tail if unproductive is None else unproductive
    return Layer(
        name=name,
        kind="conv",
        role="features",
        module_type="Conv2d",
        kernel=(3, 3),
        stride=(1, 1),
        dilation=(1, 1),
        padding=(1, 1),
        groups=1,
        in_channels=3,
        out_channels=3,
        in_size=(8, 8),
        out_size=(8, 8),
        jump=None,
        r_min=_doubled(low),
        r_max=_doubled(high),
        r_in_min=low,
        r_in_max=high,
        live_taps=1.0,
        flops=flops,
        params=10,
        judged=judged,
        productive=not unproductive if judged else None,
        in_tail=tail,
    )


def _doubled(extents: Extents | None) -> Extents | None:
    return None if extents is None else tuple(2 * r for r in extents)


def square(*extents: float) -> list[Layer]:
    """Layers of a chain that see as much along both axes."""
    return [layer(f"layer{place}", (extent, extent)) for place, extent in enumerate(extents, 1)]

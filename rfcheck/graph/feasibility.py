"""Which input sizes a model can take at all, to tell a user whose forward pass failed."""

from __future__ import annotations

from torch import nn

from rfcheck.graph.trace import can_trace

_USUAL = (16, 24, 28, 32, 48, 64, 96, 112, 128, 160, 192, 224, 227, 256, 299, 320, 384, 448, 512, 640, 768, 1024)


def working_resolution(model: nn.Module, shape: tuple[int, ...]) -> tuple[int, bool] | None:
    """A square resolution near the given one at which the forward pass succeeds.

    Tries usual resolutions on meta tensors, larger ones first, and narrows down to the smallest that works.

    Args:
        model: whose forward fails.
        shape: of the input at which it fails, (1, C, *axes).

    Returns:
        The resolution, and whether it is the only one near it (a head tied to one resolution). None if none was found.
    """
    axes = len(shape) - 2
    failing = max(shape[2:])

    def works(resolution: int) -> bool:
        return can_trace(model, (*shape[:2], *(resolution,) * axes))

    larger = [r for r in _USUAL if r > failing]
    smaller = [r for r in reversed(_USUAL) if r < failing]
    found = next((r for r in larger if works(r)), None)
    if found is None:
        found = next((r for r in smaller if works(r)), None)
        return None if found is None else (found, not works(found + 1))
    low = max([failing, *(r for r in larger if r < found)])
    while found - low > 1:
        middle = (low + found) // 2
        if works(middle):
            found = middle
        else:
            low = middle
    return found, not works(found + 1)

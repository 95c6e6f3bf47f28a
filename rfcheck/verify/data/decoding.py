"""Decode image files; run as a program, decode lists of files for another process.

As a program it reads pickled lists of paths from standard input, and answers each on standard output with what `decode` makes of
it, as pickled plain tuples. It imports nothing but Pillow, so that it starts fast.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image


class Problem(NamedTuple):
    """Why files could not be decoded together.

    Attributes:
        path: of the file.
        reason: what is wrong with it; empty where its size is.
        size: (width, height) of an image that differs from the first one of its list, else None.
    """

    path: str
    reason: str
    size: tuple[int, int] | None = None


class Decoded(NamedTuple):
    """Images of one size.

    Attributes:
        size: (width, height) in pixels.
        channels: 1 if all images are grey, else 3.
        data: values, (N, height, width, channels).
        problem: the first one; there is no data then.
    """

    size: tuple[int, int]
    channels: int
    data: bytes
    problem: Problem | None = None


def decode(paths: list[str]) -> Decoded:
    """Decode some files; grey ones become colour images where others are in colour."""
    images: list[Image] = []
    for path in paths:
        try:
            image = _read(path)
        except Exception as error:  # decoders raise whatever they stumble over in damaged files
            return Decoded((0, 0), 0, b"", Problem(path, " ".join(str(error).split()) or type(error).__name__))
        if images and image.size != images[0].size:
            return Decoded(images[0].size, 0, b"", Problem(path, "", image.size))
        images.append(image)
    mode = "L" if all(image.mode == "L" for image in images) else "RGB"
    data = b"".join((image if image.mode == mode else image.convert(mode)).tobytes() for image in images)
    return Decoded(images[0].size, len(mode), data)


def _read(path: str) -> Image:
    """An image in mode L or RGB."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            image.load()
            return eight_bits(image)
    except UnidentifiedImageError:
        raise ValueError("it is neither a JPEG nor a PNG image") from None


def eight_bits(image: Image) -> Image:
    """An image with one byte per colour: in mode L if it is grey, else in RGB."""
    from PIL import Image

    if image.mode in ("L", "RGB"):
        return image
    if image.mode.startswith("I;16"):
        high = image.tobytes()[0 if image.mode.endswith("B") else 1 :: 2]
        return Image.frombytes("L", image.size, high)
    if image.mode == "I":  # how older versions of Pillow read grey PNG files of 16 bits
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("L" if image.mode in ("1", "LA") else "RGB")


def serve() -> None:
    """Decode the lists of files that standard input names until it ends."""
    answers = sys.stdout.buffer
    with contextlib.suppress(EOFError):
        while True:
            size, channels, data, problem = decode(pickle.load(sys.stdin.buffer))
            pickle.dump((size, channels, data, problem and tuple(problem)), answers)
            answers.flush()


if __name__ == "__main__":
    serve()

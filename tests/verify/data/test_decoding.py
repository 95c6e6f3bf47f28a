from __future__ import annotations

import io
import pickle
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from rfcheck.verify.data import decoding
from rfcheck.verify.data.decoding import Problem, decode, eight_bits

COLOURS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


@pytest.fixture
def saved(tmp_path):
    """Write an image; returns its path."""

    def write(name: str, values: np.ndarray, mode: str | None = None) -> str:
        image = Image.fromarray(values)
        (image if mode is None else image.convert(mode)).save(tmp_path / name)
        return str(tmp_path / name)

    return write


def test_png_values(saved):
    decoded = decode([saved("a.png", COLOURS), saved("b.png", COLOURS[::-1].copy())])
    assert (decoded.size, decoded.channels, decoded.problem) == ((7, 5), 3, None)
    assert np.array_equal(np.frombuffer(decoded.data, np.uint8).reshape(2, 5, 7, 3), np.stack([COLOURS, COLOURS[::-1]]))


def test_jpeg_values(saved):
    path = saved("a.jpg", COLOURS)
    assert decode([path]).data == Image.open(path).convert("RGB").tobytes()


def test_grey_images_stay_grey_alone_and_become_colours_among_others(saved):
    grey, colour = saved("grey.png", COLOURS[..., 0]), saved("colour.png", COLOURS)
    alone = decode([grey, grey])
    assert (alone.channels, alone.data) == (1, COLOURS[..., 0].tobytes() * 2)
    among = decode([grey, colour])
    assert among.channels == 3
    assert among.data == np.repeat(COLOURS[..., :1], 3, axis=2).tobytes() + COLOURS.tobytes()


def test_a_suffix_need_not_be_right(saved, tmp_path):
    path = saved("a.png", COLOURS)
    (tmp_path / "b.jpg").write_bytes((tmp_path / "a.png").read_bytes())
    assert decode([str(tmp_path / "b.jpg")]) == decode([path])


def test_other_kinds_of_pixels(tmp_path):
    sixteen = (COLOURS[..., 0].astype(np.uint16) << 8) + 255
    Image.fromarray(sixteen).save(tmp_path / "sixteen.png")
    assert decode([str(tmp_path / "sixteen.png")]).data == COLOURS[..., 0].tobytes()
    rgba = np.dstack([COLOURS, np.full((5, 7), 9, np.uint8)])
    assert eight_bits(Image.fromarray(rgba)).tobytes() == COLOURS.tobytes()
    black_and_white = Image.fromarray(COLOURS[..., 0] > 99)
    assert eight_bits(black_and_white).tobytes() == ((COLOURS[..., 0] > 99) * np.uint8(255)).tobytes()
    old = Image.fromarray(COLOURS[..., 0].astype(np.int32) * 256 + 3)
    assert (old.mode, eight_bits(old).tobytes()) == ("I", COLOURS[..., 0].tobytes())


def test_palettes_with_transparency(tmp_path):
    palette = Image.fromarray(COLOURS).quantize(8)
    palette.save(tmp_path / "a.png", transparency=bytes(range(8)))
    image = Image.open(tmp_path / "a.png")
    assert image.mode == "P"
    assert eight_bits(image).tobytes() == palette.convert("RGB").tobytes()


def test_a_truncated_file_is_named(saved, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    good, bad = saved("good.jpg", noise), tmp_path / "bad.jpg"
    bad.write_bytes((tmp_path / "good.jpg").read_bytes()[:2000])
    problem = decode([good, str(bad), good]).problem
    assert problem is not None
    assert problem.path == str(bad)
    assert problem.reason.startswith("image file is truncated")
    assert decode([good, str(bad)]).data == b""


@pytest.mark.parametrize("content", [b"", b"hello", b"GIF89a\1\0\1\0\0\0\0"])
def test_what_is_no_image(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    assert decode([str(tmp_path / "a.jpg")]).problem == Problem(str(tmp_path / "a.jpg"), "it is neither a JPEG nor a PNG image")


def test_a_file_that_is_gone(tmp_path):
    problem = decode([str(tmp_path / "a.jpg")]).problem
    assert problem is not None
    assert "No such file" in problem.reason


def test_other_sizes(saved):
    paths = [saved("a.png", COLOURS), saved("b.png", COLOURS[:, :4])]
    decoded = decode(paths)
    assert (decoded.size, decoded.data, decoded.problem) == ((7, 5), b"", Problem(paths[1], "", (4, 5)))


def test_as_a_program(saved, tmp_path):
    path = saved("a.png", COLOURS)
    requests = io.BytesIO()
    for paths in ([path, path], [str(tmp_path / "none.png")]):
        pickle.dump(paths, requests)
    ended = subprocess.run([sys.executable, "-P", decoding.__file__], input=requests.getvalue(), capture_output=True, check=True)
    answers = io.BytesIO(ended.stdout)
    assert pickle.load(answers) == ((7, 5), 3, COLOURS.tobytes() * 2, None)
    assert pickle.load(answers)[3][0] == str(tmp_path / "none.png")
    assert ended.stderr == b""


def test_the_program_imports_little():
    """It is started for every processor; numpy and torch would take longer than small sets of images."""
    code = (
        "import runpy, sys; sys.stdin.close(); "
        f"runpy.run_path({decoding.__file__!r}); print(sorted({{'numpy', 'torch', 'rfcheck'}} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout == "[]\n"

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from rfcheck.errors import DataError
from rfcheck.verify.data import folder
from rfcheck.verify.progress import Silent

LAYOUT = "it needs train/ and test/, each with a folder of JPEG or PNG images per class"


@pytest.fixture
def root(tmp_path):
    """Three images per class and split; each has one grey value."""
    value = 0
    for split in ("train", "test"):
        for name in ("cat", "Ape", "bee"):
            (tmp_path / split / name).mkdir(parents=True)
            for suffix in (".png", ".PNG", ".png"):
                value += 1
                Image.new("L", (4, 5), value).save(tmp_path / split / name / f"{value:02d}{suffix}")
    return tmp_path


def load(root):
    return folder.load(str(root), False, Silent())


def refusal(root) -> str:
    """What both the check and loading say."""
    said = set()
    for action in (folder.check, lambda place, download: folder.load(place, download, Silent())):
        with pytest.raises(DataError) as error:
            action(str(root), False)
        said.add(str(error.value))
    assert len(said) == 1
    return said.pop()


def test_classes_are_sorted_and_images_in_order(root):
    folder.check(str(root), False)
    data = load(root)
    assert data.classes == ("Ape", "bee", "cat")
    assert data.train.labels.tolist() == data.test.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert data.train.pixels.shape == (9, 1, 5, 4)
    assert data.train.pixels[:, 0, 0, 0].tolist() == [4, 5, 6, 7, 8, 9, 1, 2, 3]
    assert data.test.pixels[:, 0, 2, 3].tolist() == [13, 14, 15, 16, 17, 18, 10, 11, 12]
    assert data.flips
    assert data.name == f"folder:{root}"


def test_jpeg_files_of_all_spellings(root):
    noise = np.random.default_rng(0).integers(0, 256, (5, 4), dtype=np.uint8)
    for number, suffix in enumerate((".jpg", ".JPG", ".jpeg", ".JPEG")):
        Image.fromarray(noise).save(root / "train" / "bee" / f"a{number}{suffix}")
    assert load(root).train.labels.bincount().tolist() == [3, 7, 3]


def test_val_in_the_place_of_test(root):
    expected = load(root).test.pixels
    (root / "test").rename(root / "val")
    assert (load(root).test.pixels == expected).all()


def test_test_goes_before_val(root):
    (root / "val").mkdir()
    assert len(load(root).test) == 9


def test_other_and_hidden_files_do_not_count(root):
    for name in ("Thumbs.db", ".DS_Store", "._01.png", "labels.csv"):
        (root / "train" / "bee" / name).write_text("x")
    (root / "train" / ".ipynb_checkpoints").mkdir()
    (root / "train" / "readme.txt").write_text("x")
    assert len(load(root).train) == 9


def test_the_home_folder(root, monkeypatch):
    monkeypatch.setenv("HOME", str(root.parent))
    assert len(load(f"~/{root.name}").train) == 9


def test_links_to_folders(root):
    (root / "train" / "bee").rename(root / "elsewhere")
    (root / "train" / "bee").symlink_to(root / "elsewhere")
    assert len(load(root).train) == 9


def test_no_folder(tmp_path):
    assert refusal(tmp_path / "no") == f"folder:{tmp_path / 'no'}: there is no folder {tmp_path / 'no'}; {LAYOUT}"


def test_a_missing_split(root):
    (root / "test").rename(root / "held out")
    assert refusal(root) == f"{root} has no folder test/ or val/; {LAYOUT}"
    (root / "train").rename(root / "training")
    assert refusal(root) == f"{root} has no folder train/; {LAYOUT}"


def test_images_without_classes(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "test").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "train" / "a.png")
    assert refusal(tmp_path) == f"{tmp_path / 'train'} has no folders; {LAYOUT}"


def test_an_empty_class(root):
    (root / "test" / "bee").rename(root / "bees")
    (root / "test" / "bee").mkdir()
    assert refusal(root) == (
        f"{root / 'test' / 'bee'} has no images; put JPEG or PNG files (.jpg, .jpeg, .png) into it or delete the folder"
    )


@pytest.mark.parametrize(("has", "lacks"), [("train", "test"), ("test", "train")])
def test_a_class_in_one_split_only(root, has, lacks):
    (root / has / "dog").mkdir()
    Image.new("L", (4, 5)).save(root / has / "dog" / "a.png")
    assert refusal(root) == f"{root / lacks} has no folder for the class 'dog'; both splits need the same classes"


def test_splits_of_different_sizes(root):
    for number in (10, 11, 12):
        path = next((root / "test" / "cat").glob(f"{number}.*"))
        Image.new("L", (8, 8)).save(path)
    with pytest.raises(DataError) as error:
        load(root)
    first, other = root / "train" / "Ape" / "04.png", root / "test" / "cat" / "10.png"
    assert str(error.value) == (
        f"images have different sizes: {first} has 4x5 pixels and {other} 8x8; "
        "bring them to one size, for example with ImageMagick: mogrify -resize 4x5! FILES"
    )


def test_a_folder_that_may_not_be_read(root, monkeypatch):
    """The superuser may read everything, so the system's answer is made up."""
    listed = folder.os.scandir

    def denied(path):
        if path == root / "train" / "bee":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(folder.os, "scandir", denied)
    assert refusal(root) == (
        f"{root / 'train' / 'bee'} cannot be read: Permission denied; change its permissions or choose another folder"
    )

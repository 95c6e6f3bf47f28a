from __future__ import annotations

import subprocess
import sys

import pytest
from PIL import Image

from rfcheck.errors import DataError
from rfcheck.verify.data.sources import SOURCES, load_dataset, require_possible

FORMS = "digits, folder:PATH, cifar10:PATH, cifar100:PATH, mnist:PATH, fashion-mnist:PATH, module:factory or file.py:factory"


def refusals(spec: str) -> set[str]:
    said = set()
    for action in (require_possible, load_dataset):
        with pytest.raises(DataError) as error:
            action(spec)
        said.add(str(error.value))
    return said


def test_digits():
    require_possible("digits")
    assert load_dataset("digits").name == "digits"


def test_a_factory(model_file):
    model_file("pairs = [(torch.rand(1, 4, 4), n % 2) for n in range(8)]\ndef build():\n    return pairs, pairs\n", "data.py")
    require_possible("data.py:build")
    assert len(load_dataset("data.py:build").train) == 8


def test_a_folder(tmp_path):
    for split in ("train", "val"):
        for name in ("a", "b"):
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(2):
                Image.new("L", (4, 4)).save(tmp_path / split / name / f"{number}.png")
    require_possible(f"folder:{tmp_path}")
    assert len(load_dataset(f"folder:{tmp_path}").train) == 4


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("digit", "'digit' is not a source of images; did you mean digits?"),
        ("fodler:data", "'fodler:data' is not a source of images; did you mean folder?"),
        ("cifar-10:~/data", "'cifar-10:~/data' is not a source of images; did you mean cifar10?"),
        ("Folder:data", "'Folder:data' is not a source of images; did you mean folder?"),
        ("imagenet", f"'imagenet' is not a source of images; give {FORMS}"),
        ("", f"'' is not a source of images; give {FORMS}"),
        ("folder", "'folder' does not say where the images are; write folder:PATH"),
        ("cifar10:", "'cifar10:' does not say where the images are; write cifar10:PATH"),
        ("digits:x", "'digits:x': the images of digits come with a package and have no path; write digits"),
        (
            "folder:no/such",
            "folder:no/such: there is no folder no/such; it needs train/ and test/, each with a folder of JPEG or PNG images per class",
        ),
        ("mnist:no", "mnist:no: there is no folder no/MNIST/raw; give --download to download the data set"),
        ("no.py:build", "no.py:build: there is no file no.py; give file.py:function or package.module:function"),
    ],
)
def test_what_is_not_possible(tmp_path, monkeypatch, spec, said):
    monkeypatch.chdir(tmp_path)
    assert refusals(spec) == {said}


def test_a_folder_without_the_word(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    assert refusals("pictures") == {"'pictures' is not a source of images; did you mean folder:pictures?"}


def test_what_may_be_downloaded(tmp_path):
    require_possible(f"cifar10:{tmp_path}", download=True)


def test_what_is_loaded_can_be_learned_from(model_file):
    model_file("x = torch.zeros(1, 4, 4)\ndef build():\n    return [(x, 0), (x, 0), (x, 2)], [(x, 0)]\n", "data.py")
    require_possible("data.py:build")
    with pytest.raises(DataError) as error:
        load_dataset("data.py:build")
    assert str(error.value) == (
        "class '1' of data.py:build has no training image; give at least 2 of each class, one to learn from and one to validate with"
    )


def test_a_word_that_two_sources_share_would_be_seen():
    assert set(SOURCES) == {"digits", "folder", "cifar10", "cifar100", "mnist", "fashion-mnist"}


def test_the_check_imports_neither_torch_nor_scikit_learn():
    """It comes before anything is computed, and misspelt commands should not take seconds."""
    code = (
        "import sys\nfrom rfcheck.verify.data.sources import require_possible\nrequire_possible('digits')\n"
        "require_possible('cifar10:.', download=True)\nprint(sorted({'torch', 'sklearn', 'torchvision'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout == "[]\n"
